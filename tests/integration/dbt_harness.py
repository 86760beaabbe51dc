"""Runs the dbt project alone: a working file with every source table, typed and empty, and the rows a test puts in.

`python -m tests.integration.dbt_harness FILE [dbt arguments]` makes FILE if it is absent and runs dbt on it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from connectors.base import FieldKind, Stream
from connectors.crm import hubspot_streams
from connectors.erp import u8_streams
from connectors.files.entities import ENTITIES, table_name
from connectors.messaging import wecom_streams

PROJECT = Path(__file__).parents[2] / "dbt_project"
VENDORS: dict[str, tuple[Stream, ...]] = {
    "hubspot": hubspot_streams.STREAMS,
    "u8": u8_streams.STREAMS,
    "wecom": wecom_streams.STREAMS,
}
TYPES: dict[FieldKind, str] = {
    "text": "varchar",
    "integer": "bigint",
    "decimal": "decimal(18, 4)",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamptz",
    "epoch_ms": "timestamptz",
    "epoch_s": "timestamptz",
    "json": "varchar",
}
LANDING = "_key varchar, _batch_id varchar, _row_no bigint, _extracted_at timestamptz"
HUB = {
    "crosswalk": (
        "source varchar, source_key varchar, customer_gid varchar, valid_from timestamptz, valid_to timestamptz,"
        " is_current boolean"
    ),
    "golden_customers": (
        "customer_gid varchar, company_name varchar, legal_name_key varchar, tax_no varchar, phone varchar, email_domain varchar,"
        " province varchar, city varchar, address varchar, industry varchar, tier varchar, parent_gid varchar, relation varchar,"
        " n_records bigint, n_sources bigint, first_seen_at timestamptz, updated_at timestamptz, status varchar"
    ),
    "golden_lineage": (
        "customer_gid varchar, attribute varchar, value varchar, source varchar, source_key varchar, rule varchar,"
        " is_winner boolean"
    ),
    "edges": ("source_a varchar, source_key_a varchar, source_b varchar, source_key_b varchar, weight double, evidence varchar"),
    "review_queue": (
        "pair_id varchar, source_a varchar, source_key_a varchar, source_b varchar, source_key_b varchar, weight double,"
        " reason varchar, value_at_stake double"
    ),
    "identity_events": (
        'event_no bigint, "at" timestamptz, kind varchar, customer_gid varchar, other_gid varchar, source varchar,'
        " source_key varchar, run_id varchar, rule_version varchar, detail varchar"
    ),
    "person_crosswalk": (
        "source varchar, source_key varchar, person_gid varchar, valid_from timestamptz, valid_to timestamptz, is_current boolean"
    ),
    "golden_persons": (
        "person_gid varchar, full_name varchar, mobile varchar, email varchar, job_title varchar, buying_role varchar,"
        " customer_gid varchar, n_records bigint, first_seen_at timestamptz"
    ),
}


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    """Open the working file with UTC as its zone, as every run does."""
    con = duckdb.connect(str(path))
    con.execute("set TimeZone = 'UTC'")
    return con


def create_sources(path: Path) -> None:
    """Create every table that the project reads through source(), empty."""
    con = connect(path)
    for schema in ("landing", "files", "hub"):
        con.execute(f"create schema if not exists {schema}")
    for vendor, streams in VENDORS.items():
        for stream in streams:
            columns = ", ".join(f'"{field.name}" {TYPES[field.kind]}' for field in stream.fields)
            con.execute(f"create or replace table landing.{vendor}__{stream.name} ({columns}, {LANDING})")
    for entity, (kinds, _key) in ENTITIES.items():
        columns = ", ".join(f'"{name}" {TYPES[kind]}' for name, kind in kinds.items())
        con.execute(f"create or replace table files.{table_name(entity)} (source varchar, stream varchar, {columns}, {LANDING})")
    for name, columns in HUB.items():
        con.execute(f"create or replace table hub.{name} ({columns})")
    con.close()


def _key_columns(table: str) -> tuple[str, ...]:
    schema, name = table.split(".")
    if schema == "landing":
        vendor, stream = name.split("__", 1)
        return next(s.key for s in VENDORS[vendor] if s.name == stream)
    return next((key for entity, (_kinds, key) in ENTITIES.items() if table_name(entity) == name), ())


def insert(path: Path, rows: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
    """Put rows ("landing.hubspot__deals" -> dicts of the columns that matter) into the source tables."""
    con = connect(path)
    for table, records in rows.items():
        key = _key_columns(table)
        for record in records:
            values = dict(record)
            if table.startswith("files."):
                values = {"source": "forms", "stream": table.removeprefix("files."), **values}
            if not table.startswith("hub."):
                landed = json.dumps([str(values[column]) for column in key], ensure_ascii=False)
                values = {"_key": landed, "_batch_id": "batch", "_row_no": 0, **values}
            names = ", ".join(f'"{name}"' for name in values)
            con.execute(f"insert into {table} ({names}) values ({', '.join('?' * len(values))})", list(values.values()))
    con.close()


def run_dbt(path: Path, *command: str, as_of: str = "2026-06-30T10:00:00Z") -> Any:
    """Invoke dbt in this process (`run_dbt(path, "build")`); raises with the failed nodes' messages if one failed."""
    from dbt.cli.main import dbtRunner

    manifest = read_project(path.stem)
    return _invoke(dbtRunner(manifest=manifest), path, *command, "--vars", json.dumps({"as_of": as_of}))


@cache
def read_project(catalog: str) -> Any:
    """The dbt project as it is for working files of one name, which dbt writes into every relation; takes 4 s.

    It is read anew in every process: what another checkout left names that checkout's seeds.
    """
    from dbt.cli.main import dbtRunner

    with tempfile.TemporaryDirectory() as folder:
        return _invoke(dbtRunner(), Path(folder) / f"{catalog}.duckdb", "parse")


def _invoke(runner: Any, path: Path, *command: str) -> Any:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    # one connection for the whole invocation, closed after it: 6 times faster than one for every node
    os.environ.update(GOLDTHREAD_WORKING=str(path), GOLDTHREAD_KEEP_OPEN="True")
    target = str(path.parent / "target")
    places = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", target, "--log-path", target]
    # dbt leaves its log file open, which pytest reports as an error
    outcome = runner.invoke(["--quiet", "--log-level-file", "none", *command, *places])
    DuckDBConnectionManager.close_all_connections()
    if not outcome.success:
        results = getattr(outcome.result, "results", [])
        failed = [f"{r.node.name}: {r.message}" for r in results if r.status in ("error", "fail")]
        raise AssertionError("\n".join(failed) or str(outcome.exception))
    return outcome.result


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of one query on the working file."""
    con = connect(path)
    rows = con.execute(sql).fetchall()
    con.close()
    return rows


if __name__ == "__main__":
    file = Path(sys.argv[1])
    if not file.exists():
        create_sources(file)
    run_dbt(file, *(sys.argv[2:] or ["build"]))
