import json

import duckdb
import polars as pl
import pytest

import warehouse.publication as publication_module
from warehouse.described import Comments
from warehouse.errors import PublicationHeld, PublicationRefused, WarehouseError
from warehouse.identity_log import discard_pending, read_events, stage_events
from warehouse.ledger import CheckResult
from warehouse.publication import ensure_served, list_publications, publish, rollback

pytestmark = pytest.mark.integration

EVENTS = pl.Schema({"event_no": pl.Int64, "kind": pl.String})


def served_number(store):
    with duckdb.connect(str(store.home.served), read_only=True) as connection:
        return connection.execute("select number from mart").fetchall()[0][0]


def served_description(store):
    with duckdb.connect(str(store.home.served), read_only=True) as connection:
        return connection.sql("from _publication").pl().to_dicts()


def test_a_publication_is_one_described_read_only_file_that_old_clients_can_open(store):
    published = store.publish_number("run-1", 7)
    assert served_number(store) == 7
    [description] = served_description(store)
    assert (description["seq"], description["run_id"], description["verdict"]) == (1, "run-1", "pass")
    assert (description["code_version"], description["rule_version"]) == ("code-1", "rules-1")
    assert json.loads(description["n_rows"]) == {"mart": 1} == published.n_rows
    assert description["published_at"] == published.published_at
    with duckdb.connect(str(store.home.served), read_only=True) as connection:
        query = "select tags['storage_version'] from duckdb_databases() where database_name = 'goldthread'"
        assert connection.execute(query).fetchall()[0][0].startswith("v1.0.0")
    assert store.home.served.stat().st_mode & 0o222 == 0
    assert not list(store.home.publication.rglob("*.wal"))


def test_tables_and_columns_say_what_they_hold_in_the_served_file_and_after_a_rollback(store):
    comments = {"mart": Comments("It's a mart.", {"number": "How many.", "gone": "No column."}), "gone": Comments("", {})}
    store.publish_number("run-1", 7)
    publish(store.home, store.ledger, "run-1", [("main", "mart")], "c", "r", comments=comments)
    store.publish_number("run-2", 8)
    rollback(store.home, store.ledger, author="li", reason="it is better")
    with duckdb.connect(str(store.home.served), read_only=True) as connection:
        told = dict(connection.execute("select table_name, comment from duckdb_tables()").fetchall())
        assert told["mart"] == "It's a mart."
        assert told["_publication"].startswith("One row")
        columns = connection.execute("select column_name, comment from duckdb_columns() where table_name = 'mart'").fetchall()
        assert columns == [("number", "How many.")]


def test_publishing_does_not_hold_the_working_file(store):
    store.publish_number("run-1", 7)
    with duckdb.connect(str(store.home.working), read_only=True) as connection:
        assert connection.execute("select number from mart").fetchall() == [(7,)]


def test_a_failing_verdict_leaves_the_served_file_as_it_was(store):
    store.publish_number("run-1", 1)
    before = store.home.served.read_bytes()
    with pytest.raises(PublicationRefused, match="the verdict of run run-2 is fail: a_check: 3 rows lack a key"):
        store.publish_number("run-2", 2, passed=False)
    assert store.home.served.read_bytes() == before


def test_a_run_without_verdict_is_not_published(store):
    store.ledger.start_run("run-1")
    with pytest.raises(PublicationRefused, match="has no verdict"):
        publish(store.home, store.ledger, "run-1", [("main", "mart")], "c", "r")


def test_a_verdict_taken_back_while_building_stops_the_publication(store, monkeypatch):
    store.publish_number("run-1", 1)
    before = store.home.served.read_bytes()
    make = publication_module._make_history_file

    def make_and_fail(*args):
        store.ledger.record_verdict("run-2", "fail", "found late")
        return make(*args)

    monkeypatch.setattr(publication_module, "_make_history_file", make_and_fail)
    with pytest.raises(PublicationRefused, match="found late"):
        store.publish_number("run-2", 2)
    monkeypatch.undo()
    assert ensure_served(store.home, store.ledger).run_id == "run-1"
    assert store.home.served.read_bytes() == before
    assert len(list(store.home.history.iterdir())) == 1


def test_a_late_run_cannot_publish_over_a_newer_one(store):
    store.ledger.start_run("run-1")
    store.ledger.record_verdict("run-1", "pass", "")
    store.publish_number("run-2", 2)
    with pytest.raises(PublicationRefused, match=r"run-1 is not the newest run \(run-2 is\)"):
        publish(store.home, store.ledger, "run-1", [("main", "mart")], "c", "r")
    assert served_number(store) == 2


