"""dbt models and seeds as assets, their tests as checks."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, Literal

import dagster as dg
import duckdb
from dagster_dbt import dbt_assets
from dagster_dbt.asset_utils import get_asset_check_key_for_test
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from orchestration.lib import dbt
from orchestration.lib.dbt_selection import select_nodes
from orchestration.lib.gate import read_project_manifest
from orchestration.lib.inputs import fingerprint_code
from orchestration.lib.offenders import list_rows
from orchestration.lib.stores import Stores
from orchestration.lib.translator import GoldthreadTranslator
from orchestration.project import current_project
from warehouse.ledger import CheckResult
from warehouse.sql import identifier

NOTHING_NEW = "no source brought anything new: what is published stands"


@cache
def _translator() -> GoldthreadTranslator:
    return GoldthreadTranslator()


def _count_rows(con: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any], result: dbt.NodeResult) -> int | None:
    """Rows of the table that was built; None for a test, and for a table that was not."""
    if result.is_test or not result.is_ok:
        return None
    [[count]] = con.execute(f"select count(*) from {_name_table(manifest['nodes'][result.unique_id])}").fetchall()  # noqa: S608 (quoted)
    return int(count)


def _name_table(node: Mapping[str, Any]) -> str:
    return ".".join(identifier(part) for part in (node["schema"], node["alias"]))


def _to_dagster_events(
    context: dg.AssetExecutionContext, manifest: Mapping[str, Any], result: dbt.NodeResult, rows: int | None
) -> Iterator[Any]:
    if result.is_test and get_asset_check_key_for_test(manifest, _translator(), result.unique_id, None) is None:
        return  # a test of several tables is no check of one asset: the ledger has it
    message = DbtCoreCliEventMessage(raw_event=result.event, event_history_metadata={})
    for event in message.to_default_asset_events(manifest=manifest, dagster_dbt_translator=_translator(), context=context):
        is_table = isinstance(event, dg.Output) and rows is not None
        yield event.with_metadata({**event.metadata, "dagster/row_count": rows}) if is_table else event


def judge_test(con: duckdb.DuckDBPyConnection, target: Path, manifest: Mapping[str, Any], result: dbt.NodeResult) -> CheckResult:
    """What the ledger keeps of a test: of one that found rows, how many and the first of them."""
    if result.status == "pass":
        return CheckResult(result.name, True)
    # dbt leaves the query of a test that ran below its target; one that broke found nothing
    rows = list_rows(con, dbt.read_compiled(target, manifest, result.unique_id)).describe() if result.failures else result.message
    severity: Literal["error", "warn"] = "warn" if result.status == "warn" else "error"
    return CheckResult(result.name, False, rows, severity)


@dg.definitions
def dbt_definitions() -> dg.Definitions:
    manifest = read_project_manifest(current_project())
    sources = {source.name for source in current_project().sources}
    inputs = fingerprint_code(manifest)

    @dbt_assets(manifest=manifest, dagster_dbt_translator=_translator(), name="dbt_models", exclude="resource_type:unit_test")
    def dbt_models(context: dg.AssetExecutionContext, stores: Stores) -> Iterator[Any]:
        is_published = stores.is_published_already(inputs)
        # a step that hangs on no source runs before they are read and cannot know what they will bring
        if is_published and stores.read_sources >= sources:
            context.log.info(f"{NOTHING_NEW}; everything after this is skipped")
            return
        if not is_published:
            stores.forget_published()
        selection = select_nodes(
            manifest, _translator(), context.selected_asset_keys, context.selected_asset_check_keys, stores.built_tables
        )
        stores.built_tables.update(selection.tables)
        tests, broken = [], []
        target = stores.home.path / "dbt"
        nodes = dbt.build(
            selection.names,
            target=target,
            working=stores.home.working,
            variables={"as_of": stores.now.isoformat(), "run_id": context.run_id},
        )
        with stores.open_working() as con, closing(nodes):
            for result in nodes:
                if result.is_test:
                    tests.append(judge_test(con, target, manifest, result))
                if not result.is_ok:
                    broken.append(result)
                yield from _to_dagster_events(context, manifest, result, _count_rows(con, manifest, result))
        stores.ledger.record_checks(context.run_id, tests)
        if broken:
            raise dg.Failure("\n".join(f"{result.name}: {result.message}" for result in broken))

    return dg.Definitions(assets=[dbt_models])
