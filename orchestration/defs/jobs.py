"""The jobs, when they run by themselves, and what happens when one fails."""

from typing import Any

import dagster as dg

from orchestration.lib.dead_runs import end_killed_runs
from orchestration.lib.stores import Stores, open_stores
from orchestration.project import current_project


@dg.failure_hook(required_resource_keys={"stores"})
def record_failed_verdict(context: dg.HookContext) -> None:
    """A run that breaks has a verdict too: fail, and where."""
    stores: Stores = context.resources.stores
    stores.record_failure(context.run_id, context.op.name, str(context.op_exception))


@dg.run_failure_sensor(default_status=dg.DefaultSensorStatus.RUNNING, minimum_interval_seconds=60)
def note_dead_runs(context: dg.RunFailureSensorContext) -> None:
    """A run that Dagster saw fail outside its steps could not write its own verdict; this does."""
    stores = open_stores(current_project())
    stores.record_failure(context.dagster_run.run_id, "run", context.failure_event.message or "the run died")


@dg.sensor(default_status=dg.DefaultSensorStatus.RUNNING, minimum_interval_seconds=60)
def end_dead_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """A run that was killed is failed, so that the queue goes on."""
    stores = open_stores(current_project())
    ended = end_killed_runs(context.instance, stores.home, stores.ledger)
    return dg.SkipReason("runs that were killed are failed now" if ended else "no run is dead")


@dg.definitions
def job_definitions() -> dg.Definitions:
    sources = [source.name for source in current_project().sources]

    def config(mode: str) -> dict[str, Any]:
        return {"ops": {f"sync_{name}": {"config": {"mode": mode}} for name in sources}}

    everything = dg.AssetSelection.all()
    sync = dg.define_asset_job(
        "sync",
        everything,
        config=config("incremental"),
        hooks={record_failed_verdict},
        description="Read what is new in every source, derive, check and publish.",
    )
    rebuild = dg.define_asset_job(
        "rebuild",
        everything,
        config=config("none"),
        hooks={record_failed_verdict},
        tags={"goldthread/rebuild": "true"},
        description="Derive everything again from landing and ledger, check and publish; reads no source.",
    )
    resolve = dg.define_asset_job(
        "resolve",
        # all sources, because a file source need not feed parties, and the configuration names every one
        (dg.AssetSelection.groups("hub").upstream() | dg.AssetSelection.groups(*sources)).required_multi_asset_neighbors(),
        config=config("none"),
        hooks={record_failed_verdict},
        description="Resolve identities over what has landed, without publishing.",
    )
    return dg.Definitions(
        jobs=[sync, rebuild, resolve],
        schedules=[
            dg.ScheduleDefinition(name="sync_every_quarter_hour", job=sync, cron_schedule="*/15 * * * *"),
            dg.ScheduleDefinition(
                name="rebuild_on_sunday", job=rebuild, cron_schedule="0 3 * * 0", execution_timezone="Asia/Shanghai"
            ),
        ],
        sensors=[note_dead_runs, end_dead_runs],
    )
