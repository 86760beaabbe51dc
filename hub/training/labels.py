"""Labelled pairs: no more of them than teach anything, and what they say of each level."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hub.rules.model import Rules
from hub.scoring.weights import Matrix

Ints = npt.NDArray[np.int64]

#: labelled pairs from which more cost time and move nothing
MOST_LABELS = 60_000


def thin(same: Ints, conflict: Ints) -> tuple[Ints, Ints]:
    """At most about MOST_LABELS labels, drawn with a fixed seed: more of them cost time and move nothing."""
    share = MOST_LABELS / max(int(same.sum() + conflict.sum()), 1)
    if share >= 1:
        return same, conflict
    rng = np.random.default_rng(0)
    return rng.binomial(same, share), rng.binomial(conflict, share)


def describe(
    matrix: Matrix, same: Ints, conflict: Ints, names: Sequence[Sequence[str]], rules: Rules
) -> dict[str, dict[str, int]]:
    """By level how many pairs that are one entity have it, and that are two."""
    found = {}
    for place, (comparison, levels) in enumerate(zip(rules.comparisons, names, strict=True)):
        agreed = np.bincount(matrix[:, place], weights=same, minlength=len(levels))
        conflicted = np.bincount(matrix[:, place], weights=conflict, minlength=len(levels))
        for level in range(1, len(levels)):
            found[f"{comparison.name}.{levels[level]}"] = {"same": int(agreed[level]), "conflict": int(conflicted[level])}
    return found
