"""One seeded defect for every check of the gate: the verdict fails and names check, table and rows; what is served stays.

Each defect is put into one copy of the published home and taken back; the check's own code looks at it, and its result becomes
the only failed one of a run that passed otherwise. test_line_gate.py takes a defect of each suite through Dagster.
"""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from inspect import getsource
from typing import Any

import dagster as dg
import duckdb
import polars as pl
import pytest

import hub.invariants
from connectors.base import Stream
from connectors.catalog import declare_streams
from hub.invariants import Limits, check_invariants
from hub.kept.outcome import Whole
from hub.rules.read import load_rules
from orchestration.defs.dbt import judge_test
from orchestration.defs.gate import BALANCED, CONTRACT, GOLDEN, RECONCILIATION
from orchestration.defs.hub import CUSTOMERS, INVARIANTS
from orchestration.lib import dbt, gate
from orchestration.lib.identity import LOG_SCHEMA, Identities, describe_findings, resolve_identities
from orchestration.lib.limits import read_rules
from orchestration.lib.metrics import measure_golden
from orchestration.lib.sources import SYNCED
from orchestration.lib.suites import find_golden_defects, find_landing_defects
from orchestration.project import current_project
from tests.integration import gate_defects
from tests.integration.gate_defects import DBT, LOST, MISSING, Defect
from tests.integration.hub_defects import CASES, HUB
from tests.integration.line_harness import MARKS, Line
from warehouse import tables
from warehouse.errors import PublicationRefused
from warehouse.identity_log import read_events
from warehouse.ledger import CheckResult
from warehouse.publication import publish
from warehouse.reconcile import Equality, reconcile

pytestmark = MARKS


@dataclass(frozen=True)
class Gate:
    """A copy of the published home, the checks that its run passed, and what is served."""

    line: Line
    passed: tuple[CheckResult, ...]
    served: str
    streams: tuple[tuple[str, Stream], ...]
    manifest: Mapping[str, Any]

    @contextmanager
    def broken(self, *defects: Defect) -> Iterator[duckdb.DuckDBPyConnection]:
        """The working file with defects, for as long as the block lasts."""
        with self.line.stores.open_working() as con:
            con.execute("begin")
            for statement in [statement for defect in defects for statement in defect.breaks]:
                assert con.execute(statement).fetchall() != [(0,)], f"changed nothing: {statement}"
            yield con
            con.execute("rollback")

    def reconcile(self, con: duckdb.DuckDBPyConnection) -> list[str]:
        staged, stores = gate.find_staging_models(self.manifest), self.line.stores
        feeds = gate.count_feed_fates(con, gate.find_feed_models(self.manifest), self.streams)
        frame = reconcile(con, stores.home, stores.ledger, "looked-at", gate.count_staged(con, staged), feeds)
        return frame.filter(~pl.col("ok"))["message"].to_list()

    def refuse(self, asset: dg.AssetKey, name: str, broken: Sequence[str], says: Sequence[str]) -> None:
        """A run in which this check alone found something: it may not be published, and must say why."""
        run_id = str(uuid.uuid4())
        self.record(run_id)
        self.line.stores.judge(run_id, asset, name, broken)
        self.assert_refused(run_id, name, says)

    def record(self, run_id: str) -> None:
        ledger = self.line.stores.ledger
        ledger.start_run(run_id)
        ledger.record_checks(run_id, list(self.passed))

    def assert_refused(self, run_id: str, name: str, says: Sequence[str]) -> None:
        stores = self.line.stores
        decision = gate.decide(stores.ledger, run_id, [(result.asset, result.name) for result in self.passed])
        assert decision["verdict"] == "fail"
        assert [text for text in (f"{name}: ", *says) if text not in decision["reason"]] == [], decision["reason"]
        with pytest.raises(PublicationRefused) as refusal:
            publish(stores.home, stores.ledger, run_id, [("marts", "dim_customer")], "0", "0")
        assert decision["reason"] in str(refusal.value)
        assert self.line.hash_served() == self.served


