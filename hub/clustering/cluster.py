"""Handshake contraction: clusters as a function of the scored pairs alone, whatever their order (I-1, I-5)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hub.columns.sorting import order_numbers

Ints = npt.NDArray[np.int64]
Ranks = npt.NDArray[np.integer]
Hashes = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]

#: far below any sum of weights: a pair that may never be joined
FORBIDDEN = -(10**12)
#: sums are ordered up to this many tenths of a bit; above, the hash alone decides
_MOST = 2**23 - 1


def mix_ties(left: Hashes, right: Hashes) -> Hashes:
    """A hash of each edge from the hashes of its ends, the same in both directions."""
    mixed = (left ^ right) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)


def cluster_pairs(n: int, left: Ranks, right: Ranks, weight: Ints, guards: Sequence[Ranks], ties: Hashes) -> Ints:
    """Label of each of `n` nodes: the smallest node of its cluster.

    In each round every edge that is the best of both its ends is contracted; parallel edges add up, negative evidence
    included; an edge between two clusters with different codes of a guard (-1: none) is never contracted. Repeats
    until no edge at or above 0 is left. Weights are whole numbers, so sums are exact. Equal weights are ordered by `ties`, a
    lasting hash of each node: a run of equal edges contracts in a few rounds, where an order by label takes one at a time.
    """
    matches = weight >= 0
    labels = find_components(n, left[matches], right[matches])
    inside = labels[left] == labels[right]
    disputed = np.zeros(n, dtype=bool)
    disputed[labels[left[inside & ~matches]]] = True
    for codes in guards:
        disputed[labels[_find_clashes(labels, codes)]] = True
    # a component without a word against it contracts to one cluster, whatever the order
    edges = np.flatnonzero(inside & disputed[labels[left]])
    members = np.flatnonzero(disputed[labels])
    place = np.full(n, -1, dtype=np.int32)
    place[members] = np.arange(len(members), dtype=np.int32)
    own = _contract(
        place[left[edges]], place[right[edges]], weight[edges].astype(np.int64), [c[members] for c in guards], ties[members]
    )
    labels[members] = members[own]
    return labels


def _find_clashes(labels: Ints, codes: Ranks) -> Ints:
    """Nodes whose component holds another code than theirs."""
    known = np.flatnonzero(codes >= 0)
    highest = np.full(len(labels), -1, dtype=np.int64)
    np.maximum.at(highest, labels[known], codes[known])
    clashing: Ints = known[codes[known] != highest[labels[known]]]
    return clashing


def _contract(left: Ranks, right: Ranks, weight: Ints, guards: Sequence[Ranks], ties: Hashes) -> Ints:
    n = len(ties)
    labels = np.arange(n, dtype=np.int64)
    guards = [codes.copy() for codes in guards]
    while len(left):
        left, right, weight = _sum_parallel(left, right, weight, n)
        clash = np.zeros(len(left), dtype=bool)
        for codes in guards:
            clash |= (codes[left] >= 0) & (codes[right] >= 0) & (codes[left] != codes[right])
        able = np.flatnonzero((weight >= 0) & ~clash)
        if not len(able):
            break
        target = _shake(left[able], right[able], weight[able], ties, n)
        for codes in guards:
            np.maximum.at(codes, target, codes)
        labels = target[labels]
        # what no chain of matches connects any more can never come together
        reach = find_components(n, left[able], right[able])
        live = (reach[left] == reach[right]) & (target[left] != target[right])
        weight = np.where(clash, FORBIDDEN, weight)[live]
        left, right = target[left[live]], target[right[live]]
    return labels


def _sum_parallel(left: Ranks, right: Ranks, weight: Ints, n: int) -> tuple[Ints, Ints, Ints]:
    key = np.minimum(left, right).astype(np.int64) * n + np.maximum(left, right)
    order = order_numbers(key)
    key, weight = key[order], weight[order]
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    return key[starts] // n, key[starts] % n, np.add.reduceat(weight, starts)


def _shake(left: Ints, right: Ints, weight: Ints, ties: Hashes, n: int) -> Ints:
    """Per node the one it is joined to: each edge that is the best of both its ends is contracted to its smaller end."""
    capped = np.minimum(weight, _MOST)
    rank = (capped.max() - capped).astype(np.uint64) << np.uint64(40)
    order = order_numbers(rank | mix_ties(ties[left], ties[right]) >> np.uint64(24))[::-1]
    left, right = left[order], right[order]
    # the best edge comes last, and the last assignment stays
    best = np.full(n, -1, dtype=np.int64)
    places = np.arange(len(left))
    ends = np.empty(2 * len(left), dtype=np.int64)
    ends[0::2], ends[1::2] = left, right
    best[ends] = np.repeat(places, 2)
    mutual = (best[left] == places) & (best[right] == places)
    target = np.arange(n, dtype=np.int64)
    target[right[mutual]] = left[mutual]
    return target


def find_components(n: int, left: Ranks, right: Ranks) -> Ints:
    """Smallest reachable node of each node: connected components by repeated hooking."""
    labels = np.arange(n, dtype=np.int64)
    left, right = left.astype(np.int64), right.astype(np.int64)
    while len(left):
        low = np.minimum(left, right)
        np.minimum.at(labels, left, low)
        np.minimum.at(labels, right, low)
        while True:
            deeper = labels[labels]
            if np.array_equal(deeper, labels):
                break
            labels = deeper
        left, right = labels[left], labels[right]
        open_edges = left != right
        left, right = left[open_edges], right[open_edges]
    return labels
