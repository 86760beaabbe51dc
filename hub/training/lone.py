"""Weights of a table with one telling comparison: nothing corroborates it, so nothing can be learnt, and they are given.

One that tells little beside it (the city beside the name) is too little to learn from, and only speaks against.
"""

import re
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from hub.rules.model import Rules
from hub.scoring.weights import Floats, Names
from hub.training.bounds import TELLING, group_levels

PRIOR = -10.0
#: above the prior: values that two or three records share are one, as are their words in another order; from 16 records on a
#: value says too little. The next grades are for people. Over eight tables cut to their names (benchmarks of persons left
#: out) pairs with the same rare name are one entity in 47 to 99 of a hundred cases, reordered ones in 7 to 83
_SAME = 13.0
_REORDERED = 10.5
_DOUBTFUL = 8.0
_ELSE = 0.0
_DIFFERENT = -6.0
#: grades behind the first that are worth a look
_GRADES_OF_DOUBT = 3
#: each grade of what stands beside is so much rarer among matches than the better one, in powers of e; the most that it takes
_RARER = 1.5
_MOST_AGAINST = -3.0


def count_chances(levels: npt.NDArray[np.uint8], counts: npt.NDArray[np.int64], size: int) -> Floats:
    """The chance of each level, without `missing`, of random pairs."""
    found = np.bincount(levels, weights=counts, minlength=size)[1:] + 1.0 / size
    return np.asarray(found / found.sum())


def find_lone(rules: Rules, names: Names, sources: Collection[str], chances: Sequence[Floats]) -> int | None:
    """The place of the only comparison that tells entities apart, where no more than one other stands beside it."""
    places = [place for place, comparison in enumerate(rules.comparisons) if comparison.field not in sources]
    if len(places) == 1:
        return places[0]
    return find_only_telling(rules, names, sources, chances) if len(places) == 2 else None


def find_only_telling(
    rules: Rules, names: Names, sources: Collection[str], chances: Sequence[Floats], doubles: float = 0.0
) -> int | None:
    """The place of the only comparison that tells entities apart, whatever stands beside it; doubles: agree in any case."""
    places = [place for place, comparison in enumerate(rules.comparisons) if comparison.field not in sources]
    telling = [place for place in places if chances[place][group_levels(names[place]) == 0].sum() <= TELLING + doubles]
    return telling[0] if len(telling) == 1 else None


def weigh_lone(levels: Sequence[str]) -> dict[str, float]:
    """Bits of the levels of a comparison, best first and without `missing`, by name."""
    first = levels[0]
    grades = [level for level in levels if not level.startswith(f"{first}~")]
    weights = {}
    for level in levels:
        bucket = re.search(r"~(\d+)$", level)
        if level.startswith(first) and (level == first or bucket):
            weights[level] = _SAME - int(bucket[1]) if bucket else _SAME
        elif level == "reordered":
            weights[level] = _REORDERED
        elif level == levels[-1]:
            weights[level] = _DIFFERENT
        else:
            weights[level] = _DOUBTFUL if grades.index(level) <= _GRADES_OF_DOUBT else _ELSE
    return weights


def weigh_beside(levels: Sequence[str], chance: Floats) -> dict[str, float]:
    """Bits of the levels of what stands beside the lone comparison, without `missing`; chance: of each level, of random pairs."""
    m = np.exp(-_RARER * group_levels(("missing", *levels)))
    bits = np.clip(np.log2(m / m.sum() / chance), _MOST_AGAINST, 0.0)
    return dict(zip(levels, bits.tolist(), strict=True))