@pytest.fixture(scope="module")
def copy(published: Line, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with pytest.MonkeyPatch.context() as patch:
        line = published.copy_to(tmp_path_factory.mktemp("defects") / "home").enter(patch)
        project, passed = current_project(), line.stores.ledger.check_results(line.newest_run)
        streams = tuple(
            (source.name, stream)
            for source in project.sources
            for stream in declare_streams(source.kind, source.settings, project.folder)
        )
        yield Gate(line, tuple(passed), line.hash_served(), streams, gate.read_project_manifest(project))


def test_the_copy_has_no_defect(copy):
    assert all(result.passed or result.severity == "warn" for result in copy.passed)
    with copy.line.stores.open_working() as con:
        missing = gate.find_missing_columns(copy.line.stores, copy.streams)
        landing = find_landing_defects(con, copy.streams, missing, current_project().now())
        assert [text for texts in landing.values() for text in texts] == []
        assert find_golden_defects(con) == []
        assert copy.reconcile(con) == []


@pytest.fixture(scope="module")
def landed(copy: Gate) -> Mapping[str, Sequence[str]]:
    """What is said of each stream when landing has every defect at once."""
    state, ledger = tables.stream_state, copy.line.stores.ledger
    where = (state.c.source == "u8") & (state.c.stream == "orders")
    [row] = ledger.read(state.select().where(where))
    with ledger.write() as connection:
        connection.execute(state.update().where(where).values(present=[name for name in row["present"] if name != "dDate"]))
    missing = gate.find_missing_columns(copy.line.stores, copy.streams)
    with ledger.write() as connection:
        connection.execute(state.update().where(where).values(present=row["present"]))
    with copy.broken(*gate_defects.LANDING) as con:
        return find_landing_defects(con, copy.streams, missing, current_project().now())


@pytest.mark.parametrize("defect", [*gate_defects.LANDING, MISSING], ids=str)
def test_a_landed_table_that_breaks_its_contract_is_refused_with_its_rows(copy, landed, defect):
    stream, rule = defect.says[0].split(" (")[0].split(": ")
    [broken] = [text for text in landed[stream] if text.startswith(f"{stream}: {rule} (")]
    copy.refuse(dg.AssetKey(stream.split(".")), CONTRACT, [broken], defect.says)


@pytest.mark.parametrize("defect", gate_defects.GOLDEN, ids=str)
def test_golden_records_that_cannot_be_right_are_refused_with_their_ids(copy, defect):
    with copy.broken(defect) as con:
        broken = find_golden_defects(con)
    copy.refuse(CUSTOMERS, GOLDEN, broken, defect.says)


@pytest.mark.parametrize("defect", gate_defects.RECONCILIATION, ids=str)
def test_rows_that_do_not_add_up_are_refused_with_their_stream(copy, defect):
    with copy.broken(defect) as con:
        broken = copy.reconcile(con)
    copy.refuse(RECONCILIATION, BALANCED, broken, defect.says)


def test_a_landing_file_that_lost_rows_is_refused_with_its_stream(copy, tmp_path):
    path = min((copy.line.home / "landing" / "u8" / "orders").glob("*.parquet"))
    shutil.copy(path, tmp_path / path.name)
    pl.read_parquet(path).head(-3).write_parquet(path)
    with copy.line.stores.open_working() as con:
        broken = copy.reconcile(con)
    shutil.copy(tmp_path / path.name, path)
    copy.refuse(RECONCILIATION, BALANCED, broken, LOST.says)


@pytest.fixture(scope="module")
def tested(copy: Gate, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, CheckResult]:
    """Every dbt test that has a defect, run over a working file that holds all of them: result by name.

    dbt leaves out what hangs on a table that failed; that is run again without it, until every test has run.
    """
    working = tmp_path_factory.mktemp("tested") / "working.duckdb"
    shutil.copy(copy.line.home / "working.duckdb", working)
    with duckdb.connect(str(working)) as con:
        for statement in [statement for defect in DBT for statement in defect.breaks]:
            assert con.execute(statement).fetchall() != [(0,)], f"changed nothing: {statement}"
    starts = tuple(defect.says[0] for defect in DBT)
    waiting = {
        unique_id: "fqn:" + ".".join(node["fqn"])
        for unique_id, node in copy.manifest["nodes"].items()
        if node["resource_type"] == "test" and node["name"].startswith(starts)
    }
    target, told = copy.line.home / "dbt", {"as_of": current_project().now().isoformat(), "run_id": "looked-at"}
    found: list[dbt.NodeResult] = []
    while waiting:
        fresh = list(dbt.build(waiting.values(), target=target, working=working, variables=told))
        assert fresh, f"dbt ran none of {sorted(waiting)}"
        waiting = {unique_id: name for unique_id, name in waiting.items() if unique_id not in {one.unique_id for one in fresh}}
        found += fresh
    with duckdb.connect(str(working)) as con:
        return {result.name: judge_test(con, target, copy.manifest, result) for result in found}


@pytest.mark.parametrize("defect", DBT, ids=str)
def test_a_table_that_fails_a_dbt_test_is_refused_with_its_rows(copy, tested, defect):
    [result] = [result for name, result in tested.items() if name.startswith(defect.says[0])]
    run_id = str(uuid.uuid4())
    copy.record(run_id)
    copy.line.stores.ledger.record_checks(run_id, [result])
    copy.assert_refused(run_id, result.name, defect.says)


@dataclass(frozen=True)
class Resolved:
    """What the hub makes of the copy, with what it was made of."""

    identities: Identities
    parties: pl.DataFrame
    persons: pl.DataFrame
    log: pl.DataFrame

    def check(self, entity: str, **changes: pl.DataFrame) -> list[str]:
        """What is said of the resolution with other frames in it; `log` changes the identity log."""
        whole = self.find(entity)
        records = self.parties if entity == "organisation" else self.persons
        log = changes.pop("log", self.log)
        return describe_findings(whole, check_invariants(replace(whole, **changes), records, Limits(), log))

    def find(self, entity: str) -> Whole:
        return (self.identities.organisations if entity == "organisation" else self.identities.persons).whole


@pytest.fixture(scope="module")
def resolved(copy: Gate) -> Resolved:
    stores = copy.line.stores
    log = read_events(stores.home, stores.ledger, LOG_SCHEMA)
    with stores.open_working() as con:
        now = current_project().now()
        identities = resolve_identities(con, stores.home, current_project().rules, log, stores.read_decisions(), "looked-at", now)
        parties = con.sql("select * from intermediate.int_parties_unioned").pl()
        persons = con.sql("select * from intermediate.int_persons_unioned").pl()
    assert identities.broken == []
    return Resolved(identities, parties, persons, log)


@pytest.mark.parametrize(("entity", "name"), CASES)
def test_a_resolution_that_breaks_an_invariant_is_refused_with_its_cases(copy, resolved, entity, name):
    found = resolved.find(entity)
    change, says = HUB[name]
    unlogged = resolved.log.filter(pl.col("customer_gid") != found.golden["gid"][0])
    broken = resolved.check(entity, **(change(found) if change else {"log": unlogged}))
    [text] = [text for text in broken if text.startswith(f"{entity} {name}: ")]
    assert says in text
    assert re.search(r"\(.+\)$", text), "it names no case"
    assert "no case to show" not in text
    copy.refuse(CUSTOMERS, INVARIANTS, [text], (f"{entity} {name}: ", says))


def list_checks(copy: Gate) -> set[str]:
    """Every check that can fail a run, read from the code, the policy, the manifest and what a run measures."""
    with copy.line.stores.open_working() as con:
        measured = measure_golden(con).to_dicts()
    golden = {f"golden.{row['subject']}.{name}" for row in measured for name, value in row.items() if value is not None}
    blocking = set(gate.list_blocking_tests(copy.manifest))
    nodes = [node for node in copy.manifest["nodes"].values() if node["resource_type"] == "test" and node["name"] in blocking]
    # what an addition to a hub in a folder overwrites is not the line's
    invariants = getsource(hub.invariants).replace(getsource(hub.invariants._check_overwritten), "")
    reports = re.findall(r'(?:_report|Finding)\(\s*"(\w+)"|\bname = "(\w+)"', invariants)
    return {
        *(f"landing.{rule.column}" for rule in read_rules("landing")),
        *(golden - {f"golden.{row['subject']}.subject" for row in measured}),
        *(f"reconciliation.{equality.name}" for equality in Equality),
        *(f"dbt.{node['test_metadata']['name'] if 'test_metadata' in node else node['name']}" for node in nodes),
        *(f"hub.{one or other}" for one, other in reports),
        *(f"hub.one_{part.replace('.', '_')}" for part in load_rules("organisation").barriers),
    }


def test_every_check_has_a_seeded_defect(copy):
    seeded = {defect.check for defect in (*gate_defects.LANDING, *gate_defects.GOLDEN, *gate_defects.RECONCILIATION, *DBT)}
    seeded |= {MISSING.check, LOST.check, *(f"hub.{name}" for name in HUB)}
    assert list_checks(copy) == seeded


def test_every_check_of_an_asset_is_of_a_suite_that_is_looked_at_here(copy):
    tests = {node["name"] for node in copy.manifest["nodes"].values() if node["resource_type"] == "test"}
    # a source that cannot be read: test_line_trouble.py
    assert {result.name for result in copy.passed} - tests == {SYNCED, CONTRACT, GOLDEN, BALANCED, INVARIANTS}
