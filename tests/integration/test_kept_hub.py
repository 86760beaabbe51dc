"""A run of the line resolves what changed since the publication that it builds on, with the outcome of a full one."""

import shutil
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from hub.decide import Book
from hub.decisions import DECISION_SCHEMA
from hub.rules.read import load_rules
from orchestration.lib.identity import LOG_SCHEMA, Identities, keep_identities, list_tables, resolve_identities
from orchestration.lib.models import read_kept_model, settle_retrained
from tests.unit.hub.conftest import DAY_ONE, make_company_records
from warehouse import tables
from warehouse.home import Home
from warehouse.ledger import open_ledger
from warehouse.publication import Publication

pytestmark = pytest.mark.integration
_CHOICES = [(firm, spelling, spelling == 0, True) for firm in range(5) for spelling in range(3)]
_UNEQUAL = {"seconds", "peak_mb", "added", "changed", "deleted", "records_reached"}


@dataclass
class Line:
    """A home, its identity log, and its runs."""

    home: Home
    log: pl.DataFrame = field(default_factory=lambda: LOG_SCHEMA.to_frame())
    runs: int = 0

    def run(
        self, parties: pl.DataFrame, decisions: pl.DataFrame, *, publish: bool = True, retrain: bool = False, **changed: Any
    ) -> Identities:
        """Resolve as the asset does; only a publication makes the events true. changed: rules of organisations."""
        rules = {"organisation": replace(load_rules("organisation"), **changed), "person": load_rules("person")}
        self.runs += 1
        run_id, at = f"run{self.runs}", DAY_ONE + timedelta(days=self.runs)
        with duckdb.connect() as con:
            con.execute("create schema intermediate")
            persons = parties.select("source", "source_key", "mobile", full_name=pl.lit("王小明"), party_source_key="source_key")
            values = parties.select("source", "source_key", value=pl.lit(2.0))
            for name, frame in (("int_parties_unioned", parties), ("int_party_values", values), ("int_persons_unioned", persons)):
                con.register("incoming", frame)
                con.execute(f"create table intermediate.{name} as select * from incoming")
            found = resolve_identities(con, self.home, rules, self.log, decisions, run_id, at, retrain=retrain)
        keep_identities(self.home, run_id, self.log, found)
        if publish:
            self.log = pl.concat([self.log, found.new_events])
        return found

    def copy(self, folder: Path) -> "Line":
        """The same home without its kept states: what runs there resolves everything."""
        shutil.copytree(self.home.path, folder)
        shutil.rmtree(folder / "hub")
        return Line(Home(folder), self.log, self.runs)


@pytest.fixture
def line(tmp_path: Path) -> Line:
    (tmp_path / "home").mkdir()
    return Line(Home(tmp_path / "home"))


def is_addition(found: Identities) -> list[bool]:
    return ["added" in entity.whole.report for entity in (found.organisations, found.persons)]


def assert_same(one: Identities, other: Identities) -> None:
    for ours, theirs in ((one.organisations, other.organisations), (one.persons, other.persons)):
        tables = list_tables(theirs.whole)
        for name, frame in list_tables(ours.whole).items():
            assert_frame_equal(frame, tables[name])
        reports = [{k: v for k, v in entity.whole.report.items() if k not in _UNEQUAL} for entity in (ours, theirs)]
        for report in reports:
            # how large the largest block is, an addition does not look at
            report["candidate_keys"] = [
                {k: v for k, v in key.items() if k != "largest_block"} for key in report["candidate_keys"]
            ]
        assert reports[0] == reports[1]
        assert_frame_equal(ours.whole.list_pairs(), theirs.whole.list_pairs())
        assert ours.findings == theirs.findings
    assert_frame_equal(one.new_events, other.new_events)


def test_a_run_with_changes_says_what_a_full_run_says(line: Line, tmp_path: Path) -> None:
    nobody, book = DECISION_SCHEMA.to_frame(), Book("organisation")
    first = line.run(make_company_records(_CHOICES[:11]), nobody)
    assert is_addition(first) == [False, False]
    book.decide("merge", [("crm", "r000")], [("crm", "r003")], actor="li", reason="one owner", at=DAY_ONE)
    changed = make_company_records([(4, 0, False, True), *_CHOICES[1:]])
    whole = line.copy(tmp_path / "whole")
    second, reference = (home.run(changed.filter(pl.col("source_key") != "r004"), book.log) for home in (line, whole))
    assert (is_addition(second), is_addition(reference)) == ([True, True], [False, False])
    assert_same(second, reference)
    report = second.organisations.whole.report
    assert (report["added"], report["changed"], report["deleted"]) == (4, 1, 1)
    again = line.run(changed.filter(pl.col("source_key") != "r004"), book.log)
    assert again.new_events.height == 0
    assert len(list((line.home.hub / "organisation").iterdir())) == 2