def test_a_crash_before_the_ledger_row_publishes_nothing(store, monkeypatch):
    store.publish_number("run-1", 1)
    monkeypatch.setattr(publication_module, "_record", crash)
    with pytest.raises(KeyboardInterrupt):
        store.publish_number("run-2", 2)
    monkeypatch.undo()
    assert served_number(store) == 1
    assert len(list(store.home.history.iterdir())) == 2
    assert ensure_served(store.home, store.ledger).run_id == "run-1"
    assert len(list(store.home.history.iterdir())) == 1


def test_a_crash_before_the_swap_is_finished_by_the_next_start(store, monkeypatch):
    store.publish_number("run-1", 1)
    monkeypatch.setattr(publication_module, "_serve", crash)
    with pytest.raises(KeyboardInterrupt):
        store.publish_number("run-2", 2)
    monkeypatch.undo()
    assert served_number(store) == 1
    assert ensure_served(store.home, store.ledger).run_id == "run-2"
    assert served_number(store) == 2


def test_a_crash_while_building_leaves_a_file_that_is_swept(store, monkeypatch):
    monkeypatch.setattr(publication_module, "replace_durably", crash)
    with pytest.raises(KeyboardInterrupt):
        store.publish_number("run-1", 1)
    monkeypatch.undo()
    assert [path.name[:7] for path in store.home.history.iterdir()] == [".build-"]
    assert ensure_served(store.home, store.ledger) is None
    assert list(store.home.history.iterdir()) == []
    assert store.publish_number("run-1", 1).seq == 1


def test_the_served_file_can_be_lost_but_not_its_history(store):
    store.publish_number("run-1", 1)
    store.home.served.unlink()
    ensure_served(store.home, store.ledger)
    assert served_number(store) == 1
    next(store.home.history.iterdir()).unlink()
    with pytest.raises(WarehouseError, match="is missing: it is publication 1"):
        ensure_served(store.home, store.ledger)


def test_a_stray_write_ahead_file_is_not_applied_to_the_next_publication(store):
    store.publish_number("run-1", 1)
    stray = store.home.served.with_name(store.home.served.name + ".wal")
    stray.write_bytes(b"left by somebody")
    store.publish_number("run-2", 2)
    assert not stray.exists()
    assert served_number(store) == 2


def test_only_the_last_publications_are_kept(store):
    for number in range(3):
        store.publish_number(f"run-{number}", number)
    ensure_served(store.home, store.ledger, keep=2)
    assert sorted(path.name[:6] for path in store.home.history.iterdir()) == ["000002", "000003"]
    assert len(list_publications(store.ledger)) == 3


def test_rollback_serves_the_publication_before_and_says_so(store):
    for number in (1, 2, 3):
        store.publish_number(f"run-{number}", number)
    rolled = rollback(store.home, store.ledger, author="王芳", reason="错价")
    assert (rolled.run_id, rolled.restored_seq, rolled.action) == ("run-2", 2, "rollback")
    assert served_number(store) == 2
    [description] = served_description(store)
    assert (description["seq"], description["run_id"], description["restored_seq"]) == (4, "run-2", 2)
    assert (description["restored_by"], description["restored_reason"]) == ("王芳", "错价")
    assert description["published_at"] == list_publications(store.ledger)[1].published_at
    assert rollback(store.home, store.ledger, author="a", reason="r").run_id == "run-1"
    with pytest.raises(PublicationRefused, match="no publication earlier than what is served is kept; kept runs: run-2, run-3"):
        rollback(store.home, store.ledger, author="a", reason="r")
    assert rollback(store.home, store.ledger, author="a", reason="r", to="run-3").run_id == "run-3"
    assert served_number(store) == 3
    with duckdb.connect(str(store.home.served), read_only=True) as connection:
        query = "select tags['storage_version'] from duckdb_databases() where database_name = 'goldthread'"
        assert connection.execute(query).fetchall()[0][0].startswith("v1.0.0")


