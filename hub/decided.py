"""Decisions in files: a log as the hub keeps it, or a reviewed table of pairs, and a log with what a file adds. Public door."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from hub.columns.prepare import RecordsError
from hub.columns.times import read_times
from hub.decide import AlreadyDecidedError, Book, DecisionError
from hub.decisions import DECISION_SCHEMA, align_log
from hub.files import read_table
from hub.tables import read_text

ENDS = ("source_a", "source_key_a", "source_b", "source_key_b")
#: what a reviewed table may say under `decision`, and the decision that it is; None: nobody decided
WORDS = {
    **{"same": "merge", "merge": "merge", "相同": "merge"},
    **{"different": "never", "never": "never", "不同": "never"},
    **{"skip": None, "跳过": None, "": None},
}
_UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_ROW = 2  # row 1 of a file is its head


def read_decisions(path: Path, entity: str) -> pl.DataFrame:
    """The decisions of a file as a log (hub.decide.DECISION_SCHEMA).

    A log (Parquet) is read as it is. A table has `decision` (same or different; skip or nothing: none), source_a, source_key_a,
    source_b, source_key_b and, if it likes, `reason`, `by` and `at`: a row speaks of its two records.

    Raises:
        RecordsError: neither of the two, or a row that is no decision or contradicts an earlier one.
    """
    table = read_table(path)
    if "decision_id" in table.columns:
        missing = [name for name in DECISION_SCHEMA if name not in table.columns]
        if missing:
            raise RecordsError(
                f"{path}: a log of decisions has {', '.join(DECISION_SCHEMA)}; this one lacks {', '.join(missing)}"
            )
        return align_log(table)
    missing = [name for name in ("decision", *ENDS) if name not in table.columns]
    if missing:
        raise RecordsError(
            f"{path}: no column {', '.join(missing)}: decisions are a log, or a table with decision, {', '.join(ENDS)}"
        )
    times = read_times(_fill_missing(table, "at")["at"])
    texts = read_texts(table, "decision", "reason", "by")
    book = Book(entity)
    for number, (row, at) in enumerate(zip(texts.iter_rows(), times, strict=True), start=_FIRST_ROW):
        _decide(book, row, at or _UNDATED, f"{path} row {number}")
    return book.log


def join_logs(log: pl.DataFrame, more: pl.DataFrame | None) -> pl.DataFrame:
    """A log of decisions with what another adds to it: nothing that stands is decided again.

    What was undone stays so, in whatever row a table has it now; with another actor, time or reason it is said anew.
    """
    new = align_log(more).filter(~pl.col("decision_id").is_in(log["decision_id"].implode()))
    both = pl.concat([log, new])
    undone = set(both["undoes"].drop_nulls())
    known: set[tuple[Any, ...]] = set()
    is_kept = []
    for place, row in enumerate(both.iter_rows(named=True)):
        sides = frozenset(frozenset((one["source"], one["source_key"]) for one in row[side]) for side in ("group_a", "group_b"))
        said = (row["entity"], row["kind"], sides)
        whole = (*said, row["actor"], row["at"], row["reason"])
        # an undo, and what it takes back, go together
        is_history = row["kind"] == "undo" or row["decision_id"] in undone
        is_kept.append(place < log.height or is_history or not known & {said, whole})
        known |= {whole} if is_history else {said, whole}
    return both.filter(pl.Series(is_kept, dtype=pl.Boolean))


def read_texts(table: pl.DataFrame, *names: str) -> pl.DataFrame:
    """What a reviewed table says in some columns, "" where it has none, and its ends, which are read as the keys of records are:
    blanks around them count."""
    given = _fill_missing(table, *names)
    said = given.with_columns(pl.col(names).cast(pl.String).str.strip_chars(), *(read_text(given[end]) for end in ENDS))
    return said.select(*names, *ENDS).fill_null("")


def name_two(ends: Sequence[str]) -> bool:
    """Whether the ends of a row name two records."""
    return all(end.strip() for end in ends)


def read_word(text: str) -> str | None:
    """The decision that a word is: merge or never; None where nobody decided. Raises ValueError for any other word."""
    word = text.strip().lower()
    if word not in WORDS:
        raise ValueError(f"{text!r} is no decision: same, different or skip (相同, 不同, 跳过)")
    return WORDS[word]


def _fill_missing(table: pl.DataFrame, *names: str) -> pl.DataFrame:
    return table.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in names if name not in table.columns)


def _decide(book: Book, row: tuple[str, ...], at: datetime, place: str) -> None:
    word, reason, by, *ends = row
    try:
        kind = read_word(word)
    except ValueError as error:
        raise RecordsError(f"{place}: {error}") from None
    if kind is None:
        return
    if not name_two(ends):
        raise RecordsError(f"{place} does not name two records")
    try:
        book.decide(kind, [(ends[0], ends[1])], [(ends[2], ends[3])], actor=by or "file", reason=reason, at=at)
    except AlreadyDecidedError:
        return
    except DecisionError as error:
        raise RecordsError(f"{place}: {error}") from error
