"""The blocks that new, changed and deleted records stand in are paired anew; what is new among the pairs is weighed."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from hub.candidates.pairs import merge_keys, pair_block
from hub.columns.hashing import Hashes
from hub.columns.parts import Ids
from hub.columns.sorting import find_distinct_numbers
from hub.kept.pieces import Longs, Pairs, find_from, find_members, select_parts, sort_pairs
from hub.kept.state import Keys, Mask, State, describe_vectors
from hub.kept.tally import compare_blocks, count_barred, count_bits
from hub.model import Model
from hub.rules.model import Rules
from hub.scoring.compare import Comparer, Layout, find_distinct_vectors, list_scored_parts
from hub.scoring.frequency import find_buckets
from hub.scoring.weigh import weigh


def pair_again(state: State, rank: Ids, touched: Mask, keys: Sequence[Hashes], rules: Rules, model: Model) -> tuple[State, Mask]:
    """The blocks of touched records are paired anew, under the same caps; returns also which rows gained or lost a pair.

    keys: the hashes of each block key that touched records have or had, 0 where it is unknown. `order` of the state, whose
    `rank_rows` are given, has the touched rows too that ended.
    """
    n = len(state.alive)
    shift = max(len(rules.block_keys) - 1, 1).bit_length()
    found, again, blocks = _pair_blocks(state, touched, keys, rank, shift, rules, model)
    # what stood in these blocks is paired anew; pairs that other keys propose keep those
    old = find_from(state.pairs, np.flatnonzero(again).astype(np.int32))
    old = old[state.proposed[old] != 0]
    held = state.take(old)
    shared = again[held.left] & again[held.right]
    old, shared = old[shared != 0], shared[shared != 0]
    held = state.take(old)
    bits = state.proposed[old] & ~shared
    fresh, proposed = merge_keys(found, shift)
    before = rank[held.left].astype(np.int64) * n + rank[held.right]
    pairs, places = find_distinct_numbers(np.concatenate([before, fresh]))
    both = np.zeros(len(pairs), dtype=np.uint32)
    both[places[: len(old)]] = bits
    both[places[len(old) :]] |= proposed
    is_old = np.zeros(len(pairs), dtype=bool)
    is_old[places[: len(old)]] = True
    now = both[places[: len(old)]]
    lost, new = now == 0, np.flatnonzero(~is_old)
    left, right = state.order[pairs[new] // n], state.order[pairs[new] % n]
    moved = np.zeros(n, dtype=bool)
    for rows in (held.left[lost], held.right[lost], left, right):
        moved[rows] = True
    vectors, vector = _score(state, left, right, rules, model)
    added, order = sort_pairs(left, right, vector)
    after = np.concatenate([state.proposed, both[new][order]])
    after[old] = now
    other = now != state.proposed[old]
    changed = np.union1d(state.changed, old[other])
    gone = Pairs(held.left[lost], held.right[lost], held.vector[lost])
    proposals = count_bits(np.concatenate([now[other], both[new]]), len(keys)) - count_bits(state.proposed[old][other], len(keys))
    tally = state.tally.follow(
        np.column_stack([blocks, proposals]),
        np.bincount(gone.vector, minlength=state.vectors.height),
        np.bincount(added.vector, minlength=vectors.height),
        count_barred(vectors, state.guards, added) - count_barred(vectors, state.guards, gone),
    )
    return replace(state, vectors=vectors, pairs=(*state.pairs, added), proposed=after, changed=changed, tally=tally), moved


def _pair_blocks(
    state: State, touched: Mask, keys: Sequence[Hashes], rank: Ids, shift: int, rules: Rules, model: Model
) -> tuple[Longs, Keys, Longs]:
    """The pairs of the blocks of touched records by rank, as merge_keys takes them; per row a bit for each key by which it is
    in such a block; and per key how many more pairs its blocks have, and how many more of them are above its cap."""
    n = len(state.alive)
    n_new = int((state.alive & touched).sum())
    found = [np.zeros(0, dtype=np.int64)]
    more = np.zeros((len(keys), 2), dtype=np.int64)
    again = np.zeros(n, dtype=np.uint32)
    for place, key in enumerate(rules.block_keys):
        asked = np.unique(keys[place])
        asked = asked[asked != 0]
        blocks, members = find_members(state.blocks, place, asked)
        is_present, cap = state.alive[members], model.caps[key.name]
        steady = np.bincount(blocks[is_present & ~touched[members]], minlength=len(asked))
        came, went = (_count_asked(own, asked) for own in (keys[place][:n_new], keys[place][n_new:]))
        more[place] = compare_blocks(cap, steady + went, steady + came)
        if not key.pivots:
            # a block that was and is above its cap has no pairs; nearly all members of broad keys are in such
            small = steady[blocks] <= cap
            blocks, members, is_present = blocks[small], members[small], is_present[small]
        again[members] |= np.uint32(1 << place)
        present = members[is_present]
        left, right = pair_block(blocks[is_present].astype(np.int32), key, cap, state.hashes[present])
        one, two = rank[present[left]].astype(np.int64), rank[present[right]].astype(np.int64)
        found.append(((np.minimum(one, two) * n + np.maximum(one, two)) << shift) + place)
    return np.concatenate(found), again, more


def _count_asked(hashes: Hashes, asked: Hashes) -> Longs:
    """How often each of some hashes, ascending, is among others."""
    return np.bincount(np.searchsorted(asked, hashes[hashes != 0]), minlength=len(asked))


def rank_rows(state: State) -> Ids:
    """The place of each row by source and key; -1 where it is not in the order."""
    rank = np.full(len(state.alive), -1, dtype=np.int32)
    rank[state.order] = np.arange(len(state.order), dtype=np.int32)
    return rank


def _score(state: State, left: Ids, right: Ids, rules: Rules, model: Model) -> tuple[pl.DataFrame, Ids]:
    """The state's vectors with those of new pairs, compared under the model's frequencies and weights; and the row of each."""
    if not len(left):
        return state.vectors, np.zeros(0, dtype=np.int32)
    rows = np.unique(np.concatenate([left, right]))
    parts = select_parts(state.parts, rows, list_scored_parts(rules))
    comparer = Comparer(parts, rules, find_buckets(parts, rules, model.frequencies))
    # a name's level may depend on which of two comes first: as in a full run it is the first by source and key
    packed = comparer.compare(np.searchsorted(rows, left).astype(np.int32), np.searchsorted(rows, right).astype(np.int32))
    return _place_vectors(state.vectors, packed, comparer.layout, rules, model)


def _place_vectors(known: pl.DataFrame, packed: Longs, layout: Layout, rules: Rules, model: Model) -> tuple[pl.DataFrame, Ids]:
    """The vectors that are known and those that are new, and the row of each packed one among them."""
    distinct, place, _ = find_distinct_vectors(packed)
    asked = pl.DataFrame({"vector": distinct})
    held = known.select("vector", row=pl.int_range(pl.len(), dtype=pl.Int32)).filter(
        pl.col("vector").is_in(asked["vector"].implode())
    )
    rows = asked.join(held, on="vector", how="left", maintain_order="left")["row"]
    new = rows.is_null().to_numpy()
    row_of = rows.fill_null(-1).to_numpy().copy()
    row_of[new] = known.height + np.arange(int(new.sum()), dtype=np.int32)
    described = describe_vectors(distinct[new], weigh(distinct[new], layout, model.weights, rules), rules)
    return pl.concat([known, described]), row_of[place].astype(np.int32)
