"""Comparisons that agree together by chance, such as city and postcode: a tree of them (Chow and Liu 1968)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hub.scoring.weights import Floats, Matrix

#: pairs that independence is worth where the joint chance of two levels is counted
_PAIRS_OF_INDEPENDENCE = 1.0

#: a place that is the same in so many of the pairs that share another place lies there: .71 to .99 of towns and postcodes in
#: registers, up to .26 in records whose towns and postcodes were drawn apart, where only matches share both
_IMPLIED = 0.5


def find_implied(
    matrix: Matrix, counts: Floats, groups: Sequence[npt.NDArray[np.int64]], pairs: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The pairs of comparisons of which one is the same (group 0) in most pairs of records that agree on the other."""
    same = [np.concatenate([[False], group == 0])[matrix[:, place]] for place, group in enumerate(groups)]
    found = []
    for one, other in pairs:
        known = (matrix[:, one] > 0) & (matrix[:, other] > 0)
        both = counts[same[one] & same[other]].sum()
        if both > 0 and both >= _IMPLIED * min(counts[same[one] & known].sum(), counts[same[other] & known].sum()):
            found.append((one, other))
    return found


def find_dependence(
    matrix: Matrix, unmatched: Floats, groups: Sequence[npt.NDArray[np.int64]], pairs: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], Floats]:
    """The tree of comparisons that depend most on each other among non-matches, with the bits that each pair of levels owes.

    Args:
        matrix: vectors of levels, 0 where a comparison is missing.
        unmatched: of each vector, how many of its pairs do not match.
        groups: by comparison the group of each level, without `missing`; levels of one group depend alike.
        pairs: comparisons that may depend on each other.
    """
    alike = [np.concatenate([[0], group + 1]) for group in groups]
    sizes = [int(group.max()) + 1 for group in alike]
    found: list[tuple[float, int, int, Floats]] = []
    for one, other in pairs:
        key = alike[one][matrix[:, one]] * sizes[other] + alike[other][matrix[:, other]]
        joint = np.bincount(key, weights=unmatched, minlength=sizes[one] * sizes[other]).reshape(sizes[one], sizes[other])
        joint = joint[1:, 1:]
        total = joint.sum()
        if total <= 0:
            continue
        expected = np.outer(joint.sum(axis=1), joint.sum(axis=0)) / total
        ratio = np.log2((joint + _PAIRS_OF_INDEPENDENCE) / (expected + _PAIRS_OF_INDEPENDENCE))
        found.append(
            (float((joint * ratio).sum() / total), one, other, np.pad(-ratio, ((1, 0), (1, 0)))[np.ix_(alike[one], alike[other])])
        )
    tree: dict[tuple[int, int], Floats] = {}
    group = list(range(len(groups)))
    for _, one, other, bits in sorted(found, key=lambda edge: (-edge[0], edge[1], edge[2])):
        if group[one] != group[other]:
            tree[one, other] = bits
            group = [group[one] if member == group[other] else member for member in group]
    return tree
