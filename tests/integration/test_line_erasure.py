"""Erased means erased: canaries of one person, seeded in every store of a published home, are found nowhere afterwards (I-10).

One story in the order of its tests, because each publication costs seconds; only what a person needs is derived anew.
"""

from __future__ import annotations

import json
import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from connectors.base import Batch, Stream
from connectors.catalog import build_connector, declare_streams
from connectors.crm.hubspot_streams import CONTACTS, NOTES
from connectors.erp.u8_streams import CUSTOMERS
from connectors.messaging.wecom_streams import EXTERNAL_CONTACTS
from hub.decisions import DECISION_SCHEMA
from orchestration.cli.app import app
from orchestration.lib.identity import LOG_SCHEMA, keep_identities, resolve_identities, write_identities
from orchestration.lib.publication import list_published_tables
from orchestration.lib.runs import open_instance
from orchestration.project import current_project
from tests.integration.line_harness import MARKS, Line, parse_json
from warehouse.batches import list_batches, read_cursor
from warehouse.decisions import read_decisions
from warehouse.erasure.plan import journal_file
from warehouse.identity_log import read_events, stage_events
from warehouse.ledger import CheckResult
from warehouse.load import load_stream
from warehouse.publication import publish
from warehouse.reconcile import reconcile

pytestmark = MARKS

NAME, MOBILE, EMAIL, TITLE = "金丝雀甲乙", "13911119876", "canary.erased@example.cn", "鸟类学首席顾问"
KEYS = ("99900099900", "wmCANARY0000000000000001", "W-CANARY-0001", "W-CANARY-0002")
CANARIES = (NAME, MOBILE, "139-1111-9876", EMAIL, TITLE, *KEYS)
SERVED = ("dim_person", "dim_customer", "fct_order", "fct_activity")
# what dbt makes of the canaries' rows, in short: so a publication takes two seconds and not forty
PERSONS = f"""
insert into intermediate.int_persons_unioned by name
select 'hubspot' as source, id as source_key, lastname || firstname as full_name, mobilephone as mobile, email,
    jobtitle as job_title, 'hubspot/contacts/' || _key as record_ref
from landing.hubspot__contacts where id = '{KEYS[0]}'
union all by name
select 'wecom' as source, external_userid as source_key, name as full_name, position as job_title,
    'wecom/external_contacts/' || _key as record_ref
from landing.wecom__external_contacts where external_userid = '{KEYS[1]}'
union all by name
select 'forms' as source, submission_id as source_key, name as full_name, phone as mobile, email,
    'forms/web_leads/' || _key as record_ref
from landing.forms__web_leads where submission_id = '{KEYS[2]}'
"""
PARTIES = f"""
insert into intermediate.int_parties_unioned by name
select 'u8' as source, cCusCode as source_key, cCusName as company_name, cCusPerson as contact_name, cCusHand as mobile,
    cCusEmail as email, 'u8/customers/' || _key as record_ref
from landing.u8__customers where cCusHand = '{MOBILE}'
"""


@pytest.fixture(scope="module")
def seeded(published: Line, tmp_path_factory: pytest.TempPathFactory) -> Line:
    """A home of its own, with its own forms and Dagster."""
    folder = tmp_path_factory.mktemp("erasure")
    shutil.copytree(published.environment["FORMS_FOLDER"], folder / "forms")
    own = {**published.environment, "FORMS_FOLDER": str(folder / "forms"), "DAGSTER_HOME": str(folder / "home" / "dagster")}
    return Line(published.copy_to(folder / "home").home, own)


@pytest.fixture
def line(seeded: Line, monkeypatch: pytest.MonkeyPatch) -> Line:
    return seeded.enter(monkeypatch)


def ask(*arguments: str) -> Any:
    answer = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return parse_json(answer.stdout)


def derive(line: Line, detail: str = "") -> None:
    """Read the forms again, load, resolve and publish, holding the home as a run does."""
    stores, project, run_id = line.stores, current_project(), str(uuid.uuid4())
    home, ledger = stores.home, stores.ledger
    [forms] = [source for source in project.sources if source.name == "forms"]
    streams = [(s.name, stream) for s in project.sources for stream in declare_streams(s.kind, s.settings, project.folder)]
    with home.hold_run_lock(run_id):
        ledger.start_run(run_id)
        connector = build_connector("files", "forms", project.resolve_settings(forms), project.folder)
        for batch in connector.read("web_leads", None, full=True):
            stores.land("forms", next(stream for _, stream in streams if stream.name == "web_leads"), batch, run_id)
        with stores.open_working() as con:
            for source, stream in streams:
                load_stream(con, home, ledger, source, stream)
            keys = ", ".join(f"'{key}'" for key in KEYS)
            con.execute(f"delete from intermediate.int_persons_unioned where source_key in ({keys})")
            con.execute(
                "delete from intermediate.int_parties_unioned as old where source = 'u8' and exists "
                f"(select 1 from landing.u8__customers where cCusCode = old.source_key and cCusHand = '{MOBILE}')"
            )
            con.execute(PERSONS)
            con.execute(PARTIES)
            log = read_events(home, ledger, LOG_SCHEMA)
            decisions = read_decisions(home, ledger, DECISION_SCHEMA)
            made = resolve_identities(con, home, current_project().rules, log, decisions, run_id, datetime.now(UTC))
            write_identities(con, made, log)
            stage_events(home, ledger, run_id, made.new_events)
            keep_identities(home, run_id, log, made)
            con.execute("create or replace table marts.dim_person as select * from hub.golden_persons")
            balance = reconcile(con, home, ledger, run_id, {})
            assert balance.filter(~pl.col("ok"))["message"].to_list() == []
            tables = [(schema, name) for schema, name in list_published_tables(con) if schema == "hub" or name in SERVED]
        ledger.record_checks(run_id, [CheckResult("a_check", True, detail)])
        ledger.decide(run_id)
        publish(home, ledger, run_id, tables, "code", "rules")


