"""Weights in bits: of levels, of levels that stand together, and what they make of the distinct vectors. A pure function of both.

A weight is named `comparison.level`, by the name of an interaction of the rules, `prior`, or, where two levels are found to come
together by chance more or less often than their own chances say, `comparison.level & comparison.level`.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import numpy as np
import numpy.typing as npt

from hub.rules.model import Interaction, Rules

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.uint8]
Names = Sequence[Sequence[str]]

AND = " & "


def look_up_bits(weights: Mapping[str, float], rules: Rules, names: Names) -> list[Floats]:
    """Per comparison the bits of each of its levels; 0 for `missing` and where no weight is given."""
    return [
        np.array([0.0, *(weights.get(f"{comparison.name}.{level}", 0.0) for level in levels[1:])])
        for comparison, levels in zip(rules.comparisons, names, strict=True)
    ]


def mark_interaction(interaction: Interaction, matrix: Matrix, rules: Rules, names: Names) -> npt.NDArray[np.bool_]:
    """Which vectors have all the levels that the interaction names."""
    marked = np.ones(len(matrix), dtype=bool)
    places = {comparison.name: place for place, comparison in enumerate(rules.comparisons)}
    for when in interaction.when:
        name, _, pattern = when.partition(".")
        place = places[name]
        fitting = [level != "missing" and fnmatchcase(level, pattern) for level in names[place]]
        marked &= np.array(fitting)[matrix[:, place]]
    return marked


def weigh_levels(matrix: Matrix, weights: Mapping[str, float], rules: Rules, names: Names) -> Floats:
    """Bits of each comparison in each vector: one row per vector, one column per comparison."""
    bits = look_up_bits(weights, rules, names)
    return np.stack([bits[place][matrix[:, place]] for place in range(matrix.shape[1])], axis=1)


def weigh_interactions(matrix: Matrix, weights: Mapping[str, float], rules: Rules, names: Names) -> dict[str, Floats]:
    """Bits of each interaction in each vector: the rules' by their names, the learned ones as `comparison & comparison`."""
    found: dict[str, Floats] = {
        interaction.name: mark_interaction(interaction, matrix, rules, names).astype(np.float64)
        * weights.get(interaction.name, 0.0)
        for interaction in rules.interactions
    }
    places = {comparison.name: place for place, comparison in enumerate(rules.comparisons)}
    tables: dict[tuple[str, str], Floats] = {}
    for name, bits in weights.items():
        if AND not in name:
            continue
        (one, one_level), (other, other_level) = (side.split(".", 1) for side in name.split(AND))
        shape = (len(names[places[one]]), len(names[places[other]]))
        table = tables.setdefault((one, other), np.zeros(shape))
        table[names[places[one]].index(one_level), names[places[other]].index(other_level)] = bits
    for (one, other), table in tables.items():
        found[f"{one}{AND}{other}"] = table[matrix[:, places[one]], matrix[:, places[other]]]
    return found


def weigh_vectors(matrix: Matrix, weights: Mapping[str, float], rules: Rules, names: Names) -> Floats:
    """The weight of each vector in bits, prior included."""
    total: Floats = weigh_levels(matrix, weights, rules, names).sum(axis=1) + weights.get("prior", 0.0)
    for bits in weigh_interactions(matrix, weights, rules, names).values():
        total = total + bits
    return total


def to_chance(bits: Floats) -> Floats:
    """The chance of what has odds of so many bits."""
    return np.asarray(1.0 / (1.0 + np.exp2(-np.clip(bits, -500, 500))))
