"""The review queue on a hub in a folder: what is asked, and what an answer is about."""

import json
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from typer.testing import CliRunner

from hub.columns.prepare import RecordsError
from orchestration.cli.app import app
from orchestration.lib.review import read_table
from orchestration.project import ProjectError

pytestmark = pytest.mark.integration
_ROWS = (
    "source,source_key,company_name,mobile",
    "crm,1,苏州精卓机械设备有限公司,13900001111",
    "crm,2,苏州精卓机械设备,13900001111",
    "erp,8,苏州精卓机械,13900001112",
)
_GROUPS = ("group_a", "group_b")


def _run(*arguments: object) -> str:
    answer = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def _list_groups(log: Path) -> list[list[str]]:
    """The keys of the records on either side of each decision."""
    rows = pl.read_parquet(log).select(_GROUPS).rows()
    return [sorted(one["source_key"] for one in group) for row in rows for group in row]


def test_a_verdict_of_the_queue_joins_customers_whole_which_the_queue_says_and_one_of_a_file_two_records(tmp_path: Path) -> None:
    crm, hub, out, table = (tmp_path / name for name in ("crm.csv", "hub", "out", "queue.csv"))
    crm.write_text("\n".join(_ROWS), encoding="utf-8")
    beside = (crm, "--entity", "organisation", "--match-bits", 7.2)
    _run("resolve", *beside, "--hub", hub, "--out", out)
    [pair] = json.loads(_run("review", "list", "--hub", hub, "--json"))
    sizes = {pair[f"source_key_{side}"]: (pair[f"id_records_{side}"], pair[f"id_name_{side}"]) for side in "ab"}
    assert sizes.pop("8") == (1, "苏州精卓机械")
    assert list(sizes.values()) == [(2, "苏州精卓机械设备有限公司")]
    shown = " ".join(_run("review", "list", "--hub", hub).split())
    assert "one of 2 of" in shown
    assert "one of 1 of" not in shown

    _run("review", "export", table, "--hub", hub)
    held = pl.read_csv(table)
    assert sorted(held.select("id_records_a", "id_records_b").row(0)) == [1, 2]
    held.with_columns(decision=pl.lit("same")).write_csv(table)
    said = _run("review", "import", table, "--hub", hub, "--by", "li")
    assert "1 same, 0 different" in said
    assert f"row 2 holds for all records of its two ids: {held['id_records_a'][0]} and {held['id_records_b'][0]}" in said
    assert sorted(_list_groups(hub / "decisions.parquet")) == [["1", "2"], ["8"]]
    _run("resolve", *beside, "--decisions", table, "--out", tmp_path / "alone")
    assert [len(group) for group in _list_groups(tmp_path / "alone" / "decisions.parquet")] == [1, 1]


def _found_with_a_blank(folder: Path) -> Path:
    """A hub of two records whose keys differ by a blank, and of one in doubt with the second."""
    rows = (*_ROWS[:2], "crm, 1,上海云帆科技有限公司,13700001111", "erp,8,上海云帆,13700001112")
    (folder / "crm.csv").write_text("\n".join(rows), encoding="utf-8")
    _run("resolve", folder / "crm.csv", "--entity", "organisation", "--hub", folder / "hub", "--out", folder / "out")
    return folder / "hub"


@pytest.mark.parametrize(("name", "separator"), [("t.csv", ";"), ("t.txt", "\t"), ("t.parquet", ""), ("T.XLSX", "")])
def test_a_filled_in_table_is_read_as_tables_of_records_are(tmp_path: Path, name: str, separator: str) -> None:
    hub = _found_with_a_blank(tmp_path)
    ends = {"source_a": "crm", "source_key_a": " 1", "source_b": "erp", "source_key_b": 8}
    table = pl.DataFrame([{"decision": "same", "found": "a, b", **ends}])
    path = tmp_path / name
    if name.endswith("XLSX"):
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, table.columns)
            sheet.write_row(1, 0, table.row(0))
    elif separator:
        table.write_csv(path, separator=separator)
    else:
        table.write_parquet(path)
    assert "1 same, 0 different" in _run("review", "import", path, "--hub", hub)
    assert _list_groups(hub / "decisions.parquet") == [[" 1"], ["8"]]


def test_a_queue_is_written_whatever_the_case_of_the_ending(tmp_path: Path) -> None:
    hub = _found_with_a_blank(tmp_path)
    for name in ("q.XLSX", "q.CSV"):
        _run("review", "export", tmp_path / name, "--hub", hub)
        assert "0 same, 0 different" in _run("review", "import", tmp_path / name, "--hub", hub)
    answer = CliRunner().invoke(app, ["review", "import", str(tmp_path / "crm.csv"), "--hub", str(hub)])
    assert "no column decision" in str(answer.exception)
    (tmp_path / "no.xlsx").write_text("no workbook", encoding="utf-8")
    answer = CliRunner().invoke(app, ["review", "import", str(tmp_path / "no.xlsx"), "--hub", str(hub)])
    assert isinstance(answer.exception, ProjectError)
    assert "no.xlsx cannot be read as a workbook" in str(answer.exception)


def test_a_table_of_decisions_may_grow_and_what_is_undone_stays_so(tmp_path: Path) -> None:
    hub, table, row = _found_with_a_blank(tmp_path), tmp_path / "decided.csv", "same,crm,1,erp,8"
    for before in ([], ["different,crm,1,crm, 1"]):
        table.write_text("\n".join(("decision,source_a,source_key_a,source_b,source_key_b", *before, row)), encoding="utf-8")
        _run("resolve", "--hub", hub, "--decisions", table, "--out", tmp_path / "out")
    made = {one["kind"]: one["decision_id"] for one in json.loads(_run("decisions", "--hub", hub, "--json"))}
    assert pl.read_parquet(hub / "decisions.parquet")["kind"].to_list() == ["merge", "never"]
    _run("undo", made["merge"], "--hub", hub)
    _run("resolve", "--hub", hub, "--decisions", table, "--out", tmp_path / "out")
    ids = dict(pl.read_parquet(tmp_path / "out" / "crosswalk.parquet").select("source_key", "customer_gid").rows())
    assert ids["1"] != ids["8"]


def test_a_person_in_the_queue_is_called_by_name_and_not_by_employer(tmp_path: Path) -> None:
    rows = (
        "source,source_key,full_name,company_name,mobile,city",
        "crm,1,张伟,苏州恒达精密机械有限公司,13900001111,苏州",
        "crm,2,张伟,北京恒远科技有限公司,13900001111,北京",
    )
    (tmp_path / "crm.csv").write_text("\n".join(rows), encoding="utf-8")
    beside = ("--entity", "person", "--match-bits", 8, "--hub", tmp_path / "hub", "--out", tmp_path / "out")
    _run("resolve", tmp_path / "crm.csv", *beside)
    [pair] = json.loads(_run("review", "list", "--hub", tmp_path / "hub", "--json"))
    assert {pair["id_name_a"], pair["id_name_b"], pair["name_a"], pair["name_b"]} == {"张伟"}


def test_a_table_under_a_title_is_refused_with_what_its_first_row_has(tmp_path: Path):
    path = tmp_path / "queue.csv"
    path.write_text("复核,11 月,\ndecision,source_a,source_key_a\n", encoding="utf-8")
    with pytest.raises(ProjectError, match=r"whose first row names the columns; here that row has 复核, 11 月"):
        read_table(path)
    path.write_text("复核 11 月,,\ndecision,source_a,source_key_a\n", encoding="utf-8")
    with pytest.raises(RecordsError, match=r"names one of 3 columns, 复核 11 月: if it is a title"):
        read_table(path)
