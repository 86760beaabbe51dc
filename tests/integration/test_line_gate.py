"""One defect per check: the served file stays as it is, byte for byte, and the run says what is wrong and where.

Each test breaks something in a copy of the published home and runs the check that must see it, then verdict and
publication, as if every other check had passed. test_line_defects.py has a defect for every single check.
"""

from __future__ import annotations

import logging

import dagster as dg
import duckdb
import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.defs.gate import CONTRACT, GOLDEN, RECONCILIATION
from orchestration.defs.hub import CUSTOMERS, INVARIANTS
from orchestration.lib.runs import open_instance
from orchestration.lib.sources import SYNCED
from tests.integration.line_harness import MARKS, PUBLICATION, VERDICT, Line
from warehouse.errors import PublicationRefused
from warehouse.ledger import CheckResult
from warehouse.publication import publish

pytestmark = MARKS

END = dg.AssetSelection.assets(VERDICT, PUBLICATION)
LATER = "2026-06-30T10:05:00+00:00"


def select_checks(*checks: tuple[dg.AssetKey, str]) -> dg.AssetSelection:
    return dg.AssetSelection.checks(*(dg.AssetCheckKey(asset, name) for asset, name in checks))


def assert_refused(line: Line, part: dg.AssetSelection, *reasons: str) -> str:
    """Run the part; nothing may be published, and the verdict must give every reason. Returns the run."""
    before = line.hash_served()
    outcome = line.run_part(part)
    verdict, reason = line.verdict(outcome.run_id)
    assert not outcome.success
    assert verdict == "fail"
    assert [text for text in reasons if text not in reason] == [], reason
    assert line.hash_served() == before
    return outcome.run_id


def test_without_a_defect_the_same_part_of_the_line_publishes(line):
    before = line.hash_served()
    outcome = line.run_part(dg.AssetSelection.assets(RECONCILIATION) | END)
    assert outcome.success
    assert line.verdict(outcome.run_id)[0] == "pass"
    assert line.read("select run_id from _publication") == [(outcome.run_id,)]
    assert line.hash_served() != before


def landing_file(line: Line, stream: str) -> str:
    files = sorted((line.home / "landing" / stream).glob("*.parquet"))
    assert files
    return str(files[0])


def test_a_landing_file_that_is_gone_fails_the_run_with_its_name(line):
    path = landing_file(line, "hubspot/deals")
    (line.home / path).unlink()
    assert_refused(line, dg.AssetSelection.assets(RECONCILIATION) | END, path.rsplit("/", 1)[-1])


def test_a_staging_model_that_drops_rows_is_named_by_the_reconciliation(line):
    line.tamper(
        "delete from staging.stg_hubspot__deals where deal_id in (select deal_id from staging.stg_hubspot__deals limit 2)"
    )
    assert_refused(line, dg.AssetSelection.assets(RECONCILIATION) | END, "hubspot/deals: rows staged = accepted")


def test_a_landed_table_that_breaks_its_contract_is_named_with_every_defect(line, monkeypatch):
    line = line.enter(monkeypatch, SANDBOX_AS_OF=LATER)
    line.tamper(
        "insert into landing.u8__orders select * from landing.u8__orders where _row_no = 0",
        "update landing.u8__orders set _key = null where _row_no = 1",
        'update landing.u8__orders set "dDate" = null where _row_no = 2',
        "update landing._fates set quarantined = rows_in, accepted = 0 where (source, stream) = ('u8', 'orders')",
    )
    orders = dg.AssetKey(["u8", "orders"])
    # the staging model and what counts it stand between the check and the verdict
    way = dg.AssetSelection.assets(["staging", "stg_u8__orders"], RECONCILIATION)
    reasons = (
        "every row has its key (found 1): 1 row: _batch_id=",
        "every required field is filled (found 1): 1 row: _key=[",
        "at most a fifth of the rows may be in quarantine (found 1.0)",
        "u8.orders: every key occurs once (found 1): 1 row: _key=[",
    )
    run_id = assert_refused(line, select_checks((orders, CONTRACT)) | way | END, *reasons)
    assert line.check(run_id, CONTRACT)["u8/orders"][0] is False


def test_golden_records_that_cannot_be_right_are_named(line):
    line.tamper(
        "delete from hub.person_lineage where attribute = 'mobile' and is_winner and person_gid ="
        " (select min(person_gid) from hub.golden_persons where mobile is not null)",
        "insert into hub.golden_customers select * from hub.golden_customers limit 1",
    )
    reasons = (
        "hub.golden_customers: an ID stands for one row (found 1): 1 row: customer_gid=cus_",
        "hub.golden_persons: every golden value names the row it comes from (found 1): 1 row: person_gid=per_",
    )
    with duckdb.connect(str(line.served), read_only=True) as con:
        before = con.execute("select count(*) from identity_events").fetchall()
    run_id = assert_refused(line, select_checks((CUSTOMERS, GOLDEN)) | END, f"{GOLDEN}: ", *reasons)
    logged = [entry.user_message for entry in open_instance(line.home).all_logs(run_id) if entry.level == logging.ERROR]
    assert [reason for reason in reasons if not any(reason in message for message in logged)] == []
    # nor does it add to the identity log
    assert line.read("select count(*) from identity_events") == before


