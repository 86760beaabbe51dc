"""`goldthread erase --hub`: a hub beside the line forgets whom the command names."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.project import ProjectError

pytestmark = pytest.mark.integration

FIRMS = [
    ("crm", "KEY-1", "宁波王小明五金店", "13800138000"),
    ("erp", "KEY-2", "上海李雷贸易有限公司", "13900139000"),
    ("erp", "KEY-3", "杭州韩梅梅花店", "13700137000"),
]


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    table = pl.DataFrame(FIRMS, schema=["source", "source_key", "company_name", "mobile"], orient="row")
    table.write_parquet(tmp_path / "firms.parquet")
    arguments = ["resolve", str(tmp_path / "firms.parquet"), "--entity", "organisation", "--hub", str(tmp_path / "hub")]
    answer = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "out")], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return tmp_path / "hub"


def erase(*arguments: str) -> dict:
    answer = CliRunner().invoke(app, ["erase", *arguments, "--json"], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def test_a_file_of_keys_is_erased_from_the_hub_once_it_was_looked_at(hub: Path, tmp_path: Path):
    (tmp_path / "gone.csv").write_text("source,source_key\ncrm,KEY-1\nerp,KEY-2\n", encoding="utf-8")
    named = ("--file", str(tmp_path / "gone.csv"), "--hub", str(hub))
    assert erase(*named, "--dry-run")["records"] == ["crm:KEY-1", "erp:KEY-2"]
    assert any("宁波王小明五金店".encode() in path.read_bytes() for path in hub.rglob("*.arrow"))
    assert len(erase(*named, "--yes")["ids"]) == 2
    texts = b"".join(path.read_bytes() for path in hub.rglob("*.arrow"))
    assert "宁波王小明五金店".encode() not in texts
    assert "杭州韩梅梅花店".encode() in texts


def test_erasing_says_what_ended_and_which_files_still_hold_values_and_the_next_addition_what_it_left_out(
    hub: Path, tmp_path: Path
):
    def run(*arguments: object) -> str:
        answer = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
        assert answer.exit_code == 0, answer.output
        return " ".join(answer.stdout.split())

    [gid] = pl.read_parquet(tmp_path / "out" / "crosswalk.parquet").filter(source_key="KEY-1")["customer_gid"]
    assert "would be erased" in run("erase", "crm:KEY-1", "--hub", hub, "--dry-run")
    told = run("erase", "crm:KEY-1", "--hub", hub, "--yes")
    assert "1 record erased from" in told
    assert f"with them ended {gid}" in told
    assert f"until `goldthread resolve --hub {hub} --out DIR`" in told
    # what is said is so: the folder holds the values until then, and no more afterwards
    files = [tmp_path / "out" / name for name in ("golden.parquet", "crosswalk.parquet", "events.parquet")]
    assert "宁波王小明五金店" in str(pl.read_parquet(files[0]).to_dicts())
    again = run("resolve", tmp_path / "firms.parquet", "--hub", hub, "--out", tmp_path / "out")
    assert "1 record left out: erased from this hub before" in again
    for path in files:
        text = str(pl.read_parquet(path).to_dicts())
        assert "宁波王小明五金店" not in text
        assert "KEY-1" not in text


def test_whoever_is_not_there_or_not_confirmed_is_not_erased(hub: Path):
    with pytest.raises(ProjectError, match="names nothing in the hub"):
        erase("crm:nobody", "--hub", str(hub), "--yes")
    with pytest.raises(ProjectError, match="--json does not ask"):
        erase("crm:KEY-1", "--hub", str(hub))
    answer = CliRunner().invoke(app, ["erase", "crm:KEY-1", "--hub", str(hub)], input="n\n")
    assert answer.exit_code == 1
    assert any("宁波王小明五金店".encode() in path.read_bytes() for path in hub.rglob("*.arrow"))


def test_an_erasure_is_no_earlier_than_what_a_hub_has_of_a_time_to_come(hub: Path, tmp_path: Path):
    later = pl.DataFrame(
        {"source": "crm", "source_key": "KEY-9", "company_name": "广州鹏翔机械有限公司", "created_at": "2202-01-01"}
    )
    later.write_csv(tmp_path / "later.csv")
    arguments = ["resolve", tmp_path / "later.csv", "--hub", hub, "--out", tmp_path / "out"]
    assert CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False).exit_code == 0
    erase("crm:KEY-1", "--hub", str(hub), "--yes")
    years = pl.concat([pl.read_parquet(hub / "events" / f"{number}.parquet") for number in (1, 2, 3, 4)])["at"].dt.year()
    assert years.is_sorted()
    assert years.max() == 2202


def test_a_file_of_subjects_is_read_in_any_encoding_of_a_table_and_what_is_none_is_refused(hub: Path, tmp_path: Path):
    text, table = tmp_path / "gone.txt", tmp_path / "gone.csv"
    text.write_text("crm:KEY-1\n\n", encoding="utf-16")
    assert erase("--file", str(text), "--hub", str(hub), "--dry-run")["records"] == ["crm:KEY-1"]
    table.write_text("备注,source,source_key\n离职,erp,KEY-2\n", encoding="gb18030")
    assert erase("--file", str(table), "--hub", str(hub), "--dry-run")["records"] == ["erp:KEY-2"]
    text.write_bytes(b"\xff\xff")
    table.write_text("source,source_key\ncrm,KEY-1\n,KEY-2\n", encoding="utf-8")
    for file, told in ((text, "not UTF-8, GB18030"), (table, "row 2 lacks its source")):
        with pytest.raises(ProjectError, match=told):
            CliRunner().invoke(app, ["erase", "--file", str(file), "--hub", str(hub), "--dry-run"], catch_exceptions=False)


@pytest.mark.parametrize("damaged", [b'{"entity": "organ', b"[]", b"\xff\xfe"])
def test_a_damaged_report_is_told(hub: Path, tmp_path: Path, damaged: bytes):
    (tmp_path / "out" / "report.json").write_bytes(damaged)
    for command in (
        ["explain", "crm:KEY-1", "erp:KEY-2", "--out", str(tmp_path / "out")],
        ["compare", *[str(tmp_path / "out")] * 2],
    ):
        with pytest.raises(ProjectError, match=r"report\.json: not the report of an outcome"):
            CliRunner().invoke(app, command, catch_exceptions=False)
