"""Clustering against an oracle that does one handshake at a time in plain Python."""

import numpy as np
import pytest

from hub.clustering.cluster import cluster_pairs, find_components, mix_ties

TIES = np.random.default_rng(1).integers(0, 2**63, 100_000).astype(np.uint64)


def contract_slowly(n, edges, codes):
    """The same method with dictionaries: rounds of mutual best edges, sums of parallel edges, guarded codes."""
    labels = list(range(n))
    codes = dict(enumerate(codes))
    while True:
        sums = {}
        for left, right, weight in edges:
            a, b = sorted((labels[left], labels[right]))
            if a != b:
                sums[a, b] = sums.get((a, b), 0) + weight
        able = [
            (-weight, int(mix_ties(TIES[[a]], TIES[[b]])[0]), a, b)
            for (a, b), weight in sums.items()
            if weight >= 0 and (codes[a] < 0 or codes[b] < 0 or codes[a] == codes[b])
        ]
        if not able:
            return labels
        best = {}
        for edge in sorted(able, reverse=True):
            best[edge[2]] = best[edge[3]] = edge
        for edge in {edge for edge in best.values() if best[edge[2]] == best[edge[3]] == edge}:
            _, _, keep, drop = edge
            codes[keep] = max(codes[keep], codes[drop])
            labels = [keep if label == drop else label for label in labels]


def random_graph(seed, n=40, m=120):
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, n, (m, 2))
    ends = ends[ends[:, 0] != ends[:, 1]]
    weights = rng.integers(-60, 60, len(ends))
    codes = np.where(rng.random(n) < 0.4, rng.integers(0, 5, n), -1)
    return ends[:, 0].astype(np.int64), ends[:, 1].astype(np.int64), weights.astype(np.int64), codes.astype(np.int64)


@pytest.mark.parametrize("seed", range(25))
def test_contraction_equals_the_slow_oracle(seed):
    left, right, weight, codes = random_graph(seed)
    fast = cluster_pairs(40, left, right, weight, [codes], TIES)
    assert fast.tolist() == contract_slowly(40, list(zip(left, right, weight, strict=True)), codes.tolist())


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_edges_does_not_matter(seed):
    left, right, weight, codes = random_graph(seed)
    shuffled = np.random.default_rng(seed + 100).permutation(len(left))
    one = cluster_pairs(40, left, right, weight, [codes], TIES)
    other = cluster_pairs(40, right[shuffled], left[shuffled], weight[shuffled], [codes], TIES)
    assert one.tolist() == other.tolist()


def test_two_codes_never_share_a_cluster_through_a_third_record():
    labels = cluster_pairs(
        3, np.array([0, 1]), np.array([1, 2]), np.array([200, 100]), [np.array([7, -1, 9], dtype=np.int64)], TIES
    )
    assert labels.tolist() == [0, 0, 2]


def test_negative_evidence_cuts_a_chain():
    # 0-1 and 1-2 match a little, 0-2 contradicts a lot: the better edge holds, the other is given up
    labels = cluster_pairs(
        3, np.array([0, 1, 0]), np.array([1, 2, 2]), np.array([30, 20, -90]), [np.full(3, -1, dtype=np.int64)], TIES
    )
    assert labels.tolist() == [0, 0, 2]


def test_components_reach_along_a_long_chain():
    nodes = np.arange(99)
    assert find_components(101, nodes + 1, nodes).tolist() == [0] * 100 + [100]


def test_a_long_run_of_equal_edges_contracts_in_few_rounds():
    nodes = np.arange(60_000)
    labels = cluster_pairs(60_001, nodes, nodes + 1, np.full(60_000, 10), [], TIES)
    assert labels.max() == 0
