"""Dagster's events are stored as its own storage stores them, whatever the connections."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import AssetCheckEvaluationPlanned
from dagster._core.storage.event_log import SqliteEventLogStorage

from orchestration.lib.event_log import KeptEventLog

pytestmark = pytest.mark.integration

ORDERS = dg.AssetKey("orders")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def log(folder: Path) -> Iterator[KeptEventLog]:
    """One for all tests, because it takes a second to make; each has runs of its own."""
    kept = KeptEventLog(str(folder))
    yield kept
    kept.dispose()


def _plan(run_id: str, check: str) -> dg.EventLogEntry:
    event = dg.DagsterEvent(
        event_type_value=dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED.value,
        job_name="sync",
        event_specific_data=AssetCheckEvaluationPlanned(asset_key=ORDERS, check_name=check, partitions_subset=None),
    )
    return dg.EventLogEntry(None, "debug", "", run_id, time.time(), dagster_event=event, job_name="sync")


def _checks_of(log: SqliteEventLogStorage, run_id: str) -> list[str]:
    return [entry.dagster_event.asset_check_planned_data.check_name for entry in log.get_logs_for_run(run_id)]


def _runs_of(log: SqliteEventLogStorage, check: str) -> list[str]:
    return [record.run_id for record in log.get_asset_check_execution_history(dg.AssetCheckKey(ORDERS, check), limit=10)]


def test_dagsters_own_storage_reads_what_was_stored(log: KeptEventLog, folder: Path) -> None:
    log.store_event(_plan("read", "alone"))
    log.store_event_batch([_plan("read", f"together_{n}") for n in range(3)])
    theirs = SqliteEventLogStorage(str(folder))
    assert _checks_of(theirs, "read") == ["alone", "together_0", "together_1", "together_2"]
    assert _runs_of(theirs, "alone") == _runs_of(theirs, "together_2") == ["read"]


def test_runs_that_take_turns_keep_their_events_and_one_open_file(log: KeptEventLog) -> None:
    for turn in range(2):
        for run_id in ("a", "b"):
            log.store_event(_plan(run_id, f"turn_{turn}"))
            assert set(log._kept) == {"index", run_id}
    assert [_checks_of(log, run_id) for run_id in ("a", "b")] == [["turn_0", "turn_1"]] * 2


def test_of_a_batch_that_breaks_nothing_is_stored(log: KeptEventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    log.store_event(_plan("broken", "before"))
    store = KeptEventLog.store_event

    def break_at_last(self: KeptEventLog, event: dg.EventLogEntry) -> None:
        store(self, event)
        if event.dagster_event.asset_check_planned_data.check_name == "last":
            raise OSError("disk full")

    monkeypatch.setattr(KeptEventLog, "store_event", break_at_last)
    with pytest.raises(OSError, match="disk full"):
        log.store_event_batch([_plan("broken", "first"), _plan("broken", "last")])
    assert _checks_of(log, "broken") == ["before"]
    assert [_runs_of(log, check) for check in ("before", "first", "last")] == [["broken"], [], []]


def _evaluate(run_id: str, check: str) -> dg.EventLogEntry:
    found = dg.AssetCheckEvaluation(ORDERS, check, passed=True, metadata={})
    event = dg.DagsterEvent(dg.DagsterEventType.ASSET_CHECK_EVALUATION.value, "sync", event_specific_data=found)
    return dg.EventLogEntry(None, "debug", "", run_id, time.time(), dagster_event=event, job_name="sync")


def test_a_check_that_was_planned_and_not_run_shows_its_last_result(log: KeptEventLog) -> None:
    log.store_event_batch(
        [_plan("first", "derived"), _plan("first", "read"), _evaluate("first", "derived"), _evaluate("first", "read")]
    )
    log.store_event_batch(
        [_plan("second", "derived"), _plan("second", "read"), _plan("other", "elsewhere"), _evaluate("second", "read")]
    )
    log.forget_planned_checks("second")
    assert [_runs_of(log, check) for check in ("derived", "read")] == [["first"], ["second", "first"]]
    assert _runs_of(log, "elsewhere") == ["other"]


def test_a_table_is_looked_for_until_it_is_there_and_no_longer(log: KeptEventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not log.has_table("later")
    with log.index_connection() as connection:
        connection.exec_driver_sql("create table later (number integer)")
    assert log.has_table("later")
    monkeypatch.setattr(log, "index_connection", None)
    assert log.has_table("later")
