"""Accuracy of a partition against a known truth: pairwise and B-cubed, in whole-column arithmetic. Public door."""

import numpy as np
import polars as pl

from hub.clustering.cluster import find_components
from hub.crosswalks import RECORD, read_crosswalk, read_truth
from hub.kept.increment import find_present
from hub.kept.state import State


def evaluate(crosswalk: pl.DataFrame, truth: pl.DataFrame) -> dict[str, float]:
    """Precision, recall and f1 over pairs of records, and their B-cubed forms.

    Args:
        crosswalk, truth: as hub.crosswalks reads them. Records that only one side knows are left out and counted
            (`records_left_out`).
    """
    found, known = read_crosswalk(crosswalk, "crosswalk"), read_truth(truth)
    both = found.rename({"id": "gid"}).join(known.rename({"id": "true"}).drop_nulls(), on=RECORD)
    together = _count_pairs(both, ["gid", "true"])
    predicted, actual = _count_pairs(both, ["gid"]), _count_pairs(both, ["true"])
    precision = together / predicted if predicted else 1.0
    recall = together / actual if actual else 1.0
    sized = both.with_columns(cell=pl.len().over("gid", "true"), in_gid=pl.len().over("gid"), in_true=pl.len().over("true"))
    means = sized.select(p=(pl.col("cell") / pl.col("in_gid")).mean(), r=(pl.col("cell") / pl.col("in_true")).mean()).row(0)
    b_precision, b_recall = (1.0 if mean is None else float(mean) for mean in means)
    return {
        "precision": precision,
        "recall": recall,
        "f1": _harmonic(precision, recall),
        "bcubed_precision": b_precision,
        "bcubed_recall": b_recall,
        "bcubed_f1": _harmonic(b_precision, b_recall),
        "true_pairs": float(actual),
        "found_pairs": float(predicted),
        "records": float(both.height),
        "records_left_out": float(found.height + known.height - 2 * both.height),
        "true_clusters": float(both["true"].n_unique()),
        "found_clusters": float(both["gid"].n_unique()),
    }


def evaluate_candidates(pairs: pl.DataFrame, truth: pl.DataFrame) -> dict[str, float]:
    """How many of the true pairs are among candidate pairs (candidate_recall), how many these join, over third records too
    (candidate_reach: the recall that no threshold surpasses), and how many of the candidates are true.

    pairs: source_a, source_key_a, source_b, source_key_b; truth: as hub.crosswalks reads it.
    """
    known = read_truth(truth).rename({"id": "true"}).drop_nulls().with_row_index("row")
    both = pairs
    for side in ("a", "b"):
        both = both.join(
            known.rename({name: f"{name}_{side}" for name in known.columns}), on=[f"{name}_{side}" for name in RECORD]
        )
    hits = both.filter(pl.col("true_a") == pl.col("true_b"))
    ends = (hits[name].to_numpy().astype(np.int32) for name in ("row_a", "row_b"))
    joined = known.with_columns(part=find_components(known.height, *ends))
    actual = _count_pairs(known, ["true"])
    return {
        "candidate_recall": hits.height / actual if actual else 1.0,
        "candidate_reach": _count_pairs(joined, ["part"]) / actual if actual else 1.0,
        "candidate_precision": hits.height / both.height if both.height else 1.0,
    }


def measure_candidates(state: State, truth: pl.DataFrame) -> dict[str, float]:
    """How many of the true pairs of a hub's records were compared. truth: as of evaluate_candidates; others are left out."""
    known = read_truth(truth).select(*RECORD, true=pl.col("id").rank("dense").cast(pl.Int64)).drop_nulls()
    held = find_present(state, known).join(known, on=RECORD)
    entity = np.zeros(len(state.alive), dtype=np.int64)
    entity[held["row"].to_numpy()] = held["true"].to_numpy()
    hits, start = 0, 0
    for piece in state.pairs:
        proposed = state.proposed[start : start + len(piece.left)] != 0
        one = entity[piece.left]
        hits += int(np.count_nonzero(proposed & (one != 0) & (one == entity[piece.right])))
        start += len(piece.left)
    actual = _count_pairs(held, ["true"])
    return {"candidate_recall": hits / actual if actual else 1.0}


def _count_pairs(frame: pl.DataFrame, by: list[str]) -> int:
    sizes = frame.group_by(by).len().select(pl.col("len").cast(pl.Int64))
    return int(sizes.select((pl.col("len") * (pl.col("len") - 1) // 2).sum()).item())


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0
