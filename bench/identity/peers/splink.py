"""One Splink 5 run on DuckDB: train, score, cluster, write; how long each part took."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from splink import DuckDBAPI, Linker, SettingsCreator

SEED = 1


@dataclass(frozen=True)
class Plan:
    """What a user of Splink writes down for one table: comparisons, blocking, training."""

    comparisons: list[Any]
    blocking: list[Any]
    training: list[Any]  # blocking rules of the EM rounds
    certain: list[Any]  # rules that hardly ever err, and the share of matches that they find
    recall: float
    u_pairs: float = 1e6
    em_pairs: float | None = None
    em_counts: bool = False  # EM on counts of comparison vectors, without term frequencies: much faster
    weights: dict[str, Any] = field(default_factory=dict)


class Stopwatch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = round(now - self._last, 3)
        self._last = now

    def write(self, out: Path) -> None:
        (out / "seconds.json").write_text(json.dumps(self.seconds), encoding="utf-8")


def open_linker(frame: pl.DataFrame, plan: Plan, connection: duckdb.DuckDBPyConnection) -> Linker:
    """A linker over a frame with `unique_id`, without retained columns (Splink's fastest)."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=plan.comparisons,
        blocking_rules_to_generate_predictions=plan.blocking,
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
        **plan.weights,
    )
    api = DuckDBAPI(connection)
    connection.register("incoming", frame.to_arrow())
    connection.execute("create table nodes as from incoming")
    connection.unregister("incoming")
    return Linker(api.register("nodes"), settings, log_level=logging.ERROR)


def train(linker: Linker, plan: Plan, watch: Stopwatch) -> None:
    """Prior from certain rules, u from random pairs, m by EM on each training rule."""
    linker.training.estimate_probability_two_random_records_match(plan.certain, recall=plan.recall)
    watch.lap("prior")
    linker.training.estimate_u_using_random_sampling(max_pairs=plan.u_pairs, seed=SEED)
    watch.lap("u")
    for rule in plan.training:
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule, max_pairs=plan.em_pairs, estimate_without_term_frequencies=plan.em_counts
        )
    watch.lap("em")


def cluster(linker: Linker, predictions: Any, threshold: float) -> pl.DataFrame:
    """unique_id, cluster_id at a match weight."""
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(predictions, threshold_match_weight=threshold)
    return pl.DataFrame(found.as_pyarrow_table()).select("unique_id", "cluster_id")


def write_crosswalk(records: pl.DataFrame, clusters: pl.DataFrame, path: Path) -> None:
    """source, source_key, customer_gid."""
    keyed = records.select("source", "source_key").with_row_index("unique_id").cast({"unique_id": pl.Int64})
    joined = keyed.join(clusters, on="unique_id", how="left").select("source", "source_key", customer_gid="cluster_id")
    joined.write_parquet(path)


def run(records: pl.DataFrame, frame: pl.DataFrame, plan: Plan, thresholds: list[float], out: Path, watch: Stopwatch) -> None:
    """Write crosswalk-<threshold>.parquet for each threshold and seconds.json."""
    linker = open_linker(frame, plan, duckdb.connect())
    watch.lap("load")
    train(linker, plan, watch)
    predictions = linker.inference.predict(threshold_match_weight=min(thresholds))
    watch.lap("block and score")
    for threshold in thresholds:
        write_crosswalk(records, cluster(linker, predictions, threshold), out / f"crosswalk-{threshold:g}.parquet")
    watch.lap("cluster and write")
    watch.write(out)
