"""Runs that were killed could not say so. Whoever holds the home's lock knows that no other run of it lives."""

from __future__ import annotations

import dagster as dg

from warehouse.ledger import Ledger

UNFINISHED = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING]


def close_dead_runs(instance: dg.DagsterInstance | None, ledger: Ledger, run_id: str) -> None:
    """Give every run but `run_id` that never ended its end: failed, in the ledger and in Dagster."""
    for dead in ledger.close_running(except_run=run_id):
        if ledger.verdict(dead) is None:
            ledger.record_verdict(dead, "fail", "the run was killed before its verdict")
    if instance is not None:
        for run in instance.get_runs(filters=dg.RunsFilter(statuses=UNFINISHED)):
            if run.run_id != run_id:
                instance.report_run_failed(run, "killed: another run holds the home's lock")
