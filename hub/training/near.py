"""Weights that rules give and records may move a little, where nothing is certain."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from hub.rules.model import Rules
from hub.scoring.weights import Matrix, Names, to_chance, weigh_vectors

#: what is learnt may be so many bits from what the rules give
FARTHEST = 3.0
#: and holds where it expects so many times the matches that the given weights expect. Where it expects no more, few columns
#: corroborate each other, and one of them passes for proof. Of 22 lists of persons 10 were better, up to .108 of F1, and none
#: worse; without this 7 were worse, up to .25, and without the distance 3 of households and one of contacts, up to .68
_MORE_MATCHES = 1.08


def stay_near(
    learned: Mapping[str, float], matrix: Matrix, counts: npt.NDArray[np.int64], rules: Rules, names: Names
) -> tuple[dict[str, float], dict[str, float]]:
    """Weights near those of the rules, or these where the learnt ones expect hardly more matches; and what both expect."""
    found, own = (
        float((counts * to_chance(weigh_vectors(matrix, weights, rules, names))).sum()) for weights in (learned, rules.weights)
    )
    expected = {"expected_matches": found, "expected_by_given": own}
    if found < _MORE_MATCHES * own:
        return dict(rules.weights), expected
    given = {name: rules.weights.get(name, 0.0) for name in learned}
    return {
        name: float(np.clip(bits, given[name] - FARTHEST, given[name] + FARTHEST)) for name, bits in learned.items()
    }, expected
