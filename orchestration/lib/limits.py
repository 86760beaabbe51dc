"""The gate's limits, read from the seed that also publishes them: policy is data."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import polars as pl

from orchestration.lib.dbt import DBT_PROJECT
from orchestration.lib.expectations import Rule

SEED = DBT_PROJECT / "seeds" / "gate" / "ref_gate_limit.csv"


@cache
def _read_versions() -> pl.DataFrame:
    types = {"minimum": pl.Float64, "maximum": pl.Float64, "valid_from": pl.Date, "valid_to": pl.Date}
    return pl.read_csv(SEED, schema_overrides=types)


def _read_limits() -> pl.DataFrame:
    """The versions that hold today: limits judge a run when it runs, whatever day its data are as of."""
    today = datetime.now(UTC).date()
    return _read_versions().filter(pl.col("valid_from") <= today, pl.col("valid_to").is_null() | (pl.col("valid_to") > today))


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
