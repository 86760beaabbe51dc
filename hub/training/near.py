"""Weights that rules give and records may move a little, where nothing is certain."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from hub.rules.model import Rules
from hub.scoring.weights import AND, Floats, Matrix, Names, to_chance, weigh_interactions, weigh_vectors
from hub.training.em import Given

#: what is learnt may be so many bits from what the rules give: on 20 lists of persons three bits cost .005 of F1, and five .003,
#: for lists of companies' contacts lose more than others win
FARTHEST = 4.0
#: what speaks against two records is lightened by so many at most while it is learnt, so that colleagues are no example of one
LIGHTER = 3.0
#: kinds of places that lie in one another
_PLACES = ("place", "region", "zip")


def give(bits: Sequence[Floats], matrix: Matrix, rules: Rules, names: Names) -> Given:
    """What the rules say beforehand; bits: of the levels of each comparison."""
    found = weigh_interactions(matrix, rules.weights, rules, names).values()
    most = [np.where(own < 0, own + LIGHTER, np.inf) for own in bits]
    return Given(np.sum([np.zeros(len(matrix)), *found], axis=0), most, _list_dependent(rules))


def _list_dependent(rules: Rules) -> list[tuple[int, int]]:
    """Comparisons of places to which the rules do not both give weights: a postcode says its town once more."""
    told, kinds = _list_told(rules), {field.name: field.kind for field in rules.fields}
    places = [place for place, one in enumerate(rules.comparisons) if kinds[one.field.partition(".")[0]] in _PLACES]
    pairs = combinations(places, 2)
    return [pair for pair in pairs if not {rules.comparisons[place].name for place in pair} <= told]


def _list_told(rules: Rules) -> set[str]:
    """The comparisons to which the rules give weights."""
    return {name.partition(".")[0] for name in rules.weights if "." in name}


def stay_near(
    learned: Mapping[str, float], matrix: Matrix, counts: npt.NDArray[np.int64], rules: Rules, names: Names
) -> tuple[dict[str, float], dict[str, float]]:
    """Weights near those of the rules, or these where the learnt ones expect fewer matches; and what both expect.

    Comparisons of which the rules say nothing weigh what is learnt, those of which the records say nothing what is given."""
    told = _list_told(rules)
    untold = {name: bits for name, bits in learned.items() if "." in name and not _list_compared(name) <= told}
    start = {**rules.weights, **untold}
    found, own = (float((counts * to_chance(weigh_vectors(matrix, weights, rules, names))).sum()) for weights in (learned, start))
    expected = {"expected_matches": found, "expected_by_given": own}
    if found < own:
        return start, expected
    given = {name: start.get(name, 0.0) for name in learned}
    unseen = {one.name for place, one in enumerate(rules.comparisons) if not matrix[:, place].any()}
    room = {name: 0.0 if AND not in name and name.partition(".")[0] in unseen else FARTHEST for name in learned}
    near = {name: float(np.clip(bits, given[name] - room[name], given[name] + room[name])) for name, bits in learned.items()}
    return {name: max(bits, _find_least(name, near, rules)) for name, bits in near.items()}, expected


def _list_compared(name: str) -> set[str]:
    return {side.partition(".")[0] for side in name.split(AND)}


def _find_least(name: str, near: Mapping[str, float], rules: Rules) -> float:
    """A level that alone is a match by the rules, as a name that few have, stays one."""
    is_level = "." in name and AND not in name
    is_enough = is_level and rules.weights.get(name, 0.0) + rules.weights["prior"] >= rules.match_bits
    return rules.match_bits - near["prior"] if is_enough else -np.inf
