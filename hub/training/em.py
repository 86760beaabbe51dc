"""Weights without labels: Fellegi-Sunter by expectation maximisation on counts of distinct vectors.

The population is all pairs of records: the candidates, and a random sample of the others that stands for all of them, none of
which match. So chances of agreement (u) and the prior are those of any two records, and posterior odds of 1 need no tuning. Two
comparisons may agree together by chance more often than their own chances say (city and postcode, a firm's sites and its
switchboard): the strongest such dependences among non-matches are taken out of the weights (hub.training.dependence).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from hub.scoring.weights import Floats, Matrix, Names, to_chance
from hub.training.bounds import bound_common, bound_misses, find_most_telling, group_levels
from hub.training.dependence import find_dependence, find_implied

#: this share of what looks like matches counts as agreement by chance too: an agreement so rare that all who share it look like
#: one entity (the address of a hotel) would else prove itself. Where the rest of a pair says by itself that it is a match, little
#: of it counts: F1 of a list with names and mobiles .530 to .862, 11 of 48 more lists better, up to .028, 5 worse, up to .002
_DOUBT = 0.25
_LEAST_DOUBT = 0.05
#: bits of the rest at which the doubt is half way between the two, and how slowly it falls
_CORROBORATED = 7.0
_SOFTLY = 2.0
#: matches that the first guess of m is worth, chance agreements that an unseen level is worth
_MATCHES_OF_GUESS = 2.0
_CHANCES_OF_LEVEL = 1.0
_ROUNDS = 100
#: the dependences are found anew in so many rounds and stay as they are then
_ROUNDS_OF_DEPENDENCE = 12
_TOLERANCE = 1e-4
#: a fit that decides on fewer of its own matches took the matches for dependence: .087 of a list of addresses (F1 .043, without
#: the dependences of the most telling comparison .903), .605 to 1 of 36 other lists
_LEAST_DECIDED = 0.5
#: true matches per record that the search starts from
_START = 0.3
#: and per candidate, where no random pairs are known
_START_OF_CANDIDATES = 0.1


@dataclass(frozen=True)
class Given:
    """What rules with weights say beforehand: the bits that their interactions give each vector, in place of dependences that
    would be found, but for pairs of comparisons of which one may imply the other, and per comparison the most that each level
    may weigh."""

    interactions: Floats
    most: Sequence[Floats]
    dependent: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Population:
    """Candidates and random other pairs as distinct vectors with counts; graded: levels run from best to worst.

    start: bits per level to start from, per comparison, or None where nothing is known. misses: per comparison the grade from
    which on it disagrees (-1: the last), and in what share of the matches it may, if it tells entities apart. titles: whether
    it compares what things are called. unrepeated: the comparison of sources that hardly repeat what they have; it keeps the
    bits that it starts from, and a pair within a source teaches what is no match. chances: by comparison the most that its best
    grade may come about by chance, where that is known.
    """

    matrix: Matrix
    counts: Floats
    background: Matrix
    background_counts: Floats
    n_records: int
    names: Names
    graded: Sequence[bool]
    start: Sequence[Floats | None]
    misses: Sequence[tuple[int, float]]
    titles: Sequence[bool]
    unrepeated: int | None = None
    given: Given | None = None
    chances: Mapping[int, float] = field(default_factory=dict)


@dataclass
class Learned:
    """m and u per comparison and level (without `missing`), bits of levels and of pairs of levels, prior in bits."""

    m: list[Floats]
    u: list[Floats]
    bits: list[Floats]
    prior: float
    joint: dict[tuple[int, int], Floats] = field(default_factory=dict)
    rounds: int = 0

    def correct(self, matrix: Matrix) -> Floats:
        """Bits that the joint chances take from each vector, or give."""
        total = np.zeros(len(matrix))
        for (one, other), table in self.joint.items():
            total += table[matrix[:, one], matrix[:, other]]
        return total

    def weigh(self, matrix: Matrix, given: Given | None = None) -> Floats:
        """Bits of each vector."""
        levels = sum(bits[matrix[:, place]] for place, bits in enumerate(self.bits))
        return np.asarray(self.prior + levels + self.correct(matrix) + (given.interactions if given else 0.0))

    def weigh_rest(self, matrix: Matrix, given: Given | None = None) -> list[Floats]:
        """Per comparison the bits of each vector without it, and without what its joint chances give."""
        own = [bits[matrix[:, place]] for place, bits in enumerate(self.bits)]
        total = self.prior + sum(own) + (given.interactions if given else 0.0)
        for (one, other), table in self.joint.items():
            joint = table[matrix[:, one], matrix[:, other]]
            total = total + joint
            own[one] = own[one] + joint
            own[other] = own[other] + joint
        return [total - bits for bits in own]

    def describe(self, comparisons: Sequence[str], names: Names) -> dict[str, Any]:
        """m and u by `comparison.level`."""
        return {
            f"{comparison}.{level}": {"m": float(m), "u": float(u)}
            for comparison, levels, ms, us in zip(comparisons, names, self.m, self.u, strict=True)
            for level, m, u in zip(levels[1:], ms, us, strict=True)
        }


def learn(population: Population, count: Callable[[Floats], Floats] | None = None) -> Learned:
    """Weights by expectation maximisation; the same population gives the same weights, bit for bit.

    count: by the bits of each vector how many of its pairs match, where pairs hang together (hub.training.rivals).
    """
    learned = _fit(population, count)
    best = _find_best(population, learned.u)
    if best is None or not learned.joint or _share_decided(population, learned) >= _LEAST_DECIDED:
        return learned
    other = _fit(population, count, apart=best)
    return max(learned, other, key=lambda one: _share_decided(population, one))


def _share_decided(population: Population, learned: Learned) -> float:
    """The share of the expected matches in pairs that more likely match than not."""
    weight = learned.weigh(population.matrix, population.given)
    matches = to_chance(weight) * population.counts
    return float(matches[weight >= 0].sum() / max(matches.sum(), 1e-9))


def _fit(population: Population, count: Callable[[Floats], Floats] | None, apart: int | None = None) -> Learned:
    """apart: a comparison that depends on no other."""
    counts, matrix = population.counts, population.matrix
    pairs = max(population.n_records * (population.n_records - 1) / 2, counts.sum() + 1)
    others = population.background_counts
    rest = others * ((pairs - counts.sum()) / others.sum()) if others.sum() else others
    places = range(matrix.shape[1])
    u = [_normalise(_count(population, place, counts, rest), _CHANCES_OF_LEVEL) for place in places]
    guess = [_guess_matches(population, place, u[place]) for place in places]
    bits = [_to_bits(population, place, guess[place], u[place], 1.0) for place in places]
    start = _START * population.n_records / pairs if len(others) else _START_OF_CANDIDATES
    learned = Learned([m.copy() for m in guess], u, bits, _to_log_odds(min(start, 0.5)))
    everything = np.concatenate([matrix, population.background])
    best, chances = _find_best(population, u), [chance.copy() for chance in u]
    # the first level is the same source
    across = 1.0 if population.unrepeated is None else matrix[:, population.unrepeated] != 1
    dependent, groups = _list_dependent(population, apart), _group_dependent(population)
    if population.given:
        dependent = find_implied(everything, np.concatenate([counts, rest]), groups, dependent)
    for number in range(_ROUNDS):
        weight = learned.weigh(matrix, population.given)
        matches = count(weight) if count else to_chance(weight) * counts * across
        doubts = [_doubt(rest_of_pair) for rest_of_pair in learned.weigh_rest(matrix, population.given)]
        moved = 0.0
        for place in places:
            found = _count_levels(matrix[:, place], matches, len(population.names[place]))
            m = (found + _MATCHES_OF_GUESS * guess[place]) / (found.sum() + _MATCHES_OF_GUESS)
            if place == population.unrepeated:
                m = guess[place]
            m = _bound(population, place, m, learned.u[place], best)
            if best is not None and population.titles[place]:
                m = bound_common(m, chances[place], population.names[place], population.n_records, float(matches.sum()))
            moved = max(moved, float(np.abs(m - learned.m[place]).max()))
            learned.m[place] = m
            chance = _count(population, place, counts - (1 - doubts[place]) * matches, rest)
            learned.u[place] = _bound_chance(population, place, _normalise(chance, _CHANCES_OF_LEVEL))
            learned.bits[place] = _to_bits(population, place, m, learned.u[place], matches.sum())
            if population.given:
                learned.bits[place] = np.minimum(learned.bits[place], population.given.most[place])
        learned.prior = _to_log_odds(min((matches.sum() + 1) / pairs, 0.5))
        learned.rounds = number + 1
        if number < _ROUNDS_OF_DEPENDENCE and dependent:
            unmatched = np.concatenate([counts - matches, rest])
            learned.joint = find_dependence(everything, unmatched, groups, dependent)
        elif moved < _TOLERANCE:
            break
    return learned


def _list_dependent(population: Population, apart: int | None) -> Sequence[tuple[int, int]]:
    """Comparisons that may depend on each other."""
    if population.given:
        return population.given.dependent
    return list(combinations([place for place in range(len(population.names)) if place != apart], 2))


def _group_dependent(population: Population) -> list[npt.NDArray[np.int64]]:
    """Levels that depend alike: of places also those of rare values, whose few pairs are mostly matches not yet found."""
    if population.given:
        return [group_levels(levels) for levels in population.names]
    return [np.arange(len(levels) - 1) for levels in population.names]


def _doubt(bits_of_rest: Floats) -> Floats:
    """The share of each vector's matches that counts as agreement by chance, by the bits of its other comparisons."""
    corroborated = to_chance((bits_of_rest - _CORROBORATED) / _SOFTLY)
    return _DOUBT - (_DOUBT - _LEAST_DOUBT) * corroborated


