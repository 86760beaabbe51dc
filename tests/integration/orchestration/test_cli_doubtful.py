"""What is not as it was surely meant is taken as it is, and said: on the console and in the report."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from hub.rules.model import RulesError
from hub.rules.read import parse_rules
from orchestration.cli.app import app

pytestmark = pytest.mark.integration

_FIRMS = (
    "source,source_key,company_name,city,mobile,created_at,deal",
    "crm,1,上海昌建机械有限公司,上海,,2026-01-01,5",
    "crm, 2,上海昌健机械有限公司,上海,,2999-01-01,none",
    " erp,3,上海昌双机械有限公司,上海,,2998-01-01,1000000",
    "erp,4,上海昌霜机械有限公司,上海,,2026-01-02,1e400",
)


def _run(*arguments: object) -> str:
    answer = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def _write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join((*rows, "")), encoding="utf-8")
    return path


def _write_rules(path: Path, records: str) -> Path:
    shown = _run("rules", "show", "organisation")
    return _write(path, shown.replace("\n[fields]\n", f"\n{records}\n[fields]\n"))


def _tell_both(out: Path, *arguments: object) -> tuple[str, dict[str, Any]]:
    said = _run("resolve", *arguments, "--out", out)
    return said, json.loads((out / "report.json").read_text(encoding="utf-8"))


def test_times_to_come_and_blanks_around_keys_are_told_with_their_number_and_first_row(tmp_path: Path):
    path = _write(tmp_path / "firms.csv", *_FIRMS)
    said, report = _tell_both(tmp_path / "out", path, "--entity", "organisation")
    [read] = report["inputs"]
    assert read["times_to_come"] == {"created_at": {"rows": 2, "first_row": 2, "first_value": "2999-01-01"}}
    assert read["blanks_around"] == {
        "source": {"rows": 1, "first_row": 3, "first_value": " erp"},
        "source_key": {"rows": 1, "first_row": 2, "first_value": " 2"},
    }
    assert "created_at of 2 rows is in the future and taken as it is (events are stamped with the newest time, or --at), " in said
    assert "first row 2: '2999-01-01'" in said
    assert "source of 1 row has blanks around it, and is another one than without, first row 3: ' erp'" in said
    assert read["values_not_read"] == read["times_not_read"] == {}


def test_numbers_that_a_spreadsheet_shortened_are_told(tmp_path: Path):
    rows = ("source_key,company_name,mobile", "2.02401E+11,云帆科技,13911112222.0", "2,昌建,1.39E+10", "3,昌健,1.3911112223E+10")
    said, report = _tell_both(tmp_path / "out", _write(tmp_path / "firms.csv", *rows), "--entity", "organisation")
    assert report["inputs"][0]["digits_lost"] == {
        "source_key": {"rows": 1, "first_row": 1, "first_value": "2.02401E+11"},
        "mobile": {"rows": 1, "first_row": 2, "first_value": "1.39E+10"},
    }
    assert "mobile of 1 row is a number whose digits a spreadsheet has lost" in said


def test_the_value_at_stake_is_a_column_of_the_files_that_the_rules_name(tmp_path: Path):
    path, rules = _write(tmp_path / "firms.csv", *_FIRMS), tmp_path / "own.toml"
    for records, column in (('[records]\nvalue = "deal"', "deal"), ("", "value")):
        _write_rules(rules, records)
        _write(path, _FIRMS[0].replace("deal", column), *_FIRMS[1:])
        said, report = _tell_both(tmp_path / "out", path, "--rules", rules)
        queue = pl.read_parquet(tmp_path / "out" / "review.parquet")
        assert queue.height
        worth = {"1": 5.0, " 2": 0.0, "3": 1e6, "4": 0.0}
        for row in queue.iter_rows(named=True):
            assert row["value_at_stake"] == worth[row["source_key_a"]] + worth[row["source_key_b"]]
        assert report["inputs"][0]["values_not_read"] == {"value": {"rows": 2, "first_row": 2, "first_value": "none"}}
        assert "value of 2 rows is no number and counts as nothing at stake, first row 2: 'none'" in said
        assert report["inputs"][0]["columns_ignored"] == []


def test_a_field_of_own_rules_without_a_column_is_told_and_one_of_the_built_in_rules_is_not(tmp_path: Path):
    path = _write(tmp_path / "firms.csv", *_FIRMS)
    rules = _write_rules(tmp_path / "own.toml", '[records]\nvalue = "sum"')
    said, report = _tell_both(tmp_path / "out", path, "--rules", rules)
    # the contact may be part of the name, the domain of the e-mail
    assert report["fields_missing"] == ["tax", "email", "address", "value"]
    assert "no file has a column for these fields of the rules: tax, email, address, value" in said
    said, _ = _tell_both(tmp_path / "out", path, "--entity", "organisation")
    assert "no file has a column" not in said


def test_the_column_of_the_key_or_the_value_that_is_compared_as_well_is_told(tmp_path: Path):
    path = _write(tmp_path / "firms.csv", *_FIRMS)
    rules = _write_rules(tmp_path / "own.toml", '[records]\nvalue = "company_name"')
    said, report = _tell_both(tmp_path / "out", path, "--rules", rules)
    assert report["compared_too"] == {"value": ["name", "region", "branch", "group"]}
    for told in (said, _run("rules", "check", rules)):
        assert "the column of value is compared too (name, region, branch, group)" in told
    assert _tell_both(tmp_path / "out", path, "--entity", "organisation")[1]["compared_too"] == {}


def test_what_a_record_is_worth_is_one_column(tmp_path: Path):
    text = _write_rules(tmp_path / "own.toml", '[records]\nvalue = "deal"').read_text(encoding="utf-8")
    with pytest.raises(RulesError, match=r"records\.value: a field reads a column called value"):
        parse_rules(text.replace('columns = ["address"]', 'columns = ["value"]'), "own.toml")


@pytest.mark.parametrize("place", ["--out", "--hub"])
def test_decisions_about_records_that_never_were_are_told(tmp_path: Path, place: str):
    path, out = _write(tmp_path / "firms.csv", *_FIRMS), tmp_path / "out"
    ends = "decision,source_a,source_key_a,source_b,source_key_b"
    decided = _write(tmp_path / "decided.csv", ends, "same,crm,1,erp,4", "same,crm,1,crm,98", "different,crm,97,crm,98")
    arguments = [path, "--entity", "organisation", *(["--hub", tmp_path / "hub"] if place == "--hub" else [])]
    said, report = _tell_both(out, *arguments, "--decisions", decided)
    assert report["decided_unknown"] == {"records": 2, "first": "crm:97"}
    assert "2 records that decisions name are not there and never were, first crm:97" in said
    if place == "--hub":
        # what the hub held once is gone, but was there
        gone = _write(tmp_path / "gone.csv", "source,source_key", "erp,4")
        _, report = _tell_both(out, "--hub", tmp_path / "hub", "--deleted", gone, "--decisions", decided)
        assert report["decided_unknown"] == {"records": 2, "first": "crm:97"}
