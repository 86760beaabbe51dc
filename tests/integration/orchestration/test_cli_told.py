"""What the commands on files tell: counts in words, times and records that nobody knows, and why two records are one."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.project import ProjectError

pytestmark = pytest.mark.integration

_HEADER = "source;source_key;company_name;contact_name;mobile;created_at"
_ROWS = (
    "crm;1;ACME Trading Ltd.;王小明;13926845671;2026-01-01",
    "crm;2;Acme Trading;李四光;13926845671;last week",
    "erp;7;苏州精卓机械设备有限公司;;;2026-01-02",
)


def _run(*arguments: object) -> str:
    answer = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def _fail(*arguments: object) -> str:
    answer = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert isinstance(answer.exception, ProjectError), answer.output
    return str(answer.exception)


def _write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join((_HEADER, *rows, "")), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def resolved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with crm.csv, the hub that it was resolved into, and `out`."""
    folder = tmp_path_factory.mktemp("told")
    crm = _write(folder / "crm.csv", *_ROWS)
    said = _run("resolve", crm, "--entity", "organisation", "--hub", folder / "hub", "--out", folder / "out")
    assert "3 records are 2 entities (organisation)" in said
    assert f"{crm}: created_at of 1 row is no time and counts as empty, first row 2: 'last week'" in said
    return folder


def test_one_record_is_one_entity_and_none_are_none(tmp_path: Path) -> None:
    for rows, said in ((_ROWS[:1], "1 record is 1 entity"), ((), "0 records are 0 entities")):
        path = _write(tmp_path / "crm.csv", *rows)
        assert said in _run("resolve", path, "--entity", "organisation", "--out", tmp_path / "out")


def test_a_hub_explains_any_two_of_its_records_with_values_and_what_people_decided(resolved: Path, tmp_path: Path) -> None:
    hub = resolved / "hub"
    answer = json.loads(_run("explain", "crm:2", "crm:1", "--hub", hub, "--picture", tmp_path / "p.png", "--json"))
    edge = pl.read_parquet(resolved / "out" / "edges.parquet").row(0, named=True)
    stored = json.loads(edge["evidence"])
    fresh = {field["field"]: field["bits"] for field in answer["fields"] if field["bits"]}
    assert {"prior": answer["prior"], **fresh, **answer["together"]} == stored
    assert (answer["weight"], answer["verdict"], answer["are_one_customer"]) == (edge["weight"], "match", True)
    [mobile] = [field for field in answer["fields"] if field["field"] == "mobile"]
    assert (mobile["a"], mobile["b"]) == ("13926845671", "13926845671")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    text = _run("explain", "crm:1", "erp:7", "--hub", hub)
    assert "no match" in text
    assert "they are two customers now" in text
    assert "other rules or thresholds" in _fail("explain", "crm:1", "crm:2", "--hub", hub, "--match-bits", 3)
    assert "crm:99 is no record and no ID" in _fail("explain", "crm:1", "crm:99", "--hub", hub)


def test_a_hub_explains_a_customer_by_id_or_record_as_the_line_does(resolved: Path) -> None:
    one = json.loads(_run("explain", "crm:1", "--hub", resolved / "hub", "--json"))
    told = ["golden", "records", "lineage", "tree", "edges", "decisions", "events"]
    assert list(one) == ["asked", "became", "customer_gid", *told]
    assert [(row["source"], row["source_key"]) for row in one["records"]] == [("crm", "1"), ("crm", "2")]
    won = {row["attribute"]: row["value"] for row in one["lineage"] if row["is_winner"]}
    assert won.items() <= one["golden"][0].items()
    assert won["company_name"] == "ACME Trading Ltd."
    assert {"contact_name", "mobile", "phone"} < set(won)
    assert "Acme Trading" in [row["value"] for row in one["lineage"] if not row["is_winner"]]
    assert [row["weight"] for row in one["edges"]] == pl.read_parquet(resolved / "out" / "edges.parquet")["weight"].to_list()
    again = json.loads(_run("explain", one["customer_gid"], "--hub", resolved / "hub", "--json"))
    assert {**again, "asked": "crm:1"} == one
    assert one["became"] == []
    assert "no record and no ID" in _fail("explain", "cus_0", "--hub", resolved / "hub")


