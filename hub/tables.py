"""The records of tables as the rules read them. Public door."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs

from hub.columns.prepare import TIMES, VALUE, RecordsError, list_columns
from hub.columns.times import read_times
from hub.normalize.text import find_shortened
from hub.rules.read import RulesFile

_RECORD = ("source", "source_key")
#: a local time that is read as UTC is not to come yet
_AHEAD = timedelta(days=1)
REJECTED_SCHEMA = {"file": pl.String, "row": pl.Int64, "reason": pl.String, "record": pl.String}


@dataclass(frozen=True)
class Records:
    """What tables hold for some rules.

    frame: source, source_key and the columns that the rules read, as text, times in UTC, `value` as numbers. rejected: file, row
    (from 1), reason, record (JSON) of rows that have no key. inputs: per table, sorted by name, its counts, the columns that
    nothing reads, and how often and where first a time or a value cannot be read, a time is still to come, a key or source has
    blanks around it, or a number has lost its digits. fields_missing: the fields of the rules that no table has a column of.
    """

    frame: pl.DataFrame
    rejected: pl.DataFrame
    inputs: Sequence[Mapping[str, Any]]
    fields_missing: Sequence[str]


def gather_records(tables: Mapping[str, pl.DataFrame], rules: RulesFile) -> Records:
    """The records of named tables, none of no table. Raises RecordsError where a table cannot be read by the rules."""
    frames = [pl.DataFrame(schema=dict.fromkeys(_RECORD, pl.String))]
    rejected: list[pl.DataFrame] = [pl.DataFrame(schema=REJECTED_SCHEMA)]
    inputs: list[dict[str, Any]] = []
    wanted = list_columns(rules.rules)
    for name, table in sorted(tables.items()):
        columns = _find_columns(name, table, rules)
        typed = table.select(_read_column(name, table, column, own).alias(own) for own, column in columns.items())
        if "source" not in columns:
            typed = typed.with_columns(source=pl.lit(Path(name).stem))
        if VALUE in columns and VALUE not in wanted:
            typed = typed.with_columns(_read_numbers(typed[VALUE]))
        lacking = typed.select(_is_blank("source") | _is_blank("source_key")).to_series()
        rejected.append(_reject(name, table, lacking, typed))
        frames.append(typed.filter(~lacking) if lacking.any() else typed)
        inputs.append(
            {
                "file": name,
                "rows": table.height,
                "rejected": int(lacking.sum()),
                "columns_ignored": [column for column in table.columns if column not in columns.values()],
                **_find_doubtful({own: table[column] for own, column in columns.items()}, typed),
            }
        )
    frame = pl.concat(frames, how="diagonal")
    if not frame.height and any(table.height for table in tables.values()):
        raise RecordsError(f"{', '.join(tables)}: no row has a source_key: there is nothing to resolve")
    return Records(frame, pl.concat(rejected), inputs, _list_missing_fields(rules, frame.columns) if tables else [])


def read_keys(name: str, table: pl.DataFrame, rules: RulesFile) -> pl.DataFrame:
    """source, source_key of the rows of a table that names records and nothing more. Raises RecordsError.

    A crosswalk has these columns, whatever the rules call them in the tables of records.
    """
    source, key = (
        None if own in table.columns and mapped not in table.columns else mapped
        for own, mapped in (("source", rules.source), ("source_key", rules.source_key))
    )
    columns = _find_key_columns(name, table, RulesFile(rules.rules, source, key))
    keys = table.select(read_text(table[column]).alias(own) for own, column in columns.items())
    if "source" not in columns:
        keys = keys.with_columns(source=pl.lit(Path(name).stem))
    lacking = keys.select(_is_blank("source") | _is_blank("source_key")).to_series()
    if lacking.any():
        raise RecordsError(f"{name}: row {int(lacking.arg_max() or 0) + 1} names no record: give it a source and a source_key")
    return keys.select(_RECORD).unique(maintain_order=True)


def _find_key_columns(name: str, table: pl.DataFrame, rules: RulesFile) -> dict[str, str]:
    """Where the table has source and source_key; `source` is left out where the table's name stands for it."""
    found = {}
    for own, mapped in (("source", rules.source), ("source_key", rules.source_key)):
        column = mapped or own
        if column in table.columns:
            found[own] = column
        elif mapped or own == "source_key":
            raise RecordsError(
                f"{name}: no column {column}, which names a record; it has {', '.join(table.columns)}. "
                f'Say in a rules file which one it is: [records] {own} = "COLUMN"'
            )
    return found


def _find_columns(name: str, table: pl.DataFrame, rules: RulesFile) -> dict[str, str]:
    """Where the table has each column that is read."""
    found = _find_key_columns(name, table, rules)
    wanted = [column for column in list_columns(rules.rules) if column not in (*_RECORD, *TIMES)]
    used = [column for column in wanted if column in table.columns]
    if not used:
        read = ", ".join(wanted)
        raise RecordsError(
            f"{name}: no column that the rules of {rules.rules.entity} use; it has {', '.join(table.columns)}, they read {read}: "
            "`goldthread rules suggest` writes rules for a table"
        )
    named = rules.list_records()
    beside = {own: named.get(own, own) for own in (*TIMES, VALUE)}
    return found | {column: column for column in used} | {own: at for own, at in beside.items() if at in table.columns}


def _list_missing_fields(rules: RulesFile, columns: Collection[str]) -> list[str]:
    """The fields of the rules that are made of columns alone, of which there is none; value and times whose column they name."""
    fields = rules.rules.fields
    made = {f"{field.name}." for field in fields}
    plain = [field for field in fields if not any(column.startswith(tuple(made)) for column in field.columns)]
    lacking = [field.name for field in plain if not set(field.columns) & set(columns)]
    named = rules.list_records()
    return [*lacking, *(own for own in (VALUE, *TIMES) if own in named and own not in columns)]


