"""Comparable columns of many records, each distinct value once: tables of parts per field, and a row of a table per record."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.columns.parallel import map_threads
from hub.columns.sorting import order_numbers, order_texts, rank_numbers, sort_numbers

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Table:
    """The distinct values of a field: `rows` has a column per part ('': the main one), `ids` its row per record (-1: none)."""

    rows: pl.DataFrame
    ids: Ids

    @cached_property
    def _places(self) -> pl.Series:
        return pl.Series(self.ids).set(pl.Series(self.ids < 0), None)

    def spread(self, part: str) -> pl.Series:
        """The part's value per record."""
        return self.rows[part].gather(self._places)


@dataclass
class Parts:
    """All fields of `n` records. A part is named `field` or `field.part`; codes are made once, when they are asked for."""

    n: int
    tables: dict[str, Table]
    _rows: dict[str, Ids] = field(default_factory=dict)
    _codes: dict[str, Ids] = field(default_factory=dict)
    _values: dict[str, pl.Series] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Every part there is."""
        return [_join(name, part) for name, table in self.tables.items() for part in table.rows.columns]

    def list_columns(self, field: str, asked: Collection[str]) -> list[str]:
        """The columns of a field's table that are parts which are asked for."""
        return [part for part in self.tables[field].rows.columns if _join(field, part) in asked]

    def _find(self, part: str) -> tuple[Table, str]:
        """The table of a part and its column there; a column of the records that is kept as it is may have a dot in its name."""
        name, _, rest = part.partition(".")
        return (self.tables[part], "") if part in self.tables else (self.tables[name], rest)

    def values(self, part: str) -> pl.Series:
        """A part's value per record, null where nothing is known."""
        table, rest = self._find(part)
        return table.spread(rest).alias(part)

    def take(self, part: str, ranks: Ids) -> pl.Series:
        """A part's value of some records, null at -1."""
        table, rest = self._find(part)
        places = pl.Series(np.append(table.ids, np.int32(-1))[ranks])
        return table.rows[rest].gather(places.set(places < 0, None)).alias(part)

    def are_known(self, part: str) -> npt.NDArray[np.bool_]:
        """Per record whether the part says anything."""
        table, rest = self._find(part)
        return np.append(table.rows[rest].is_not_null().to_numpy(), False)[table.ids]

    def codes(self, part: str) -> Ids:
        """Per record a number that is equal where the part's values are; -1 where nothing is known."""
        if part not in self._codes:
            self._codes[part] = np.append(self.number_rows(part), np.int32(-1))[self._find(part)[0].ids]
        return self._codes[part]

    def number_rows(self, part: str) -> Ids:
        """The codes of a part per row of its field's table."""
        if part not in self._rows:
            table, rest = self._find(part)
            column = table.rows[rest]
            self._rows[part], first = number(column)
            self._values.setdefault(part, column.gather(pl.Series(first)))
        return self._rows[part]

    def number_all(self, parts: Sequence[str]) -> None:
        """Make the codes of several parts at once."""
        map_threads(self.codes, dict.fromkeys(parts), self.n)

    def forget_codes(self, keep: Collection[str] = ()) -> None:
        """Let go of the codes: at a million records those of two dozen parts are 200 MB, made again in 50 ms each."""
        self._codes.clear()
        for cache in (self._rows, self._values):
            for part in cache.keys() - set(keep):
                del cache[part]

    def forget_rows(self, keep: Collection[str]) -> None:
        """Let go of all parts but some."""
        for name, table in self.tables.items():
            self.tables[name] = Table(table.rows.select(self.list_columns(name, keep)), table.ids)

    def list_values(self, part: str) -> pl.Series:
        """The part's distinct values in the order of their codes."""
        self.number_rows(part)
        return self._values[part]

    def reorder(self, order: Ids) -> None:
        """Put the records into another order."""
        ordered = map_threads(lambda table: Table(table.rows, table.ids[order]), self.tables.values(), self.n)
        self.tables = dict(zip(self.tables, ordered, strict=True))
        self._codes.clear()

    def combine(self, parts: Sequence[str]) -> Ids:
        """Codes of several parts together; -1 where any is unknown."""
        first = self.codes(parts[0])
        if len(parts) == 1:
            return first
        combined = first.astype(np.int64)
        known = first >= 0
        for part in parts[1:]:
            codes = self.codes(part)
            known &= codes >= 0
            combined = combined * (int(codes.max(initial=0)) + 1) + codes
            combined = rank_numbers(np.where(known, combined, 0))[0].astype(np.int64)
        return np.where(known, combined, -1).astype(np.int32)


def _join(name: str, part: str) -> str:
    return f"{name}.{part}" if part else name


def number(values: pl.Series) -> tuple[Ids, Ids]:
    """Per value a number 0.. that is equal where values are, -1 for null; and the first row of each number.

    Numbers come from 64-bit hashes: among a million values two share one with probability 3e-8.
    """
    if not len(values):
        return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32)
    codes, first = rank_numbers(values.hash(seed=20).to_numpy())
    if values.null_count():
        empty = codes[int(values.is_null().arg_max() or 0)]
        first = np.delete(first, empty)
        codes = np.where(codes == empty, -1, codes - (codes > empty)).astype(np.int32)
    return codes, first


def find_distinct(columns: Sequence[pl.Series]) -> tuple[pl.Series, list[Ids]]:
    """The distinct non-null values of some columns together, and per column the place of each row's value (-1: null)."""
    texts = pl.concat([column.cast(pl.String).rename("value") for column in columns])
    codes, first = number(texts)
    parts = np.split(codes, np.cumsum([len(column) for column in columns])[:-1])
    return texts.gather(pl.Series(first)), parts


def rank_texts(texts: pl.Series) -> tuple[Ids, pl.Series]:
    """Per text its place among the distinct ones, and these in order. No text is null."""
    codes, first = number(texts)
    distinct = texts.gather(pl.Series(first))
    order = order_texts(distinct)
    ranks = np.empty(len(first), dtype=np.int32)
    ranks[order] = np.arange(len(first), dtype=np.int32)
    return ranks[codes], distinct.gather(pl.Series(order))


def group_rows(owner: npt.NDArray[np.integer]) -> tuple[Ids, Ids]:
    """Rows by owner, then row, and where each owner's begin."""
    order = order_numbers(owner)
    owners = owner[order]
    starts = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]]) if len(owner) else np.zeros(0, dtype=np.int64)
    return order, starts.astype(np.int32)


def sort_distinct(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The distinct values, ascending."""
    values = sort_numbers(values)
    return values[np.r_[True, values[1:] != values[:-1]]] if len(values) else values
