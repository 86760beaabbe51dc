import json
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest
import sqlalchemy as sa

from warehouse import tables
from warehouse.canonical import FeedFates
from warehouse.errors import HomeBusyError
from warehouse.ledger import KILLED, CheckResult
from warehouse.reconcile import reconcile
from warehouse.status import read_status
from warehouse.working import open_working


def run_reconcile(store, staged, feeds=()):
    with open_working(store.home) as connection:
        return reconcile(connection, store.home, store.ledger, "run-1", staged, feeds)


def test_two_runs_cannot_hold_one_home(store):
    with (
        store.home.hold_run_lock("run-1"),
        pytest.raises(HomeBusyError, match=r"another run holds .*: run run-1, process \d+, since 20.*UTC\. Wait"),
        store.home.hold_run_lock("run-2"),
    ):
        pass
    with store.home.hold_run_lock("run-3") as lock:
        assert lock.run_id == "run-3"
        assert json.loads((store.home.path / "run.lock").read_text())["run_id"] == "run-3"


def test_the_newest_result_of_a_check_counts(store):
    store.ledger.record_checks("run-1", [CheckResult("a", False, "bad"), CheckResult("b", True)])
    assert store.ledger.decide("run-1") == "fail"
    assert store.ledger.verdict_row("run-1")["reason"] == "a: bad"
    store.ledger.record_checks("run-1", [CheckResult("a", True)])
    assert store.ledger.decide("run-1") == "pass"
    assert store.ledger.verdict("run-1") == "pass"
    assert store.ledger.verdict("run-2") is None


def test_times_come_back_in_utc_and_naive_ones_are_refused(store):
    store.ledger.start_run("run-1")
    store.ledger.finish_run("run-1", "succeeded")
    [row] = store.ledger.read(sa.select(tables.run))
    assert row["started_at"].tzinfo is UTC
    assert row["started_at"] <= row["finished_at"]
    with pytest.raises(sa.exc.StatementError, match="aware times only"), store.ledger.write() as connection:
        connection.execute(
            tables.run.insert().values(run_id="run-2", state="running", started_at=datetime(2025, 1, 1))  # noqa: DTZ001
        )


def test_a_failed_transaction_leaves_nothing(store):
    verdict = tables.verdict.insert().values(run_id="r", verdict="pass", reason="", at=datetime.now(UTC))

    def write_twice():
        with store.ledger.write() as connection:
            connection.execute(verdict)
            connection.execute(verdict.values(run_id=None))

    with pytest.raises(sa.exc.IntegrityError):
        write_twice()
    assert store.ledger.verdict("r") is None


def test_the_ledger_is_in_wal_mode(store):
    with store.ledger.engine.connect() as connection:
        assert connection.exec_driver_sql("pragma journal_mode").scalar() == "wal"


def test_a_run_that_never_ended_is_closed_by_the_next(store):
    store.ledger.start_run("killed")
    store.ledger.start_run("next")
    assert store.ledger.close_running(except_run="next") == ["killed"]
    assert store.ledger.close_running(except_run="next") == []


def test_a_whole_store_reconciles(store):
    store.land([{"id": "1", "amount": "x"}, {"id": "2"}, {"id": "2", "name": "b"}], deleted=[{"id": "3"}])
    store.load()
    frame = run_reconcile(store, {("erp", "customers"): 1})
    assert frame["ok"].all()
    assert frame.height == 6
    assert len(store.ledger.read(sa.select(tables.reconciliation))) == 6


def test_reconciliation_names_the_stream_and_the_numbers(store):
    store.land([{"id": "1"}, {"id": "2"}])
    store.load()
    store.query("delete from landing.erp__customers where id = '1'")
    bad = run_reconcile(store, {("erp", "customers"): 1}).filter(~pl.col("ok"))["message"].to_list()
    assert bad == [
        "erp/customers: rows of the landing table = accepted: expected 2, found 1",
        "erp/customers: rows staged = accepted: expected 2, found 1",
    ]


def test_a_row_that_no_feed_accounts_for_breaks_the_reconciliation_of_its_stream(store):
    store.land([{"id": "1"}, {"id": "2"}, {"id": "3"}])
    store.load()
    whole = FeedFates("erp", "customers", "party", staged=1, superseded=1, left_out=1)
    frame = run_reconcile(store, {}, [whole, replace(whole, entity="person", left_out=0)])
    name = "rows staged + superseded by a newer one + left out by `when` = accepted"
    assert frame["equality"].to_list()[5:] == [f"as party: {name}", f"as person: {name}"]
    assert frame.filter(~pl.col("ok"))["message"].to_list() == [f"erp/customers: as person: {name}: expected 3, found 2"]


def test_status_lists_declared_streams_that_never_landed_without_figures(store):
    store.land([{"id": "1"}])
    store.load()
    streams = read_status(store.home, store.ledger, [("erp", "customers"), ("crm", "deals")])["streams"]
    assert [(row["source"], row["stream"], row["rows_in"], row["fresh_at"] is None) for row in streams] == [
        ("crm", "deals", None, True),
        ("erp", "customers", 1, False),
    ]
    assert streams[0].keys() == streams[1].keys()


def test_the_verdict_that_stands_is_the_newest_that_a_run_came_to_by_itself(store):
    for run_id, verdict, reason in (("r1", "pass", "all held"), ("r2", "fail", KILLED)):
        store.ledger.start_run(run_id)
        store.ledger.record_verdict(run_id, verdict, reason)
    status = read_status(store.home, store.ledger)
    assert (status["verdict_run_id"], status["verdict"]) == ("r1", "pass")


def test_a_run_that_no_longer_holds_the_home_was_killed_and_one_that_ended_was_not(store):
    with store.home.hold_run_lock("run-1"):
        store.ledger.start_run("run-1")
        assert read_status(store.home, store.ledger)["run"]["state"] == "running"
    assert read_status(store.home, store.ledger)["run"]["state"] == "killed"
    with store.home.hold_run_lock("another"):
        assert read_status(store.home, store.ledger)["run"]["state"] == "killed"
    store.ledger.finish_run("run-1", "succeeded")
    assert read_status(store.home, store.ledger)["run"]["state"] == "succeeded"


def test_status_needs_no_working_file(store):
    assert read_status(store.home, store.ledger) == {
        "publication": None, "verdict": None, "verdict_run_id": None, "verdict_reason": None, "run": None, "streams": []
    }  # fmt: skip
    store.land([{"id": "1"}], cursor={"at": 5})
    store.load()
    store.publish_number("run-1", 1)
    store.home.working.unlink()
    status = json.loads(json.dumps(read_status(store.home, store.ledger)))
    assert status["publication"]["run_id"] == "run-1"
    assert status["publication"]["path"] == str(store.home.served)
    assert status["verdict"] == "pass"
    [stream] = status["streams"]
    assert (stream["source"], stream["stream"], stream["rows_in"], stream["accepted"]) == ("erp", "customers", 1, 1)
    assert stream["cursor"] == {"at": 5}
    assert datetime.fromisoformat(stream["fresh_at"]).tzinfo is not None
