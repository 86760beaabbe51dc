"""Candidate pairs: records that share a key, with a cap on each block and a report of what the caps left out (I-9)."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from hub.columns.parallel import map_threads
from hub.columns.parts import Ids, Parts
from hub.columns.sorting import order_numbers, sort_numbers
from hub.rules.model import BlockKey, Rules

Longs = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint32]
#: keys at most: a bit of `Keys` each
MOST_KEYS = 32
#: pieces of the pairs that are sorted side by side
_RANGES = 4
#: caps hold up to so many records; broad keys grow faster than the data, so beyond they fall nearly as it grows
FULL_CAPS = 1_000_000
CAP_FALL = 0.85


@dataclass(frozen=True)
class Candidates:
    """Pairs of ranks, left < right, sorted and distinct; `keys` has bit k where key k proposes the pair; a report row per key."""

    left: Ids
    right: Ids
    keys: Keys
    report: list[dict[str, Any]]


def scale_cap(key: BlockKey, n: int) -> int:
    """The cap of a key for `n` records."""
    return max(min(4, key.cap), int(key.cap * min(1.0, (FULL_CAPS / max(n, 1)) ** CAP_FALL)))


def find_candidates(parts: Parts, rules: Rules, hashes: npt.NDArray[np.uint64], caps: dict[str, int]) -> Candidates:
    """All pairs that some key of the rules proposes: a function of the records and the caps alone, whatever their order.

    hashes: a lasting hash per record; the smallest of a block are its pivots. caps: by key name.
    """
    shift = max(len(rules.block_keys) - 1, 1).bit_length()
    cuts = _cut_ranks(parts.n)

    def pair_key(place: int) -> tuple[list[Longs], dict[str, Any]]:
        key = rules.block_keys[place]
        left, right, row = _pair_key(parts.combine(key.parts), key, caps[key.name], hashes)
        lower = np.minimum(left, right)
        pair = ((lower.astype(np.int64) * parts.n + np.maximum(left, right)) << shift) + place
        return [pair[(lower >= start) & (lower < end)] for start, end in pairwise(cuts)], row

    def merge(pieces: list[Longs]) -> tuple[Ids, Ids, Keys]:
        pairs, keys = merge_keys(np.concatenate([np.zeros(0, dtype=np.int64), *pieces]), shift)
        first = pairs // max(parts.n, 1)
        return first.astype(np.int32), (pairs - first * parts.n).astype(np.int32), keys

    parts.number_all([part for key in rules.block_keys for part in key.parts])
    found = map_threads(pair_key, range(len(rules.block_keys)), parts.n)
    report = [row for _, row in found]
    pieces = [[own[place] for own, _ in found] for place in range(len(cuts) - 1)]
    del found
    merged = map_threads(merge, pieces, parts.n)
    left, right, keys = (np.concatenate(side) for side in zip(*merged, strict=True))
    return Candidates(left, right, keys, report)


def _cut_ranks(n: int) -> list[int]:
    """Ranges of ranks; as many pairs have their lower rank in one as in another, for the lower of two is low more often."""
    return [round(n * (1 - (1 - place / _RANGES) ** 0.5)) for place in range(_RANGES + 1)]


def merge_keys(pairs: Longs, shift: int) -> tuple[Longs, Keys]:
    """The distinct pairs of `pair << shift | key`, ascending, and of each a bit per key that proposes it."""
    pairs = sort_numbers(pairs)
    proposed = np.uint32(1) << (pairs & ((1 << shift) - 1)).astype(np.uint32)
    pairs = pairs >> shift
    starts = np.flatnonzero(np.r_[True, pairs[1:] != pairs[:-1]]) if len(pairs) else np.zeros(0, dtype=np.int64)
    return pairs[starts], np.bitwise_or.reduceat(proposed, starts) if len(starts) else proposed


def pair_block(codes: Ids, key: BlockKey, cap: int, hashes: npt.NDArray[np.uint64]) -> tuple[Ids, Ids]:
    """The pairs that one key proposes among records with these codes."""
    left, right, _ = _pair_key(codes, key, cap, hashes)
    return left, right


def _pair_key(codes: Ids, key: BlockKey, cap: int, hashes: npt.NDArray[np.uint64]) -> tuple[Ids, Ids, dict[str, Any]]:
    sizes = np.bincount(codes[codes >= 0]) if len(codes) else np.zeros(0, dtype=np.int64)
    possible = int((sizes * (sizes - 1) // 2).sum())
    # a size per record: 0 where the key is unknown
    size_of = np.append(sizes, 0)[codes]
    members = np.flatnonzero((size_of > 1) & (size_of <= cap)).astype(np.int32)
    pairs = _pair_blocks(members, codes, size_of)
    large = np.flatnonzero(size_of > cap).astype(np.int32)
    if key.pivots and len(large):
        # a cap that has fallen may be below the pivots; a block above it has as many records
        pairs.append(_pair_pivots(large, codes, hashes, min(key.pivots, cap)))
    left = np.concatenate([a for a, _ in pairs]) if pairs else np.zeros(0, dtype=np.int32)
    right = np.concatenate([b for _, b in pairs]) if pairs else np.zeros(0, dtype=np.int32)
    report = {
        "key": key.name,
        "cap": cap,
        "pairs": len(left),
        "largest_block": int(sizes.max()) if len(sizes) else 0,
        "capped_blocks": int((sizes > cap).sum()),
        "pairs_left_out": possible - len(left),
    }
    return left, right, report


def _pair_blocks(members: Ids, codes: Ids, size_of: Longs) -> list[tuple[Ids, Ids]]:
    """All pairs of each block; blocks of one size lie side by side, so a size costs one step."""
    widest = int(codes.max(initial=0)) + 1
    members = members[order_numbers(size_of[members] * widest + codes[members])]
    counts = np.bincount(size_of[members])
    pairs, start = [], 0
    for size in np.flatnonzero(counts):
        block = members[start : start + counts[size]].reshape(-1, size)
        start += int(counts[size])
        first, second = np.triu_indices(int(size), 1)
        pairs.append((block[:, first].ravel(), block[:, second].ravel()))
    return pairs


def _pair_pivots(members: Ids, codes: Ids, hashes: npt.NDArray[np.uint64], pivots: int) -> tuple[Ids, Ids]:
    """Each record of a block with the block's records of smallest hash."""
    order = members[np.lexsort((hashes[members], codes[members]))]
    blocks = codes[order]
    starts = np.flatnonzero(np.r_[True, blocks[1:] != blocks[:-1]])
    block_no = np.cumsum(np.r_[True, blocks[1:] != blocks[:-1]]) - 1
    left, right = [], []
    for step in range(pivots):
        pivot = order[starts + step][block_no]
        apart = np.arange(len(order)) > (starts + step)[block_no]
        left.append(pivot[apart])
        right.append(order[apart])
    return np.concatenate(left), np.concatenate(right)
