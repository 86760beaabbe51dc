"""The commands that work on files: what they write, and what they say when they cannot."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.project import ProjectError

_ROWS = ["source,source_key,company_name,mobile", "crm,1,上海云帆科技有限公司,13912345678", "crm,2,上海云帆科技,13912345678"]


@pytest.fixture
def records(tmp_path: Path) -> Path:
    path = tmp_path / "crm.csv"
    path.write_text("\n".join(_ROWS), encoding="utf-8")
    return path


def _run(*arguments: object) -> str:
    answer = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_files_are_resolved_and_judged_without_a_project(records: Path, tmp_path: Path) -> None:
    report = json.loads(_run("resolve", records, "--entity", "organisation", "--out", tmp_path / "out", "--json"))
    assert (report["records"], report["clusters"]) == (2, 1)
    truth = tmp_path / "truth.csv"
    truth.write_text("source,source_key,id\ncrm,1,a\ncrm,2,a\n", encoding="utf-8")
    figures = json.loads(_run("evaluate", tmp_path / "out" / "crosswalk.parquet", truth, "--json"))
    assert (figures["precision"], figures["recall"], figures["true_pairs"]) == (1.0, 1.0, 1.0)
    assert "1 found, 1 true" in _run("evaluate", tmp_path / "out" / "crosswalk.parquet", truth)


def test_a_hub_tells_the_candidate_recall_and_files_tell_which_true_pairs_are_edges(records: Path, tmp_path: Path) -> None:
    out, hub, truth = tmp_path / "out", tmp_path / "hub", tmp_path / "truth.csv"
    lone = "crm,3,北京瑞丰仪器有限公司,13800138111"
    records.write_text("\n".join((*_ROWS, lone)), encoding="utf-8")
    _run("resolve", records, "--entity", "organisation", "--hub", hub, "--out", out)
    # nothing proposes 1 and 3, nor 2 and 3; a record that the hub does not hold is no true pair of it
    truth.write_text("source,source_key,id\ncrm,1,a\ncrm,2,a\ncrm,3,a\ncrm,4,a\n", encoding="utf-8")
    in_hub = json.loads(_run("evaluate", hub, truth, "--json"))
    in_files = json.loads(_run("evaluate", out, truth, "--json"))
    assert (in_hub["candidate_recall"], in_files["edge_recall"]) == (1 / 3, 1 / 3)
    alone = json.loads(_run("evaluate", out / "crosswalk.parquet", truth, "--json"))
    assert alone == {name: value for name, value in in_hub.items() if name != "candidate_recall"}
    assert alone == {name: value for name, value in in_files.items() if name != "edge_recall"}
    assert "candidate recall 0.3333" in _run("evaluate", hub, truth)
    assert "0.3333 of the true pairs are edges" in _run("evaluate", out, truth)
    # where no two records are one, nothing is to be found
    truth.write_text("source,source_key,id\ncrm,1,a\ncrm,2,b\n", encoding="utf-8")
    none = json.loads(_run("evaluate", hub, truth, "--json"))
    assert (none["precision"], none["recall"], none["f1"], none["candidate_recall"]) == (0.0, None, None, None)
    assert "candidate recall" not in _run("evaluate", hub, truth)


def test_what_an_addition_of_fewer_columns_empties_is_said(records: Path, tmp_path: Path) -> None:
    hub = ("--entity", "organisation", "--hub", tmp_path / "hub", "--out", tmp_path / "out")
    _run("resolve", records, *hub)
    records.write_text("source,source_key,company_name\ncrm,1,上海云帆科技有限公司\n", encoding="utf-8")
    said = _run("resolve", records, *hub)
    assert "no file has these columns" in said
    assert "lose what the hub had there: mobile (1 record)" in said


def test_a_check_of_rules_shows_all_that_they_say(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    (tmp_path / "names.csv").write_text("alias,name\n饿了么,拉扎斯网络科技(上海)有限公司\n", encoding="utf-8")
    heads = '[records]\nvalue = "deal"\n[aliases]\nfile = "names.csv"\n[fields]\n'
    own.write_text(_run("rules", "show", "organisation").replace("[fields]\n", heads), encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in _run("rules", "check", own).splitlines()]
    said = {(row[0], row[1]): row[2] for row in rows if row[:1] and row[0]}
    assert said["ids", "id_prefix"] == "cus_"
    assert {row[1]: row[3] for row in rows if row[:1] == ["weights"]}["tax"].startswith("same +25")
    assert {("guard", "tax.code"), ("certain", "tax.code"), ("training", "certain")} <= set(said)
    assert (said["threshold", "match_bits"], said["threshold", "review_limit"]) == ("0", "200")
    assert (said["aliases", "1"], said["records", "value"]) == ("", "deal")
    assert {"veto", "interaction", "survivor", "sources", "uncertain"} <= {what for what, _ in said}


def test_suggested_rules_pass_the_check_and_resolve(records: Path, tmp_path: Path) -> None:
    rules, out = tmp_path / "rules.toml", tmp_path / "out"
    assert 'entity = "firm"' in _run("rules", "suggest", records, "--entity", "firm")
    _run("rules", "suggest", records, "--entity", "firm", "--out", rules)
    assert "comparison" in _run("rules", "check", rules)
    _run("resolve", records, "--rules", rules, "--out", out)
    assert "customer_gid" in pl.read_parquet(out / "crosswalk.parquet").columns
    _run("resolve", records, "--rules", rules, "--entity", "organisation", "--out", out)
    assert "customer_gid" in pl.read_parquet(out / "crosswalk.parquet").columns


def test_the_rules_that_come_with_the_hub_can_be_shown_and_used_as_a_start(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(_run("rules", "show", "person"), encoding="utf-8")
    assert "rules of person" in _run("rules", "check", own)


def test_two_thresholds_over_one_model_are_compared(records: Path, tmp_path: Path) -> None:
    usual, strict = tmp_path / "usual", tmp_path / "strict"
    _run("resolve", records, "--entity", "organisation", "--out", usual)
    _run("resolve", records, "--entity", "organisation", "--model", usual, "--match-bits", 90, "--out", strict)
    assert (usual / "model.json").read_bytes() == (strict / "model.json").read_bytes()
    found = json.loads(_run("compare", usual, strict / "crosswalk.parquet", "--out", tmp_path / "changes.csv", "--json"))
    assert (found["split"], found["merged"], found["entities_after"]) == (1, 0, 2)
    assert [row["sample"] for row in found["changes"]] == [["crm:1", "crm:2"]]
    assert pl.read_csv(tmp_path / "changes.csv")["kind"].to_list() == ["split", "split"]
    text = _run("compare", usual, strict)
    assert "0 merge, 1 split" in text
    assert "上海云帆科技有限公司" in text
    _run("compare", usual, usual, "--out", tmp_path / "none.parquet")
    assert pl.read_parquet(tmp_path / "none.parquet").height == 0


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["resolve", "--entity", "organisation", "--hub", "HUB", "--out", "OUT"], "found it with records"),
        (["resolve", "FILE", "--entity", "organisation", "--deleted", "FILE", "--out", "OUT"], "with --hub"),
        (["resolve", "FILE", "--entity", "organisation", "--deleted", "FILE", "--hub", "HUB", "--out", "OUT"], "deleted at once"),
        (["resolve", "FILE", "--entity", "organisation", "--decisions", "FILE", "--out", "OUT"], "no column decision"),
        (["merge", "a:1", "a:2", "--hub", "nowhere"], "holds no hub"),
        (["explain", "a:1", "--hub", "nowhere"], "holds no hub"),
        (["explain", "a:1", "--out", "nowhere"], "holds no outcome"),
        (["explain", "a:1", "--out", "x", "--hub", "y"], "--hub or --out"),
        (["explain", "a:1", "--rules", "FILE"], "name it with --hub or --out"),
        (["decisions", "--rules", "FILE"], "name it with --hub"),
        (["resolve", "FILE", "--entity", "organisation"], "--out DIR"),
        (["resolve", "FILE", "--out", "OUT"], "--entity organisation"),
        (["resolve", "--entity", "organisation"], "at least one FILE"),
        (["resolve", "FILE", "--entity", "ship", "--out", "OUT"], "no rules for 'ship'"),
        (["resolve", "nowhere.csv", "--entity", "organisation", "--out", "OUT"], "nowhere.csv: cannot be read"),
        (["resolve", "FILE", "--rules", "nowhere.toml", "--out", "OUT"], "nowhere.toml: cannot be read"),
        (["resolve", "FILE", "--rules", "FILE", "--out", "OUT"], "not valid TOML"),
        (["resolve", "FILE", "--entity", "organisation", "--out", "FILE"], "File exists"),
        (["resolve", "FILE", "--entity", "organisation", "--out", "OUT", "--at", "noon"], "is no time"),
        (["resolve", "--match-bits", "3"], "at least one FILE"),
        (["resolve", "FILE", "--entity", "organisation", "--out", "OUT", "--model", "nowhere"], "holds no model"),
        (["resolve", "FILE", "--entity", "organisation", "--out", "OUT", "--model", "x", "--hub", "y"], "--hub or --model"),
        (["compare", "FILE", "nowhere.parquet"], "nowhere.parquet: cannot be read"),
        (["compare", "FILE", "FILE"], "needs source, source_key and an id"),
        (["tune", "FILE", "FILE", "--entity", "organisation"], "labels need source_a"),
        (["rules", "show", "ship"], "no rules for 'ship'"),
        (["rules", "suggest", "nowhere.csv"], "nowhere.csv"),
        (["evaluate", "FILE", "nowhere.csv"], "nowhere.csv"),
        (["evaluate", "FILE", "FILE"], "ends in _gid"),
        (["evaluate", "IDS", "TWICE"], "the truth has crm:1 twice"),
        (["evaluate", "IDS", "STRANGE"], "no record in common: nothing to judge"),
        (["evaluate", "IDS", "STRANGE", "--json"], "written alike (crm:1 and CRM:1)"),
        (
            ["resolve", "FILE", "--entity", "organisation", "--out", "OUT", "--match-bits", "nan"],
            "--match-bits nan: write a number",
        ),
        (
            ["resolve", "FILE", "--entity", "organisation", "--out", "OUT", "--match-bits", "inf"],
            "--match-bits inf: write a number",
        ),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do(records: Path, tmp_path: Path, arguments: list[str], advice: str) -> None:
    ids, strange = tmp_path / "ids.csv", tmp_path / "strange.csv"
    ids.write_text("source,source_key,gid\ncrm,1,a\n", encoding="utf-8")
    strange.write_text("source,source_key,id\nCRM,1,a\n", encoding="utf-8")
    twice = tmp_path / "twice.csv"
    twice.write_text("source,source_key,id\ncrm,1,a\ncrm,1,b\n", encoding="utf-8")
    places = {
        "FILE": str(records),
        "IDS": str(ids),
        "STRANGE": str(strange),
        "TWICE": str(twice),
        "OUT": str(tmp_path / "out"),
        "HUB": str(tmp_path / "hub"),
    }
    answer = CliRunner().invoke(app, [places.get(argument, argument) for argument in arguments])
    assert isinstance(answer.exception, ProjectError)
    assert advice in str(answer.exception)


def test_a_limit_below_one_is_refused() -> None:
    for command in (["review", "list"], ["quarantine", "list"]):
        answer = CliRunner().invoke(app, [*command, "--limit", "-3"])
        assert answer.exit_code == 2
        assert "greater than or equal to 1" in answer.stderr
