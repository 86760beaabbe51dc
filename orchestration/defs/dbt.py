"""dbt models and seeds as assets, their tests as checks."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets
from dagster_dbt.asset_utils import get_asset_check_key_for_test
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from orchestration.lib import dbt
from orchestration.lib.dbt_selection import select_nodes
from orchestration.lib.gate import read_project_manifest
from orchestration.lib.inputs import fingerprint_code
from orchestration.lib.stores import Stores
from orchestration.lib.translator import GoldthreadTranslator
from orchestration.project import current_project
from warehouse.ledger import CheckResult
from warehouse.sql import identifier

NOTHING_NEW = "no source brought anything new: what is published stands"


@cache
def _translator() -> GoldthreadTranslator:
    return GoldthreadTranslator()


def _count_rows(stores: Stores, manifest: Mapping[str, Any], results: Iterable[dbt.NodeResult]) -> dict[str, int]:
    """Rows of every table that was built, by unique id."""
    built = [result.unique_id for result in results if result.is_ok and not result.is_test]
    if not built:
        return {}
    counts = [f"select count(*) from {_name_table(manifest['nodes'][unique_id])}" for unique_id in built]  # noqa: S608 (quoted)
    with stores.open_working() as con:
        [row] = con.execute("select " + ", ".join(f"({count})" for count in counts)).fetchall()
    return dict(zip(built, row, strict=True))


def _name_table(node: Mapping[str, Any]) -> str:
    return ".".join(identifier(part) for part in (node["schema"], node["alias"]))


def _to_dagster_events(
    context: dg.AssetExecutionContext, manifest: Mapping[str, Any], result: dbt.NodeResult, rows: Mapping[str, int]
) -> Iterator[Any]:
    if result.is_test and get_asset_check_key_for_test(manifest, _translator(), result.unique_id, None) is None:
        return  # a test of several tables is no check of one asset: the ledger has it
    message = DbtCoreCliEventMessage(raw_event=result.event, event_history_metadata={})
    for event in message.to_default_asset_events(manifest=manifest, dagster_dbt_translator=_translator(), context=context):
        is_table = isinstance(event, dg.Output) and result.unique_id in rows
        yield event.with_metadata({**event.metadata, "dagster/row_count": rows[result.unique_id]}) if is_table else event


def _as_check(result: dbt.NodeResult) -> CheckResult:
    is_warning = result.status == "warn"
    detail = "" if result.status == "pass" else f"{result.failures} rows: {result.message}"
    return CheckResult(result.name, result.status == "pass", detail, "warn" if is_warning else "error")


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
        results = dbt.build(
            selection.names,
            target=stores.home.path / "dbt",
            working=stores.home.working,
            variables={"as_of": stores.now.isoformat(), "run_id": context.run_id},
        )
        stores.ledger.record_checks(context.run_id, [_as_check(result) for result in results if result.is_test])
        rows = _count_rows(stores, manifest, results)
        for result in results:
            yield from _to_dagster_events(context, manifest, result, rows)
        broken = [result for result in results if not result.is_ok]
        if broken:
            raise dg.Failure("\n".join(f"{result.name}: {result.message}" for result in broken))

    return dg.Definitions(assets=[dbt_models])