def _read_column(name: str, table: pl.DataFrame, column: str, own: str) -> pl.Series:
    values = table[column]
    if values.dtype.is_nested() or values.dtype in (pl.Object, pl.Duration):
        raise RecordsError(f"{name}: column {column} holds {values.dtype}, which cannot be compared: make it text")
    if own in TIMES:
        return read_times(values)
    try:
        return read_text(values)
    except pl.exceptions.ComputeError:
        raise RecordsError(f"{name}: column {column} holds bytes that are no UTF-8: make it text") from None


def read_text(values: pl.Series) -> pl.Series:
    """Values as text. Whole numbers that are typed as others, as a column of numbers with gaps often is, have no `.0`."""
    if values.dtype.is_float() or values.dtype.is_decimal():
        numbers = values.cast(pl.Float64).fill_nan(None) if values.dtype.is_float() else values
        whole = numbers.cast(pl.Int64, strict=False)
        is_whole = (whole.cast(numbers.dtype, strict=False) == numbers).fill_null(value=False)
        text = pl.when(pl.lit(is_whole)).then(pl.lit(whole.cast(pl.String))).otherwise(pl.lit(numbers.cast(pl.String)))
        return pl.select(text.alias(values.name)).to_series()
    return values.cast(pl.String, strict=False)


def _read_numbers(values: pl.Series) -> pl.Series:
    """Texts as numbers; null where one is none, or is no finite one."""
    numbers = values.str.strip_chars().cast(pl.Float64, strict=False)
    return numbers.set(~numbers.is_finite().fill_null(value=True), None)


def _find_doubtful(given: Mapping[str, pl.Series], typed: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """What of a table is not as it was surely meant, by column: how many rows, and the first of them with its value."""
    kinds = ("times_not_read", "values_not_read", "times_to_come", "blanks_around", "digits_lost")
    found: dict[str, dict[str, Any]] = {kind: {} for kind in kinds}
    soon = datetime.now(UTC) + _AHEAD
    for own, values in given.items():
        if own in TIMES:
            found["times_not_read"][own] = _tell_lost(values, typed[own])
            found["times_to_come"][own] = _tell_first(values, typed[own] > soon)
        elif own == VALUE and typed[own].dtype == pl.Float64:
            found["values_not_read"][own] = _tell_lost(values, typed[own])
        else:
            found["digits_lost"][own] = _tell_first(values, find_shortened(typed[own]))
            if own in _RECORD:
                found["blanks_around"][own] = _tell_first(typed[own], typed[own] != typed[own].str.strip_chars())
    return {what: {own: rows for own, rows in columns.items() if rows} for what, columns in found.items()}


def _tell_lost(values: pl.Series, read: pl.Series) -> dict[str, Any] | None:
    """The values that could not be read, though they say something."""
    if read.null_count() == values.null_count():
        return None
    return _tell_first(values, read.is_null() & (values.cast(pl.String, strict=False).str.strip_chars() != ""))


def _tell_first(values: pl.Series, mask: pl.Series) -> dict[str, Any] | None:
    """How many rows a mask has, and the first of them with its value; None where it has none."""
    rows = mask.fill_null(value=False).arg_true()
    if not len(rows):
        return None
    first = str(values.gather(rows[:1]).cast(pl.String, strict=False)[0])
    return {"rows": len(rows), "first_row": rows[0] + 1, "first_value": first}


def _is_blank(column: str) -> pl.Expr:
    return pl.col(column).is_null() | (pl.col(column).str.strip_chars() == "")


def _reject(name: str, table: pl.DataFrame, lacking: pl.Series, typed: pl.DataFrame) -> pl.DataFrame:
    rows = lacking.arg_true()
    no_key = typed.select(_is_blank("source_key").gather(rows)).to_series()
    return pl.DataFrame(
        {
            "file": pl.repeat(name, len(rows), dtype=pl.String, eager=True),
            "row": rows.cast(pl.Int64) + 1,
            "reason": no_key.replace_strict({True: "no source_key", False: "no source"}, return_dtype=pl.String),
            "record": table.with_columns(cs.binary().bin.encode("hex"))
            .select(pl.struct(pl.all().gather(rows)).struct.json_encode())
            .to_series(),
        },
        schema=REJECTED_SCHEMA,
    )


def keep_keys(tables: Mapping[str, pl.DataFrame], rules: RulesFile) -> dict[str, pl.DataFrame]:
    """Tables without the columns that name no record."""
    return {name: table.select(_find_key_columns(name, table, rules).values()) for name, table in tables.items()}


def find_twins(tables: Mapping[str, pl.DataFrame], rules: RulesFile) -> str | None:
    """Where two rows have the same source and source_key: their places and the key, of the first such pair; else None."""
    seen: dict[tuple[str, str], str] = {}
    for name, table in tables.items():
        columns = _find_key_columns(name, table, rules)
        keys = table.select(
            read_text(table[columns["source"]]).alias("source")
            if "source" in columns
            else pl.lit(Path(name).stem).alias("source"),
            read_text(table[columns["source_key"]]).alias("source_key"),
        )
        for row, key in enumerate(keys.iter_rows(), 1):
            place = f"{name} row {row}"
            if None not in key and key in seen:
                return f"{seen[key]} and {place} both are ({key[0]}, {key[1]}): keep one row per source and source_key"
            seen[key] = place
    return None
