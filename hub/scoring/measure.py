"""The grammar of level tests, evaluated on whole columns of distinct pairs of values.

A test is one or more conditions: `osa <= 1 and length >= 4 or contains`; `and` binds closer than `or`. Conditions:

    same                 equal values
    contains             one is part of the other
    initial              one is a single letter that the other starts with
    numbers              the same numbers in both, or those of one all in the other
    characters           the same Chinese characters in another order
    spells               one in letters as the Chinese characters of the other sound, the surname first or last
    scripts              one in Chinese characters, kana or hangul, the other in other letters
    swapped              two dates of one year with day and month exchanged
    osa <= 2             edits, a swap of neighbours is one; levenshtein <= 2: edits, a swap is two
    jaro_winkler >= .9   likeness from 0 to 1; token_sort, token_set, token_overlap likewise, on words
    ends >= .8           likeness of the first and of the last words of two names, in the better order: of the less alike ones;
    end >= .8            of those more alike; of a name of one word that word is compared with either. words >= 2: of the shorter
    prefix >= 3          length of the common beginning; length >= 4: of the shorter value; parts >= 2: equal parts of a date
    days <= 31           distance of two dates; years <= 1 likewise
    percent <= 5         distance of two numbers in percent of the larger; within <= 10: in their unit
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl
from rapidfuzz.distance import OSA, JaroWinkler, Levenshtein
from rapidfuzz.fuzz import token_set_ratio, token_sort_ratio
from rapidfuzz.process import cpdist

from hub.rules.model import RulesError
from hub.scoring.scripts import differ_in_script, find_spelled, reorder_characters

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Levels = npt.NDArray[np.uint8]
#: from pairs and the loosest limit that any test sets; beyond it a scorer may stop early
_Metric = Callable[["_Pairs", float], Floats]

#: characters that a scorer looks at: descriptions of 2,000 take it 100 times as long, and how they go on tells little
LONGEST = 256
#: likeness of J and John
_INITIAL = 0.85
_CONDITION = re.compile(r"^(?P<metric>[a-z_]+)(?:\s*(?P<sign><=|>=)\s*(?P<limit>\d*\.?\d+))?$")


class _Pairs:
    """Two aligned columns of values, as series and, once a scorer asks for them, as lists."""

    def __init__(
        self, frame: pl.DataFrame, lists: tuple[list[str], list[str]] | None = None, ends: tuple[Floats, Floats] | None = None
    ) -> None:
        self.frame = frame
        self._lists = lists
        self._ends = ends

    def select(self, expression: pl.Expr) -> Floats:
        return self.frame.select(expression.cast(pl.Float64).fill_null(float("nan")).alias("x"))["x"].to_numpy()

    def to_lists(self) -> tuple[list[str], list[str]]:
        """Smaller text first, so that no scorer sees the order of the records."""
        if self._lists is None:
            cut = self.frame.select(pl.col("a", "b").str.slice(0, LONGEST))
            ordered = cut.select(low=pl.min_horizontal("a", "b"), high=pl.max_horizontal("a", "b"))
            self._lists = ordered["low"].to_list(), ordered["high"].to_list()
        return self._lists

    def compare_ends(self) -> tuple[Floats, Floats]:
        """Of two names the likeness of the ends that are less alike, NaN where one is a single word, and of those more alike."""
        if self._ends is None:
            self._ends = _compare_ends(self.frame)
        return self._ends

    def take(self, rows: npt.NDArray[np.intp]) -> "_Pairs":
        if len(rows) == self.frame.height:
            return self
        lists = self._lists
        if lists is not None:
            places = rows.tolist()
            lists = [lists[0][place] for place in places], [lists[1][place] for place in places]
        ends = (self._ends[0][rows], self._ends[1][rows]) if self._ends is not None else None
        return _Pairs(self.frame[rows], lists, ends)


def _score(scorer: Callable[..., float], scale: float = 1.0) -> _Metric:
    def score(pairs: _Pairs, limit: float) -> Floats:
        low, high = pairs.to_lists()
        # a distance's cut-off is a whole number
        cutoff = int(limit) if scorer in (OSA.distance, Levenshtein.distance) else limit * scale
        return np.asarray(cpdist(low, high, scorer=scorer, score_cutoff=cutoff, dtype=np.float64), dtype=np.float64) / scale

    return score


def _expression(build: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> _Metric:
    return lambda pairs, _limit: pairs.select(build(pl.col("a"), pl.col("b")))


def _common_prefix(pairs: _Pairs, _limit: float) -> Floats:
    low, high = pairs.to_lists()
    return np.fromiter((_count_prefix(a, b) for a, b in zip(low, high, strict=True)), dtype=np.float64, count=len(low))


def _count_prefix(a: str, b: str) -> int:
    for place, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return place
    return min(len(a), len(b))


def _compare_ends(frame: pl.DataFrame) -> tuple[Floats, Floats]:
    ordered = frame.select(low=pl.min_horizontal("a", "b"), high=pl.max_horizontal("a", "b"))
    first, last = (ordered.select(pl.all().str.extract(pattern)) for pattern in (r"^(\S+)", r" (\S+)$"))
    straight = _compare_words(first["low"], first["high"]), _compare_words(last["low"], last["high"])
    crossed = _compare_words(first["low"], last["high"]), _compare_words(last["low"], first["high"])
    one, other = np.where(np.add(*crossed) > np.add(*straight), crossed, straight)
    is_single = last.select(pl.any_horizontal(pl.all().is_null())).to_series().to_numpy()
    likest = np.where(is_single, np.max([*straight, *crossed], axis=0), np.maximum(one, other))
    return np.where(is_single, np.nan, np.minimum(one, other)), likest


def _compare_words(low: pl.Series, high: pl.Series) -> Floats:
    """0 where either word is missing; an initial is like a word that begins so by _INITIAL."""
    scores = cpdist(low.to_list(), high.to_list(), scorer=JaroWinkler.similarity, dtype=np.float64)
    fits = pl.select(_has_initial(pl.lit(low), pl.lit(high)).fill_null(value=False)).to_series().to_numpy()
    return np.where(fits, np.maximum(scores, _INITIAL), scores)


def _count_words(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return pl.min_horizontal(a.str.count_matches(r"\S+"), b.str.count_matches(r"\S+"))


def _has_initial(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return (pl.min_horizontal(a.str.len_chars(), b.str.len_chars()) == 1) & (a.str.slice(0, 1) == b.str.slice(0, 1))


def _share_numbers(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    left, right = (side.str.extract_all(r"\d+").list.unique() for side in (a, b))
    shared = left.list.set_intersection(right).list.len()
    return (shared > 0) & (shared == pl.min_horizontal(left.list.len(), right.list.len()))


def _overlap_words(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    left, right = (side.str.split(" ") for side in (a, b))
    shared = left.list.set_intersection(right).list.len()
    return shared / left.list.set_union(right).list.len()


def _split_date(side: pl.Expr) -> list[pl.Expr]:
    return [side.str.split("-").list.get(place, null_on_oob=True) for place in range(3)]


def _are_swapped(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    left, right = _split_date(a), _split_date(b)
    return (left[0] == right[0]) & (left[1] == right[2]) & (left[2] == right[1]) & (left[1] != left[2])


def _count_parts(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return pl.sum_horizontal((x == y).cast(pl.Int32) for x, y in zip(_split_date(a), _split_date(b), strict=True))


def _count_days(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return (a.str.to_date(strict=False) - b.str.to_date(strict=False)).dt.total_days().abs()


def _subtract(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return (a.cast(pl.Float64, strict=False) - b.cast(pl.Float64, strict=False)).abs()


def _subtract_percent(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    larger = pl.max_horizontal(a.cast(pl.Float64, strict=False).abs(), b.cast(pl.Float64, strict=False).abs())
    return pl.when(larger > 0).then(_subtract(a, b) / larger * 100).otherwise(_subtract(a, b))


#: conditions without a limit: 1 where they hold
_HOLDS: dict[str, _Metric] = {
    "same": _expression(lambda a, b: a == b),
    "contains": _expression(lambda a, b: a.str.contains(b, literal=True) | b.str.contains(a, literal=True)),
    "initial": _expression(_has_initial),
    "numbers": _expression(_share_numbers),
    "characters": lambda pairs, _limit: reorder_characters(pairs.frame),
    "spells": lambda pairs, _limit: find_spelled(pairs.frame),
    "scripts": _expression(differ_in_script),
    "swapped": _expression(_are_swapped),
}
_DISTANCES: dict[str, _Metric] = {
    "osa": _score(OSA.distance),
    "levenshtein": _score(Levenshtein.distance),
    "days": _expression(_count_days),
    "years": _expression(lambda a, b: _count_days(a, b) / 365.25),
    "percent": _expression(_subtract_percent),
    "within": _expression(_subtract),
}
_LIKENESSES: dict[str, _Metric] = {
    "jaro_winkler": _score(JaroWinkler.similarity),
    "token_sort": _score(token_sort_ratio, 100.0),
    "token_set": _score(token_set_ratio, 100.0),
    "token_overlap": _expression(_overlap_words),
    "ends": lambda pairs, _limit: pairs.compare_ends()[0],
    "end": lambda pairs, _limit: pairs.compare_ends()[1],
    "words": _expression(_count_words),
    "prefix": _common_prefix,
    "length": _expression(lambda a, b: pl.min_horizontal(a.str.len_chars(), b.str.len_chars())),
    "parts": _expression(_count_parts),
}
_METRICS = {**_HOLDS, **_DISTANCES, **_LIKENESSES}


@dataclass(frozen=True)
class Condition:
    """One condition of a test; a distance holds at or below its limit, a likeness at or above."""

    metric: str
    limit: float = 1.0

    def holds(self, values: Floats) -> Mask:
        """NaN, an unreadable date or number, holds nowhere."""
        return values <= self.limit if self.metric in _DISTANCES else values >= self.limit


#: any of the inner tuples, whose conditions hold together
Test = tuple[tuple[Condition, ...], ...]


@cache
def parse_test(text: str, place: str) -> Test:
    """A test of the grammar; `place` is where in the rules it stands, for the error."""
    return tuple(
        tuple(_parse_condition(condition.strip(), place) for condition in re.split(r"\band\b", choice))
        for choice in re.split(r"\bor\b", text)
    )


def _parse_condition(text: str, place: str) -> Condition:
    found = _CONDITION.match(text)
    metric = found["metric"] if found else ""
    if not found or metric not in _METRICS:
        raise RulesError(f"{place}: '{text}' is no test; write one of {', '.join(sorted(_METRICS))}, e.g. osa <= 1")
    if metric in _HOLDS:
        if found["sign"]:
            raise RulesError(f"{place}: '{metric}' takes no number; write {metric} alone")
        return Condition(metric)
    sign = "<=" if metric in _DISTANCES else ">="
    if found["sign"] != sign:
        raise RulesError(f"{place}: '{text}' needs a limit; write {metric} {sign} and a number")
    limit = float(found["limit"])
    if metric in ("jaro_winkler", "token_sort", "token_set", "token_overlap") and limit > 1:
        raise RulesError(f"{place}: {metric} runs from 0 to 1, not to {found['limit']}; write {metric} >= 0.9, for instance")
    return Condition(metric, limit)


def _find_loosest(tests: Sequence[Test]) -> dict[str, float]:
    limits: dict[str, list[float]] = {}
    for condition in (condition for test in tests for choice in test for condition in choice):
        limits.setdefault(condition.metric, []).append(condition.limit)
    return {metric: max(found) if metric in _DISTANCES else min(found) for metric, found in limits.items()}


def measure(tests: Sequence[Test], left: pl.Series, right: pl.Series) -> Levels:
    """The number of the first test that holds for each pair of values, from 1; len(tests) + 1 where none does.

    Neither series holds nulls. Each metric is computed once, for the pairs that no earlier test has settled.
    """
    levels = np.full(len(left), len(tests) + 1, dtype=np.uint8)
    rows = np.arange(len(left))
    pairs = _Pairs(pl.DataFrame({"a": left.cast(pl.String), "b": right.cast(pl.String)}))
    limits = _find_loosest(tests)
    known: dict[str, Floats] = {}
    for number, test in enumerate(tests, start=1):
        if not len(rows):
            break
        held = np.zeros(len(rows), dtype=bool)
        for choice in test:
            together = np.ones(len(rows), dtype=bool)
            for condition in choice:
                if condition.metric not in known:
                    known[condition.metric] = _METRICS[condition.metric](pairs, limits[condition.metric])
                together &= condition.holds(known[condition.metric])
            held |= together
        levels[rows[held]] = number
        open_rows = np.flatnonzero(~held)
        rows = rows[open_rows]
        known = {metric: values[open_rows] for metric, values in known.items()}
        pairs = pairs.take(open_rows)
    return levels
