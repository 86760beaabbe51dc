"""The Great Expectations suites: measure, validate, and name the rows behind what broke."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import duckdb

from connectors.base import Stream
from orchestration.lib.expectations import validate_metrics
from orchestration.lib.limits import read_rules
from orchestration.lib.metrics import measure_golden, measure_landing
from orchestration.lib.offenders import find_golden_rows, find_landing_rows


def find_landing_defects(
    con: duckdb.DuckDBPyConnection,
    streams: Sequence[tuple[str, Stream]],
    missing: Mapping[tuple[str, str], Sequence[str]],
    now: datetime,
) -> dict[str, list[str]]:
    """What is wrong with each stream, by "source.stream"; `missing`: the required columns that no longer arrive."""
    named = {f"{source}.{stream.name}": (source, stream) for source, stream in streams}
    broken: dict[str, list[str]] = {name: [] for name in named}
    metrics = measure_landing(con, streams, missing, now)
    for finding in validate_metrics("landing", metrics, "stream", read_rules("landing")):
        source, stream = named[finding.subject]
        latest = now + timedelta(days=finding.rule.maximum or 0)
        rows = find_landing_rows(con, finding.rule.column, source, stream, missing.get((source, stream.name), ()), latest)
        broken[finding.subject].append(finding.describe(rows.describe()))
    return broken


def find_golden_defects(con: duckdb.DuckDBPyConnection) -> list[str]:
    """What is wrong with the golden records and crosswalks."""
    findings = validate_metrics("golden", measure_golden(con), "subject", read_rules("golden"))
    return [finding.describe(find_golden_rows(con, finding.rule.column, finding.subject).describe()) for finding in findings]
