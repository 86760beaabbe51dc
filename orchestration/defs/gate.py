"""The gate: suites over landing and golden records, reconciliation of every stream, one verdict for the run."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from connectors.catalog import declare_streams
from orchestration.defs.hub import CUSTOMERS, INVARIANTS
from orchestration.lib import gate
from orchestration.lib.inputs import fingerprint_code
from orchestration.lib.stores import Stores
from orchestration.lib.suites import find_golden_defects, find_landing_defects
from orchestration.lib.translator import GoldthreadTranslator
from orchestration.lib.unread import SYNCED
from orchestration.lib.upkeep import OWNER
from orchestration.project import current_project
from warehouse.reconcile import reconcile

CONTRACT = "landing_contract"
GOLDEN = "golden_suite"
BALANCED = "balanced"
PASSED = "these very rows passed for what is published: not looked at again"
RECONCILIATION = dg.AssetKey(["gate", "reconciliation"])
VERDICT = dg.AssetKey(["gate", "verdict"])


@dg.definitions
def gate_definitions() -> dg.Definitions:
    project = current_project()
    manifest = gate.read_project_manifest(project)
    code = fingerprint_code(manifest)
    streams = [
        (source.name, stream)
        for source in project.sources
        for stream in declare_streams(source.kind, source.settings, project.folder)
    ]
    keys = {f"{source}.{stream.name}": dg.AssetKey([source, stream.name]) for source, stream in streams}

    @dg.multi_asset_check(
        name="landing_suite",
        specs=[
            dg.AssetCheckSpec(CONTRACT, asset=key, blocking=True, description="Great Expectations over the stream's metrics.")
            for key in keys.values()
        ],
        can_subset=True,
    )
    def landing_suite(context: dg.AssetCheckExecutionContext, stores: Stores) -> Iterator[dg.AssetCheckResult]:
        if stores.is_published_already(code):
            for check in context.selected_asset_check_keys:
                yield dg.AssetCheckResult(passed=True, asset_key=check.asset_key, check_name=check.name, description=PASSED)
            return
        with stores.open_working() as con:
            broken = find_landing_defects(con, streams, gate.find_missing_columns(stores, streams), stores.now)
        chosen = {check.asset_key for check in context.selected_asset_check_keys}
        for name, key in keys.items():
            if key in chosen:
                for text in broken[name]:
                    context.log.error(text)
                yield stores.judge(context.run.run_id, key, CONTRACT, broken[name])

    @dg.asset_check(
        asset=CUSTOMERS, name=GOLDEN, blocking=True, description="Great Expectations over the golden records and crosswalks."
    )
    def golden_suite(context: dg.AssetCheckExecutionContext, stores: Stores) -> dg.AssetCheckResult:
        with stores.open_working() as con:
            broken = find_golden_defects(con)
        for text in broken:
            context.log.error(text)
        return stores.judge(context.run.run_id, CUSTOMERS, GOLDEN, broken)

    staged, feed_models = gate.find_staging_models(manifest), gate.find_feed_models(manifest)
    derived = gate.find_models(manifest, GoldthreadTranslator())

    @dg.asset(
        key=RECONCILIATION,
        deps=derived["staging"],
        group_name="gate",
        owners=[OWNER],
        kinds={"duckdb"},
        check_specs=[
            dg.AssetCheckSpec(
                BALANCED, asset=RECONCILIATION, blocking=True, description="Every landed row has one fate, to staging."
            )
        ],
    )
    def reconciliation(context: dg.AssetExecutionContext, stores: Stores) -> dg.MaterializeResult:
        """Rows in = accepted + superseded + quarantined + tombstoned + erased, for every stream, from ledger to staging."""
        with stores.open_working() as con:
            feeds = gate.count_feed_fates(con, feed_models, streams)
            frame = reconcile(con, stores.home, stores.ledger, context.run_id, gate.count_staged(con, staged), feeds)
            gate.write_table(con, "reconciliation", frame)
            gate.write_table(con, "feed_fates", pl.DataFrame(feeds, schema=gate.FEED_FATES))
        broken = frame.filter(~frame["ok"])["message"].to_list()
        return dg.MaterializeResult(
            metadata={"dagster/row_count": frame.height, "streams": frame["stream"].n_unique(), "broken": len(broken)},
            check_results=[stores.judge(context.run_id, RECONCILIATION, BALANCED, broken)],
        )

    expected = {
        *((key.to_user_string(), name) for key in keys.values() for name in (SYNCED, CONTRACT)),
        (CUSTOMERS.to_user_string(), INVARIANTS),
        (CUSTOMERS.to_user_string(), GOLDEN),
        (RECONCILIATION.to_user_string(), BALANCED),
        *((None, name) for name in gate.list_blocking_tests(manifest)),
    }

    @dg.asset(
        key=VERDICT, deps=[RECONCILIATION, CUSTOMERS, *derived["marts"]], group_name="gate", owners=[OWNER], kinds={"sqlite"}
    )
    def verdict(context: dg.AssetExecutionContext, stores: Stores) -> dg.MaterializeResult:
        """Pass or fail, for this run, by every check that had to run; a row of the ledger."""
        decision = gate.decide(stores.ledger, context.run_id, expected)
        if decision["verdict"] != "pass":
            raise dg.Failure(f"the gate says fail: {decision['reason']}")
        return dg.MaterializeResult(metadata=decision)

    return dg.Definitions(assets=[reconciliation, verdict], asset_checks=[landing_suite, golden_suite])
