"""Weights of a table with one comparison: nothing corroborates it, so nothing can be learnt, and they are given."""

import re
from collections.abc import Sequence

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
