"""What every reader hands on, and what tables have in common: headers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from connectors.base import REJECT_SCHEMA


@dataclass(frozen=True)
class Parsed:
    """Rows (all text, vendor headers), the 1-based number of each among the data rows, and what was no row."""

    rows: pl.DataFrame
    numbers: pl.Series
    rejects: pl.DataFrame


class FileRefusedError(Exception):
    """The whole file cannot be read; the message says why and what to do. It is tried again at every sync."""


@dataclass(frozen=True)
class Reject:
    """A piece of a file that is no row. `position` is file:line, or the file alone if all of it is refused."""

    position: str
    reason: str
    payload: str


def frame_rejects(rejects: Sequence[Reject]) -> pl.DataFrame:
    """Rejects as the frame that a Batch carries."""
    return pl.DataFrame([(r.position, r.reason, r.payload) for r in rejects], schema=REJECT_SCHEMA, orient="row")


def name_columns(cells: Sequence[str | None]) -> list[str]:
    """Headers as column names: trimmed, an empty one gets its number, a repeated one (case does not count) a suffix."""
    names: list[str] = []
    taken: dict[str, int] = {}
    for number, cell in enumerate(cells, start=1):
        name = " ".join((cell or "").split()).lstrip("_") or f"column {number}"
        count = taken.get(name.casefold(), 0) + 1
        taken[name.casefold()] = count
        names.append(name if count == 1 else f"{name} ({count})")
    return names


def merge_header_rows(rows: Sequence[Sequence[str | None]]) -> list[str | None]:
    """Several header rows as one: a merged cell counts for every column below it, levels are joined by "/"."""
    merged: list[str | None] = list(rows[-1])
    for upper in reversed(rows[:-1]):
        level, filled = None, []
        for cell, below in zip(upper, merged, strict=True):
            level = cell if (cell or "").strip() else level if (below or "").strip() else None
            filled.append("/".join(part.strip() for part in (level, below) if part and part.strip()))
        merged = list(filled)
    return merged


def drop_footer(rows: pl.DataFrame, headers: Sequence[str], starts_with: Sequence[str]) -> pl.Series:
    """True for the rows that are data."""
    found = [header for header in headers if header in rows.columns]
    if not found:
        return pl.Series([True] * rows.height, dtype=pl.Boolean)
    text = rows[found[0]].str.strip_chars()
    is_footer = pl.Series([False] * rows.height, dtype=pl.Boolean)
    for start in starts_with:
        is_footer |= text.str.starts_with(start).fill_null(False)
    return ~is_footer


def describe_missing(required: dict[str, list[str]], columns: Sequence[str]) -> str | None:
    """A sentence if a field that a table cannot do without has no header here."""
    known = {column.casefold() for column in columns}
    missing = [
        f"{name} ({' | '.join(headers)})"
        for name, headers in required.items()
        if not any(header.casefold() in known for header in headers)
    ]
    if not missing:
        return None
    found = json.dumps(list(columns), ensure_ascii=False)
    return f"no header for the required {', '.join(missing)}; found {found}; add the header to the contract or correct header_row"
