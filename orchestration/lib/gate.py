"""What the gate counts: which checks must have run, which staging model answers for which stream, the decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb
import polars as pl

from connectors.base import Stream
from connectors.files.entities import ENTITIES, table_name
from orchestration.lib import dbt
from orchestration.lib.stores import Stores
from orchestration.project import Project
from warehouse.batches import stream_state
from warehouse.canonical import FeedFates, count_feeds
from warehouse.ledger import CheckResult, Ledger

if TYPE_CHECKING:
    from orchestration.lib.translator import GoldthreadTranslator

Manifest = Mapping[str, Any]
FEED_FATES = {
    "source": pl.String,
    "stream": pl.String,
    "entity": pl.String,
    "staged": pl.Int64,
    "superseded": pl.Int64,
    "left_out": pl.Int64,
}


def read_project_manifest(project: Project) -> Manifest:
    """dbt's manifest, parsed anew when the dbt project changed."""
    return dbt.read_manifest(dbt.write_manifest(project.home / "dbt", project.home / "working.duckdb"))


def find_models(manifest: Manifest, translator: GoldthreadTranslator) -> dict[str, list[dg.AssetKey]]:
    """Asset keys of the models by schema."""
    found: dict[str, list[dg.AssetKey]] = {"staging": [], "intermediate": [], "marts": []}
    for unique_id, node in manifest["nodes"].items():
        if node["resource_type"] == "model":
            found[node["schema"]].append(translator.get_asset_spec(manifest, unique_id, None).key)
    return found


def find_staging_models(manifest: Manifest) -> dict[tuple[str, str], str]:
    """(source, stream) -> staging table, for the vendors whose every stream has its own staging model."""
    found = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] != "model" or node["schema"] != "staging":
            continue
        sources = [parent for parent in node["depends_on"]["nodes"] if parent.startswith("source.")]
        if len(sources) == 1:
            source = manifest["sources"][sources[0]]
            if source["schema"] == "landing":
                found[source["source_name"], source["name"]] = node["name"]
    return found


def find_feed_models(manifest: Manifest) -> dict[str, str]:
    """Canonical table -> the staging table over it."""
    found: dict[str, str] = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and node["schema"] == "staging":
            sources = [manifest["sources"][name] for name in node["depends_on"]["nodes"] if name.startswith("source.")]
            found |= {source["name"]: node["name"] for source in sources if source["schema"] == "files"}
    return found


def list_blocking_tests(manifest: Manifest) -> list[str]:
    """Names of the dbt tests whose failure must stop a publication."""
    return [
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and str(node["config"]["severity"]).lower() == "error"
    ]


def count_staged(con: duckdb.DuckDBPyConnection, staged: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], int]:
    """Rows of each staging model."""
    return {
        stream: con.execute(f'select count(*) from staging."{model}"').fetchall()[0][0]  # noqa: S608 (names from dbt's manifest)
        for stream, model in staged.items()
    }


def count_feed_fates(
    con: duckdb.DuckDBPyConnection, models: Mapping[str, str], streams: Iterable[tuple[str, Stream]]
) -> list[FeedFates]:
    """What became of the rows that file streams feed, entity by entity; `models`: find_feed_models."""
    sources: dict[str, list[Stream]] = {}
    for source, stream in streams:
        sources.setdefault(source, []).append(stream)
    staged = {
        (source, stream, entity): count
        for entity in ENTITIES
        if table_name(entity) in models
        for source, stream, count in con.execute(
            f'select source, stream, count(*) from staging."{models[table_name(entity)]}" group by all'  # noqa: S608 (from dbt's manifest)
        ).fetchall()
    }
    return count_feeds(con, table_name, sources, staged)


def find_missing_columns(stores: Stores, streams: Iterable[tuple[str, Stream]]) -> dict[tuple[str, str], list[str]]:
    """Required columns that no longer arrive, per stream that has landed."""
    missing = {}
    for source, stream in streams:
        state = stream_state(stores.ledger, source, stream.name)
        if state.present:
            required = {field.name: field.headers or (field.name,) for field in stream.fields if field.required}
            missing[source, stream.name] = [name for name, headers in required.items() if not set(headers) & set(state.present)]
    return missing


def write_table(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    """Replace `gate.<name>`."""
    con.execute("create schema if not exists gate")
    con.register("incoming", frame)
    con.execute(f"create or replace table gate.{name} as select * from incoming")  # noqa: S608 (names are ours)
    con.unregister("incoming")


def decide(ledger: Ledger, run_id: str, expected: Iterable[tuple[str | None, str]]) -> dict[str, Any]:
    """Judge the run by its recorded checks; one that had to run and did not is a failed one."""
    recorded = {(result.asset, result.name) for result in ledger.check_results(run_id)}
    absent = sorted(set(expected) - recorded, key=str)
    ledger.record_checks(run_id, [CheckResult(name, False, "did not run", asset=asset) for asset, name in absent])
    verdict = ledger.decide(run_id)
    row = ledger.verdict_row(run_id) or {}
    return {"verdict": verdict, "reason": row.get("reason", ""), "checks": len(recorded), "not run": len(absent)}