def test_the_files_of_an_outcome_explain_what_they_hold(resolved: Path) -> None:
    out = resolved / "out"
    pair = json.loads(_run("explain", "crm:1", "crm:2", "--out", out, "--json"))
    in_hub = json.loads(_run("explain", "crm:1", "crm:2", "--hub", resolved / "hub", "--json"))
    assert list(pair) == list(in_hub)
    for name in ("weight", "prior", "verdict", "together", "customers"):
        assert pair[name] == in_hub[name]
    assert f"{pair['weight']:+.1f} bits; a match" in _run("explain", "crm:1", "crm:2", "--out", out)
    assert "a hub tells of every pair" in _fail("explain", "crm:1", "erp:7", "--out", out)
    customer = json.loads(_run("explain", "erp:7", "--out", out, "--json"))
    assert [(row["source"], row["source_key"]) for row in customer["records"]] == [("erp", "7")]
    assert customer["lineage"] is None


def test_a_merge_of_a_record_with_itself_and_a_comparison_of_two_entities_are_refused(resolved: Path, tmp_path: Path) -> None:
    assert "both sides of the merge: name two" in _fail("merge", "crm:1", "crm:1", "--hub", resolved / "hub")
    _run("resolve", resolved / "crm.csv", "--entity", "person", "--out", tmp_path)
    assert "one entity" in _fail("compare", resolved / "out", tmp_path)
    assert "one entity" in _fail("compare", resolved / "out" / "crosswalk.parquet", tmp_path / "crosswalk.parquet")


