"""What a resolution says about itself: the review queue, counts."""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.candidates.pairs import Candidates
from hub.columns.parts import Ids
from hub.columns.sorting import order_numbers
from hub.results.edges import ENDS, name_ends
from hub.rules.model import Rules
from hub.scoring.weigh import UNITS_PER_BIT, Weighed

Longs = npt.NDArray[np.int64]


def build_review(
    aligned: pl.DataFrame,
    candidates: Candidates,
    weight: Longs | Ids,
    labels: Longs,
    codes: list[Ids],
    value: npt.NDArray[np.float64],
    rules: Rules,
    apart: Longs,
) -> tuple[pl.DataFrame, int]:
    """The review queue, and how many pairs of entities it was cut from.

    One pair per two entities that were not joined, though a pair of their records is in the grey band or above it. `value` is
    what each record is worth; value at stake is that of the two entities; the order is value x uncertainty (1 at even odds).
    apart: pairs of entities that people keep apart, as smaller label * records + larger.
    """
    near = np.flatnonzero(weight >= round(rules.review_bits * UNITS_PER_BIT))
    first, second = labels[candidates.left[near]], labels[candidates.right[near]]
    near, first, second = (side[first != second] for side in (near, first, second))
    for code in codes:
        own = np.full(len(labels), -1, dtype=np.int64)
        np.maximum.at(own, labels, code)
        # people may have made two values of a barrier one
        own[labels[(code >= 0) & (code != own[labels])]] = -1
        free = (own[first] < 0) | (own[second] < 0) | (own[first] == own[second])
        near, first, second = near[free], first[free], second[free]
    stake = np.bincount(labels, weights=value, minlength=len(labels)).astype(np.float64)
    chosen, found = choose_review(first, second, weight[near], stake, rules, apart)
    rows = near[chosen]
    at_stake = stake[first[chosen]] + stake[second[chosen]]
    return write_review(aligned, candidates.left[rows], candidates.right[rows], weight[rows], at_stake, rules), found


def choose_review(
    first: Longs | Ids, second: Longs | Ids, weight: Longs | Ids, stake: npt.NDArray[np.float64], rules: Rules, apart: Longs
) -> tuple[Longs, int]:
    """Which pairs of records people are asked about, the most urgent first, and about how many pairs of entities there would be
    something to ask. The pairs come in the order of their records; first, second: their entities; stake: what each is worth."""
    key = np.minimum(first, second).astype(np.int64) * max(len(stake), 1) + np.maximum(first, second)
    rows = np.flatnonzero(~np.isin(key, apart))
    order = rows[order_numbers(key[rows])]
    starts = np.flatnonzero(np.r_[True, key[order][1:] != key[order][:-1]]) if len(order) else order
    highest = np.maximum.reduceat(weight[order], starts) if len(order) else weight[order]
    high = np.flatnonzero(weight[order] == np.repeat(highest, np.diff(starts, append=len(order))))
    best = order[high[np.searchsorted(high, starts)]]
    doubt = 2 / (1 + np.exp2(np.minimum(np.abs(weight[best] / UNITS_PER_BIT - rules.match_bits), 60)))
    urgency = (stake[first[best]] + stake[second[best]]) * doubt
    most = np.arange(len(best))
    if len(best) > rules.review_limit > 0:
        most = np.flatnonzero(urgency >= np.partition(urgency, -rules.review_limit)[-rules.review_limit])
    ranked = most[np.lexsort((best[most], -doubt[most], -urgency[most]))]
    return best[ranked[: rules.review_limit]], len(best)


def write_review(
    records: pl.DataFrame,
    left: Ids,
    right: Ids,
    weight: Longs | Ids,
    at_stake: npt.NDArray[np.float64],
    rules: Rules,
) -> pl.DataFrame:
    """The queue of chosen pairs of records."""
    queue = name_ends(records, left, right).with_columns(
        pair_id=pl.concat_str("source_a", pl.lit(":"), "source_key_a", pl.lit("|"), "source_b", pl.lit(":"), "source_key_b"),
        weight=pl.Series(weight / UNITS_PER_BIT),
        reason=pl.Series(
            np.where(weight >= round(rules.match_bits * UNITS_PER_BIT), "match held back by other evidence", "grey band"),
            dtype=pl.String,
        ),
        value_at_stake=pl.Series(at_stake),
    )
    return queue.select("pair_id", *ENDS, "weight", "reason", "value_at_stake")


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
