"""A kept hub resolved anew: other rules, thresholds and models, the same ids wherever members overlap (I-2, I-3)."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from hub.decide import Book
from hub.model import read_model
from hub.rebuild import rebuild
from hub.resolve import resolve
from hub.results.hierarchy import add_hierarchy
from hub.rules.model import Alias, RulesError
from hub.store import Hub, StoreError, read_events, read_state, resolve_into
from orchestration.cli.app import app
from orchestration.project import ProjectError
from tests.unit.hub.conftest import DAY_ONE, load_few_rules, make_company_records

pytestmark = pytest.mark.integration

RULES = load_few_rules()
KEYS = ["source", "source_key"]
CHOICES = [(firm, spelling, spelling == 0, spelling < 2) for firm in range(5) for spelling in range(3)]


def found_hub(folder):
    """A hub of 15 records in two additions."""
    records = make_company_records(CHOICES)
    resolve_into(folder, records[:9], RULES, "run0", DAY_ONE)
    return records, resolve_into(folder, records[9:], RULES, "run1", DAY_ONE)


def assert_ids_lasted(old, new, folder):
    """Every id is where records of it are: it lives, or leads to one that has most of them; none is lost."""
    both = old.join(new, on=KEYS, suffix="_now")
    ids = {row["gid"]: row for row in read_state(folder).ids.iter_rows(named=True)}
    sizes = both.group_by("gid", "gid_now").len()
    for (gid,), own in sizes.group_by("gid"):
        holder = ids[gid]["target_gid"] or gid
        assert ids[holder]["is_live"]
        assert own.filter(gid_now=holder)["len"].sum() == own["len"].max()
    for (_,), own in sizes.group_by("gid_now"):
        # whoever takes in most of some id keeps one of these ids
        if any(sizes.filter(gid=gid)["len"].max() == most and sizes.filter(gid=gid).height == 1 for gid, _, most in own.rows()):
            assert own["gid_now"][0] in old["gid"].to_list()
    assert all(row["is_live"] or row["target_gid"] for row in ids.values())


def test_other_thresholds_rules_and_aliases_keep_ids_and_equal_a_full_run_over_the_log(tmp_path):
    records, before = found_hub(tmp_path)
    book, names = Book("organisation"), records["company_name"]
    book.decide("merge", [records.select(KEYS).row(0)], [records.select(KEYS).row(6)], actor="li", reason="", at=DAY_ONE)
    alias = (Alias(names[14], names[0]),)
    changes = ({"match_bits": 30.0, "review_bits": 9.0}, {"match_bits": -3.0, "review_bits": -6.0}, {"aliases": alias}, {})
    kinds = set()
    for number, change in enumerate(changes, start=2):
        rules, at, history = replace(RULES, **change), DAY_ONE + timedelta(days=number), read_events(tmp_path)
        log = book.log if number > 2 else book.log.clear()
        outcome = rebuild(tmp_path, None, rules, f"run{number}", at, decided=log)
        full = resolve(records, rules=rules, history=history, run_id=f"run{number}", at=at, decisions=log)
        assert_frame_equal(outcome.crosswalk, full.crosswalk.filter("is_current").select(*KEYS, "gid"))
        assert_frame_equal(outcome.golden, add_hierarchy(full))
        for name in ("edges", "review", "decisions", "events"):
            assert_frame_equal(getattr(outcome, name), getattr(full, name))
        assert read_model(tmp_path, rules).version == full.model.version
        assert_frame_equal(Hub.open(tmp_path, rules).list_golden(), outcome.golden)
        assert_frame_equal(read_events(tmp_path), pl.concat([history, full.events]))
        assert_ids_lasted(before.crosswalk, outcome.crosswalk, tmp_path)
        kinds |= set(outcome.events["kind"])
        before = outcome
    assert {"split", "merged"} <= kinds
    assert len(list(tmp_path.glob("model*"))) == 2


def test_what_is_added_after_a_rebuild_equals_a_full_run_and_other_records_come_with_it(tmp_path):
    records, _ = found_hub(tmp_path)
    rules = replace(RULES, match_bits=6.0)
    moved = make_company_records([(4, 0, True, True), *CHOICES[1:]])
    gone = records[3:4].select(KEYS)
    anew = rebuild(tmp_path, moved[:2], rules, "run2", DAY_ONE, deleted=gone)
    counts = ("added", "changed", "deleted", "records")
    assert [anew.report[name] for name in counts] == [0, 1, 1, 14]
    history = read_events(tmp_path)
    outcome = resolve_into(tmp_path, records[3:4], rules, "run3", DAY_ONE)
    model = read_model(tmp_path, rules)
    everything = pl.concat([moved[:1], records[1:]])
    full = resolve(everything, rules=rules, history=history, run_id="run3", at=DAY_ONE, model=model)
    assert_frame_equal(outcome.crosswalk, full.crosswalk.filter("is_current").select(*KEYS, "gid"))
    assert_frame_equal(outcome.edges, full.edges)
    assert_frame_equal(outcome.events, full.events)


def test_decisions_teach_the_model_of_a_rebuild(tmp_path):
    records, _ = found_hub(tmp_path)
    known = read_model(tmp_path, RULES)
    book, ends = Book("organisation"), records.select(KEYS).rows()
    for number in range(0, 15, 3):
        book.decide("merge", [ends[number]], [ends[number + 1]], actor="li", reason="", at=DAY_ONE)
        book.decide("never", [ends[number]], [ends[(number + 3) % 15]], actor="li", reason="", at=DAY_ONE)
    taught = rebuild(tmp_path, None, RULES, "run2", DAY_ONE, decided=book.log)
    assert taught.report["decisions"] == {"holds": 10}
    everything = resolve(records, rules=RULES, history=None, run_id="r", at=DAY_ONE, decisions=book.log)
    assert taught.model.version == everything.model.version != known.version


def test_a_killed_rebuild_leaves_the_version_before(tmp_path, monkeypatch):
    _, before = found_hub(tmp_path)
    rules = replace(RULES, match_bits=6.0)
    known = read_model(tmp_path, RULES).version

    def die(*_, **__):
        raise KeyboardInterrupt

    for patched in ("hub.kept.archive._write_piece", "hub.rebuild.write_version", "hub.kept.versions.Path.replace"):
        with monkeypatch.context() as patch:
            patch.setattr(patched, die)
            with pytest.raises(KeyboardInterrupt):
                rebuild(tmp_path, None, rules, "run2", DAY_ONE)
        assert_frame_equal(Hub.open(tmp_path, RULES).list_crosswalk(), before.crosswalk)
        assert Hub.open(tmp_path, RULES).model.version == known
    assert rebuild(tmp_path, None, rules, "run2", DAY_ONE).model.version != known


def test_what_others_rebuilt_by_other_rules_is_no_open_hub_of_the_rules_before(tmp_path):
    records, _ = found_hub(tmp_path)
    hub = Hub.open(tmp_path, RULES)
    rebuild(tmp_path, None, replace(RULES, match_bits=6.0), "run2", DAY_ONE)
    with pytest.raises(RulesError, match="other rules or thresholds"):
        hub.add(records[:1], "run3", DAY_ONE)


def test_a_rebuild_that_runs_away_and_one_of_other_ids_are_refused(tmp_path):
    resolve_into(tmp_path, make_company_records(CHOICES * 4), RULES, "run1", DAY_ONE)
    strict = replace(RULES, match_bits=200.0)
    with pytest.raises(StoreError, match=r"share_ids_changed.*--force"):
        rebuild(tmp_path, None, strict, "run2", DAY_ONE)
    assert rebuild(tmp_path, None, strict, "run2", DAY_ONE, force=True).report["version"] == 2
    with pytest.raises(RulesError, match="id_prefix"):
        rebuild(tmp_path, None, replace(strict, id_prefix="org_"), "run3", DAY_ONE)
    with pytest.raises(StoreError, match="holds no hub"):
        rebuild(tmp_path / "none", None, strict, "run3", DAY_ONE)


def test_the_command_rebuilds_and_says_what_the_hub_never_kept(tmp_path: Path) -> None:
    hub, table, out = tmp_path / "hub", tmp_path / "crm.csv", tmp_path / "out"
    table.write_text("source_key,company_name,ship\n1,上海云帆科技,Ada\n2,上海云帆科技,Bea\n", encoding="utf-8")
    rules = tmp_path / "own.toml"

    def run(*arguments: object) -> str:
        answer = CliRunner().invoke(app, ["resolve", *map(str, arguments), "--out", str(out)])
        if isinstance(answer.exception, ProjectError):
            return str(answer.exception)
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    run(table, "--entity", "organisation", "--hub", hub)
    rules.write_text(
        'entity = "organisation"\nid_prefix = "cus_"\n[fields]\nship = { kind = "name", columns = ["ship"] }\n'
        '[comparisons]\nship = { levels = ["same"] }\n[keys]\nship = { parts = ["ship"] }\n',
        encoding="utf-8",
    )
    assert "--rebuild" in run("--hub", hub, "--rules", rules)
    said = run("--hub", hub, "--rules", rules, "--rebuild")
    assert "the hub has never kept ship: empty for its 2 records that no file gives" in said
    assert "the hub keeps no more: company_name" in said
    assert "never kept" not in run(table, "--hub", hub, "--rules", rules, "--rebuild", "--force")
    assert "name it with --hub" in run(table, "--entity", "organisation", "--rebuild")
