"""Pairs of records to vectors of level numbers, packed into one whole number each; the few distinct vectors carry the model."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import starmap

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.measure import Levels, Mask, Test, measure, parse_test
from hub.normalize.kinds import KINDS
from hub.rules.model import Comparison, Rules, RulesError

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]

#: agreement on a value that up to 3, 15, 63 .. records carry, and on one that 16,384 or more do
BUCKETS = 8
#: pairs compared at once: what stays in memory is bounded whatever the number of pairs
_SLICE = 4_000_000


@dataclass(frozen=True)
class Special:
    """A test that is more than the likeness of two values. `names` are its levels, best first, as `different` is written too.

    `compare` gets the prepared records, the name of the compared field and two columns of row numbers; it returns 0 where
    a side is missing and else the place of the level in `names`, from 1.
    """

    names: tuple[str, ...]
    compare: Callable[[pl.DataFrame, str, Ints, Ints], Levels]


#: test name -> special test; a comparison that uses one has it as its only level
SPECIALS: dict[str, Special] = {}


@dataclass(frozen=True)
class Layout:
    """How the level numbers of a pair stand in its packed vector; names[c][k] is level k of comparison c, 0 is `missing`."""

    comparisons: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]

    @property
    def strides(self) -> Ints:
        """What one step of each comparison's level is worth in the packed number."""
        return np.cumprod([1, *(len(names) for names in self.names[:-1])], dtype=np.int64)

    def pack(self, matrix: npt.NDArray[np.uint8]) -> Ints:
        """One number for each row of level numbers."""
        packed: Ints = matrix.astype(np.int64) @ self.strides
        return packed

    def unpack(self, packed: Ints) -> npt.NDArray[np.uint8]:
        """The level numbers of packed vectors: one row each, one column per comparison."""
        sizes = np.array([len(names) for names in self.names], dtype=np.int64)
        return (packed[:, None] // self.strides[None, :] % sizes[None, :]).astype(np.uint8)


def lay_out(rules: Rules) -> Layout:
    """The layout of the rules' comparisons; RulesError where their levels do not fit into one number."""
    names = tuple(_name_levels(comparison) for comparison in rules.comparisons)
    if np.prod([float(len(levels)) for levels in names]) >= 2.0**62:
        raise RulesError("comparisons: too many levels in all; leave out comparisons or levels")
    return Layout(tuple(comparison.name for comparison in rules.comparisons), names)


def _name_levels(comparison: Comparison) -> tuple[str, ...]:
    special = SPECIALS.get(comparison.levels[0].test)
    if special:
        return ("missing", *special.names)
    names = [level.name for level in comparison.levels]
    if comparison.frequency:
        names = [names[0], *(f"{names[0]}~{bucket}" for bucket in range(1, BUCKETS)), *names[1:]]
    return ("missing", *names, "different")


def count_values(prepared: pl.DataFrame, rules: Rules) -> dict[str, pl.Series]:
    """For every part that is compared with frequency: how many records carry the row's value."""
    parts = {comparison.field for comparison in rules.comparisons if comparison.frequency}
    return {part: prepared.select(pl.len().over(part)).to_series() for part in sorted(parts)}


def _put_in_buckets(counts: pl.Series) -> Levels:
    logs = np.log2(np.maximum(counts.cast(pl.Float64).fill_null(1.0).to_numpy(), 1.0))
    return np.asarray(np.clip(np.floor(logs / 2), 0, BUCKETS - 1), dtype=np.uint8)


def encode_values(values: pl.Series) -> Codes:
    """Dense whole numbers that are equal where the values are; -1 for null."""
    hashed = pl.select(pl.when(values.is_not_null()).then(values.hash(seed=20))).to_series()
    return hashed.rank("dense").cast(pl.Int32).fill_null(0).to_numpy() - np.int32(1)


class Comparer:
    """Compares rows of prepared records by the rules' comparisons."""

    def __init__(self, prepared: pl.DataFrame, rules: Rules, counts: Mapping[str, pl.Series] | None = None) -> None:
        """`counts` as of `count_values`, where the records are only some of those that count."""
        self._prepared = prepared
        self._rules = rules
        self.layout = lay_out(rules)
        self._crossed = self._pair_crosswise()
        self._values: dict[str, pl.Series] = {}
        self._codes: dict[str, Codes] = {}
        plain = {comparison.field for comparison in rules.comparisons if comparison.levels[0].test not in SPECIALS}
        for one, other in sorted({tuple(sorted(pair)) for pair in self._crossed.values()}):
            self._encode((one, other))
        for part in sorted(plain - set(self._codes)):
            self._encode((part,))
        counted = count_values(prepared, rules) if counts is None else counts
        self._buckets = {part: _put_in_buckets(values) for part, values in counted.items()}
        self._tests: dict[str, list[Test]] = {
            comparison.name: [
                parse_test(level.test, f"comparison {comparison.name}, level {level.name}") for level in comparison.levels
            ]
            for comparison in rules.comparisons
            if comparison.field in plain
        }

    def _pair_crosswise(self) -> dict[str, tuple[str, str]]:
        """part -> the two parts, in their order, that may stand in each other's place, where both are compared."""
        compared = {comparison.field for comparison in self._rules.comparisons}
        crossed = {}
        for field in self._rules.fields:
            parts = KINDS[field.kind].crosswise
            if parts and {f"{field.name}.{part}" for part in parts} <= compared:
                pair = (f"{field.name}.{parts[0]}", f"{field.name}.{parts[1]}")
                crossed.update(dict.fromkeys(pair, pair))
        return crossed

    def _encode(self, parts: tuple[str, ...]) -> None:
        """Parts encoded together have equal numbers for equal values."""
        columns = [self._prepared[part].cast(pl.String).alias("v") for part in parts]
        values = pl.concat(columns)
        codes = encode_values(values)
        rows = np.zeros(int(codes.max(initial=-1)) + 1, dtype=np.int64)
        known = np.flatnonzero(codes >= 0)
        rows[codes[known]] = known
        for place, part in enumerate(parts):
            self._codes[part] = codes[place * self._prepared.height : (place + 1) * self._prepared.height]
            self._values[part] = values.gather(rows)

    def compare(self, left: Ints, right: Ints) -> Ints:
        """The packed vector of each pair of row numbers."""
        packed = np.zeros(len(left), dtype=np.int64)
        for start in range(0, len(left), _SLICE):
            rows = slice(start, start + _SLICE)
            packed[rows] = self._compare_slice(left[rows], right[rows])
        return packed

    def _compare_slice(self, left: Ints, right: Ints) -> Ints:
        swaps = {pair: self._find_swaps(pair, left, right) for pair in sorted(set(self._crossed.values()))}

        def compare(comparison: Comparison, stride: int) -> Ints:
            special = SPECIALS.get(comparison.levels[0].test)
            if special:
                levels = special.compare(self._prepared, comparison.field, left, right)
            else:
                pair = self._crossed.get(comparison.field)
                levels = self._compare_part(comparison, left, right, swaps[pair] if pair else None)
            return levels.astype(np.int64) * stride

        tasks = list(zip(self._rules.comparisons, self.layout.strides.tolist(), strict=True))
        with ThreadPoolExecutor(2) as pool:
            futures = list(starmap(lambda *task: pool.submit(compare, *task), tasks))
            packed = np.zeros(len(left), dtype=np.int64)
            for future in futures:
                packed += future.result()
        return packed

    def _find_swaps(self, pair: tuple[str, str], left: Ints, right: Ints) -> Mask:
        """Where the two parts of the left record agree better with each other's part of the right record."""
        one, other = (self._codes[part] for part in pair)
        a, b, c, d = one[left], other[left], one[right], other[right]

        def agree(x: Codes, y: Codes) -> Levels:
            return ((x == y) & (x >= 0)).astype(np.uint8)

        straight, crossed = agree(a, c) + agree(b, d), agree(a, d) + agree(b, c)
        open_rows = np.flatnonzero((straight == 0) & (crossed == 0))
        swapped: Mask = crossed > straight
        initials = encode_values(self._values[pair[0]].str.slice(0, 2))
        a, b, c, d = (np.where(codes[open_rows] >= 0, initials[codes[open_rows]], -1).astype(np.int32) for codes in (a, b, c, d))
        swapped[open_rows] = agree(a, d) + agree(b, c) > agree(a, c) + agree(b, d)
        return swapped

    def _compare_part(self, comparison: Comparison, left: Ints, right: Ints, swapped: Mask | None) -> Levels:
        part = comparison.field
        codes = self._codes[part]
        a, b = codes[left], codes[right]
        if swapped is not None:
            one, other = self._crossed[part]
            opposite = self._codes[other if part == one else one]
            rows = np.flatnonzero(swapped)
            a[rows] = opposite[left[rows]]
        levels = np.zeros(len(left), dtype=np.uint8)
        tests = self._tests[comparison.name]
        first_is_same = comparison.levels[0].test == "same"
        equal = a == b
        rows = np.flatnonzero(((a | b) >= 0) & ~(equal & first_is_same))
        measured = self._measure_distinct(tests, self._values[part], a[rows], b[rows])
        extra = BUCKETS - 1 if comparison.frequency else 0
        levels[rows] = np.where(measured > 1, measured + extra, measured)
        if first_is_same:
            levels[np.flatnonzero(equal & (a >= 0))] = 1
        if comparison.frequency:
            best = np.flatnonzero(levels == 1)
            levels[best] += self._buckets[part][right[best]]
        return levels

    @staticmethod
    def _measure_distinct(tests: list[Test], values: pl.Series, a: Codes, b: Codes) -> Levels:
        key = np.minimum(a, b).astype(np.int64) * max(len(values), 1) + np.maximum(a, b)
        distinct = pl.Series("key", key).unique()
        number = distinct.to_numpy()
        levels = measure(tests, values.gather(number // max(len(values), 1)), values.gather(number % max(len(values), 1)))
        table = pl.DataFrame({"key": distinct, "level": levels})
        return pl.DataFrame({"key": key}).join(table, on="key", how="left", maintain_order="left")["level"].to_numpy()


def find_distinct(packed: Ints) -> tuple[Ints, Ints, Ints]:
    """The distinct vectors in ascending order, the place of each pair's vector among them, and how many pairs have each."""
    table = pl.Series("vector", packed).value_counts(name="count").sort("vector")
    vectors = table["vector"].to_numpy()
    return vectors, np.searchsorted(vectors, packed), table["count"].cast(pl.Int64).to_numpy()
