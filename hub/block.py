"""Candidate pairs: records that share a key, with a cap on each block and a report of what the caps left out (I-9)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.rules.first import BlockKey, Rules

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Candidates:
    """Pairs of ranks, left < right, sorted and distinct, and one report row per key."""

    left: Ints
    right: Ints
    report: list[dict[str, Any]]


def encode(frame: pl.DataFrame, columns: tuple[str, ...]) -> Ints:
    """Whole numbers that are equal where all columns are; -1 where any is null."""
    usable = pl.all_horizontal(pl.col(column).is_not_null() for column in columns)
    value = pl.col(columns[0]) if len(columns) == 1 else pl.struct(columns)
    hashed = frame.select(pl.when(usable).then(value.hash(seed=20)).alias("h"))["h"]
    ranks = hashed.rank("dense").cast(pl.Int64).fill_null(-1)
    return ranks.to_numpy()


def _pair_blocks(members: Ints, starts: Ints, sizes: Ints) -> list[tuple[Ints, Ints]]:
    pairs = []
    for size in np.unique(sizes):
        first, second = np.triu_indices(int(size), 1)
        rows = members[starts[sizes == size][:, None] + np.arange(size)]
        pairs.append((rows[:, first].ravel(), rows[:, second].ravel()))
    return pairs


def _pair_neighbours(members: Ints, blocks: Ints, window: int) -> list[tuple[Ints, Ints]]:
    pairs = []
    for step in range(1, window + 1):
        same = blocks[step:] == blocks[:-step]
        pairs.append((members[:-step][same], members[step:][same]))
    return pairs


def _pair_key(codes: Ints, order: Ints, key: BlockKey) -> tuple[Ints, Ints, dict[str, Any]]:
    members = order[codes[order] >= 0]
    members = members[np.argsort(codes[members], kind="stable")]
    blocks = codes[members]
    starts = np.flatnonzero(np.r_[True, blocks[1:] != blocks[:-1]]) if len(blocks) else np.zeros(0, dtype=np.int64)
    sizes = np.diff(np.r_[starts, len(blocks)])
    fits = (sizes > 1) & (sizes <= key.cap)
    pairs = _pair_blocks(members, starts[fits], sizes[fits])
    oversize = sizes > key.cap
    if oversize.any():
        rows = np.repeat(oversize, sizes)
        pairs += _pair_neighbours(members[rows], blocks[rows], key.window)
    left = np.concatenate([a for a, _ in pairs]) if pairs else np.zeros(0, dtype=np.int64)
    right = np.concatenate([b for _, b in pairs]) if pairs else np.zeros(0, dtype=np.int64)
    possible = int((sizes * (sizes - 1) // 2).sum())
    report = {
        "key": key.name,
        "pairs": len(left),
        "largest_block": int(sizes.max()) if len(sizes) else 0,
        "capped_blocks": int(oversize.sum()),
        "pairs_left_out": possible - len(left),
    }
    return left, right, report


def find_candidates(prepared: pl.DataFrame, rules: Rules) -> Candidates:
    """All pairs that some key of the rules proposes: a function of the records alone, whatever their order."""
    n = prepared.height
    name_order = [column for column in ("core", "full", "city", "contact_full") if column in prepared.columns]
    order = prepared.select(pl.arg_sort_by(*name_order, "rank", nulls_last=True)).to_series().cast(pl.Int64).to_numpy()
    found: list[Ints] = []
    report = []
    for key in rules.block_keys:
        left, right, row = _pair_key(encode(prepared, key.columns), order, key)
        found.append(np.unique(np.minimum(left, right) * n + np.maximum(left, right)))
        report.append(row)
    pairs = np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
    divisor = max(n, 1)
    return Candidates(pairs // divisor, pairs % divisor, report)
