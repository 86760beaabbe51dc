"""From the bytes of one file to rows of text with their provenance, by the contract's format."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import PurePath

import polars as pl

from connectors.files.contract import Contract
from connectors.files.delimited import parse_text, read_delimited
from connectors.files.parsed import FileRefusedError, Parsed, describe_missing, drop_footer
from connectors.files.records import read_records
from connectors.files.workbook import read_workbook

READERS = {"csv": read_delimited, "excel": read_workbook, "json": read_records}
CELL_BREAK = "\x1f"


def read_file(contract: Contract, data: bytes, name: str) -> Parsed:
    """Rows with `file.name`, `file.stem`, `file.row` and `file.row_id`, and rejects. Raises FileRefusedError."""
    return _finish(contract, READERS[contract.format](contract, data, name), name)


def read_piece(contract: Contract, payload: str, position: str) -> Parsed:
    """A rejected piece again, under today's contract: its position says where it stood. Raises FileRefusedError."""
    name, _, place = position.rpartition(":")
    if contract.format == "json":
        parsed = read_records(contract, payload.encode(contract.encoding, errors="replace"), f"{name}.jsonl")
    else:
        parsed = parse_text(contract, payload, name, contract.header_rows)
    # csv: exact unless blank lines or cells of several lines stand above
    row = int(place) - (contract.header_row if contract.format == "csv" else 0)
    numbers = pl.Series([row] * parsed.rows.height, dtype=pl.Int64)
    return _finish(contract, Parsed(parsed.rows, numbers, parsed.rejects), name)


def _finish(contract: Contract, parsed: Parsed, name: str) -> Parsed:
    rows = parsed.rows
    missing = describe_missing(contract.required_headers(), rows.columns) if contract.format != "json" else None
    if missing:
        raise FileRefusedError(missing)
    is_data = pl.Series([True] * rows.height, dtype=pl.Boolean)
    if contract.footer:
        is_data = drop_footer(rows, contract.find_headers(contract.footer.column), contract.footer.starts_with)
    rows, numbers = rows.filter(is_data), parsed.numbers.filter(is_data)
    provenance = [
        pl.Series("file.name", [name] * rows.height, dtype=pl.String),
        pl.Series("file.stem", [PurePath(name).stem] * rows.height, dtype=pl.String),
        numbers.cast(pl.String).alias("file.row"),
        identify_rows(rows),
    ]
    rows = _blank(rows, contract.null_values)
    joins = [column for column in contract.columns.values() if column.join]
    joined = [_join(rows, column.join, column.join_with, column.joined_header) for column in joins]
    return Parsed(rows.with_columns(*provenance, *joined), numbers, parsed.rejects)


def identify_rows(rows: pl.DataFrame) -> pl.Series:
    """16 hex digits of the SHA-256 of a row's cells; the n-th identical row of a file gets `-n`."""
    if rows.is_empty():
        return pl.Series("file.row_id", [], dtype=pl.String)
    cells = rows.select(pl.concat_str(pl.all().fill_null(""), separator=CELL_BREAK)).to_series()
    digests = pl.Series("file.row_id", [hashlib.sha256(text.encode()).hexdigest()[:16] for text in cells])
    frame = pl.DataFrame([digests]).with_columns(pl.int_range(1, pl.len() + 1).over("file.row_id").alias("n"))
    suffix = pl.when(pl.col("n") > 1).then(pl.format("-{}", "n")).otherwise(pl.lit(""))
    return frame.select(pl.concat_str("file.row_id", suffix)).to_series()


def _blank(rows: pl.DataFrame, null_values: Sequence[str]) -> pl.DataFrame:
    """Cells that only say "nothing here" become null."""
    if not null_values or rows.is_empty():
        return rows
    return rows.with_columns(pl.when(~pl.all().str.strip_chars().is_in(list(null_values))).then(pl.all()))


def _join(rows: pl.DataFrame, headers: Sequence[str], join_with: str, name: str) -> pl.Series:
    """Several columns as one text; null when one of them is."""
    known = {column.casefold(): column for column in rows.columns}
    parts = [pl.col(known[header.casefold()]) if header.casefold() in known else pl.lit(None, pl.String) for header in headers]
    return rows.select(pl.concat_str(*parts, separator=join_with).alias(name)).to_series()
