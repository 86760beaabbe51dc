"""What a resolution says about itself: edges with their evidence, the review queue, counts."""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.block import Candidates
from hub.rules.first import UNITS_PER_BIT, Rules

Ints = npt.NDArray[np.int64]
_ENDS = ["source_a", "source_key_a", "source_b", "source_key_b"]


def name_ends(aligned: pl.DataFrame, left: Ints, right: Ints) -> pl.DataFrame:
    """source_a, source_key_a, source_b, source_key_b of pairs of ranks."""
    records = aligned.select("source", "source_key")
    a, b = records[left].rename({"source": "source_a", "source_key": "source_key_a"}), records[right]
    return pl.concat([a, b.rename({"source": "source_b", "source_key": "source_key_b"})], how="horizontal")


def write_evidence(pairs: pl.DataFrame, prior: float) -> pl.Series:
    """JSON object per scored pair: bits of the prior and of each field that spoke."""
    fields = [column for column in pairs.columns if column.startswith("e_")]
    entries = [
        pl.when(pl.col(field) != 0).then(
            pl.concat_str(pl.lit(f'"{field[2:]}":'), (pl.col(field) / UNITS_PER_BIT).round(1).cast(pl.String))
        )
        for field in fields
    ]
    body = pl.concat_str(pl.lit(f'"prior":{prior}'), *entries, separator=",", ignore_nulls=True)
    return pairs.select(evidence=pl.concat_str(pl.lit("{"), body, pl.lit("}")))["evidence"]


def build_edges(aligned: pl.DataFrame, candidates: Candidates, pairs: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Pairs at or above the review threshold, with weight in bits and evidence."""
    rows = np.flatnonzero((pairs["weight"] >= round(rules.review_bits * UNITS_PER_BIT)).to_numpy())
    kept = pairs[rows]
    ends = name_ends(aligned, candidates.left[rows], candidates.right[rows])
    return ends.with_columns(
        weight=(kept["weight"] / UNITS_PER_BIT).round(1), evidence=write_evidence(kept, rules.weights["prior"])
    ).sort(_ENDS)


def build_review(
    aligned: pl.DataFrame, candidates: Candidates, pairs: pl.DataFrame, labels: Ints, codes: Ints, rules: Rules
) -> tuple[pl.DataFrame, int]:
    """The review queue, and how many pairs of customers it was cut from.

    One pair per two customers that were not joined, though a pair of their records is in the grey band or above it; value
    at stake is the number of records behind the two; the order is value x uncertainty (1 at even odds).
    """
    weight = pairs["weight"].cast(pl.Int64).to_numpy()
    low, high = round(rules.review_bits * UNITS_PER_BIT), round(rules.match_bits * UNITS_PER_BIT)
    apart = labels[candidates.left] != labels[candidates.right]
    cluster_code = np.full(len(labels), -1, dtype=np.int64)
    np.maximum.at(cluster_code, labels, codes)
    a, b = cluster_code[labels[candidates.left]], cluster_code[labels[candidates.right]]
    rows = np.flatnonzero(apart & (weight >= low) & ~((a >= 0) & (b >= 0) & (a != b)))
    size = np.bincount(labels, minlength=len(labels))
    left, right = candidates.left[rows], candidates.right[rows]
    first, second = np.minimum(labels[left], labels[right]), np.maximum(labels[left], labels[right])
    bits = weight[rows] / UNITS_PER_BIT
    odds = 1 / (1 + np.exp2(-np.clip(bits - rules.match_bits, -60, 60)))
    queue = name_ends(aligned, left, right).with_columns(
        first=pl.Series(first),
        second=pl.Series(second),
        weight=pl.Series(bits).round(1),
        reason=pl.Series(np.where(weight[rows] >= high, "match held back by other evidence", "grey band"), dtype=pl.String),
        value_at_stake=pl.Series((size[first] + size[second]).astype(np.float64)),
        uncertainty=pl.Series(1 - np.abs(2 * odds - 1)),
    )
    queue = queue.sort("weight", *_ENDS, descending=[True, False, False, False, False]).unique(
        ["first", "second"], keep="first", maintain_order=True
    )
    pair_id = pl.concat_str("source_a", pl.lit(":"), "source_key_a", pl.lit("|"), "source_b", pl.lit(":"), "source_key_b")
    ordered = queue.with_columns(pair_id=pair_id, order=pl.col("value_at_stake") * pl.col("uncertainty")).sort(
        "order", "pair_id", descending=[True, False]
    )
    return ordered.head(rules.review_limit).select("pair_id", *_ENDS, "weight", "reason", "value_at_stake"), ordered.height


def summarise(
    labels: Ints, candidates: Candidates, weight: Ints, codes: Ints, events: pl.DataFrame, log: pl.DataFrame
) -> dict[str, Any]:
    """Counts of a resolution: records, candidates, clusters, identity events, share of ids changed, vetoes, weight histogram."""
    size = np.bincount(labels, minlength=1) if len(labels) else np.zeros(1, dtype=np.int64)
    kinds = dict(events.group_by("kind").len().sort("kind").iter_rows())
    before = log.filter(pl.col("event_no") < (events["event_no"].min() if events.height else 0)) if events.height else log
    known = before.filter(pl.col("kind").is_in(["attached", "detached"])).unique(
        ["source", "source_key"], keep="last", maintain_order=True
    )
    n_known = known.filter(pl.col("kind") == "attached").height
    moved = events.filter((pl.col("kind") == "detached") & pl.col("other_gid").is_not_null()).height
    left, right = codes[candidates.left], codes[candidates.right]
    edges = np.arange(-40, 41, 4)
    counts, _ = np.histogram(np.clip(weight / UNITS_PER_BIT, -40, 39.9), bins=edges)
    return {
        "records": len(labels),
        "candidates": len(candidates.left),
        "candidate_keys": candidates.report,
        "blocks_capped": sum(row["capped_blocks"] for row in candidates.report),
        "pairs_left_out": sum(row["pairs_left_out"] for row in candidates.report),
        "clusters": int((size > 0).sum()) if len(labels) else 0,
        "largest_cluster": int(size.max()),
        "vetoes": int(((left >= 0) & (right >= 0) & (left != right)).sum()),
        "events": kinds,
        "share_ids_changed": round(moved / n_known, 6) if n_known else 0.0,
        "weight_histogram": {"from_bits": edges[:-1].tolist(), "pairs": counts.tolist()},
    }
