"""What tells a record's partner from its next best, where no list has a thing twice.

Songs of an album and one kettle in three colours are more alike than what two shops write of one song or kettle, and by likeness
alone they match. But where lists repeat nothing, a record has one partner at most in each other list (in a single list: one at
all), so its best partner is an example of a match, and the next best, as alike as it may be, of two things.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from hub.columns.parts import Ids, Parts
from hub.rules.model import Rules
from hub.scoring.frequency import SOURCE_KIND
from hub.scoring.weights import Floats
from hub.training import em, logistic

Longs = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: where what is learnt so finds fewer of the best partners again, or weighs a best partner less often more than another pair that
#: looked like a match, it was noise that made the one better than the other: the lists do have things twice. Of 56 lists those
#: that lose by it have at most .75 of the one or .86 of the other; of those that win much ten have more, and four less. Papers of
#: which one source has many copies alone come up to .86 and .94: these are seen by _BETTER
_TOLD = 0.76
_APART = 0.875
#: so many more best partners are found again if one of the lists may have things twice: it does
_BETTER = 0.05
#: fewer best partners teach nothing, as fewer labels do
_LEAST_PARTNERS = 30.0
#: with fewer next best ones for each best partner nothing is at stake
_LEAST_RIVALS = 0.02
#: bits of a pair within one list while it is no match, and the most that are reckoned with
_WITHIN = -10.0
_MOST = 60.0
#: how far examples may be expected to move a weight, and the prior, in bits
_SPREAD = 2.0
_SPREAD_PRIOR = 20.0


@dataclass(frozen=True)
class Rivals:
    """Candidate pairs as rivals for their records. left, right: the records of each; place: of its vector; sources: by record,
    -1 where nothing is known of them."""

    left: Ids
    right: Ids
    place: Ids
    sources: Ids

    @cached_property
    def is_open(self) -> Mask:
        """Pairs of two sources; all where there is one."""
        across = self.sources[self.left] != self.sources[self.right]
        return np.asarray(across if len(self.list_sources()) > 1 else np.ones_like(across))

    def list_sources(self) -> list[int]:
        return [int(source) for source in np.unique(self.sources)]

    def count(self, bits: Floats, repeating: int | None = None) -> Floats:
        """Per vector how many of its pairs match; bits: of each vector; repeating: a source that may have things twice."""
        odds = np.where(self.is_open, np.exp2(np.clip(bits[self.place], -_MOST, _MOST)), 0.0)
        one, other = self._slots
        taken = np.bincount(one, odds, int(max(one.max(), other.max())) + 1)
        taken += np.bincount(other, odds, len(taken))
        rivals = np.where(self.sources[self.right] == repeating, 0.0, taken[one] - odds)
        rivals += np.where(self.sources[self.left] == repeating, 0.0, taken[other] - odds)
        return np.asarray(np.bincount(self.place, odds / (1.0 + odds + rivals), len(bits)), dtype=np.float64)

    def count_open(self, size: int) -> Floats:
        """Per vector how many of its pairs might match."""
        return np.asarray(np.bincount(self.place, self.is_open, size), dtype=np.float64)

    @cached_property
    def _slots(self) -> tuple[Longs, Longs]:
        """Of each pair the place of its right record in what the left one may have of that source, and the other way round."""
        sources = (
            self.sources.astype(np.int64) + 1 if len(self.list_sources()) > 1 else np.zeros(len(self.sources), dtype=np.int64)
        )
        width = len(self.list_sources())
        return self.left * width + sources[self.right], self.right * width + sources[self.left]


def find_sources(parts: Parts, rules: Rules) -> Ids:
    """The source of each record by number, 0 where the rules know of none."""
    fields = [field.name for field in rules.fields if field.kind == SOURCE_KIND]
    return parts.codes(min(fields)) if fields else np.zeros(parts.n, dtype=np.int32)


@dataclass(frozen=True)
class Partners:
    """bits: the prior, then each level of each comparison, without `missing`; matches: by vector; told, apart: see learn."""

    bits: Floats
    matches: Floats
    told: float
    apart: float


def learn(population: em.Population, looks: Floats, rivals: Rivals, source: int | None) -> Partners | None:
    """Weights from best partners and next best ones; None where what these are examples of cannot be told apart.

    looks: bits of each vector by likeness alone; source: the comparison of sources.
    told: of the best partners those that match by what is learnt of all, without rivals. apart: how often a best partner then
    weighs more than another pair that looks like a match.
    """
    if source is not None:
        start = list(population.start)
        start[source] = np.array([0.0, _WITHIN, *(0.0 for _ in population.names[source][2:])])
        population = replace(population, start=start, unrepeated=source)
    found = _learn(population, looks, rivals)
    if found.told < _TOLD or found.apart < _APART:
        return None
    sources = rivals.list_sources() if len(rivals.list_sources()) > 1 else []
    if any(_learn(population, looks, rivals, repeating).told > found.told + _BETTER for repeating in sources):
        return None
    return found


def _learn(population: em.Population, looks: Floats, rivals: Rivals, repeating: int | None = None) -> Partners:
    counts, matrix = population.counts, population.matrix
    learned = em.learn(population, lambda bits: rivals.count(bits, repeating))
    matches = rivals.count(learned.weigh(matrix), repeating)
    features = [np.ones(len(matrix), dtype=bool)]
    for place, levels in enumerate(population.names):
        features += [matrix[:, place] == level for level in range(1, len(levels))]
    columns = np.stack(features, axis=1)
    centre = np.concatenate([[learned.prior], *(bits[1:] for bits in learned.bits)])
    spread = np.concatenate([[_SPREAD_PRIOR], np.full(len(centre) - 1, _SPREAD)])
    open_pairs = rivals.count_open(len(counts))
    # pairs within a source are examples of two things where that is compared
    taught = open_pairs if population.unrepeated is None else counts
    bits, _ = logistic.fit(columns, matches, np.maximum(taught - matches, 0.0), centre, spread)
    weight = columns @ bits
    told = float(matches[weight >= 0].sum() / max(matches.sum(), _LEAST_PARTNERS))
    alike = looks >= 0
    others = np.maximum(open_pairs - matches, 0.0)
    return Partners(bits, matches, told, _tell_apart(weight[alike], matches[alike], others[alike]))


def _tell_apart(weight: Floats, matches: Floats, others: Floats) -> float:
    """How often one of the matches weighs more than one of the others; a tie is half of it."""
    _, place = np.unique(np.round(weight, 6), return_inverse=True)
    own, rest = np.bincount(place, matches), np.bincount(place, others)
    if rest.sum() <= _LEAST_RIVALS * own.sum():
        return 0.0
    below = np.cumsum(rest) - rest / 2
    return float((own * below).sum() / (own.sum() * rest.sum()))