def test_records_to_delete_that_the_hub_does_not_hold_are_told(resolved: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone.csv"
    gone.write_text("source,source_key\ncrm,98\ncrm,99\n", encoding="utf-8")
    said = _run("resolve", "--hub", resolved / "hub", "--deleted", gone, "--out", tmp_path / "out")
    assert "2 of the records to delete are not in the hub" in said


def test_an_id_that_was_given_up_is_told_what_became_of_it(tmp_path: Path) -> None:
    crm, hub, out = tmp_path / "crm.csv", tmp_path / "hub", tmp_path / "out"
    _run(
        "resolve",
        _write(crm, *_ROWS[::2], "crm;3;北京瑞丰仪器有限公司;;;"),
        "--entity",
        "organisation",
        "--hub",
        hub,
        "--out",
        out,
    )
    ids = {key: gid for _, key, gid in pl.read_parquet(out / "crosswalk.parquet").iter_rows()}
    _run("merge", "crm:1", "erp:7", "--hub", hub, "--reason", "one owner")
    (tmp_path / "gone.csv").write_text("source,source_key\ncrm,3\n", encoding="utf-8")
    _run("resolve", "--hub", hub, "--deleted", tmp_path / "gone.csv", "--out", out, "--at", "2031-02-03")
    kept, given_up = (
        (ids["1"], ids["7"]) if ids["1"] in pl.read_parquet(out / "golden.parquet")["customer_gid"] else (ids["7"], ids["1"])
    )
    assert pl.read_parquet(out / "redirects.parquet").select("gid", "target_gid").rows() == sorted(
        [(given_up, kept), (ids["3"], None)]
    )
    # the files of a later addition, too, have more than its events
    _run("resolve", "--hub", hub, "--out", out)
    for door, place in (("--hub", hub), ("--out", out)):
        merged = json.loads(_run("explain", given_up, door, place, "--json"))
        assert merged["became"] == [f"{given_up} was merged into {kept} on 2031-02-03"]
        assert (merged["customer_gid"], len(merged["records"])) == (kept, 2)
    retired = json.loads(_run("explain", ids["3"], "--hub", hub, "--json"))
    assert retired["became"] == [f"{ids['3']} was retired on 2031-02-03: its records were gone"]
    assert [(row["source_key"], row["is_current"]) for row in retired["records"]] == [("3", False)]
    assert "was retired on 2031-02-03" in _fail("explain", ids["3"], "--out", out)
    assert "nor one of redirects.parquet" in _fail("explain", "cus_0", "--out", out)


def test_a_record_that_was_deleted_is_told_when_and_of_which_customer_it_was(tmp_path: Path) -> None:
    hub, out = tmp_path / "hub", tmp_path / "out"
    _run("resolve", _write(tmp_path / "crm.csv", *_ROWS), "--entity", "organisation", "--hub", hub, "--out", out)
    ids = {key: gid for _, key, gid in pl.read_parquet(out / "crosswalk.parquet").iter_rows()}
    (tmp_path / "gone.csv").write_text("source,source_key\ncrm,2\nerp,7\n", encoding="utf-8")
    _run("resolve", "--hub", hub, "--deleted", tmp_path / "gone.csv", "--out", out, "--at", "2031-02-03")
    deleted = f"crm:2 was deleted on 2031-02-03: it was of {ids['2']}"
    one = json.loads(_run("explain", "crm:2", "--hub", hub, "--json"))
    assert one["became"] == [deleted]
    assert {**one, "asked": "crm:1", "became": []} == json.loads(_run("explain", "crm:1", "--hub", hub, "--json"))
    assert deleted in _run("explain", "crm:2", "--hub", hub)
    assert _fail("explain", "crm:1", "crm:2", "--hub", hub) == f"{hub}: {deleted}"
    assert deleted in _fail("explain", "crm:2", "--out", out)
    last = json.loads(_run("explain", "erp:7", "--hub", hub, "--json"))
    assert (last["customer_gid"], last["golden"]) == (None, [])
    assert last["became"] == [
        f"erp:7 was deleted on 2031-02-03: it was of {ids['7']}",
        f"{ids['7']} was retired on 2031-02-03: its records were gone",
    ]


def test_a_record_that_nobody_knows_is_told_so_in_one_line(resolved: Path) -> None:
    said = "crm:99 is no record and no ID of the hub: look for it in crosswalk.parquet"
    assert _fail("explain", "crm:99", "--hub", resolved / "hub") == f"{resolved / 'hub'}: {said}"


def test_the_text_of_a_pair_has_no_columns_that_the_files_cannot_fill(resolved: Path) -> None:
    def read_head(*door: object) -> list[str]:
        lines = _run("explain", "crm:1", "crm:2", *door).splitlines()
        return [cell.strip() for cell in next(line for line in lines if "field" in line).strip("┃ ").split("┃")]

    assert read_head("--out", resolved / "out") == ["field", "bits", "sum"]
    assert read_head("--hub", resolved / "hub") == ["field", "level", "bits", "sum", "crm:1", "crm:2"]


def test_what_rules_were_suggested_without_is_told_where_they_are_written(tmp_path: Path) -> None:
    table = pl.DataFrame({"id": ["1", "2"], "name": ["anna maria", "bounty"], "crew": [["a"], ["b"]]})
    table.write_parquet(tmp_path / "boats.parquet")
    said = _run("rules", "suggest", tmp_path / "boats.parquet", "--entity", "boat", "--out", tmp_path / "boats.toml")
    assert "left out, since no text: crew" in said
    table.drop("id").write_parquet(tmp_path / "boats.parquet")
    assert '# source_key = "COLUMN"' in _run("rules", "suggest", tmp_path / "boats.parquet", "--entity", "boat")
    table.drop("id").with_columns(hull=pl.Series(["X1", "X2"])).write_parquet(tmp_path / "boats.parquet")
    assert "# each row has its own: hull" in _run("rules", "suggest", tmp_path / "boats.parquet", "--entity", "boat")
    assert 'id_prefix = "boa_"' in (tmp_path / "boats.toml").read_text(encoding="utf-8")
