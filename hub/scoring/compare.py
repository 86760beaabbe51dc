"""Pairs of records to vectors of level numbers, packed into one whole number each; the few distinct vectors carry the model.

Level tests are those of hub.scoring.measure, and two on codes: `same .part` and `differ .part` look at another part of the field.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.columns.parallel import map_threads
from hub.columns.parts import Ids, Parts, find_distinct, number
from hub.columns.sorting import find_distinct_numbers
from hub.normalize.kinds import KINDS
from hub.rules.model import Comparison, Rules, RulesError
from hub.scoring.frequency import LAST_BUCKET, Buckets, list_counted, spread
from hub.scoring.ladder import LEVELS, compare_names
from hub.scoring.measure import Test, measure, parse_test
from hub.scoring.names import COMPANY, Names, build_names
from hub.scoring.sides import BRANCH_LEVELS, GROUP_LEVELS, REGION_LEVELS

Longs = npt.NDArray[np.int64]
Levels = npt.NDArray[np.uint8]

#: agreement on a value that 1, 2-3, 4-7 .. records carry, and on one that 128 or more do
BUCKETS = LAST_BUCKET + 1
#: pairs compared at once: what stays in memory is bounded whatever the number of pairs
_SLICE = 500_000
_ON_CODES = re.compile(r"^(same|differ)(?: \.(\w+))?$")
#: the company ladder's three comparisons, by their test
_COMPANY = {"company": LEVELS, "company_region": REGION_LEVELS, "company_branch": BRANCH_LEVELS, "company_group": GROUP_LEVELS}


@dataclass(frozen=True)
class Layout:
    """How the level numbers of a pair stand in its packed vector; names[c][k] is level k of comparison c, 0 is `missing`."""

    comparisons: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]

    @property
    def strides(self) -> Longs:
        """What one step of each comparison's level is worth in the packed number."""
        return np.cumprod([1, *(len(names) for names in self.names[:-1])], dtype=np.int64)

    def unpack(self, packed: Longs) -> Levels:
        """The level numbers of packed vectors: one row each, one column per comparison."""
        sizes = np.array([len(names) for names in self.names], dtype=np.int64)
        return (packed[:, None] // self.strides[None, :] % sizes[None, :]).astype(np.uint8)


def lay_out(rules: Rules) -> Layout:
    """The layout of the rules' comparisons; RulesError where their levels do not fit into one number."""
    names = tuple(name_levels(comparison) for comparison in rules.comparisons)
    if np.prod([float(len(levels)) for levels in names]) >= 2.0**62:
        raise RulesError("comparisons: too many levels in all; leave out comparisons or levels")
    return Layout(tuple(comparison.name for comparison in rules.comparisons), names)


def name_levels(comparison: Comparison) -> tuple[str, ...]:
    """The levels of a comparison in the order of their numbers."""
    company = _COMPANY.get(comparison.levels[0].test)
    if company:
        return tuple(company)
    names = [level.name for level in comparison.levels]
    if comparison.frequency:
        names = [names[0], *(f"{names[0]}~{bucket}" for bucket in range(1, BUCKETS)), *names[1:]]
    return ("missing", *names, *(["different"] if "different" not in names else []))


def check_levels(comparison: Comparison, parts: set[str], place: str) -> None:
    """RulesError where a level's test cannot be read or names a part that the field does not have."""
    field = comparison.field.partition(".")[0]
    for level in comparison.levels:
        where = f"{place}.{level.name}"
        codes = _ON_CODES.match(level.test)
        if level.test in _COMPANY:
            if len(comparison.levels) > 1:
                raise RulesError(f"{where}: '{level.test}' has levels of its own; write it alone")
        elif not codes:
            parse_test(level.test, where)
        elif codes[2] and f"{field}.{codes[2]}" not in parts:
            raise RulesError(f"{where}: '{field}' has no part '{codes[2]}'; write one of {', '.join(sorted(parts))}")


class Comparer:
    """Compares records by the rules' comparisons."""

    def __init__(self, parts: Parts, rules: Rules, buckets: Mapping[str, Buckets]) -> None:
        """`buckets`: how common each value is, by part (hub.scoring.frequency.find_buckets)."""
        self.layout = lay_out(rules)
        self._parts = parts
        self.rules = rules
        self._buckets: dict[str, Levels] = {}
        self._crossed = _pair_crosswise(parts, rules)
        company = [one for one in rules.comparisons if one.levels[0].test in _COMPANY]
        others = [one for one in rules.comparisons if one not in company]
        self._steps = {one.name: _plan(one) for one in others}

        def number_others() -> None:
            parts.number_all([part for one in others for part in list_compared(one)])
            for one in others:
                if one.frequency:
                    self._buckets[one.name] = spread(buckets[one.field], parts.codes(one.field))

        def build() -> Names | None:
            return build_names(parts, company[0].field, buckets) if company else None

        self._names, _ = map_threads(lambda step: step(), (build, number_others), parts.n)

    def compare(self, left: Ids, right: Ids) -> Longs:
        """The packed vector of each pair of row numbers."""
        starts = range(0, len(left), _SLICE)
        done = map_threads(
            lambda start: self._compare_slice(left[start : start + _SLICE], right[start : start + _SLICE]), starts, len(left)
        )
        return np.concatenate([np.zeros(0, dtype=np.int64), *done])

    def _compare_slice(self, left: Ids | Longs, right: Ids | Longs) -> Longs:
        # numpy takes by whole words more than twice as fast as by half ones
        left, right = left.astype(np.int64), right.astype(np.int64)
        packed = np.zeros(len(left), dtype=np.int64)
        company: dict[str, Levels] = {}
        if self._names:
            company = dict(zip(_COMPANY, compare_names(self._names, left, right), strict=True))
        for comparison, stride in zip(self.rules.comparisons, self.layout.strides.tolist(), strict=True):
            levels = company.get(comparison.levels[0].test)
            if levels is None:
                levels = self._compare_field(comparison, left, right)
            packed += levels.astype(np.int64) * stride
        return packed

    def _compare_field(self, comparison: Comparison, left: Longs, right: Longs) -> Levels:
        crossed = self._crossed.get(comparison.field)
        if crossed:
            a, b = crossed.align(comparison.field, left, right)
            values = crossed.values
        else:
            codes = self._parts.codes(comparison.field)
            a, b = codes[left], codes[right]
            values = self._parts.list_values(comparison.field)
        levels = np.zeros(len(left), dtype=np.uint8)
        taken = {"": (a, b)}
        for step in self._steps[comparison.name]:
            if step.part not in taken:
                codes = self._parts.codes(step.part)
                taken[step.part] = codes[left], codes[right]
            step.settle(levels, values, *taken[step.part])
        if comparison.frequency:
            common = np.flatnonzero(levels == 1)
            levels[levels > 1] += BUCKETS - 1
            levels[common] += self._buckets[comparison.name][right[common]]
        extra = BUCKETS - 1 if comparison.frequency else 0
        last = len(comparison.levels) + extra + (0 if comparison.levels[-1].name == "different" else 1)
        levels[np.flatnonzero((levels == 0) & (a >= 0) & (b >= 0))] = last
        return levels


@dataclass(frozen=True)
class _Crosswise:
    """Two parts that people enter in each other's place, numbered together; `starts` numbers the beginnings of their values."""

    parts: tuple[str, str]
    codes: tuple[Ids, Ids]
    values: pl.Series
    starts: Ids

    def align(self, part: str, left: Longs, right: Longs) -> tuple[Ids, Ids]:
        """The part's codes on both sides, the left ones from the other part where the two agree better crosswise."""
        own = self.parts.index(part)
        a, b = (codes[left] for codes in self.codes)
        c, d = (codes[right] for codes in self.codes)
        straight, crossed = _agree(a, c) + _agree(b, d), _agree(a, d) + _agree(b, c)
        rows = np.flatnonzero((straight == 0) & (crossed == 0))
        swapped = crossed > straight
        e, f, g, h = (np.where(codes[rows] >= 0, self.starts[codes[rows]], -1) for codes in (a, b, c, d))
        swapped[rows] = _agree(e, h) + _agree(f, g) > _agree(e, g) + _agree(f, h)
        return (np.where(swapped, b, a), c) if own == 0 else (np.where(swapped, a, b), d)


def _agree(a: Ids, b: Ids) -> Levels:
    return np.asarray((a == b) & (a >= 0), dtype=np.uint8)


def _pair_crosswise(parts: Parts, rules: Rules) -> dict[str, _Crosswise]:
    """By part, where both parts of a crosswise pair are compared."""
    compared = {comparison.field for comparison in rules.comparisons}
    found = {}
    for field in rules.fields:
        kind = KINDS[field.kind].crosswise
        pair = (f"{field.name}.{kind[0]}", f"{field.name}.{kind[1]}") if kind else ("", "")
        if kind and set(pair) <= compared:
            values, (one, other) = find_distinct([parts.values(part) for part in pair])
            starts, _ = number(values.str.slice(0, 2))
            found.update(dict.fromkeys(pair, _Crosswise(pair, (one, other), values, starts)))
    return found


@dataclass(frozen=True)
class _Step:
    """Either one test on codes, of another `part` where one is named, or a run of tests on texts."""

    number: int
    on_codes: str = ""
    part: str = ""
    tests: tuple[Test, ...] = ()

    def settle(self, levels: Levels, values: pl.Series, a: Ids, b: Ids) -> None:
        """Give the pairs of codes that no earlier step has settled (0) their level number, where a test holds."""
        if self.on_codes:
            held = (a == b) if self.on_codes == "same" else (a != b)
            held &= (a >= 0) & (levels == 0)
            held &= b >= 0
            levels[np.flatnonzero(held)] = self.number
            return
        rows = np.flatnonzero((levels == 0) & (a >= 0) & (b >= 0))
        measured = _measure_distinct(self.tests, values, a[rows], b[rows])
        levels[rows] = np.where(measured <= len(self.tests), measured + (self.number - 1), 0)


def _plan(comparison: Comparison) -> list[_Step]:
    steps: list[_Step] = []
    for place, level in enumerate(comparison.levels, start=1):
        where = f"comparisons.{comparison.name}.{level.name}"
        codes = _ON_CODES.match(level.test)
        if codes:
            field = comparison.field.partition(".")[0]
            steps.append(_Step(place, codes[1], f"{field}.{codes[2]}" if codes[2] else ""))
        elif steps and not steps[-1].on_codes:
            steps[-1] = _Step(steps[-1].number, tests=(*steps[-1].tests, parse_test(level.test, where)))
        else:
            steps.append(_Step(place, tests=(parse_test(level.test, where),)))
    return steps


def list_compared(comparison: Comparison) -> list[str]:
    """The parts that a comparison reads; of a company's name those of hub.scoring.names.COMPANY come beside."""
    if comparison.levels[0].test in _COMPANY:
        return [comparison.field]
    return [comparison.field, *(step.part for step in _plan(comparison) if step.part)]


def list_scored_parts(rules: Rules) -> set[str]:
    """The parts that a Comparer and the frequencies of its values read."""
    read = {part for counted in list_counted(rules) for part in counted if part}
    for comparison in rules.comparisons:
        read.update(list_compared(comparison))
        if comparison.levels[0].test in _COMPANY:
            read.update(f"{comparison.field}.{part}" for part in COMPANY)
    return read


def _measure_distinct(tests: tuple[Test, ...], values: pl.Series, a: Ids, b: Ids) -> Levels:
    width = max(len(values), 1)
    distinct, place = find_distinct_numbers(np.minimum(a, b).astype(np.int64) * width + np.maximum(a, b))
    levels = measure(tests, values.gather(pl.Series(distinct // width)), values.gather(pl.Series(distinct % width)))
    return levels[place]


def find_distinct_vectors(packed: Longs) -> tuple[Longs, Ids, Longs]:
    """The distinct vectors in ascending order, the place of each pair's vector among them, and how many pairs have each."""
    starts = range(0, max(len(packed), 1), _SLICE)
    found = map_threads(lambda start: find_distinct_numbers(packed[start : start + _SLICE]), starts, len(packed))
    distinct, joint = find_distinct_numbers(np.concatenate([own for own, _ in found]))
    joints = np.split(joint, np.cumsum([len(own) for own, _ in found])[:-1])
    place = np.concatenate([own[ranks] for own, (_, ranks) in zip(joints, found, strict=True)])
    return distinct, place, np.bincount(place)
