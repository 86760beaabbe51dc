"""The blocks that new, changed and deleted records stand in are paired anew; what is new among the pairs is weighed."""

from dataclasses import replace

import numpy as np
import polars as pl

from hub.compare import Comparer, find_distinct_vectors
from hub.frequency import find_buckets
from hub.hashing import Hashes
from hub.model import Model
from hub.pairs import pair_block
from hub.parts import number
from hub.prepare import derive_parts, sort_records
from hub.rules.model import Rules
from hub.state import Ids, Longs, Mask, State
from hub.weigh import weigh


def pair_again(state: State, touched: Mask, rules: Rules, model: Model) -> tuple[State, Mask]:
    """The blocks of touched records are paired anew, under the same caps; returns also which rows gained or lost a pair."""
    n = len(state.alive)
    found: list[Longs] = []
    near = np.zeros(n, dtype=bool)
    members_of = np.zeros((len(rules.block_keys), n), dtype=bool)
    shift = max(len(rules.block_keys) - 1, 1).bit_length()
    for place, key in enumerate(rules.block_keys):
        members = find_rows(state.keys[place], state.keys[place][touched])
        members_of[place, members] = True
        near[members] = True
        present = members[state.alive[members]]
        codes, _ = number(pl.Series(state.keys[place][present]))
        left, right = pair_block(codes, key, model.caps[key.name], state.hashes[present])
        one, two = present[left].astype(np.int64), present[right].astype(np.int64)
        found.append(((np.minimum(one, two) * n + np.maximum(one, two)) << shift) + place)
    # what stood in these blocks is paired anew; pairs that other keys propose keep those
    old = np.flatnonzero(near[state.left] & near[state.right])
    bits = state.proposed[old].copy()
    for place in range(len(rules.block_keys)):
        bits[members_of[place][state.left[old]] & members_of[place][state.right[old]]] &= ~np.uint32(1 << place)
    fresh, proposed = _merge_bits(np.concatenate([np.zeros(0, dtype=np.int64), *found]), shift)
    before = state.left[old].astype(np.int64) * n + state.right[old]
    pairs, places = np.unique(np.concatenate([before, fresh]), return_inverse=True)
    both = np.zeros(len(pairs), dtype=np.uint32)
    np.bitwise_or.at(both, places[: len(old)], bits)
    np.bitwise_or.at(both, places[len(old) :], proposed)
    row_of = np.full(len(pairs), -1, dtype=np.int64)
    row_of[places[: len(old)]] = old
    kept = both != 0
    lost = row_of[~kept & (row_of >= 0)]
    new = kept & (row_of < 0)
    moved = np.zeros(n, dtype=bool)
    moved[state.left[lost]] = moved[state.right[lost]] = True
    bits_of = state.proposed.copy()
    stays = kept & (row_of >= 0)
    bits_of[row_of[stays]] = both[stays]
    left, right = (pairs[new] // n).astype(np.int32), (pairs[new] % n).astype(np.int32)
    moved[left] = moved[right] = True
    return _score(replace(state, proposed=bits_of), lost, left, right, both[new], rules, model), moved


def find_rows(hashes: Hashes, asked: Hashes) -> Ids:
    """The rows whose hash is asked for; 0 is none. A table of 2**16 bits spares looking at most rows."""
    asked = np.unique(asked[asked != 0])
    table = np.zeros(1 << 16, dtype=bool)
    table[(asked >> np.uint64(40)).astype(np.uint16)] = True
    rows = np.flatnonzero(table[(hashes >> np.uint64(40)).astype(np.uint16)])
    place = np.minimum(np.searchsorted(asked, hashes[rows]), max(len(asked) - 1, 0))
    return rows[asked[place] == hashes[rows]].astype(np.int32) if len(asked) else np.zeros(0, dtype=np.int32)


def _merge_bits(pairs: Longs, shift: int) -> tuple[Longs, np.ndarray]:
    pairs = np.sort(pairs)
    bits = np.uint32(1) << (pairs & ((1 << shift) - 1)).astype(np.uint32)
    pairs >>= shift
    starts = np.flatnonzero(np.r_[True, pairs[1:] != pairs[:-1]]) if len(pairs) else np.zeros(0, dtype=np.int64)
    return pairs[starts], np.bitwise_or.reduceat(bits, starts) if len(starts) else bits


def _score(state: State, lost: Longs, left: Ids, right: Ids, proposed: np.ndarray, rules: Rules, model: Model) -> State:
    """The state without the lost pairs and with the new ones, compared under the model's frequencies and weights."""
    rows = np.unique(np.concatenate([left, right]))
    records = state.records[rows]
    parts = derive_parts(records, rules)
    comparer = Comparer(parts, rules, find_buckets(parts, rules, model.frequencies))
    one, two = np.searchsorted(rows, left).astype(np.int32), np.searchsorted(rows, right).astype(np.int32)
    # a name's level may depend on which of two comes first: in a full run it is the first by source and key
    rank = np.argsort(sort_records(records))
    turned = rank[one] > rank[two]
    vector = comparer.compare(np.where(turned, two, one), np.where(turned, one, two))
    distinct, place, _ = find_distinct_vectors(vector)
    weighed = weigh(distinct, comparer.layout, model.weights, rules)
    return replace(
        state,
        left=_exchange(state.left, lost, left),
        right=_exchange(state.right, lost, right),
        proposed=_exchange(state.proposed, lost, proposed),
        vector=_exchange(state.vector, lost, vector),
        total=_exchange(state.total, lost, weighed.total[place].astype(np.int32)),
        counted=_exchange(state.counted, lost, weighed.weigh_for_clusters(rules)[place]),
    )


def _exchange(column: np.ndarray, lost: Longs, new: np.ndarray) -> np.ndarray:
    """The column without the lost places and with new values, which take those places first."""
    both = min(len(lost), len(new))
    whole = np.append(column, new[both:])
    whole[lost[:both]] = new[:both]
    return np.delete(whole, lost[both:]) if len(lost) > both else whole
