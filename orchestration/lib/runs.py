"""Run a job of the code location in this process, against the same Dagster instance that the UI shows."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

EVENTS_AT_ONCE = 1000  # a run plans 700 materialisations and checks: in one transaction 3 s, one by one 8 s
INSTANCE_SETTINGS = Path(__file__).resolve().parents[2] / "dagster.yaml"


@dataclass(frozen=True)
class RunOutcome:
    """What a run came to: `errors` are the failed steps' own messages."""

    run_id: str
    success: bool
    errors: tuple[str, ...]


def open_instance(home: Path) -> dg.DagsterInstance:
    """The instance of DAGSTER_HOME, by default `dagster` below the home; made if it is not there."""
    place = Path(os.environ.get("DAGSTER_HOME") or home / "dagster").resolve()
    place.mkdir(parents=True, exist_ok=True)
    if not (place / "dagster.yaml").exists():
        shutil.copy(INSTANCE_SETTINGS, place / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(place)
    os.environ["DAGSTER_EVENT_BATCH_SIZE"] = str(EVENTS_AT_ONCE)
    return dg.DagsterInstance.get()


def load_job(name: str) -> dg.JobDefinition:
    """A job of the code location; takes seconds."""
    from orchestration.definitions import defs

    return defs().resolve_job_def(name)


def run_job(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    run_config: Mapping[str, Any] | None = None,
    on_event: Callable[[dg.DagsterEvent], None] | None = None,
) -> RunOutcome:
    """Execute the job; `on_event` sees every Dagster event as it is stored (progress bars)."""
    run_id = str(uuid.uuid4())
    if on_event is not None:
        listen = on_event
        instance.add_event_listener(run_id, lambda entry: listen(entry.dagster_event) if entry.dagster_event else None)
    result = job.execute_in_process(
        instance=instance,
        run_id=run_id,
        # every event is stored for the UI; the terminal shows what the caller prints
        run_config={**(run_config or {}), "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        raise_on_error=False,
        tags={"dagster/repository": "__repository__@goldthread"},
    )
    errors = tuple(_describe_failure(event) for event in result.all_events if event.is_step_failure)
    # a run whose resources do not come up (the home is busy, the clock cannot be read) has no step that could fail
    before_steps = tuple(_describe_run_failure(event) for event in result.all_events if event.is_job_failure)
    return RunOutcome(run_id, result.success, errors or before_steps)


def _describe_failure(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return f"{event.step_key}: {data.user_failure_data.description}"
    return f"{event.step_key}: {_read_innermost(data.error)}"


def _describe_run_failure(event: dg.DagsterEvent) -> str:
    return _read_innermost(event.job_failure_data.error)


def _read_innermost(error: Any) -> str:
    """What our code or a library raised: Dagster wraps it in errors of its own."""
    while error is not None and error.cause is not None and error.cls_name.startswith("Dagster"):
        error = error.cause
    return str(error.message).strip() if error else "failed"
