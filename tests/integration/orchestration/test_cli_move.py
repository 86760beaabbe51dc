"""Records that go from one customer of a hub in a folder to another: from the queue, and by name."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.project import ProjectError
from tests.unit.hub.conftest import make_credit_code

pytestmark = pytest.mark.integration
NORTH, SOUTH = make_credit_code(71000001), make_credit_code(71000002)
ROWS = (
    "source,source_key,company_name,tax_no,mobile",
    f"erp,1,北京恒远科技有限公司,{NORTH},13911112222",
    f"erp,2,上海恒远科技有限公司,{SOUTH},13911112222",
    "crm,3,恒远科技,,13911112222",
    "crm,4,恒远科技,,13911112222",
    *(f"form,{number},广州鹏翔机械有限公司,,13700001111" for number in (5, 6, 7)),
    "form,8,苏州精卓机械有限公司,,13600001111",
)


def _run(*arguments: object, code: int = 0) -> str:
    answer = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert answer.exit_code == code, answer.output
    return " ".join(answer.stdout.split())


def _refuse(*arguments: object) -> str:
    answer = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert isinstance(answer.exception, ProjectError)
    return str(answer.exception)


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    (tmp_path / "crm.csv").write_text("\n".join(ROWS), encoding="utf-8")
    _run("resolve", tmp_path / "crm.csv", "--entity", "organisation", "--hub", tmp_path / "hub", "--out", tmp_path / "out")
    return tmp_path / "hub"


def _read_owners(hub: Path) -> dict[str, str]:
    _run("resolve", "--hub", hub, "--out", hub.parent / "out")
    rows = pl.read_parquet(hub.parent / "out" / "crosswalk.parquet").select("source_key", "customer_gid").rows()
    return dict(rows)


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_the_queue_asks_whose_a_record_is_and_the_answer_is_about_that_record(hub: Path, ending: str) -> None:
    before, table = _read_owners(hub), hub.parent / f"queue.{ending}"
    queue = json.loads(_run("review", "list", "--hub", hub, "--json"))
    assert sorted(row["source_key_a" if row["reason"].startswith("record a") else "source_key_b"] for row in queue) == ["3", "4"]
    assert "fits both: is it of the other's customer?" in _run("review", "list", "--hub", hub)
    _run("review", "export", table, "--hub", hub)
    held = pl.read_csv(table, infer_schema=False) if ending == "csv" else pl.read_excel(table, infer_schema_length=0)
    assert {"tax_no_a", "mobile_b"} <= set(held.columns)
    assert not {"phone_a", "address_b"} & set(held.columns)
    is_third = (held["source_key_a"] == "3") | (held["source_key_b"] == "3")
    filled = held.with_columns(decision=pl.Series(["same" if third else "different" for third in is_third]))
    filled.write_csv(table) if ending == "csv" else filled.write_excel(table)
    said = _run("review", "import", table, "--hub", hub, "--by", "li")
    assert "1 same, 1 different" in said
    [there] = {key for key in "12" if before[key] != before["3"]}
    assert f"crm:3 moves to the customer of erp:{there}, which has 1" in said
    assert f"crm:4 stays out of the customer of erp:{there}" in said
    assert _read_owners(hub) == before | {"3": before[there]}
    assert json.loads(_run("review", "list", "--hub", hub, "--json")) == []
    assert "0 same, 0 different, 2 skipped" in _run("review", "import", table, "--hub", hub)


def test_both_of_two_twins_may_be_moved_by_one_table(hub: Path) -> None:
    before, table = _read_owners(hub), hub.parent / "queue.csv"
    _run("review", "export", table, "--hub", hub)
    pl.read_csv(table, infer_schema=False).with_columns(decision=pl.lit("same")).write_csv(table)
    assert "2 same" in _run("review", "import", table, "--hub", hub)
    after = _read_owners(hub)
    assert after["3"] == after["4"] != before["3"]
    assert after["1"] != after["2"]


def test_records_are_moved_by_name_one_undo_takes_it_back_and_explain_tells_it(hub: Path) -> None:
    before = _read_owners(hub)
    made = json.loads(_run("move", "form:5", "--to", "form:8", "--hub", hub, "--by", "li", "--reason", "their fitter", "--json"))
    assert (made["kind"], made["records"], made["ids"]) == ("move", [1, 1], [before["5"], before["8"]])
    assert "moves 2 records to the 1 of" in _run("move", "form:6", "form:7", "--to", before["8"], "--hub", hub)
    [rest, first] = json.loads(_run("decisions", "--hub", hub, "--json"))
    assert (first["kind"], first["decision_id"], first["state"]) == ("move", made["decision_id"], "next run")
    assert [one["source_key"] for one in rest["group_a"]] == ["6", "7"]
    assert {_read_owners(hub)[key] for key in "5678"} <= {before["5"], before["8"]}
    assert "moved by li on" in _run("explain", "form:5", "form:8", "--hub", hub)
    assert _run("explain", "form:8", "--hub", hub).count("move by li") == 1
    _run("undo", rest["decision_id"], "--hub", hub)
    assert _read_owners(hub) == before | {"5": before["8"]}
    assert "kept two by: moved by li on" in _run("explain", "form:5", "form:6", "--hub", hub)
    _run("undo", made["decision_id"], "--hub", hub)
    assert _read_owners(hub) == before
    assert {row["state"] for row in json.loads(_run("decisions", "--hub", hub, "--json"))} == {"undone"}


def test_an_id_stands_for_its_records_but_for_those_that_were_split_from_it_since_the_last_run(hub: Path) -> None:
    gid = _read_owners(hub)["5"]
    _run("split", gid, "--records", "form:5", "--hub", hub)
    assert "merge of 2 and 1 records" in _run("merge", gid, "form:8", "--hub", hub)
    after = _read_owners(hub)
    assert after["5"] != after["6"] == after["8"]


def test_a_move_that_cannot_be_is_refused_in_a_sentence_and_nothing_is_decided(hub: Path) -> None:
    owners = _read_owners(hub)
    for arguments, words in (
        (("erp:1", "--to", "erp:2"), "two values of tax.code never share an entity"),
        (("form:5", "--to", "form:6"), f"form:5 is of {owners['5']} already"),
        (("form:5", "form:8", "--to", "erp:1"), "form:5 and form:8 are of two customers: move those of one at a time"),
        (("form:9", "--to", "erp:1"), "no record 9 of source form"),
        (("form:5", "--to", "cus_nobody"), "cus_nobody is no live organisation"),
        (("form", "--to", "erp:1"), "'form' is no record"),
    ):
        assert words in _refuse("move", *arguments, "--hub", hub)
    assert json.loads(_run("decisions", "--hub", hub, "--json")) == []
    _run("merge", "form:5", "form:6", "--hub", hub)
    assert "form:5 and form:6 may not be kept apart: merged by" in _refuse("move", "form:5", "--to", "form:8", "--hub", hub)