def land(line: Line, source: str, stream: Stream, **cells: str) -> None:
    """A row as the source sends it: one that has landed, with these cells changed."""
    stores = line.stores
    files = [
        stores.home.landing / str(batch.file) for batch in list_batches(stores.ledger, source, stream.name) if batch.n_upserts
    ]
    last = pl.read_parquet(files[0]).filter(pl.col("_op") == "upsert").head(1)
    columns = [name for name in last.columns if not name.startswith("_")]
    row = last.select(columns).with_columns(pl.lit(text).alias(name) for name, text in cells.items())
    cursor = read_cursor(stores.ledger, source, stream.name) or {}
    stores.land(source, stream, Batch(stream.name, row, cursor, rereads=True), line.newest_run)


def send_all(line: Line, title: str = TITLE) -> None:
    person = {"mobilephone": MOBILE, "email": EMAIL, "lastname": NAME[0], "firstname": NAME[1:], "jobtitle": title}
    land(line, "hubspot", CONTACTS, id=KEYS[0], lastmodifieddate="2026-06-30T08:00:00.000Z", **person)
    note = f"与{NAME}通话, 139-1111-9876"
    land(line, "hubspot", NOTES, id="88800088800", hs_note_body=note, contact_ids=json.dumps([KEYS[0]]))
    land(line, "wecom", EXTERNAL_CONTACTS, external_userid=KEYS[1], name=NAME, remark=f"某公司-{NAME}", position=title)
    land(line, "u8", CUSTOMERS, cCusPerson=NAME, cCusHand=MOBILE, cCusEmail=EMAIL, ufts="999999")


def write_forms(line: Line) -> None:
    """A lead that is read, one that breaks its contract, and a line that is no JSON."""
    data = {"name": NAME, "phone": MOBILE, "company": "某某贸易有限公司", "email": EMAIL}
    leads = [
        {"submission_id": KEYS[2], "submitted_at": "2026-06-30T09:00:00+08:00", "form": "website_inquiry", "data": data},
        {"submission_id": KEYS[3], "submitted_at": "some day", "form": "website_inquiry", "data": data},
    ]
    text = "\n".join([*(json.dumps(lead, ensure_ascii=False) for lead in leads), f'{{"data": {{"phone": "{MOBILE}", "nam'])
    (Path(line.environment["FORMS_FOLDER"]) / "web" / "2026-06-30.jsonl").write_text(text + "\n", encoding="utf-8")


def find_canaries(home: Path) -> set[tuple[str, str]]:
    """(file, canary): every byte of every file, and every row of every table and Parquet file as text."""
    found = set()
    spelt = {one: canary for canary in CANARIES for one in (canary.encode(), json.dumps(canary)[1:-1].encode())}
    with duckdb.connect() as con:
        for path in (path for path in home.rglob("*") if path.is_file()):
            content = path.read_bytes()
            canaries = {canary for one, canary in spelt.items() if one in content}
            for table in _list_tables(con, path):
                rows = con.execute(
                    f"select x::VARCHAR from {table} as x where regexp_matches(x::VARCHAR, '{'|'.join(CANARIES)}')"
                )
                canaries |= {canary for (text,) in rows.fetchall() for canary in CANARIES if canary in text}
            found |= {(str(path.relative_to(home)), canary) for canary in canaries}
    return found


