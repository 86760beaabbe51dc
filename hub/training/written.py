"""Learnt bits by the names that weights have, and which comparisons run from best to worst."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from hub.rules.model import Rules
from hub.scoring.weights import AND, Floats
from hub.training import em

#: a joint weight below this is left out
_LEAST_JOINT_BITS = 0.2


def name_weights(rules: Rules, names: Sequence[Sequence[str]], bits: Sequence[Floats]) -> dict[str, float]:
    return {
        f"{comparison.name}.{level}": float(value)
        for comparison, levels, values in zip(rules.comparisons, names, bits, strict=True)
        for level, value in zip(levels[1:], values[1:], strict=True)
    }


def name_joint(learned: em.Learned, rules: Rules, names: Sequence[Sequence[str]]) -> dict[str, float]:
    found = {}
    for (one, other), table in learned.joint.items():
        for i, j in np.argwhere(np.abs(table) >= _LEAST_JOINT_BITS):
            first, second = rules.comparisons[one].name, rules.comparisons[other].name
            found[f"{first}.{names[one][i]}{AND}{second}.{names[other][j]}"] = float(table[i, j])
    return found


def are_graded(rules: Rules, names: Sequence[Sequence[str]]) -> list[bool]:
    """Levels of likeness run from best to worst; those of a special test, and a level for what differs, need not."""
    return [
        comparison.levels[0].name == levels[1] and not any(level.test.startswith("differ") for level in comparison.levels)
        for comparison, levels in pair(rules, names)
    ]


def pair(rules: Rules, names: Sequence[Sequence[str]]) -> list[tuple[Any, Sequence[str]]]:
    return list(zip(rules.comparisons, names, strict=True))
