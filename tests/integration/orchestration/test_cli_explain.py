"""`goldthread explain A B`: what joins two records that do not match themselves, and what keeps two apart that do (I-6)."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from tests.unit.hub.conftest import make_credit_code

pytestmark = pytest.mark.integration

_CODES = [make_credit_code(71000001 + number) for number in range(3)]
_ROWS = (
    "source,source_key,company_name,tax_no",
    "crm,1,上海云帆科技有限公司,",
    f"crm,2,上海云帆科技有限公司,{_CODES[0]}",
    f"erp,3,苏州精卓机械设备有限公司,{_CODES[0]}",
    f"crm,5,北京瑞丰仪器有限公司,{_CODES[1]}",
    f"crm,6,北京瑞丰仪器有限公司,{_CODES[2]}",
    "erp,7,北京瑞丰仪器有限公司,",
    "crm,8,武汉天汇食品有限公司苏州分公司,",
    "crm,9,武汉天汇食品有限公司南京分公司,",
    "crm,10,广州鹏翔机械有限公司,",
    "crm,11,广州鹏翔机械有限公司,",
    "crm,12,成都和达物流有限公司,",
)
_DECIDED = (
    "decision,source_a,source_key_a,source_b,source_key_b,reason,by,at",
    "different,crm,10,crm,11,other owner,li,2026-01-02",
    "same,crm,10,crm,12,one owner,li,2026-01-02",
)


def _run(*arguments: object) -> str:
    answer = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The hub that the rows were resolved into, and the files that this wrote."""
    folder = tmp_path_factory.mktemp("explain")
    records, decisions = folder / "crm.csv", folder / "decided.csv"
    records.write_text("\n".join(_ROWS), encoding="utf-8")
    decisions.write_text("\n".join(_DECIDED), encoding="utf-8")
    found = {"--hub": folder / "hub", "--out": folder / "out"}
    named = [part for pair in found.items() for part in pair]
    _run("resolve", records, "--entity", "organisation", "--decisions", decisions, *named)
    return found


def _ask(places: dict[str, Path], door: str, a: str, b: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(_run("explain", a, b, door, places[door], "--json"))
    return answer


@pytest.mark.parametrize("door", ["--hub", "--out"])
def test_records_of_one_customer_that_do_not_match_are_told_the_matches_that_join_them(
    places: dict[str, Path], door: str
) -> None:
    answer = _ask(places, door, "erp:3", "crm:1")
    assert (answer["weight"] or -1.0) < answer["match_bits"]
    assert [[":".join(step[end]) for end in "ab"] for step in answer["path"]] == [["crm:1", "crm:2"], ["crm:2", "erp:3"]]
    assert all(step["weight"] >= answer["match_bits"] for step in answer["path"])
    assert answer["held_back"] == []
    text = _run("explain", "crm:1", "erp:3", door, places[door])
    assert f"joined: crm:2 and erp:3: match, {answer['path'][1]['weight']:+.1f} bits" in text


@pytest.mark.parametrize("door", ["--hub", "--out"])
def test_a_match_is_told_what_holds_it_back(places: dict[str, Path], door: str) -> None:
    answer = _ask(places, door, "crm:6", "erp:7")
    assert (answer["verdict"], answer["vetoes"], answer["are_one_customer"], answer["path"]) == ("match", [], False, [])
    [held] = answer["held_back"]
    assert held == {"kind": "guard", "text": f"guard tax.code: {_CODES[1]} and {_CODES[2]} are two"}
    assert f"kept two by: guard tax.code: {_CODES[1]}" in _run("explain", "crm:6", "erp:7", door, places[door])


@pytest.mark.parametrize("door", ["--hub", "--out"])
def test_what_people_decided_is_named_with_who_when_and_why(places: dict[str, Path], door: str) -> None:
    for other in ("crm:10", "crm:12"):
        [held] = _ask(places, door, "crm:11", other)["held_back"]
        assert (held["kind"], held["text"]) == ("decision", "kept apart by li on 2026-01-02: other owner")
    [step] = _ask(places, door, "crm:10", "crm:12")["path"]
    assert (step["weight"], step["decision"]) == (None, "merged by li on 2026-01-02: one owner")


def test_a_veto_is_named_with_its_rule_and_level(places: dict[str, Path]) -> None:
    answer = _ask(places, "--hub", "crm:8", "crm:9")
    assert (answer["verdict"], answer["vetoes"]) == ("veto", ["veto branch.conflict: branch is conflict"])
    assert [held["kind"] for held in answer["held_back"]] == ["barrier", "veto"]
    assert answer["held_back"][0]["text"] == "barrier name.site: 南京分公司 and 苏州分公司 are two"
    guarded = _ask(places, "--hub", "crm:5", "crm:6")
    assert (guarded["verdict"], guarded["vetoes"]) == ("veto", [guarded["held_back"][0]["text"]])
    assert "never one by the rules: veto branch.conflict" in _run("explain", "crm:8", "crm:9", "--hub", places["--hub"])


def test_the_text_says_which_level_spoke_and_what_said_nothing(places: dict[str, Path]) -> None:
    text = _run("explain", "crm:1", "crm:2", "--hub", places["--hub"])
    [name] = [field for field in _ask(places, "--hub", "crm:1", "crm:2")["fields"] if field["field"] == "name"]
    assert name["level"] in text
    assert "adds nothing: region, branch" in text


def test_a_match_that_no_key_proposes_was_never_compared_and_is_told_so(tmp_path: Path) -> None:
    rules, table, hub = tmp_path / "rules.toml", tmp_path / "crm.csv", tmp_path / "hub"
    before, _, rest = _run("rules", "show", "organisation").partition("[keys]")
    own = '[keys]\nmobile = { parts = ["mobile"], cap = 50 }\n\n'
    rules.write_text(before + own + rest[rest.index("[[survivors]]") :], encoding="utf-8")
    name = "苏州精卓机械设备有限公司"
    table.write_text(f"source,source_key,company_name\ncrm,1,{name}\ncrm,2,{name}\n", encoding="utf-8")
    _run("resolve", table, "--rules", rules, "--hub", hub, "--out", tmp_path / "out")
    answer = json.loads(_run("explain", "crm:1", "crm:2", "--hub", hub, "--rules", rules, "--json"))
    assert answer["verdict"] == "match"
    [held] = answer["held_back"]
    assert (held["kind"], held["text"]) == (
        "not compared",
        "the two were never compared, for no key proposes them; if they are one, merge them",
    )
