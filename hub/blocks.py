"""The blocks that new, changed and deleted records stand in are paired anew; what is new among the pairs is weighed."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl

from hub.compare import Comparer, Layout, find_distinct_vectors
from hub.frequency import find_buckets
from hub.hashing import Hashes
from hub.model import Model
from hub.pairs import merge_keys, pair_block
from hub.parts import number
from hub.prepare import derive_parts
from hub.rules.model import Rules
from hub.state import Ids, Longs, Mask, State, describe_vectors
from hub.weigh import weigh


def pair_again(state: State, touched: Mask, rules: Rules, model: Model) -> tuple[State, Mask]:
    """The blocks of touched records are paired anew, under the same caps; returns also which rows gained or lost a pair.

    `order` of the state has the touched rows too that ended.
    """
    n = len(state.alive)
    rank = rank_rows(state)
    found: list[Longs] = []
    near = np.zeros(n, dtype=bool)
    members_of = np.zeros((len(rules.block_keys), n), dtype=bool)
    shift = max(len(rules.block_keys) - 1, 1).bit_length()
    changed = np.flatnonzero(touched)
    for place, key in enumerate(rules.block_keys):
        members, hashes = _find_block(state, place, changed)
        members_of[place, members] = True
        near[members] = True
        is_present = state.alive[members]
        present = members[is_present]
        codes, _ = number(pl.Series(hashes[is_present]))
        left, right = pair_block(codes, key, model.caps[key.name], state.hashes[present])
        one, two = rank[present[left]].astype(np.int64), rank[present[right]].astype(np.int64)
        found.append(((np.minimum(one, two) * n + np.maximum(one, two)) << shift) + place)
    # what stood in these blocks is paired anew; pairs that other keys propose keep those
    old = np.flatnonzero(near[state.left] & near[state.right])
    bits = state.proposed[old].copy()
    for place in range(len(rules.block_keys)):
        bits[members_of[place][state.left[old]] & members_of[place][state.right[old]]] &= ~np.uint32(1 << place)
    fresh, proposed = merge_keys(np.concatenate([np.zeros(0, dtype=np.int64), *found]), shift)
    before = rank[state.left[old]].astype(np.int64) * n + rank[state.right[old]]
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
    bits_of = np.array(state.proposed)
    stays = kept & (row_of >= 0)
    bits_of[row_of[stays]] = both[stays]
    left, right = state.order[pairs[new] // n], state.order[pairs[new] % n]
    moved[left] = moved[right] = True

    def is_before(at: Longs) -> Mask:
        mask: Mask = rank[state.left[at]].astype(np.int64) * n + rank[state.right[at]] < pairs[new]
        return mask

    at = bisect(int(new.sum()), len(state.left), is_before)
    return _score(replace(state, proposed=bits_of), lost, at, left, right, both[new], rules, model), moved


def rank_rows(state: State) -> Ids:
    """The place of each row by source and key; -1 where it is not in the order."""
    rank = np.full(len(state.alive), -1, dtype=np.int32)
    rank[state.order] = np.arange(len(state.order), dtype=np.int32)
    return rank


def bisect(count: int, size: int, is_before: Callable[[Longs], Mask]) -> Longs:
    """Where `count` values belong among `size` sorted ones. is_before: whether the sorted value at a place, one place for each,
    comes before the value."""
    low, high = np.zeros(count, dtype=np.int64), np.full(count, size, dtype=np.int64)
    while (is_open := low < high).any():
        middle = (low + high) // 2
        before = is_before(np.minimum(middle, size - 1)) & is_open
        low, high = np.where(before, middle + 1, low), np.where(is_open & ~before, middle, high)
    return low


def find_rows(hashes: Hashes, asked: Hashes) -> Ids:
    """The rows whose hash is asked for; 0 is none. A table of 2**16 bits spares looking at most rows."""
    asked = np.unique(asked[asked != 0])
    table = np.zeros(1 << 16, dtype=bool)
    table[(asked >> np.uint64(40)).astype(np.uint16)] = True
    rows = np.flatnonzero(table[(hashes >> np.uint64(40)).astype(np.uint16)])
    place = np.minimum(np.searchsorted(asked, hashes[rows]), max(len(asked) - 1, 0))
    return rows[asked[place] == hashes[rows]].astype(np.int32) if len(asked) else np.zeros(0, dtype=np.int32)


def _find_block(state: State, place: int, changed: Longs) -> tuple[Ids, Hashes]:
    """The rows that share a block key with changed ones, and its hash of each."""
    starts = np.cumsum([0, *(piece.shape[1] for piece in state.keys)])
    asked = np.concatenate(
        [
            piece[place][changed[(changed >= start) & (changed < start + piece.shape[1])] - start]
            for piece, start in zip(state.keys, starts[:-1], strict=True)
        ]
    )
    found = [find_rows(piece[place], asked) for piece in state.keys]
    return (
        np.concatenate([rows + start for rows, start in zip(found, starts[:-1], strict=True)]).astype(np.int32),
        np.concatenate([piece[place][rows] for piece, rows in zip(state.keys, found, strict=True)]),
    )


def _score(
    state: State, lost: Longs, at: Longs, left: Ids, right: Ids, proposed: np.ndarray, rules: Rules, model: Model
) -> State:
    """The state without the lost pairs and with the new ones in their places (`at`), compared under the model's frequencies and
    weights."""
    if not len(left) and not len(lost):
        return state
    rows = np.unique(np.concatenate([left, right]))
    parts = derive_parts(state.records[rows], rules)
    comparer = Comparer(parts, rules, find_buckets(parts, rules, model.frequencies))
    # a name's level may depend on which of two comes first: as in a full run it is the first by source and key
    packed = comparer.compare(np.searchsorted(rows, left).astype(np.int32), np.searchsorted(rows, right).astype(np.int32))
    vectors, vector = _place_vectors(state.vectors, packed, comparer.layout, rules, model)
    at = at - np.searchsorted(lost, at)
    return replace(
        state,
        vectors=vectors,
        left=_exchange(state.left, lost, at, left),
        right=_exchange(state.right, lost, at, right),
        proposed=_exchange(state.proposed, lost, at, proposed),
        vector=_exchange(state.vector, lost, at, vector),
    )


def _place_vectors(known: pl.DataFrame, packed: Longs, layout: Layout, rules: Rules, model: Model) -> tuple[pl.DataFrame, Ids]:
    """The vectors that are known and those that are new, and the row of each packed one among them."""
    distinct, place, _ = find_distinct_vectors(packed)
    rows = pl.DataFrame({"vector": distinct}).join(
        known.select("vector", row=pl.int_range(pl.len(), dtype=pl.Int32)), on="vector", how="left", maintain_order="left"
    )["row"]
    new = rows.is_null().to_numpy()
    row_of = rows.fill_null(-1).to_numpy().copy()
    row_of[new] = known.height + np.arange(int(new.sum()), dtype=np.int32)
    described = describe_vectors(distinct[new], weigh(distinct[new], layout, model.weights, rules), rules)
    return pl.concat([known, described]), row_of[place].astype(np.int32)


def _exchange(column: np.ndarray, lost: Longs, at: Longs, new: np.ndarray) -> np.ndarray:
    """The column without the lost places and with new values before others of those that stay."""
    return np.insert(np.delete(column, lost) if len(lost) else column, at, new)
