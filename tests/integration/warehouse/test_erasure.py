"""Erasing records from the stores: what goes, what stays, what does not come back (I-10)."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest
import sqlalchemy as sa

from connectors.base import Field, Stream
from tests.unit.warehouse.conftest import SOURCE, Store
from warehouse.batches import list_batches, list_files
from warehouse.erasure.databases import clean_duckdb, clean_sqlite, vacuum_sqlite
from warehouse.erasure.keys import key_file, open_key
from warehouse.erasure.perform import erase
from warehouse.erasure.plan import Carrier, Plan, read_journal, write_journal
from warehouse.erasure.survey import Subject, Survey, survey_landing
from warehouse.erasure.traces import Scrubber, Traces
from warehouse.errors import WarehouseError
from warehouse.ledger import Ledger, open_ledger
from warehouse.reconcile import reconcile
from warehouse.working import open_working

pytestmark = pytest.mark.integration

PEOPLE = Stream(
    name="people",
    key=("id",),
    fields=(Field("id", required=True), Field("name"), Field("mobile"), Field("age", "integer")),
    cursor="watermark",
    deletes="none",
    description="",
)
NOTES = Stream(
    name="notes",
    key=("no",),
    fields=(Field("no", required=True), Field("text"), Field("about"), Field("mobile")),
    cursor="watermark",
    deletes="none",
    description="",
)
STREAMS = {(SOURCE, "people"): PEOPLE, (SOURCE, "notes"): NOTES}
CARRIERS = [Carrier(SOURCE, PEOPLE, "person", "id", (("name",),))]
WANG = {"id": "P-100001", "name": "王小明", "mobile": "138 0013 8000", "age": "41"}
LI = {"id": "P-1000012", "name": "李雷", "mobile": "13900139000", "age": "30"}
NOTE = {"no": "1", "text": "与王小明通话 (+86 138-0013-8000)", "about": "P-100001", "mobile": "13800138000"}
OTHER_NOTE = {"no": "2", "text": "李雷, 13900139000", "about": "P-1000012", "mobile": None}


def survey(store: Store, key: str) -> Survey:
    subject = Subject(records=frozenset({("person", SOURCE, key)}))
    members = {(SOURCE, "P-100001"), (SOURCE, "P-1000012")}
    return survey_landing(
        store.home, store.ledger, open_key(store.home), subject, STREAMS, CARRIERS, frozenset(), Traces(), members
    )


def erase_person(store: Store, key: str = "P-100001", erasure_id: str = "era_1") -> dict[str, int]:
    found = survey(store, key)
    plan = Plan(erasure_id, "li", "asked", datetime.now(UTC), found.targets, found.entries, found.traces)
    with store.home.hold_run_lock(erasure_id) as lock:
        return erase(store.home, store.ledger, lock, plan, STREAMS, [])


def read_landed(store: Store, stream: Stream) -> list[dict]:
    files = [store.home.landing / file for file in list_files(list_batches(store.ledger, SOURCE, stream.name))]
    frames = [pl.read_parquet(file) for file in files]
    return [row for frame in frames for row in frame.select(field.name for field in stream.fields).to_dicts()]


@pytest.fixture
def seeded(store: Store) -> Store:
    store.land([WANG, LI], stream=PEOPLE)
    store.land([{**WANG, "age": "42"}], stream=PEOPLE)
    store.land([NOTE, OTHER_NOTE], stream=NOTES)
    return store


def test_every_version_of_the_record_goes_and_others_rows_lose_only_what_tells_of_it(seeded: Store):
    done = erase_person(seeded)
    assert (done["rows_erased"], done["rows_cleaned"]) == (2, 1)
    assert read_landed(seeded, PEOPLE) == [LI]
    [note, other] = read_landed(seeded, NOTES)
    assert (note["text"], note["mobile"]) == ("与[erased]通话 ([erased])", None)
    assert note["about"].startswith("erased-")
    assert other == OTHER_NOTE


def test_the_counts_of_the_ledger_reconcile_after_it(seeded: Store):
    erase_person(seeded)
    fates = seeded.load(PEOPLE)
    seeded.load(NOTES)
    assert (fates.rows_in, fates.accepted, fates.erased) == (3, 1, 2)
    with open_working(seeded.home) as connection:
        assert reconcile(connection, seeded.home, seeded.ledger, "run-1", {}).filter(~pl.col("ok")).height == 0


def test_erasing_another_record_of_the_same_batch_adds_to_its_count(seeded: Store):
    erase_person(seeded)
    erase_person(seeded, "P-1000012", "era_2")
    assert [batch.n_erased for batch in list_batches(seeded.ledger, SOURCE, "people")] == [2, 1]
    assert seeded.load(PEOPLE).rows_in == 3


def test_what_was_erased_is_held_back_and_counted_once_per_content(seeded: Store):
    erase_person(seeded)
    again = seeded.land([{**WANG, "age": "42"}, LI], stream=PEOPLE, rereads=True)
    assert (again.n_rows, again.n_repeats) == (0, 2)
    changed = seeded.land([{**WANG, "age": "43"}, {**LI, "age": "31"}], stream=PEOPLE, rereads=True)
    assert (changed.n_rows, changed.n_repeats) == (1, 0)
    assert seeded.land([{**WANG, "age": "43"}], stream=PEOPLE, rereads=True).n_repeats == 1
    assert seeded.land(stream=PEOPLE, deleted=[{"id": "P-100001"}]).n_rows == 0
    fates = seeded.load(PEOPLE)
    assert (fates.rows_in, fates.accepted, fates.superseded, fates.erased) == (5, 1, 1, 3)
    assert "王小明" not in str(read_landed(seeded, PEOPLE))


def test_a_row_that_quoted_the_person_lands_again_without_the_quote(seeded: Store):
    erase_person(seeded)
    assert seeded.land([NOTE], stream=NOTES, rereads=True).n_repeats == 1
    seeded.land([{**NOTE, "text": "王小明不要再打 13800138000 了"}], stream=NOTES, rereads=True)
    newest = read_landed(seeded, NOTES)[-1]
    assert newest == {"no": "1", "text": "[erased]不要再打 [erased] 了", "about": None, "mobile": None}


def test_a_mobile_that_somebody_else_has_too_stays_with_them(seeded: Store):
    seeded.land([{"id": "P-200002", "name": "赵钱孙", "mobile": "13800138000", "age": "20"}], stream=PEOPLE)
    assert survey(seeded, "P-100001").kept == ("1 mobiles, e-mails or keys that another record has too",)
    erase_person(seeded)
    assert {row["mobile"] for row in read_landed(seeded, PEOPLE)} == {"13900139000", "13800138000"}


def test_with_another_key_nothing_lands_rather_than_everything_again(seeded: Store):
    erase_person(seeded)
    assert key_file(seeded.home).stat().st_mode & 0o777 == 0o600
    key_file(seeded.home).write_text("another")
    with pytest.raises(WarehouseError, match="GOLDTHREAD_ERASURE_KEY"):
        seeded.land([LI], stream=PEOPLE)


def test_the_journal_reads_as_it_was_written_and_ends_with_the_erasure(seeded: Store):
    found = survey(seeded, "P-100001")
    plan = Plan("era_1", "li", "asked", datetime.now(UTC), found.targets, found.entries, found.traces, found.n_rows)
    write_journal(seeded.home, plan)
    assert read_journal(seeded.home) == plan
    erase_person(seeded)
    assert read_journal(seeded.home) is None


def test_an_erasure_done_again_after_a_kill_counts_no_row_twice(seeded: Store, monkeypatch: pytest.MonkeyPatch):
    found = survey(seeded, "P-100001")
    plan = Plan("era_1", "li", "asked", datetime.now(UTC), found.targets, found.entries, found.traces)
    for stop in ("clean_identity_files", "clean_ledger", "clean_publications", "end_erasure"):
        with monkeypatch.context() as patch, seeded.home.hold_run_lock("era_1") as lock:
            patch.setattr(f"warehouse.erasure.perform.{stop}", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                erase(seeded.home, seeded.ledger, lock, plan, STREAMS, [])
        assert read_journal(seeded.home) == plan
    with seeded.home.hold_run_lock("era_1") as lock:
        erase(seeded.home, seeded.ledger, lock, plan, STREAMS, [])
    assert seeded.load(PEOPLE).erased == 2


def test_a_scrubber_leaves_longer_keys_and_namesakes_alone():
    traces = Traces(
        records={("crm", "17"): "erased-a"},
        keys={"K100005": "erased-b"},
        contacts=frozenset({"13800138000"}),
        names=frozenset({"王芳"}),
    )
    scrubber = Scrubber(traces)
    assert scrubber.clean_text("K1000051, 17, 王芳") == "K1000051, 17, 王芳"
    assert scrubber.clean_text("K100005 王芳 crm:17") == "erased-b [erased] crm:erased-a"
    row = {"source": "crm", "source_key": "17", "value": "王芳", "groups": [{"source": "crm", "source_key": "17"}]}
    assert scrubber.clean_row(row) == {
        "source": "crm",
        "source_key": "erased-a",
        "value": None,
        "groups": [{"source": "crm", "source_key": "erased-a"}],
    }
    other = {"source": "erp", "source_key": "17", "value": "王芳", "groups": None}
    assert scrubber.clean_row(other) is other


def test_a_database_is_written_anew_in_the_same_order_and_has_no_free_pages_with_it(tmp_path: Path):
    path = tmp_path / "file.duckdb"
    with duckdb.connect(str(path)) as con:
        group = "[{'source': 'a', 'source_key': 'k'}]"
        con.execute(f"create table people as select range as no, 'name ' || range as name, {group} as g from range(5000)")
        con.execute("update people set name = 'canary@example.cn' where no = 4321")
        con.execute("comment on table people is 'Who.'; comment on column people.no is 'Number.'")
    assert clean_duckdb(path, Scrubber(Traces(contacts=frozenset({"Canary@example.cn"}))), frozenset(), "v1.0.0") == 1
    assert b"canary" not in path.read_bytes()
    with duckdb.connect(str(path), read_only=True) as con:
        rows = con.execute("select no, name, g from people").fetchall()
        told = con.execute("select comment from duckdb_tables() union all select comment from duckdb_columns()").fetchall()
    assert [text for (text,) in told if text] == ["Who.", "Number."]
    assert [no for no, *_ in rows] == list(range(5000))
    assert rows[4321] == (4321, None, [{"source": "a", "source_key": "k"}])
    before = path.stat().st_mtime_ns
    assert clean_duckdb(path, Scrubber(Traces(contacts=frozenset({"nobody@example.cn"}))), frozenset(), "v1.0.0") == 0
    assert path.stat().st_mtime_ns == before


def test_an_sqlite_file_of_a_tool_loses_the_text_and_its_free_pages(tmp_path: Path):
    path = tmp_path / "tool.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table events (body text, size integer)")
        connection.executemany("insert into events values (?, ?)", [(f"event {n} canary@example.cn", n) for n in range(500)])
        connection.execute("delete from events where size > 3")
    scrubber = Scrubber(Traces(contacts=frozenset({"canary@example.cn"})))
    assert clean_sqlite(path, scrubber) == 4
    vacuum_sqlite(path)
    assert b"canary" not in path.read_bytes()


def test_a_ledger_of_before_gets_the_new_counts(store: Store):
    store.land([LI], stream=PEOPLE)
    with store.ledger.write() as connection:
        connection.execute(sa.text("alter table batch drop column n_erased"))
    reopened: Ledger = open_ledger(store.home)
    assert [batch.n_erased for batch in list_batches(reopened, SOURCE, "people")] == [0]
