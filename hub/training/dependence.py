"""Comparisons that agree together by chance, such as city and postcode: a tree of them (Chow and Liu 1968)."""

from collections.abc import Sequence

import numpy as np

from hub.scoring.weights import Floats, Matrix

#: pairs that independence is worth where the joint chance of two levels is counted
_PAIRS_OF_INDEPENDENCE = 1.0


def find_dependence(
    matrix: Matrix, unmatched: Floats, sizes: Sequence[int], apart: int | None = None
) -> dict[tuple[int, int], Floats]:
    """The tree of comparisons that depend most on each other among non-matches, with the bits that each pair of levels owes.

    Args:
        matrix: vectors of levels, 0 where a comparison is missing.
        unmatched: of each vector, how many of its pairs do not match.
        sizes: levels by comparison, with `missing`.
        apart: a comparison that depends on no other.
    """
    found: list[tuple[float, int, int, Floats]] = []
    for one in range(len(sizes)):
        for other in range(one + 1, len(sizes)):
            if apart in (one, other):
                continue
            key = matrix[:, one].astype(np.int64) * sizes[other] + matrix[:, other]
            joint = np.bincount(key, weights=unmatched, minlength=sizes[one] * sizes[other]).reshape(sizes[one], sizes[other])
            joint = joint[1:, 1:]
            total = joint.sum()
            if total <= 0:
                continue
            expected = np.outer(joint.sum(axis=1), joint.sum(axis=0)) / total
            ratio = np.log2((joint + _PAIRS_OF_INDEPENDENCE) / (expected + _PAIRS_OF_INDEPENDENCE))
            found.append((float((joint * ratio).sum() / total), one, other, np.pad(-ratio, ((1, 0), (1, 0)))))
    tree: dict[tuple[int, int], Floats] = {}
    group = list(range(len(sizes)))
    for _, one, other, bits in sorted(found, key=lambda edge: (-edge[0], edge[1], edge[2])):
        if group[one] != group[other]:
            tree[one, other] = bits
            group = [group[one] if member == group[other] else member for member in group]
    return tree
