"""What a materialization of the hub's assets says in Dagster of what was found."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import dagster as dg
import polars as pl

from hub.evaluate import evaluate, evaluate_candidates
from hub.kept.outcome import Whole
from orchestration.lib.parents import measure_parents, read_true_parents
from orchestration.lib.plots import GOLD, GREY, PALE_GOLD, draw_bars
from orchestration.project import current_project

_FOUND = ("records", "clusters", "largest_cluster", "share_ids_changed", "review_found", "review_kept")
_COMPARED = ("candidates", "blocks_capped", "pairs_left_out", "vetoes")
_SHARES = ("precision", "recall", "f1", "reach")
_NO_MATCH, _ASKED, _MATCH = "no match", "a person may be asked", "match, unless rules keep the two apart"
_COLOURS = {_NO_MATCH: GREY, _ASKED: PALE_GOLD, _MATCH: GOLD}


def describe_run(found: Whole, truth: str) -> dict[str, Any]:
    """Of a crosswalk: what was found, how good it is where the project knows the truth, what it was found with."""
    report = found.report
    return {
        **{name: report[name] for name in _FOUND},
        **_measure_quality(found, truth),
        **{name: report[name] for name in _COMPARED},
        **{f"decisions_{state}": count for state, count in report["decisions"].items()},
        "resolved": "what changed" if "added" in report else "all records",
        **{name: report[name] for name in ("added", "changed", "deleted", "records_reached") if name in report},
        "events": dg.MetadataValue.json(report["events"]),
        "rule_version": current_project().rule_version,
        "model_version": report["model_version"],
        "seconds": dg.MetadataValue.json(report["seconds"]),
    }


def describe_golden(found: Whole, truth: str) -> dict[str, Any]:
    """Of golden records: by how many sources they are known, who is part of whom, and how well that was found."""
    counts = found.golden.group_by("n_sources").len().sort("n_sources")
    by_sources = {str(sources): count for sources, count in counts.iter_rows()}
    return {"by_sources": dg.MetadataValue.json(by_sources), **_count_relations(found), **_measure_parents(found, truth)}


def describe_queue(found: Whole) -> dict[str, Any]:
    """Of a review queue: how many pairs are in doubt, how many of them were kept, what these are worth and why they are asked."""
    reasons = found.review.group_by("reason").len().sort("len", "reason", descending=[True, False])
    return {
        **{name: found.report[name] for name in ("review_found", "review_kept")},
        "value_at_stake": float(found.review["value_at_stake"].sum()),
        "reasons": dg.MetadataValue.json(dict(reasons.iter_rows())),
    }


def describe_weights(found: Whole) -> dict[str, Any]:
    """Of edges: a picture of the weights of all pairs that were compared."""
    histogram, rules = found.report["weight_histogram"], found.rules
    starts = histogram["from_bits"]
    inner = [f"{start:+d} to {end:+d}" for start, end in pairwise(starts[1:])]
    labels = [f"below {starts[1]:+d}", *inner, f"{starts[-1]:+d} and above"]
    kinds = name_kinds(starts, rules.match_bits, rules.review_bits)
    return {"match weights": draw_bars(labels, histogram["pairs"], "candidate pairs by match weight in bits", (kinds, _COLOURS))}


def name_kinds(starts: list[int], match_bits: float, review_bits: float) -> list[str]:
    """What becomes of the pairs of each step of a histogram; one that a threshold cuts is of the doubtful kind."""
    ends = [*starts[1:], float("inf")]
    steps = zip(starts, ends, strict=True)
    return [_MATCH if start >= match_bits else _ASKED if end > review_bits else _NO_MATCH for start, end in steps]


def _measure_quality(found: Whole, name: str) -> dict[str, float]:
    """Figures of pairs and candidates where the project knows the truth; nothing of it flows back."""
    folder = current_project().truth
    path = folder / f"{name}.parquet" if folder else None
    if path is None or not path.exists():
        return {}
    table = pl.read_parquet(path)
    truth = table.select("source", "source_key", next(column for column in table.columns if column.endswith("_id")))
    present = truth.join(found.crosswalk.filter("is_current"), on=["source", "source_key"], how="semi")
    return _name_truth({**evaluate(found.crosswalk, truth), **evaluate_candidates(found.list_pairs(), present)})


def _measure_parents(found: Whole, name: str) -> dict[str, float]:
    folder = current_project().truth
    if folder is None or name != "parties" or not (folder / "customers.parquet").exists():
        return {}
    return _name_truth(measure_parents(found.golden, found.crosswalk, *read_true_parents(folder)))


def _name_truth(figures: dict[str, float]) -> dict[str, float]:
    """Shares with four digits, counts whole."""
    return {f"truth_{name}": round(value, 4) if name.endswith(_SHARES) else int(value) for name, value in figures.items()}


def _count_relations(found: Whole) -> dict[str, int]:
    """How many customers are a subsidiary, a branch or a group, have a parent, or name one that nobody was found for."""
    golden = found.golden
    if "relation" not in golden.columns:
        return {}
    names = [name for name in ("parent_name", "parent_source_key") if name in golden.columns]
    is_named = pl.any_horizontal(pl.lit(value=False), *(pl.col(name).is_not_null() for name in names))
    has_parent = pl.col("parent_gid").is_not_null()
    counts = {
        "subsidiaries": pl.col("relation") == "subsidiary",
        "branches": pl.col("relation") == "branch",
        "groups": pl.col("relation") == "group",
        "with_parent": has_parent,
        "branches_without_parent": (pl.col("relation") == "branch") & ~has_parent,
        "named_parents_not_found": is_named & ~has_parent,
    }
    return golden.select(mask.sum().cast(pl.Int64).alias(name) for name, mask in counts.items()).row(0, named=True)