def test_a_run_published_again_after_a_rollback_is_rolled_back_to_another_run(store):
    for number in (1, 2):
        store.publish_number(f"run-{number}", number)
    rollback(store.home, store.ledger, author="a", reason="r")
    publish(store.home, store.ledger, "run-2", [("main", "mart")], "c", "r", ends_hold=True)
    assert served_number(store) == 2
    assert rollback(store.home, store.ledger, author="a", reason="r").run_id == "run-1"
    assert served_number(store) == 1
    with pytest.raises(PublicationRefused, match="no publication earlier than what is served is kept; kept runs: run-2"):
        rollback(store.home, store.ledger, author="a", reason="r")


def test_serving_the_same_runs_again_and_again_drops_no_other_run(store):
    for number in (1, 2, 3):
        store.publish_number(f"run-{number}", number)
    for _ in range(2):
        assert rollback(store.home, store.ledger, author="a", reason="r", keep=3).run_id == "run-2"
        publish(store.home, store.ledger, "run-3", [("main", "mart")], "c", "r", ends_hold=True, keep=3)
    assert len(list(store.home.history.iterdir())) == 3
    assert rollback(store.home, store.ledger, author="a", reason="r", to="run-1", keep=3).run_id == "run-1"
    assert served_number(store) == 1


def test_rollback_without_a_target_is_refused(store):
    with pytest.raises(PublicationRefused, match="nothing was published yet"):
        rollback(store.home, store.ledger, author="a", reason="r")
    store.publish_number("run-1", 1)
    with pytest.raises(PublicationRefused, match="of run run-9, other than what is served, is kept; kept runs: none"):
        rollback(store.home, store.ledger, author="a", reason="r", to="run-9")


def test_a_run_after_a_rollback_publishes_only_when_somebody_ends_the_hold(store):
    for number in (1, 2):
        store.publish_number(f"run-{number}", number)
    rollback(store.home, store.ledger, author="王芳", reason="错价")
    with pytest.raises(PublicationHeld, match=r"王芳 rolled back to run run-1 .*\(错价\).*`goldthread publish`"):
        store.publish_number("run-3", 3)
    assert served_number(store) == 1
    publish(store.home, store.ledger, "run-3", [("main", "mart")], "c", "r", ends_hold=True)
    assert served_number(store) == 3
    store.publish_number("run-4", 4)
    assert served_number(store) == 4


def test_a_table_that_is_missing_stops_the_publication_and_no_more(store):
    store.publish_number("run-1", 1)
    with pytest.raises(WarehouseError, match=r"main\.gone, which is to be published, is not in the working file"):
        publish(store.home, store.ledger, "run-1", [("main", "mart"), ("main", "gone")], "c", "r")
    assert served_number(store) == 1
    store.publish_number("run-2", 2)
    assert [path.name for path in store.home.history.iterdir() if path.name.startswith(".build")] == []


def test_two_tables_of_one_name_are_refused(store):
    store.publish_number("run-1", 1)
    with pytest.raises(WarehouseError, match=r"tables \['mart'\] come from two schemas"):
        publish(store.home, store.ledger, "run-1", [("main", "mart"), ("marts", "mart")], "c", "r")


def test_identity_events_come_true_with_their_publication(store):
    store.ledger.start_run("run-1")
    stage_events(store.home, store.ledger, "run-1", pl.DataFrame({"event_no": [1]}))
    stage_events(store.home, store.ledger, "run-1", pl.DataFrame({"event_no": [1, 2]}))
    assert read_events(store.home, store.ledger, EVENTS).height == 0
    store.publish_number("run-1", 1)
    assert read_events(store.home, store.ledger, EVENTS).rows() == [(1, None), (2, None)]


def test_identity_events_of_a_failed_run_never_come_true(store):
    stage_events(store.home, store.ledger, "run-1", pl.DataFrame({"event_no": [1], "kind": ["issued"]}))
    with pytest.raises(PublicationRefused):
        store.publish_number("run-1", 1, passed=False)
    stage_events(store.home, store.ledger, "run-2", pl.DataFrame({"event_no": [1], "kind": ["issued"]}))
    assert discard_pending(store.ledger, except_run="run-2") == 1
    store.publish_number("run-2", 2)
    assert read_events(store.home, store.ledger, EVENTS).rows() == [(1, "issued")]


def test_a_warning_does_not_stop_a_publication_and_no_checks_do(store):
    store.ledger.start_run("run-1")
    assert store.ledger.decide("run-1") == "fail"
    store.ledger.record_checks("run-1", [CheckResult("a", True), CheckResult("b", False, severity="warn")])
    assert store.ledger.decide("run-1") == "pass"


def crash(*_args):
    raise KeyboardInterrupt