def _find_best(population: Population, u: Sequence[Floats]) -> int | None:
    """The comparison that tells most, where no weights are given and random pairs are known."""
    if population.given or not len(population.background_counts):
        return None
    known = (population.background > 0).T @ population.background_counts * np.array(population.graded)
    return find_most_telling(u, known.tolist(), [group_levels(levels) for levels in population.names])


def _bound(population: Population, place: int, m: Floats, u: Floats, best: int | None) -> Floats:
    if not population.graded[place]:
        return m
    is_title = place == best and population.titles[place]
    return bound_misses(m, u, group_levels(population.names[place]), *population.misses[place], is_title)


def _bound_chance(population: Population, place: int, u: Floats) -> Floats:
    """u whose best grade comes about no oftener than is known."""
    best = group_levels(population.names[place]) == 0
    return np.where(best, u * min(1.0, population.chances.get(place, 1.0) / u[best].sum()), u)


def _count_levels(column: npt.NDArray[np.uint8], weights: Floats, size: int) -> Floats:
    return np.asarray(np.bincount(column, weights=weights, minlength=size)[1:], dtype=np.float64)


def _count(population: Population, place: int, weights: Floats, rest: Floats) -> Floats:
    size = len(population.names[place])
    return _count_levels(population.matrix[:, place], weights, size) + _count_levels(population.background[:, place], rest, size)