def test_what_was_not_published_or_is_damaged_is_not_built_on(line: Line, tmp_path: Path) -> None:
    nobody, records = DECISION_SCHEMA.to_frame(), make_company_records(_CHOICES)
    line.run(records[:9], nobody)
    lost = line.run(records, nobody, publish=False)
    assert lost.new_events.height
    whole = line.copy(tmp_path / "whole")
    third, reference = (home.run(records[1:12], nobody) for home in (line, whole))
    assert is_addition(third) == [True, True]
    assert_same(third, reference)
    [newest] = (folder for folder in (line.home.hub / "person").iterdir() if folder.name == "run3")
    (newest / "owner.npy").write_bytes(b"half")
    assert is_addition(line.run(records, nobody)) == [True, False]


def test_another_model_resolves_everything(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody, records = DECISION_SCHEMA.to_frame(), make_company_records(_CHOICES)
    line.run(records, nobody)
    shutil.rmtree(line.home.models)
    assert is_addition(line.run(records, nobody)) == [False, False]
    monkeypatch.setattr("orchestration.lib.kept_hub.fingerprint_package", lambda name: "other code")
    assert is_addition(line.run(records, nobody)) == [False, False]


def test_other_rules_resolve_everything_and_ids_stay_where_members_do(line: Line) -> None:
    nobody, records = DECISION_SCHEMA.to_frame(), make_company_records(_CHOICES)
    before = line.run(records, nobody).organisations.whole
    strict = line.run(records, nobody, match_bits=60.0)
    assert is_addition(strict) == [False, True]
    after = strict.organisations.whole
    assert after.golden.height > before.golden.height
    assert set(before.golden["gid"]) <= set(after.golden["gid"])
    assert is_addition(line.run(records, nobody, match_bits=60.0)) == [True, True]
    assert len(list(line.home.models.iterdir())) == 2
    line.run(records, nobody, uncertain=())
    assert len(list(line.home.models.iterdir())) == 3


def test_retraining_learns_from_decisions_when_it_is_published_and_ids_stay(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.training.train.LEAST_LABELS", 2)
    monkeypatch.setattr("hub.training.train.LEAST_OF_EACH", 1)
    nobody, records = DECISION_SCHEMA.to_frame(), make_company_records(_CHOICES)
    rules, ledger = load_rules("organisation"), open_ledger(line.home)
    before = line.run(records, nobody).organisations.whole
    book, ends = Book("organisation"), records.select("source", "source_key").rows()
    for firm in range(0, 15, 3):
        book.decide("merge", [ends[firm + 1]], [ends[firm + 2]], actor="li", reason="", at=DAY_ONE)
        book.decide("never", [ends[firm]], [ends[(firm + 3) % 15]], actor="li", reason="", at=DAY_ONE)
    assert is_addition(line.run(records, book.log)) == [True, True]
    for is_published in (False, True):
        retrained = line.run(records, book.log, retrain=True)
        assert is_addition(retrained) == [False, False]
        assert read_kept_model(line.home.models, rules).version == before.model.version
        if is_published:
            row = Publication(1, f"run{line.runs}", "publish", "f", None, None, None, "c", "r", {}, DAY_ONE, DAY_ONE)
            with ledger.write() as connection:
                connection.execute(tables.publication.insert().values(**vars(row)))
        settle_retrained(line.home, ledger)
    model = read_kept_model(line.home.models, rules)
    assert model.version == retrained.organisations.whole.model.version
    assert model.weights != before.model.weights
    assert_frame_equal(retrained.organisations.whole.golden.select("gid"), before.golden.select("gid"))
    assert len(list(line.home.models.iterdir())) == 2
    assert is_addition(line.run(records, book.log)) == [True, True]


def test_after_a_retraining_that_was_not_published_the_old_model_stays_and_the_next_run_is_as_if_there_had_been_none(
    line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.training.train.LEAST_LABELS", 2)
    monkeypatch.setattr("hub.training.train.LEAST_OF_EACH", 1)
    records, rules, book = make_company_records(_CHOICES), load_rules("organisation"), Book("organisation")
    ends = records.select("source", "source_key").rows()
    for firm in range(0, 15, 3):
        book.decide("merge", [ends[firm + 1]], [ends[firm + 2]], actor="li", reason="", at=DAY_ONE)
        book.decide("never", [ends[firm]], [ends[(firm + 3) % 15]], actor="li", reason="", at=DAY_ONE)
    before = line.run(records[:12], DECISION_SCHEMA.to_frame()).organisations.whole.model
    failed = line.run(records[:12], book.log, retrain=True, publish=False).organisations.whole.model
    assert failed.weights != before.weights
    whole = line.copy(tmp_path / "whole")
    for home in (line.home, whole.home):
        # as the next run begins
        settle_retrained(home, open_ledger(home))
        assert read_kept_model(home.models, rules).version == before.version
        assert len(list(home.models.iterdir())) == 2
    following, reference = (home.run(records, book.log) for home in (line, whole))
    assert is_addition(reference) == [False, False]
    assert following.organisations.whole.model.version == before.version
    assert_same(following, reference)
    assert is_addition(line.run(records, book.log)) == [True, True]