def test_a_table_that_breaks_its_dbt_contract_is_named(line, monkeypatch):
    line = line.enter(monkeypatch, SANDBOX_AS_OF=LATER)
    line.tamper("alter table intermediate.int_invoices alter column amount set data type varchar")
    part = dg.AssetSelection.assets(["marts", "fct_invoice"]) | END
    assert_refused(line, part, "fct_invoice", "contract", "amount")


def test_a_run_that_merges_nearly_everything_is_refused(line):
    """Every record gets one credit code, name and telephone: one customer would swallow the others."""
    line.tamper(
        "update intermediate.int_parties_unioned set company_name = '上海天日机械有限公司', tax_no = '91310000720000006M',"
        " mobile = '13912340001'",
    )
    part = dg.AssetSelection.groups("hub") - dg.AssetSelection.all_asset_checks() | select_checks((CUSTOMERS, INVARIANTS))
    assert_refused(line, part | END, "organisation largest_cluster: 1 customers hold more than", "(cus_")


def test_an_identity_run_that_changes_too_many_ids_is_refused(line):
    """Half of the records lose everything that tied them to others: their IDs would change."""
    line.tamper(
        "update intermediate.int_parties_unioned set company_name = source || source_key, tax_no = null, mobile = null,"
        " phone = null, email = null, domain = null",
    )
    part = dg.AssetSelection.groups("hub") - dg.AssetSelection.all_asset_checks() | select_checks((CUSTOMERS, INVARIANTS))
    run_id = assert_refused(
        line, part | END, "organisation share_ids_changed: ", " of known records change their id, more than 10.0%"
    )
    assert line.stores.ledger.verdict(run_id) == "fail"


def test_a_failing_dbt_test_is_named_with_its_model(line, monkeypatch):
    line = line.enter(monkeypatch, SANDBOX_AS_OF=LATER)
    line.tamper("insert into intermediate.int_invoices select * from intermediate.int_invoices limit 1")
    part = dg.AssetSelection.assets(["marts", "fct_invoice"]) | END
    assert_refused(line, part, "unique_fct_invoice_invoice_key: 1 row: unique_field=", "n_records=2")


def test_a_check_that_did_not_run_is_a_failed_one(line):
    results = line.stores.ledger.check_results(line.newest_run)
    before = line.hash_served()
    [left_out] = [result for result in results if result.asset == "hubspot/deals" and result.name == SYNCED]
    run_id = "one-check-short"
    line.stores.ledger.record_checks(run_id, [result for result in results if result != left_out])
    from orchestration.lib.gate import decide

    decision = decide(line.stores.ledger, run_id, [(result.asset, result.name) for result in results])
    assert decision["verdict"] == "fail"
    assert decision["not run"] == 1
    assert f"{SYNCED}: did not run" in decision["reason"]
    assert line.hash_served() == before


def test_the_verdict_of_the_line_misses_every_check_that_did_not_run(line):
    before = line.hash_served()
    outcome = line.run_part(END, passed=False)
    verdict, reason = line.verdict(outcome.run_id)
    assert (outcome.success, verdict) == (False, "fail")
    for name in (SYNCED, CONTRACT, GOLDEN, INVARIANTS, "balanced"):
        assert f"{name}: did not run" in reason
    assert line.hash_served() == before


def test_a_run_without_a_verdict_cannot_be_published(line):
    line.stores.ledger.start_run("no-verdict")
    before = line.hash_served()
    answer = CliRunner().invoke(app, ["publish"])
    assert isinstance(answer.exception, PublicationRefused)
    assert "no-verdict has no verdict" in str(answer.exception)
    assert line.hash_served() == before


def test_a_run_that_failed_cannot_be_published(line):
    ledger = line.stores.ledger
    ledger.start_run("failed")
    ledger.record_checks("failed", [CheckResult("a_check", False, "three rows are wrong")])
    ledger.decide("failed")
    before = line.hash_served()
    answer = CliRunner().invoke(app, ["publish"])
    assert isinstance(answer.exception, PublicationRefused)
    assert "three rows are wrong" in str(answer.exception)
    assert line.hash_served() == before


def test_a_run_cannot_be_published_once_a_newer_one_began(line):
    older = line.newest_run
    line.stores.ledger.start_run("newer")
    before = line.hash_served()
    with pytest.raises(PublicationRefused, match="newer"):
        publish(line.stores.home, line.stores.ledger, older, [("marts", "dim_customer")], "0", "0")
    assert line.hash_served() == before