def _normalise(found: Floats, worth: float) -> Floats:
    return np.asarray((found + worth / len(found)) / (found.sum() + worth))


def _guess_matches(population: Population, place: int, u: Floats) -> Floats:
    """m to start from: each grade about a fifth as often as the better one; the buckets of `same` as often as they are seen."""
    start = population.start[place]
    if start is not None:
        m = u * np.exp2(start[1:])
    else:
        grades = group_levels(population.names[place])
        seen = _count_levels(population.matrix[:, place], population.counts, len(population.names[place])) + 0.1
        m = np.where(grades == 0, seen / seen[grades == 0].sum(), np.exp(-1.5 * grades))
    return np.asarray(m / m.sum())


def _to_bits(population: Population, place: int, m: Floats, u: Floats, matches: float) -> Floats:
    """log2 m/u per level, 0 for missing; a better grade never weighs less, nor does a rare value."""
    bits = np.log2(m / u)
    if population.graded[place]:
        bits = keep_order(bits, m, u, group_levels(population.names[place]), matches)
    return np.concatenate([[0.0], bits])


def keep_order(bits: Floats, m: Floats, u: Floats, grades: npt.NDArray[np.int64], matches: float) -> Floats:
    """Bits made non-increasing over grades, and over the buckets of the first grade, by the matches of each."""
    support = m * matches + 1e-3
    members = [np.flatnonzero(grades == grade) for grade in range(int(grades.max()) + 1)]
    ordered = bits.copy()
    ordered[members[0]] = _pool(bits[members[0]], support[members[0]])
    whole = np.array([np.log2(m[rows].sum() / u[rows].sum()) for rows in members])
    pooled = _pool(whole, np.array([support[rows].sum() for rows in members]))
    for grade, rows in enumerate(members):
        ordered[rows] = ordered[rows] + pooled[0] - whole[0] if grade == 0 else pooled[grade]
    return ordered


def _pool(values: Floats, weights: Floats) -> Floats:
    """The nearest non-increasing sequence (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        pools.append((value, weight, 1))
        while len(pools) > 1 and pools[-2][0] < pools[-1][0]:
            (a, x, i), (b, y, j) = pools[-2:]
            pools[-2:] = [((a * x + b * y) / (x + y), x + y, i + j)]
    return np.concatenate([np.full(size, value) for value, _, size in pools])


def _to_log_odds(chance: float) -> float:
    return float(np.log2(chance / (1 - chance)))
