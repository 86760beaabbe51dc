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

from connectors.errors import ConnectorError
from orchestration.project import ProjectError
from warehouse.errors import WarehouseError

EVENTS_AT_ONCE = 1000  # a run plans 700 materialisations and checks: in one transaction 3 s, one by one 8 s
VERDICT_STEP = "gate__verdict"
OUR_ERRORS = (ProjectError, ConnectorError, WarehouseError)
OUR_PACKAGES = {"connectors", "hub", "orchestration", "warehouse"}
INTERRUPTIONS = {"DagsterExecutionInterruptedError", "KeyboardInterrupt"}
INSTANCE_SETTINGS = Path(__file__).resolve().parents[2] / "dagster.yaml"


@dataclass(frozen=True)
class RunOutcome:
    """What a run came to: `errors` say why steps failed, `unsaid` are those of them that no check of the ledger tells."""

    run_id: str
    success: bool
    errors: tuple[str, ...]
    unsaid: tuple[str, ...] = ()


def open_instance(home: Path) -> dg.DagsterInstance:
    """The instance of DAGSTER_HOME, by default `dagster` below the home; made if it is not there."""
    place = Path(os.environ.get("DAGSTER_HOME") or home / "dagster").resolve()
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProjectError(
            f"Dagster's folder {place} cannot be made ({error.strerror}): set DAGSTER_HOME to a folder in which you may write"
        ) from None
    if not (place / "dagster.yaml").exists():
        shutil.copy(INSTANCE_SETTINGS, place / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(place)
    os.environ["DAGSTER_EVENT_BATCH_SIZE"] = str(EVENTS_AT_ONCE)
    return dg.DagsterInstance.get()


def load_job(name: str) -> dg.JobDefinition:
    """A job of the code location; takes seconds. A mistake of the user's is raised as such, without Dagster's wrapping."""
    from orchestration.definitions import defs

    try:
        return defs().resolve_job_def(name)
    except Exception as error:
        ours = _find_ours(error)
        if ours is None:
            raise
        raise ours from None


def run_job(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    run_config: Mapping[str, Any] | None = None,
    on_event: Callable[[dg.DagsterEvent], None] | None = None,
    tags: Mapping[str, str] | None = None,
) -> RunOutcome:
    """Execute the job; `on_event` sees every Dagster event as it is stored (progress bars). tags: beside the job's."""
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
        tags={"dagster/repository": "__repository__@goldthread", **(tags or {})},
    )
    failures = [event for event in result.all_events if event.is_step_failure]
    if failures:
        errors, unsaid = map(_describe_failures, (failures, [event for event in failures if not _is_told_by_checks(event)]))
        return RunOutcome(run_id, result.success, errors, unsaid)
    # a run whose resources do not come up (the home is busy, the clock cannot be read) has no step that could fail
    before_steps = tuple(_read_innermost(event.job_failure_data.error) for event in result.all_events if event.is_job_failure)
    return RunOutcome(run_id, result.success, before_steps, before_steps)


def _find_ours(error: BaseException) -> BaseException | None:
    """The first of our own errors that this one was raised from."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, OUR_ERRORS):
        found = found.__cause__ or found.__context__
    return found


def _is_told_by_checks(event: dg.DagsterEvent) -> bool:
    """Whether the step failed for what its checks found."""
    error = event.step_failure_data.error
    return event.step_key == VERDICT_STEP or (error is not None and error.cls_name == "DagsterAssetCheckFailedError")


def _describe_failures(events: list[dg.DagsterEvent]) -> tuple[str, ...]:
    """One text a cause, however many steps met it."""
    return tuple(dict.fromkeys(map(_describe_failure, events)))


def _describe_failure(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return str(data.user_failure_data.description)
    return _read_innermost(data.error)


def _read_innermost(error: Any) -> str:
    """What our code or a library raised: Dagster wraps it in errors of its own. The class is said where it is not ours."""
    while error is not None and error.cause is not None and error.cls_name.startswith("Dagster"):
        error = error.cause
    if error is None:
        return "failed"
    if error.cls_name in INTERRUPTIONS:
        return "interrupted: what was read so far is kept, and the next run goes on from there"
    module, _, text = str(error.message).strip().partition(f"{error.cls_name}: ")
    is_plain = module.split(".")[0] in OUR_PACKAGES or error.cls_name.startswith("Dagster")
    return text if is_plain and text else f"{error.cls_name}: {text}".removesuffix(": ")
