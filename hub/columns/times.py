"""Times as tables have them, in UTC: RFC 3339, the usual spellings, days before or after months, serials of spreadsheets."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import polars as pl

from hub.columns.parallel import map_threads

TIME = pl.Datetime("us", "UTC")
#: after RFC 3339, which is read first; without a zone they are UTC
_FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y%m%d",
    "%Y年%m月%d日",
    "%Y-%m-%dT%H:%M",
    # as PostgreSQL writes them, 2024-01-05 10:00:00+08
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%d %H:%M%#z",
)
#: day and month in either order, as 5/1/2024; which of them is first, the column shows
_EITHER = r"^(?P<first>\d{1,2})[-/.](?P<second>\d{1,2})[-/.](?P<year>\d{4})(?:,?[ T]+(?P<clock>\d.*))?$"
_MONTHS = 12
_CLOCKS = ("", " %H:%M", " %H:%M:%S%.f", " %I:%M %p", " %I:%M:%S %p")
#: days since the end of 1899, which spreadsheets count: 1954 to 2119
_SERIAL = r"^\d{5}(?:\.\d+)?$"
_SERIALS = (20_000.0, 80_000.0)
_SERIAL_START = datetime(1899, 12, 30, tzinfo=UTC)
#: times read at once
_SLICE = 65_536


def read_times(values: pl.Series) -> pl.Series:
    """Times in UTC; null where no spelling fits, or where neither the value nor its column tells the day from the month."""
    if isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone:
        return values.dt.convert_time_zone("UTC").cast(TIME)
    if values.dtype.is_temporal() and values.dtype not in (pl.Time, pl.Duration):
        return values.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    texts = values.cast(pl.String, strict=False).str.strip_chars()
    slices = [texts.slice(start, _SLICE) for start in range(0, max(len(texts), 1), _SLICE)]
    times = pl.concat(map_threads(_read_written, slices, len(texts)), rechunk=True)
    for read in (_read_either, _read_serials):
        times = _read_rest(times, texts, read)
    return times


def _read_rest(times: pl.Series, texts: pl.Series, read: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """The times, and what another way of reading makes of the texts that gave none."""
    unread = times.is_null() & texts.is_not_null()
    return times.scatter(unread.arg_true(), read(texts.filter(unread))) if unread.any() else times


def _read_written(texts: pl.Series) -> pl.Series:
    times = texts.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    for form in _FORMATS:
        times = _read_rest(times, texts, partial(_read_format, form=form))
    return times


def _read_format(texts: pl.Series, form: str) -> pl.Series:
    if "%H" not in form and "%I" not in form:
        return texts.str.to_date(form, strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return texts.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)


def _read_either(texts: pl.Series) -> pl.Series:
    """Days before months, or after, as the values of the column have it that can only be read so; null where none or both do."""
    parts = texts.str.extract_groups(_EITHER).struct.unnest()
    first, second = (pl.col(name).cast(pl.Int32) for name in ("first", "second"))
    days_first, months_first = parts.select(
        ((day > _MONTHS) & (month <= _MONTHS)).any().alias(name)
        for name, day, month in (("days", first, second), ("months", second, first))
    ).row(0)
    times = pl.Series([None], dtype=TIME).new_from_index(0, len(texts))
    if days_first == months_first:
        return times
    month, day = ("second", "first") if days_first else ("first", "second")
    clock = pl.when(pl.col("clock").is_null()).then(pl.lit("")).otherwise(pl.lit(" ") + pl.col("clock"))
    written = parts.select(pl.concat_str("year", pl.lit("-"), month, pl.lit("-"), day, clock)).to_series()
    for form in _CLOCKS:
        times = _read_rest(times, written, partial(_read_format, form=f"%Y-%m-%d{form}"))
    return times


def _read_serials(texts: pl.Series) -> pl.Series:
    """Days that a spreadsheet counts, to the second, where most of the texts can be such."""
    days = texts.str.extract(_SERIAL, 0).cast(pl.Float64)
    days = days.set(~days.is_between(*_SERIALS), None)
    if days.count() <= (texts != "").sum() / 2:
        return days.cast(TIME).clear(len(days))
    seconds = (days * 86_400).round().cast(pl.Int64)
    return pl.select(pl.lit(_SERIAL_START, dtype=TIME) + pl.duration(seconds=pl.lit(seconds))).to_series()
