"""Runs that died: what their sensors do about them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from orchestration.defs.jobs import end_dead_runs, note_dead_runs
from orchestration.lib import dead_runs
from orchestration.lib.dead_runs import UNFINISHED, end_killed_runs
from orchestration.project import current_project
from warehouse.home import Home
from warehouse.ledger import Ledger, open_ledger

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).parents[2]
IN_PROGRESS = dg.RunsFilter(statuses=[*UNFINISHED, dg.DagsterRunStatus.CANCELING])  # what the queue counts


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setenv("GOLDTHREAD_PROJECT", str(REPOSITORY))
    monkeypatch.setenv("GOLDTHREAD_HOME", str(tmp_path))
    monkeypatch.setenv("GOLDTHREAD_LEDGER", "")
    current_project.cache_clear()
    yield Home(tmp_path).create()
    current_project.cache_clear()


@pytest.fixture
def ledger(home: Home) -> Ledger:
    return open_ledger(home)


@pytest.fixture
def instance(ledger: Ledger):
    """An instance in which a run of this home still counts as running."""
    ledger.start_run("killed")
    with dg.DagsterInstance.ephemeral() as made:
        made.add_run(dg.DagsterRun(job_name="sync", run_id="killed", status=dg.DagsterRunStatus.STARTED))
        yield made


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_runs, "GRACE", timedelta(seconds=-60))


@pytest.mark.usefixtures("at_once")
def test_a_killed_run_is_failed_in_dagster_and_ledger_and_the_queue_counts_it_no_more(instance, home, ledger):
    assert end_killed_runs(instance, home, ledger, settle=0)
    assert instance.get_run_by_id("killed").status is dg.DagsterRunStatus.FAILURE
    assert instance.get_runs(filters=IN_PROGRESS) == []
    assert ledger.verdict_row("killed")["reason"] == "the run was killed before its verdict"
    assert ledger.close_running(except_run="") == []
    assert not end_killed_runs(instance, home, ledger, settle=0)


@pytest.mark.usefixtures("at_once")
def test_a_run_that_holds_the_home_is_alive(instance, home, ledger):
    with home.hold_run_lock("killed"):
        assert not end_killed_runs(instance, home, ledger, settle=0)
    assert instance.get_run_by_id("killed").status is dg.DagsterRunStatus.STARTED
    assert ledger.verdict("killed") is None


def test_a_run_that_has_just_begun_is_given_time(instance, home, ledger):
    assert not end_killed_runs(instance, home, ledger, settle=0)
    assert instance.get_run_by_id("killed").status is dg.DagsterRunStatus.STARTED


@pytest.mark.usefixtures("at_once")
def test_a_run_that_ends_meanwhile_keeps_its_own_end(instance, home, ledger, monkeypatch):
    run = instance.get_run_by_id("killed")
    monkeypatch.setattr(dead_runs.time, "sleep", lambda _: instance.report_run_canceled(run))
    assert not end_killed_runs(instance, home, ledger)
    assert instance.get_run_by_id("killed").status is dg.DagsterRunStatus.CANCELED


def test_the_sensor_looks_at_the_home_of_the_project(instance, ledger, monkeypatch):
    monkeypatch.setattr(dead_runs, "GRACE", timedelta(seconds=-60))
    monkeypatch.setattr(dead_runs.time, "sleep", lambda _: None)
    said = end_dead_runs(dg.build_sensor_context(instance=instance))
    assert said.skip_message == "runs that were killed are failed now"
    assert ledger.verdict("killed") == "fail"


def note(instance: dg.DagsterInstance, run_id: str) -> None:
    """What the daemon does when it sees the event that a run failed."""
    run = instance.get_run_by_id(run_id)
    event = instance.report_run_failed(run, "the launcher lost it")
    context = dg.build_run_status_sensor_context("note_dead_runs", event, instance, run)
    list(note_dead_runs(context.for_run_failure()) or ())


def test_a_run_that_failed_outside_its_steps_gets_a_verdict_with_dagsters_words(instance, ledger):
    note(instance, "killed")
    assert ledger.verdict_row("killed")["verdict"] == "fail"
    assert ledger.verdict_row("killed")["reason"] == "run: the launcher lost it"


def test_a_run_that_has_its_verdict_keeps_it(instance, ledger):
    ledger.record_verdict("killed", "fail", "publication: the disk is full")
    note(instance, "killed")
    assert ledger.verdict_row("killed")["reason"] == "publication: the disk is full"
