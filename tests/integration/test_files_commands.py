"""Stories of the commands that work on files: a process of its own, labels that tune, people who decide between additions."""

import json
import subprocess
import sys
from pathlib import Path

import fastexcel
import polars as pl
import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app

pytestmark = pytest.mark.integration
_ROWS = ["source,source_key,company_name,mobile", "crm,1,上海云帆科技有限公司,13912345678", "crm,2,上海云帆科技,13912345678"]


def _run(*arguments: object) -> str:
    answer = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_a_process_of_its_own_starts_no_part_of_the_pipeline_and_writes_the_same_bytes(tmp_path: Path) -> None:
    records = tmp_path / "crm.csv"
    records.write_text("\n".join(_ROWS), encoding="utf-8")
    code = (
        "import sys; from typer.testing import CliRunner; from orchestration.cli.app import app;"
        f"assert not CliRunner().invoke(app, ['resolve', {str(records)!r}, '--entity', 'organisation', '--out', "
        f"{str(tmp_path / 'out')!r}]).exit_code; print(*({{'dagster', 'dbt', 'duckdb', 'httpx'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.split() == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crm.csv", "out"]
    _run("resolve", records, "--entity", "organisation", "--out", tmp_path / "again")
    for name in ("crosswalk", "golden", "edges", "events", "review"):
        assert (tmp_path / "out" / f"{name}.parquet").read_bytes() == (tmp_path / "again" / f"{name}.parquet").read_bytes()


def test_labels_tune_rules_that_resolve_with_the_same_model(tmp_path: Path) -> None:
    firms = ("云帆科技", "鹏翔自动化", "精卓机械", "瑞丰仪器", "博远贸易", "华晟电子", "金泰实业", "恒通物流")
    lines = [f"crm,{number}{side},{name},1391234{number}001" for number, name in enumerate(firms) for side in "ab"]
    records, labels, rules = tmp_path / "crm.csv", tmp_path / "labels.csv", tmp_path / "own.toml"
    records.write_text("\n".join([_ROWS[0], *lines]), encoding="utf-8")
    pairs = [f"crm,{number}a,crm,{number}b,same" for number in range(8)]
    pairs += [f"crm,{a}a,crm,{b}b,different" for a in range(8) for b in range(a)]
    labels.write_text("\n".join(["source_a,source_key_a,source_b,source_key_b,same", *pairs]), encoding="utf-8")
    out = tmp_path / "out"
    _run("resolve", records, "--entity", "organisation", "--out", out)
    text = _run("tune", labels, records, "--entity", "organisation", "--model", out, "--out", rules)
    assert "8 pairs labelled the same, 28 different" in text
    answer = json.loads(_run("tune", labels, records, "--entity", "organisation", "--precision", 0.98, "--json"))
    assert answer["at_match"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    _run("resolve", records, "--rules", rules, "--model", out, "--out", tmp_path / "again")
    assert json.loads(_run("compare", out, tmp_path / "again", "--json"))["same"] == 8


def test_people_decide_in_a_hubs_folder_the_next_addition_obeys_and_what_is_deleted_is_gone(tmp_path: Path) -> None:
    rows = [*_ROWS, "erp,7,苏州精卓机械设备有限公司,13900001111", "erp,8,苏州精卓机械,13900001112"]
    crm, gone, hub, out = (tmp_path / name for name in ("crm.csv", "gone.csv", "hub", "out"))
    crm.write_text("\n".join(rows), encoding="utf-8")
    beside = ("--match-bits", 7.2, "--hub", hub, "--out", out, "--json")
    first = json.loads(_run("resolve", crm, "--entity", "organisation", *beside))
    table = tmp_path / "queue.xlsx"
    _run("review", "export", table, "--hub", hub)
    held = fastexcel.read_excel(str(table)).load_sheet(0, dtypes="string").to_polars()
    assert held.select("source_key_a", "source_key_b").rows() == [("7", "8")]
    assert "mobile -0.5" in held["evidence"][0]
    [pair] = json.loads(_run("review", "list", "--hub", hub, "--json"))
    assert (pair["name_a"], pair["name_b"]) == ("苏州精卓机械设备有限公司", "苏州精卓机械")
    shown = _run("review", "list", "--hub", hub)
    assert all(part in shown for part in ("苏州精卓机械设备有限公司", "erp:7", "苏州精卓机械", "erp:8"))
    held.with_columns(decision=pl.lit(" 相同"), reason=pl.lit("一家")).write_csv(table.with_suffix(".csv"))
    done = json.loads(_run("review", "import", table.with_suffix(".csv"), "--hub", hub, "--by", "li", "--json"))
    assert (done["same"], done["problems"]) == (1, [])
    gid = pl.read_parquet(out / "crosswalk.parquet")["customer_gid"][0]
    split = json.loads(_run("split", gid, "--records", "crm:1", "--by", "li", "--hub", hub, "--json"))
    assert [row["state"] for row in json.loads(_run("decisions", "--hub", hub, "--json"))] == ["next run", "next run"]
    answer = CliRunner().invoke(app, ["merge", "crm:1", "crm:2", "--hub", str(hub)])
    assert "split by li on" in str(answer.exception)

    second = json.loads(_run("resolve", *beside))
    assert (second["clusters"], second["decisions"], second["added"]) == (first["clusters"], {"holds": 2}, 0)
    owner = dict(pl.read_parquet(out / "crosswalk.parquet").select("source_key", "customer_gid").iter_rows())
    assert owner["7"] == owner["8"]
    assert owner["1"] != owner["2"]
    _run("undo", split["decision_id"], "--hub", hub)
    gone.write_text("source,source_key\nerp,8\n", encoding="utf-8")
    third = json.loads(_run("resolve", "--deleted", gone, *beside))
    assert (third["records"], third["deleted"], third["decisions"]) == (3, 1, {"undone": 1, "waits": 1})
    from_nothing = json.loads(
        _run("resolve", crm, "--entity", "organisation", "--decisions", hub / "decisions.parquet", *beside[:2], *beside[4:])
    )
    assert (from_nothing["clusters"], from_nothing["decisions"]) == (2, {"holds": 1, "undone": 1})
    assert pl.read_parquet(out / "decisions.parquet")["reason"].to_list() == ["一家", ""]
