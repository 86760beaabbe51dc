"""Whether sources repeat what they have, from twins: two records with a value that no third record has.

Twins are one entity more often than not. Lists that are kept clean (a catalogue, a bibliography) have twins in each other and
hardly in themselves, while what looks alike within one are its variants, volumes, colours. Learnt from what pairs look like it is
the other way round: two variants in one list are more alike than what two lists write of one thing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hub.columns.parts import Ids, Parts
from hub.columns.sorting import find_distinct_numbers
from hub.rules.model import Rules
from hub.scoring.frequency import SOURCE_KIND
from hub.scoring.weights import Floats, to_chance

Longs = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: fewer twins in two sources say nothing
_LEAST = 10
#: so many more twins in one source than were seen are reckoned with, in standard deviations
_DEVIATIONS = 2.0
#: evidence below this is none
_LEAST_BITS = 1.0
#: what pairs within one source are held back by at most, and how exactly it is found, in bits
_MOST_AGAINST = -20.0
_STEP = 0.01


@dataclass(frozen=True)
class Repeats:
    """odds: at most so many entities are twice in one source for each that is in two; bits: what that says of a pair in one."""

    odds: float
    bits: float


def find_repeats(parts: Parts, rules: Rules) -> Repeats | None:
    """What speaks against repeats within the sources; None where nothing clear does.

    The part with the fewest twins in one source counts. A source may keep one column unique and repeat entities all the same, so
    twins by the values of two fields must say so too, where more than one field has any.
    """
    kept = {field.name for field in rules.fields if field.kind == SOURCE_KIND}
    if not kept:
        return None
    sources = parts.codes(min(kept))
    told = [comparison.field for comparison in rules.comparisons if comparison.field not in kept]
    twins = [(part.partition(".")[0], _pair_twins(parts.codes(part))) for part in dict.fromkeys(told)]
    found = [repeats for _, pairs in twins if (repeats := _count(pairs, sources))]
    told_by = {field for field, pairs in twins if len(pairs) >= _LEAST}
    if len(told_by) > 1 and _count(_find_double(twins, parts.n), sources) is None:
        return None
    return min(found, key=lambda repeats: repeats.bits, default=None)


def _pair_twins(codes: Ids) -> Longs:
    """Pairs of records, in their order, whose value no third one has."""
    known = np.flatnonzero(codes >= 0)
    twins = known[np.bincount(codes[known])[codes[known]] == 2] if len(known) else known
    return twins[np.argsort(codes[twins], kind="stable")].reshape(-1, 2)


def _find_double(twins: Sequence[tuple[str, Longs]], n: int) -> Longs:
    """The pairs that are twins by the values of two fields."""
    fields = {name: np.concatenate([pairs for field, pairs in twins if field == name]) for name, _ in twins}
    own = [find_distinct_numbers(pairs[:, 0] * n + pairs[:, 1])[0] for pairs in fields.values()]
    pairs, place = find_distinct_numbers(np.concatenate(own))
    double = pairs[np.bincount(place, minlength=len(pairs)) > 1]
    return np.stack([double // n, double % n], axis=1)


def _count(pairs: Longs, sources: Ids) -> Repeats | None:
    sides = sources[pairs]
    sides = sides[(sides >= 0).all(axis=1)]
    within = int((sides[:, 0] == sides[:, 1]).sum())
    across = len(sides) - within
    sizes = np.bincount(sources[sources >= 0]).astype(np.float64)
    everything, own = sizes.sum() * (sizes.sum() - 1), (sizes * (sizes - 1)).sum()
    if across < _LEAST or not own:
        return None
    odds = (within + _DEVIATIONS * np.sqrt(within + 1.0)) / across
    bits = float(np.log2(odds) - np.log2(own / (everything - own)))
    return Repeats(float(odds), bits) if bits <= -_LEAST_BITS else None


def hold_back(bits: Floats, counts: Longs, within: Mask, odds: float) -> float:
    """What to add to the bits of pairs within one source so that they are no more matches than `odds` for each other match.

    What variants share goes together (maker, size, price), and a sum of weights takes each for news: by their weights many more
    would match.
    """
    most = odds * float((counts * to_chance(bits))[~within].sum())
    low, high = _MOST_AGAINST, 0.0
    bits, counts = bits[within], counts[within]
    if (counts * to_chance(bits)).sum() <= most:
        return 0.0
    while high - low > _STEP:
        middle = (low + high) / 2
        low, high = (low, middle) if (counts * to_chance(bits + middle)).sum() > most else (middle, high)
    return low
