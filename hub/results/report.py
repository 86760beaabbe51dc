"""What a resolution says about itself: counts."""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.candidates.pairs import Candidates
from hub.columns.parts import Ids
from hub.scoring.weigh import Weighed

Longs = npt.NDArray[np.int64]


def count_moved(events: pl.DataFrame) -> int:
    """Records that went from one id to another, but for those that a person's merge, or its undo, moved."""
    pair = ["gid", "other_gid"]
    merged = events.filter((pl.col("kind") == "merged") & pl.col("detail").is_not_null()).select(pair)
    restored = events.filter(pl.col("kind") == "restored").select(gid="other_gid", other_gid="gid")
    moved = events.filter((pl.col("kind") == "detached") & pl.col("other_gid").is_not_null())
    return moved.join(pl.concat([merged, restored]), on=pair, how="anti").height


def summarise(
    labels: Longs, candidates: Candidates, place: Ids, weighed: Weighed, events: pl.DataFrame, n_known: int
) -> dict[str, Any]:
    """Counts: records, candidates, clusters, identity events, share of known records whose id changed, vetoes, histogram."""
    size = np.bincount(labels, minlength=1) if len(labels) else np.zeros(1, dtype=np.int64)
    moved = count_moved(events)
    pairs = np.bincount(place, minlength=len(weighed.total))
    return {
        "records": len(labels),
        "candidates": len(candidates.left),
        "candidate_keys": candidates.report,
        "blocks_capped": sum(row["capped_blocks"] for row in candidates.report),
        "pairs_left_out": sum(row["pairs_left_out"] for row in candidates.report),
        "distinct_vectors": len(weighed.total),
        "clusters": int((size > 0).sum()) if len(labels) else 0,
        "largest_cluster": int(size.max()),
        "events": dict(events.group_by("kind").len().sort("kind").iter_rows()),
        "share_ids_changed": round(moved / n_known, 6) if n_known else 0.0,
        "weight_histogram": draw_histogram(weighed.total, pairs),
    }


def draw_histogram(total: Longs | Ids, pairs: Longs) -> dict[str, list[int]]:
    """Pairs by weight (tenths of a bit): 20 steps of 4 bits from -40, what is beyond in the outermost."""
    steps = (np.clip(total, -400, 399) + 400) // 40
    return {"from_bits": list(range(-40, 40, 4)), "pairs": np.bincount(steps, weights=pairs, minlength=20).astype(int).tolist()}
