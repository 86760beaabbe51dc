"""Runs that were killed could not say so. Whoever holds the home's lock knows that no other run of it lives."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import dagster as dg

from warehouse.errors import HomeBusyError
from warehouse.home import Home
from warehouse.ledger import KILLED, Ledger

UNFINISHED = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING]
#: longer than a run takes from its start to the home's lock: imports and definitions, 10 s, on a slow machine a minute
GRACE = timedelta(minutes=3)
#: a run that ends lets go of the home before it says that it has ended
SETTLE_SECONDS = 5.0


def close_dead_runs(instance: dg.DagsterInstance | None, ledger: Ledger, run_id: str | None) -> None:
    """Give every run but `run_id` that never ended its end: failed, in the ledger and in Dagster."""
    for dead in ledger.close_running(except_run=run_id or ""):
        if ledger.verdict(dead) is None:
            ledger.record_verdict(dead, "fail", KILLED)
    if instance is not None:
        for run in instance.get_runs(filters=dg.RunsFilter(statuses=UNFINISHED)):
            if run.run_id != run_id:
                instance.report_run_failed(run, "killed: it no longer holds the home's lock")


def end_killed_runs(instance: dg.DagsterInstance, home: Home, ledger: Ledger, *, settle: float = SETTLE_SECONDS) -> bool:
    """Close the dead runs although no run follows: Dagster's queue starts none while it takes a killed one for running.

    Returns whether there were any.
    """
    overdue = dg.RunsFilter(statuses=UNFINISHED, updated_before=datetime.now(UTC) - GRACE)
    try:
        if not instance.get_runs(filters=overdue):
            return False
        with home.hold_run_lock("a look for dead runs"):
            pass
        time.sleep(settle)
        with home.hold_run_lock("the end of dead runs"):
            is_any = bool(instance.get_runs(filters=overdue))
            if is_any:
                close_dead_runs(instance, ledger, None)
    except HomeBusyError:
        return False
    return is_any
