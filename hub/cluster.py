"""Handshake contraction: clusters as a function of the scored pairs alone, whatever their order (I-1, I-5)."""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

#: far below any sum of weights: a pair that may never be joined
FORBIDDEN = -(10**12)


def mix_ties(left: Hashes, right: Hashes) -> Hashes:
    """A hash of each edge from the hashes of its ends, the same in both directions."""
    mixed = (left ^ right) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)


def _sum_parallel(left: Ints, right: Ints, weight: Ints, n: int) -> tuple[Ints, Ints, Ints]:
    low, high = np.minimum(left, right), np.maximum(left, right)
    key = low * n + high
    order = np.argsort(key, kind="stable")
    key, weight = key[order], weight[order]
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    return key[starts] // n, key[starts] % n, np.add.reduceat(weight, starts)


def cluster_pairs(n: int, left: Ints, right: Ints, weight: Ints, codes: Ints, ties: Hashes) -> Ints:
    """Label of each of `n` nodes: the smallest node of its cluster.

    In each round every edge that is the best of both its ends is contracted; parallel edges add up, negative evidence
    included; an edge between two clusters with different `codes` (-1: none) is never contracted. Repeats until no edge at
    or above 0 is left. Weights are whole numbers, so sums are exact. Equal weights are ordered by `ties`, a lasting hash of
    each node: a run of equal edges then contracts in a few rounds, where an order by label would contract one at a time.
    """
    labels = np.arange(n, dtype=np.int64)
    codes = codes.copy()
    while len(left):
        left, right, weight = _sum_parallel(left, right, weight, n)
        clash = (codes[left] >= 0) & (codes[right] >= 0) & (codes[left] != codes[right])
        weight = np.where(clash, FORBIDDEN, weight)
        able = np.flatnonzero(weight >= 0)
        if not len(able):
            break
        order = able[np.lexsort((right[able], left[able], mix_ties(ties[left[able]], ties[right[able]]), -weight[able]))]
        best = np.full(n, len(order), dtype=np.int64)
        place = np.arange(len(order))
        # assigned worst first, so that the best edge of a node is written last
        best[left[order[::-1]]] = place[::-1]
        other = np.full(n, len(order), dtype=np.int64)
        other[right[order[::-1]]] = place[::-1]
        best = np.minimum(best, other)
        shake = order[(best[left[order]] == place) & (best[right[order]] == place)]
        target = np.arange(n, dtype=np.int64)
        target[right[shake]] = left[shake]
        codes[left[shake]] = np.maximum(codes[left[shake]], codes[right[shake]])
        labels = target[labels]
        left, right = target[left], target[right]
        live = left != right
        left, right, weight = left[live], right[live], weight[live]
    return labels


def find_components(n: int, left: Ints, right: Ints) -> Ints:
    """Smallest reachable node of each node: connected components by repeated hooking."""
    labels = np.arange(n, dtype=np.int64)
    while True:
        low = np.minimum(labels[left], labels[right])
        updated = labels.copy()
        np.minimum.at(updated, labels[left], low)
        np.minimum.at(updated, labels[right], low)
        updated = updated[updated]
        if np.array_equal(updated, labels):
            return labels
        labels = updated