def _list_tables(con: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    if path.suffix == ".duckdb":
        con.execute(f"detach database if exists file; attach '{path}' as file (read_only)")
        names = con.execute("select schema_name, table_name from duckdb_tables() where database_name = 'file'").fetchall()
        return [f'file."{schema}"."{name}"' for schema, name in names]
    return [f"read_parquet('{path}')"] if path.suffix == ".parquet" else []


def read_others(line: Line) -> dict[str, list[tuple[Any, ...]]]:
    """Ids and values of everybody else, as served."""
    mine = ", ".join(f"'{key}'" for key in KEYS)
    others = f"source_key not in ({mine}) and not starts_with(source_key, 'erased-')"
    return {
        "customers": line.read(
            f"select source, source_key, customer_gid from crosswalk where is_current and {others} order by all"
        ),
        "persons": line.read(
            f"select source, source_key, person_gid from person_crosswalk where is_current and {others} order by all"
        ),
        "values": line.read(f"select * from dim_person where full_name <> '{NAME}' order by all"),
        "orders": line.read("select * from fct_order order by all"),
    }


def test_1_the_canaries_are_in_every_store_before(line: Line):
    write_forms(line)
    send_all(line)
    derive(line, f"{EMAIL} is odd")
    ask("never", f"hubspot:{KEYS[0]}", "hubspot:30500000000", "--entity", "person", "--reason", f"{NAME} says so, {MOBILE}")
    derive(line)
    open_instance(line.home).report_engine_event(f"could not read {MOBILE} of {NAME}", job_name="sync", run_id=line.newest_run)
    (line.home / "dbt" / "logs").mkdir(exist_ok=True)
    (line.home / "dbt" / "logs" / "dbt.log").write_text(f"{NAME} {MOBILE}\n", encoding="utf-8")
    found = find_canaries(line.home)
    assert {canary for _, canary in found} == set(CANARIES)
    places = {file.split("/")[0] for file, _ in found}
    assert places >= {"landing", "identity", "ledger.db", "working.duckdb", "hub", "publication", "dagster", "dbt"}
    assert len({file for file, _ in found if file.startswith("publication/history")}) == 2
    assert line.query(f"select count(*) from landing._quarantine where payload like '%{MOBILE}%'") == [(2,)]


def test_2_a_rehearsal_says_what_would_go_and_changes_nothing(line: Line):
    [[gid]] = line.read(f"select person_gid from person_crosswalk where source_key = '{KEYS[0]}' and is_current")
    served, files = line.hash_served(), sorted(path.name for path in line.home.iterdir())
    told = ask("erase", gid, "--dry-run")
    assert {"hubspot:99900099900", "forms:W-CANARY-0001"} <= set(told["records"])
    assert told["rows_erased"]["hubspot/contacts"] == 1
    assert told["rows_cleaned"].keys() >= {"hubspot/notes", "u8/customers"}
    assert (line.hash_served(), sorted(path.name for path in line.home.iterdir())) == (served, files)


def test_3_an_erasure_that_is_killed_is_completed_and_leaves_nothing(line: Line, monkeypatch: pytest.MonkeyPatch):
    records = [f"hubspot:{KEYS[0]}", f"wecom:{KEYS[1]}", f"forms:{KEYS[2]}"]
    others = read_others(line)
    unused = line.home / "models" / "organisation-of-other-rules"
    unused.mkdir()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:  # when landing and identity log are done and the publications are not
        patch.setattr("warehouse.erasure.perform.clean_ledger", die)
        arguments = ["erase", *records, "--entity", "person", "--reason", "asked in writing", "--by", "li", "--yes"]
        assert CliRunner().invoke(app, arguments).exit_code != 0
    assert journal_file(line.stores.home).exists()
    assert journal_file(line.stores.home).stat().st_mode & 0o777 == 0o600
    assert read_others(line) == others  # readers go on
    assert {path.name.partition("-")[0] for path in unused.parent.iterdir()} == {"organisation", "person"}
    assert not unused.exists()
    done = ask("erase", "--resume", "--yes")
    assert done["published_rows"] > 0
    assert not journal_file(line.stores.home).exists()
    assert find_canaries(line.home) == set()
    assert (line.home / "erasure.key").stat().st_mode & 0o777 == 0o600
    assert read_others(line) == others


def test_4_what_the_sources_still_have_does_not_come_back(line: Line, published: Line):
    others = read_others(line)
    # the working file is derived: here from the one of before, which holds nothing of the canaries
    shutil.copy(published.home / "working.duckdb", line.home)
    send_all(line)
    derive(line)
    assert find_canaries(line.home) == set()
    erased = dict(line.query("select source || '/' || stream, erased from landing._fates where erased > 0"))
    assert erased == {"hubspot/contacts": 1, "wecom/external_contacts": 1, "forms/web_leads": 3}
    send_all(line, title=f"{TITLE} (新)")
    derive(line)
    assert find_canaries(line.home) == set()
    fates = dict(line.query("select source || '/' || stream, erased from landing._fates where erased > 0"))
    assert fates == {**erased, "hubspot/contacts": 2, "wecom/external_contacts": 2}
    after = read_others(line)
    assert {name: after[name] for name in ("customers", "persons", "orders")} == {
        name: others[name] for name in ("customers", "persons", "orders")
    }


def test_5_every_id_resolves_and_every_kept_publication_is_served_again_without_the_person(line: Line):
    ended = line.read(
        "select distinct person_gid from person_crosswalk where starts_with(source_key, 'erased-') and not is_current"
    )
    assert ended
    retired = {gid for (gid,) in line.read("select customer_gid from identity_events where kind = 'retired'")}
    assert {gid for (gid,) in ended} <= retired
    [first, *_] = line.read("select run_id from _publication")
    assert ask("rollback", "--reason", "to see")["run_id"] != first[0]
    assert find_canaries(line.home) == set()
    assert line.read("select count(*) from dim_person")[0][0] > 0
