"""Sources in trouble: refused, silent too long, never read, or changed in shape. The others go on."""

from __future__ import annotations

import json
from datetime import timedelta

import psycopg
import pytest
from dagster import AssetKey, AssetSelection

from orchestration.lib.runs import open_instance
from orchestration.lib.sources import SYNCED
from sandbox.servers.u8 import DATABASE
from tests.integration.conftest import MADE_WITH
from tests.integration.line_harness import MARKS, SOURCES, Line
from warehouse import tables
from warehouse.batches import schema_changes
from warehouse.ledger import utc_now

pytestmark = MARKS

WRONG = "pat-wrong-token-0123456789"


def make_older(line: Line, source: str, days: float) -> None:
    """As if the source had been read for the last time so many days ago."""
    with line.stores.ledger.write() as connection:
        state = tables.stream_state
        connection.execute(state.update().where(state.c.source == source).values(fresh_at=utc_now() - timedelta(days=days)))


def name_last_run(line: Line, *path: str) -> str:
    """The run from which the asset's freshness counts."""
    event = open_instance(line.home).get_latest_materialization_event(AssetKey(path))
    assert event is not None
    return event.run_id


def test_a_wrong_token_degrades_its_own_streams_and_no_other(line, monkeypatch):
    line = line.enter(monkeypatch, HUBSPOT_TOKEN=WRONG)
    before = name_last_run(line, "hubspot", "deals")
    outcome = line.sync_streams(*SOURCES)
    assert outcome.success
    synced = line.check(outcome.run_id, SYNCED)
    assert {asset.split("/")[0] for asset, (passed, *_) in synced.items() if not passed} == {"hubspot"}
    details = [detail for passed, _, detail in synced.values() if not passed]
    assert all("401" in detail or "token" in detail.lower() for detail in details)
    assert all(WRONG not in detail for detail in details)
    # what was not read became no fresher
    assert (name_last_run(line, "hubspot", "deals"), name_last_run(line, "u8", "customers")) == (before, outcome.run_id)
    [told] = open_instance(line.home).fetch_observations(AssetKey(["hubspot", "deals"]), limit=1).records
    assert any(told.asset_observation.metadata["sync error"].value in detail for detail in details)


def test_a_source_that_is_down_only_warns_while_its_rows_are_young(line, monkeypatch):
    make_older(line, "u8", 1)
    line = line.enter(monkeypatch, U8_DATABASE_URL="postgresql://reader:hidden-password@127.0.0.1:9/nowhere")
    outcome = line.sync_streams("u8")
    assert outcome.success
    for passed, severity, detail in line.check(outcome.run_id, SYNCED).values():
        assert (passed, severity) == (False, "warn")
        assert "was last read 24 hours ago" in detail
        assert "hidden-password" not in detail


def test_a_source_that_was_silent_too_long_blocks_the_run(line, monkeypatch):
    make_older(line, "wecom", 3)
    before = line.hash_served()
    line = line.enter(monkeypatch, WECOM_SECRET="wrong")
    way = [["staging", "stg_wecom__users"], ["gate", "reconciliation"], ["gate", "verdict"], ["publication", "goldthread"]]
    part = AssetSelection.groups("wecom") | AssetSelection.assets(*way)
    outcome = line.run_part(part)
    assert not outcome.success
    verdict, reason = line.verdict(outcome.run_id)
    assert verdict == "fail"
    assert "wecom.users was last read 3 days ago" in reason
    assert line.hash_served() == before


def test_a_home_where_nothing_could_ever_be_read_fails_and_says_so(published, tmp_path, monkeypatch):
    from tests.integration.line_harness import Line

    fresh = Line(tmp_path / "home", published.environment)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dbt").symlink_to(published.home / "dbt", target_is_directory=True)
    nothing = dict.fromkeys(("HUBSPOT_TOKEN", "WECOM_SECRET", "U8_DATABASE_URL", "FORMS_FOLDER"), "")
    line = fresh.enter(monkeypatch, **nothing)
    outcome = line.run()
    assert not outcome.success
    assert not line.served.exists()
    verdict, reason = line.verdict(outcome.run_id)
    assert verdict == "fail"
    assert "never read: source forms: the variable FORMS_FOLDER is not set" in reason


def change_table(company, statement: str) -> None:
    with company.u8._postgres.connect(DATABASE) as connection:
        connection.execute(statement)


@pytest.fixture
def changed_customer(company):
    """U8's customer table with a new, a retyped and a missing column; as it was, afterwards."""
    change_table(company, 'alter table "Customer" add column "cCusNew" text default \'x\'')
    change_table(company, 'alter table "Customer" alter column "cCusCode" type varchar(60)')
    change_table(company, 'alter table "Customer" rename column "cCusAddress" to "cCusAddressOld"')
    yield
    change_table(company, 'alter table "Customer" rename column "cCusAddressOld" to "cCusAddress"')
    change_table(company, 'alter table "Customer" alter column "cCusCode" type text')
    change_table(company, 'alter table "Customer" drop column "cCusNew"')


def test_a_table_that_changed_its_shape_is_reported_and_stops_no_other(line, changed_customer):
    outcome = line.sync_streams("u8", mode="full")
    assert outcome.success
    changes = {
        (change["stream"], change["column_name"], change["kind"])
        for change in schema_changes(line.stores.ledger, run_id=outcome.run_id)
    }
    assert changes >= {
        ("customers", "cCusNew", "new_column"),
        ("customers", "cCusAddressOld", "new_column"),
        ("customers", "cCusAddress", "missing_column"),
    }
    assert {stream for stream, *_ in changes} == {"customers"}
    assert all(passed for passed, *_ in line.check(outcome.run_id, SYNCED).values())


def test_a_problem_of_one_table_is_told_in_the_database_s_words(line, company):
    change_table(company, 'alter table "SA_QuoMain" rename to "SA_Gone"')
    try:
        outcome = line.sync_streams("u8")
    finally:
        change_table(company, 'alter table "SA_Gone" rename to "SA_QuoMain"')
    failed = {asset: detail for asset, (passed, _, detail) in line.check(outcome.run_id, SYNCED).items() if not passed}
    assert set(failed) == {"u8/quotes"}
    assert "SA_QuoMain" in failed["u8/quotes"]


def test_the_ledger_holds_no_secret(look):
    told = json.loads((look.home.parent / MADE_WITH).read_text(encoding="utf-8"))
    secrets = [told[name] for name in ("HUBSPOT_TOKEN", "WECOM_SECRET", "WECOM_CALLBACK_AES_KEY")]
    secrets.append(psycopg.conninfo.conninfo_to_dict(told["U8_DATABASE_URL"])["password"])
    stored = (look.home / "ledger.db").read_bytes()
    assert [secret for secret in secrets if secret.encode() in stored] == []
