"""Dates of birth, of founding, of anything: several spellings, day and month in either order."""

from collections.abc import Sequence

import polars as pl

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def parse_date(values: pl.Series) -> pl.DataFrame:
    """main: yyyy-mm-dd; year, month, day. A day that no calendar has is kept as typed: it still compares with its correction.

    Where day and month could be either, the column decides: months first where some value can only be read so and none the
    other way. A year of two digits behind the name of a month is one from 1930 to 2029, as spreadsheets read it.
    """
    text = pl.col("raw").str.normalize("NFKC").str.to_lowercase().str.strip_chars()
    named = text.str.extract_groups(
        r"^(?P<d>[0-9]{1,2})(?:st|nd|rd|th)?[\s.-]*(?P<m>[a-z]{3})[a-z]*[\s.,-]*(?P<y>[0-9]{4}|[0-9]{2}$)"
    )
    front = text.str.extract_groups(r"^(?P<m>[a-z]{3})[a-z]*[\s.]*(?P<d>[0-9]{1,2})(?:st|nd|rd|th)?[\s,]+(?P<y>[0-9]{4})")
    iso = text.str.extract_groups(r"^(?P<y>[0-9]{4})[-/.年\s](?P<m>[0-9]{1,2})[-/.月\s](?P<d>[0-9]{1,2})")
    solid = text.str.extract_groups(r"^(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})(?:\.0)?$")
    local = text.str.extract_groups(r"^(?P<a>[0-9]{1,2})[-/.\s](?P<b>[0-9]{1,2})[-/.\s](?P<y>[0-9]{4})")
    frame = pl.DataFrame({"raw": values}).select(named=named, front=front, iso=iso, solid=solid, local=local)
    first, second = (pl.col("local").struct.field(side).cast(pl.Int32) for side in "ab")
    months_first = frame.select((second > 12).any() & ~(first > 12).any()).item()
    day, month = ("b", "a") if months_first else ("a", "b")

    def take(part: str, local_part: str) -> pl.Expr:
        return pl.coalesce(
            pl.col("iso").struct.field(part),
            pl.col("solid").struct.field(part),
            pl.col("local").struct.field(local_part),
            pl.col("named").struct.field(part).replace(_MONTHS, [str(number) for number in range(1, 13)]),
            pl.col("front").struct.field(part).replace(_MONTHS, [str(number) for number in range(1, 13)]),
        )

    year = take("y", "y")
    year = pl.when(year.str.len_chars() == 4).then(year).otherwise(pl.when(year >= "30").then("19" + year).otherwise("20" + year))
    frame = frame.select(year=year, month=take("m", month).str.zfill(2), day=take("d", day).str.zfill(2))
    known = ~pl.col("year").is_in(["0000", "9999"]) & ~pl.concat_str("year", "month", "day").is_in(
        ["19000101", "19700101", "99991231"]
    )
    return frame.select(
        pl.when(known).then(pl.concat_str("year", pl.lit("-"), "month", pl.lit("-"), "day")).alias(""),
        *(pl.when(known).then(pl.col(part)).alias(part) for part in ("year", "month", "day")),
    )


def join_date(columns: Sequence[pl.Series]) -> pl.DataFrame:
    """Columns year, month, day: what parse_date makes of them, null where one is missing."""
    parts = [pl.lit(column.cast(pl.String).str.strip_chars().str.replace(r"(?:\.0|[年月日])$", "")) for column in columns]
    return parse_date(pl.select(pl.concat_str(parts, separator="-").alias("date")).to_series())
