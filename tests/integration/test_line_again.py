"""Runs after the first: nothing new, a company that lived on, runs that were killed, a rebuild beside a source that refuses.

The home of this module goes through one story, in the order of the tests, because each chapter costs a whole run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest
import sqlalchemy as sa
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.definitions import defs
from orchestration.defs.gate import CONTRACT
from orchestration.lib.runs import open_instance
from orchestration.lib.sources import SYNCED
from sandbox.serve import Sandbox
from tests.integration.line_harness import MARKS, SOURCES, Line, fingerprint_tables, parse_json, start_company, trap_network
from tests.integration.line_killer import PLACES, start_and_kill
from tests.integration.traced import Traced, can_trace, run_traced
from warehouse import tables
from warehouse.status import read_status

pytestmark = MARKS

# what names the run or the moment and not the company
BOOKKEEPING = {"*": ("run_id",), "_publication": (), "reconciliation": ()}


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A twin of the company of the other tests, for its clock moves."""
    with start_company(tmp_path_factory.mktemp("twin")) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def living(published: Line, twin: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Line:
    line = published.copy_to(tmp_path_factory.mktemp("living") / "home")
    return Line(line.home, {**line.environment, **twin.env})


@pytest.fixture
def line(living: Line, twin: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Line:
    return living.enter(monkeypatch, SANDBOX_AS_OF=twin.as_of.isoformat())


def count_fates(line: Line) -> dict[str, tuple[int, ...]]:
    rows = line.query("select source || '.' || stream, * exclude (source, stream) from landing._fates")
    return {name: tuple(counts) for name, *counts in rows}


def read_landed(line: Line) -> dict[str, pl.DataFrame]:
    """What is accepted of every stream, without where it landed."""
    names = [name for (name,) in line.query("select table_name from information_schema.tables where table_schema = 'landing'")]
    left_out = "_batch_id, _row_no, _extracted_at"
    with line.stores.open_working() as con:
        return {
            name: con.sql(f'select * exclude ({left_out}) from landing."{name}" order by _key').pl()
            for name in names
            if not name.startswith("_")
        }


def read_served(line: Line) -> dict[str, pl.DataFrame]:
    with duckdb.connect(str(line.served), read_only=True) as con:
        return fingerprint_tables(con, BOOKKEEPING)


def assert_same(ours: dict[str, pl.DataFrame], theirs: dict[str, pl.DataFrame]) -> None:
    assert set(ours) == set(theirs)
    for name, frame in ours.items():
        try:
            assert_frame_equal(frame, theirs[name], check_exact=False, rel_tol=1e-9)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error


def test_1_a_run_with_nothing_new_derives_nothing_and_leaves_the_publication_alone(line):
    before, fates = line.hash_served(), count_fates(line)
    outcome = line.run()
    assert outcome.success, outcome.errors
    assert line.hash_served() == before
    assert count_fates(line) == fates
    assert line.verdict(outcome.run_id)[0] == "none"
    assert read_status(line.stores.home, line.stores.ledger)["run"]["state"] == "succeeded"
    # only what was read was checked: nothing was staged, resolved or derived
    assert {result.name for result in line.stores.ledger.check_results(outcome.run_id)} == {SYNCED}
    # and Dagster shows of all other checks what they found last
    checks = list(defs().resolve_asset_graph().asset_check_keys)
    shown = open_instance(line.home).event_log_storage.get_latest_asset_check_execution_by_key(checks)
    assert {check.name for check in checks if shown[check].run_id == outcome.run_id} == {SYNCED, CONTRACT}


def test_2_reading_everything_again_lands_nothing_new(line):
    fates = count_fates(line)
    outcome = line.sync_streams(*SOURCES, mode="full")
    assert outcome.success
    assert count_fates(line) == fates


def assert_whole(line: Line) -> None:
    promised = "select (n_rows->>'dim_customer')::BIGINT from _publication"
    assert line.read(f"select count(*) = ({promised}) from dim_customer") == [(True,)]


@pytest.mark.parametrize("place", list(PLACES))
def test_3_a_run_that_is_killed_changes_nothing_for_readers(line, twin, monkeypatch, place):
    if place == "landing":
        twin.advance(7)
        line = line.enter(monkeypatch, SANDBOX_AS_OF=twin.as_of.isoformat())
    before = line.hash_served()
    start_and_kill(line, place, lambda: assert_whole(line))
    assert_whole(line)
    assert (line.hash_served() == before) == (place != "publication after the swap")


def test_3_the_next_run_ends_those_that_were_killed_and_serves_what_the_ledger_says(line):
    """In Dagster too: a run that it still held for running would keep the queue waiting."""
    assert line.sync_streams("forms", mode="none").success
    ledger, instance = line.stores.ledger, open_instance(line.home)
    states = {row["run_id"]: row["state"] for row in ledger.read(sa.select(tables.run).order_by(tables.run.c.seq))}
    killed = list(states)[-len(PLACES) - 1 : -1]
    assert {states[run_id] for run_id in killed} == {"failed"}
    assert {instance.get_run_by_id(run_id).status for run_id in killed} == {dg.DagsterRunStatus.FAILURE}
    verdicts = [line.verdict(run_id) for run_id in killed]
    assert [verdict for verdict, _ in verdicts] == ["fail"] * 5 + ["pass"] * 3
    assert {reason for verdict, reason in verdicts if verdict == "fail"} == {"the run was killed before its verdict"}
    assert line.read("select run_id, seq from _publication") == [(killed[-1], 3)]
    assert line.read("select count(*) from _publication") == [(1,)]


def run_command(line: Line, record: Path) -> Traced:
    """`goldthread run` as a user types it; where strace is to be had, with all its calls to other machines on record."""
    command = [sys.executable, "-c", "from orchestration.cli.app import main; main()", "run", "--json"]
    if can_trace():
        return run_traced(command, line.environment, record)
    ended = subprocess.run(command, env={**os.environ, **line.environment}, check=False, capture_output=True, text=True)
    return Traced(ended.returncode, ended.stdout, ())


def test_4_the_run_after_them_calls_no_other_machine_and_lands_what_an_undisturbed_home_lands(
    line, published, tmp_path, monkeypatch
):
    run = run_command(line, tmp_path / "calls.txt")
    report = parse_json(run.output)
    assert run.code == 0, report["errors"]
    assert run.calls == ()
    assert line.read("select run_id from _publication") == [(report["run"]["run_id"],)]
    landed = read_landed(line)
    other = Line(published.copy_to(tmp_path / "home").home, line.environment).enter(monkeypatch)
    assert other.sync_streams(*SOURCES).success
    assert_same(landed, read_landed(other))


@pytest.mark.skipif(not can_trace(), reason="no strace here: only calls of Python's own sockets are seen (trap_network)")
def test_4_a_call_of_native_code_to_another_machine_would_be_on_record(line, tmp_path):
    program = "import psycopg; psycopg.connect('host=192.0.2.7 connect_timeout=2')"
    run = run_traced([sys.executable, "-c", program], line.environment, tmp_path / "calls.txt")
    assert run.code != 0
    assert "192.0.2.7" in run.calls


def test_5_what_ended_in_the_vendors_systems_is_a_tombstone(line, twin):
    tombs = {name: counts[4] for name, counts in count_fates(line).items() if counts[4]}
    assert sum(tombs.values()) > 0
    since = datetime.fromisoformat("2026-06-30T10:00:00+00:00")
    ended = 0
    for frame in twin._company.tables.values():
        passed = frame.filter(pl.col("_valid_from").is_between(since, twin.as_of, closed="right"))
        ended += passed.filter(pl.col("_op") != "upsert").height
    assert sum(tombs.values()) >= ended > 0


def test_5_a_record_that_ended_stands_for_the_customer_that_it_was_of(line):
    """Of a deleted record `explain` says when it ended and whose it was."""
    [(source, key, gid)] = line.read("""
        select source, source_key, arg_max(customer_gid, valid_to) as gid from crosswalk
        group by all having not bool_or(is_current) and gid in (select customer_gid from crosswalk where is_current)
        order by all limit 1
    """)
    told = json.loads(CliRunner().invoke(app, ["explain", f"{source}:{key}", "--json"], catch_exceptions=False).stdout)
    assert told["customer_gid"] == gid
    assert told["became"][0].startswith(f"{source}:{key} was deleted on ")
    assert told["became"][0].endswith(f": it was of {gid}")
    strange = CliRunner().invoke(app, ["explain", f"{source}:nobody"])
    assert f"no record {source}:nobody" in str(strange.exception)


def test_6_a_rebuild_equals_the_incremental_runs_although_a_source_refuses_us(line, monkeypatch):
    """Everything is derived anew from landing and ledger, while WeCom does not take our secret (decision 0003)."""
    # the last run resolved what changed since the state that lies beside its own (decision 0014)
    assert len(list((line.home / "hub" / "organisation").iterdir())) == 2
    incremental = read_served(line)
    secret = "not-the-secret-of-this-app"
    line = line.enter(monkeypatch, WECOM_SECRET=secret)
    with trap_network() as attempts:
        outcome = line.run("rebuild", wecom="incremental")
    assert outcome.success, outcome.errors
    assert attempts == []
    assert line.read("select run_id from _publication") == [(outcome.run_id,)]
    synced = line.check(outcome.run_id, SYNCED)
    refused = {asset: result for asset, result in synced.items() if not result[0]}
    assert set(refused) == {
        f"wecom/{name}" for name in ("approvals", "checkins", "departments", "external_contacts", "tags", "users")
    }
    for _, severity, detail in refused.values():
        assert severity == "warn"
        assert "40001" in detail
        assert secret not in detail
    assert_same(read_served(line), incremental)
    assert {"identity_events", "crosswalk", "fct_phi_daily"} <= set(incremental)


def test_7_a_rebuild_asks_no_vendor(line, twin):
    """The story's rebuild read no CRM: its counters stood still while it ran; asked here of a part, which costs little."""
    before = twin.describe_state()["requests"]
    outcome = line.sync_streams("hubspot", mode="none")
    assert outcome.success
    assert twin.describe_state()["requests"] == before


def test_8_the_working_file_is_only_derived(line):
    assert Path(line.stores.home.working).exists()
    assert not list(line.home.rglob("*.tmp"))
