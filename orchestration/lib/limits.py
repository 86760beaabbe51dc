"""The gate's limits, read from the seed that also publishes them: policy is data."""

from __future__ import annotations

from functools import cache

import polars as pl

from orchestration.lib.dbt import DBT_PROJECT
from orchestration.lib.expectations import Rule

SEED = DBT_PROJECT / "seeds" / "gate" / "ref_gate_limit.csv"


@cache
def _read_limits() -> pl.DataFrame:
    return pl.read_csv(SEED, schema_overrides={"minimum": pl.Float64, "maximum": pl.Float64})


def read_rules(suite: str) -> list[Rule]:
    """Every rule of a suite."""
    rows = _read_limits().filter(pl.col("suite") == suite).select("metric", "minimum", "maximum", "meaning")
    return [Rule(*row) for row in rows.iter_rows()]


def read_maximum(suite: str, metric: str) -> float:
    """One upper limit. Raises KeyError when the seed has none."""
    found = {rule.column: rule.maximum for rule in read_rules(suite)}
    maximum = found[metric]
    if maximum is None:
        raise KeyError(f"{SEED.name}: {suite}.{metric} has no maximum")
    return maximum
