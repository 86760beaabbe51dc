"""What a full resolution counts over all of its pairs, kept up by every addition from the pairs and blocks that it changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.clustering.cluster import FORBIDDEN
from hub.columns.hashing import Hashes
from hub.columns.parts import Ids
from hub.kept.pieces import Longs, Pairs
from hub.results.report import draw_histogram
from hub.rules.model import Rules


@dataclass(frozen=True)
class Tally:
    """keys: per block key the pairs that its blocks have, its blocks above the cap, and the pairs that it proposes; vectors: the
    pairs of each of State.vectors; barred: pairs that may not be joined, whatever they weigh."""

    keys: Longs
    vectors: Longs
    barred: int

    def follow(self, keys: Longs, gone: Longs, new: Longs, barred: int) -> "Tally":
        """After a change of the keys' counts, with the pairs by vector that went and came."""
        vectors = new - np.pad(gone, (0, len(new) - len(gone)))
        vectors[: len(self.vectors)] += self.vectors
        return Tally(self.keys + keys, vectors, self.barred + barred)

    def describe(self, rules: Rules, caps: Mapping[str, int], total: Longs) -> dict[str, Any]:
        """By key what it proposes and what its cap leaves out; vetoes; weights. total: tenths of a bit of each vector."""
        rows = [
            {"key": key.name, "cap": caps[key.name], "pairs": pairs, "capped_blocks": capped, "pairs_left_out": possible - pairs}
            for key, (possible, capped, pairs) in zip(rules.block_keys, self.keys.tolist(), strict=True)
        ]
        return {
            "candidate_keys": rows,
            "blocks_capped": sum(row["capped_blocks"] for row in rows),
            "pairs_left_out": sum(row["pairs_left_out"] for row in rows),
            "distinct_vectors": int(np.count_nonzero(self.vectors)),
            "vetoes": self.barred,
            "weight_histogram": draw_histogram(total, self.vectors),
        }


def begin_tally(report: Sequence[Mapping[str, Any]], place: Ids, n_vectors: int, barred: int) -> Tally:
    """Of a full resolution. report: of its candidates, by key; place: the vector of each pair."""
    rows = [(row["pairs"] + row["pairs_left_out"], row["capped_blocks"], row["pairs"]) for row in report]
    return Tally(np.array(rows, dtype=np.int64).reshape(-1, 3), np.bincount(place, minlength=n_vectors), barred)


def compare_blocks(cap: int, before: Longs, after: Longs) -> tuple[int, int]:
    """How many more pairs the blocks of a key have, and how many more of them are above its cap, by their sizes."""
    pairs = (after * (after - 1) - before * (before - 1)) // 2
    return int(pairs.sum()), int((after > cap).sum() - (before > cap).sum())


def count_barred(vectors: pl.DataFrame, guards: Hashes, pairs: Pairs) -> int:
    """Pairs that may not be joined: by a veto, or by a guard of which both have a value."""
    barred = vectors["counted"].to_numpy()[pairs.vector] == FORBIDDEN
    for hashes in guards:
        one, two = hashes[pairs.left], hashes[pairs.right]
        barred |= (one != 0) & (two != 0) & (one != two)
    return int(barred.sum())


def count_bits(proposed: npt.NDArray[np.uint32], n_keys: int) -> Longs:
    """Per key how many of some pairs it proposes."""
    return np.array([int(((proposed >> np.uint32(place)) & np.uint32(1)).sum()) for place in range(n_keys)], dtype=np.int64)
