"""Files in, files out: reading, keys, rejected rows, and the same bytes every time."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from hub.columns.prepare import RecordsError
from hub.files import read_table
from hub.rules.read import RulesFile, load_rules, parse_rules
from hub.standalone import Beside, resolve_files, resolve_tables

pytestmark = pytest.mark.integration

_HEADER = "source,source_key,company_name,mobile,created_at"
_CRM = (
    "crm,1,上海云帆科技有限公司,13912345678,2026-01-02T03:04:05Z",
    "crm,2,上海云帆科技,13912345678,2026-02-03 10:00:00",
    "erp,7,广东省深圳市鹏翔自动化有限公司,,2026/3/4",
    "erp,8,苏州精卓机械设备有限公司,13900001111,",
)
_ORGANISATION = RulesFile(load_rules("organisation"), None, None)
_BOATS = """
entity = "boat"
id_prefix = "B"
[records]
source = "harbour"
source_key = "no"
[fields.name]
kind = "name"
columns = ["title"]
[comparisons.name]
levels = ["same"]
[keys.name]
parts = ["name.sorted"]
[[survivors]]
attributes = ["title"]
order = ["majority"]
"""


def _write(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.write_bytes("\n".join((*lines, "")).encode(encoding))
    return path


def _read(out: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(out / f"{name}.parquet")


def _resolve(tables: Mapping[str, pl.DataFrame], out: Path, rules: RulesFile = _ORGANISATION) -> dict[str, Any]:
    return resolve_tables(tables, rules, out)


def test_two_spellings_with_one_mobile_are_one_customer_in_every_file(tmp_path: Path) -> None:
    report = resolve_files([_write(tmp_path / "crm.csv", _HEADER, *_CRM)], _ORGANISATION, tmp_path / "out")
    crosswalk = _read(tmp_path / "out", "crosswalk")
    assert crosswalk.columns == ["source", "source_key", "customer_gid"]
    assert crosswalk.select("source", "source_key").rows() == [("crm", "1"), ("crm", "2"), ("erp", "7"), ("erp", "8")]
    one, two, three, four = crosswalk["customer_gid"]
    assert one == two
    assert len({two, three, four}) == 3
    assert set(_read(tmp_path / "out", "golden")["customer_gid"]) == {one, three, four}
    edge = _read(tmp_path / "out", "edges").row(0, named=True)
    assert (edge["source_key_a"], edge["source_key_b"]) == ("1", "2")
    evidence = json.loads(edge["evidence"])
    assert sum(evidence.values()) == pytest.approx(edge["weight"])
    assert _read(tmp_path / "out", "events")["kind"].to_list().count("issued") == 3
    assert (report["records"], report["clusters"], report["rejected"]) == (4, 3, 0)


def test_the_same_records_give_the_same_bytes_whatever_their_order(tmp_path: Path) -> None:
    for folder, lines in (("a", _CRM), ("b", _CRM[::-1])):
        (tmp_path / folder).mkdir()
        path = _write(tmp_path / folder / "crm.csv", _HEADER, *lines)
        resolve_tables({"crm.csv": read_table(path)}, _ORGANISATION, tmp_path / folder / "out")
    files = sorted(path.name for path in (tmp_path / "a" / "out").iterdir())
    assert files == sorted(
        [f"{name}.parquet" for name in ("crosswalk", "decisions", "edges", "events", "golden", "redirects", "rejected", "review")]
        + ["frequencies.npz", "model.json", "report.json"]
    )
    for name in files:
        one, two = ((tmp_path / folder / "out" / name).read_bytes() for folder in "ab")
        if name == "report.json":
            one, two = (_drop_measures(text) for text in (one, two))
        assert one == two, name


def _drop_measures(text: bytes) -> bytes:
    report = json.loads(text)
    assert set(report["seconds"]) >= {"read", "normalise", "block", "compare", "cluster", "write"}
    assert report["peak_mb"]["write"] > 0
    return json.dumps({name: value for name, value in report.items() if name not in ("seconds", "peak_mb")}).encode()


def test_other_content_is_another_run_and_its_newest_time_stamps_the_events(tmp_path: Path) -> None:
    reports = []
    for folder, lines in (("a", _CRM), ("b", _CRM[:3])):
        path = _write(tmp_path / f"{folder}.csv", _HEADER, *lines)
        reports.append(resolve_files([path], _ORGANISATION, tmp_path / folder))
        assert _read(tmp_path / folder, "events")["at"].unique().to_list() == [datetime(2026, 3, 4, tzinfo=UTC)]
    assert reports[0]["run_id"] != reports[1]["run_id"]


def test_from_python_the_rules_that_come_with_the_hub_do_as_those_of_a_file(tmp_path: Path) -> None:
    table = pl.DataFrame({"source_key": ["1"], "company_name": ["云帆科技"]})
    for rules in (load_rules("organisation"), _ORGANISATION):
        resolve_tables({"crm": table}, rules, tmp_path / type(rules).__name__)
    for name in ("crosswalk", "golden", "events"):
        assert _read(tmp_path / "Rules", name).equals(_read(tmp_path / "RulesFile", name))


def test_records_without_times_are_stamped_1970_and_a_given_time_counts_first(tmp_path: Path) -> None:
    table = pl.DataFrame({"source_key": ["1"], "company_name": ["云帆科技"]})
    assert _resolve({"crm": table}, tmp_path)["at"] == "1970-01-01T00:00:00+00:00"
    assert resolve_tables({"crm": table}, _ORGANISATION, tmp_path, Beside(at=datetime(2026, 1, 1, tzinfo=UTC)))["at"].startswith(
        "2026-01-01"
    )


def test_a_file_names_the_source_where_no_column_does(tmp_path: Path) -> None:
    paths = [_write(tmp_path / name, "source_key,company_name", "1,云帆科技") for name in ("crm.csv", "erp.csv")]
    resolve_files(paths, _ORGANISATION, tmp_path / "out")
    assert _read(tmp_path / "out", "crosswalk")["source"].to_list() == ["crm", "erp"]


def test_rules_map_other_columns_and_name_the_id_after_their_entity(tmp_path: Path) -> None:
    boats = pl.DataFrame({"harbour": ["kiel", "kiel"], "no": [1, 2], "title": ["anna maria"] * 2, "colour": ["red", "blue"]})
    report = _resolve({"boats": boats}, tmp_path, parse_rules(_BOATS, "boats.toml"))
    assert _read(tmp_path, "crosswalk").columns == ["source", "source_key", "customer_gid"]
    assert report["inputs"][0]["columns_ignored"] == ["colour"]


def test_rows_without_a_key_are_kept_apart_with_their_reason(tmp_path: Path) -> None:
    rows = ("crm,1,云帆科技,,2026-01-01T00:00:00Z", "crm,,鹏翔自动化,,", "crm,  ,精卓机械,,", ",4,瑞丰仪器,,")
    report = resolve_files([_write(tmp_path / "crm.csv", _HEADER, *rows)], _ORGANISATION, tmp_path / "out")
    rejected = _read(tmp_path / "out", "rejected")
    assert rejected.select("row", "reason").rows() == [(2, "no source_key"), (3, "no source_key"), (4, "no source")]
    assert json.loads(rejected["record"][0])["company_name"] == "鹏翔自动化"
    assert (report["records"], report["rejected"], report["inputs"][0]["rejected"]) == (1, 3, 3)


def test_a_time_that_nobody_can_read_is_counted_and_not_guessed(tmp_path: Path) -> None:
    path = _write(tmp_path / "crm.csv", _HEADER, "crm,1,云帆科技,,2026-01-01T00:00:00Z", "crm,2,鹏翔自动化,,last week")
    unread = {"created_at": {"rows": 1, "first_row": 2, "first_value": "last week"}}
    assert resolve_files([path], _ORGANISATION, tmp_path / "out")["inputs"][0]["times_not_read"] == unread


def test_a_key_that_two_files_have_is_refused_with_both_places(tmp_path: Path) -> None:
    one = _write(tmp_path / "one.csv", _HEADER, *_CRM)
    two = _write(tmp_path / "two.csv", _HEADER, "crm,9,瑞丰仪器,,", _CRM[1])
    with pytest.raises(RecordsError, match=r"one\.csv row 2 and .*two\.csv row 2 both are \(crm, 2\)"):
        resolve_files([one, two], _ORGANISATION, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\n", "empty"),
        (b"PK\x03\x04rest", "save the table as CSV"),
        (b"PAR1rest", "not a whole Parquet file"),
        (b"source_key,company_name\n1,\xff\xff\n", "UTF-8"),
        (b"company_name\nx\n", r"\[records\] source_key"),
        (b"source_key,colour\n1,red\n", "rules suggest"),
        (b"source_key,company_name\n,x\n", "nothing to resolve"),
        (b"source_key,company_name,company_name\n1,x,y\n", "more than one column is called company_name"),
        (
            "客户清单2026,,\nsource_key,company_name,city\n1,x,y\n".encode(),
            "names one of 3 columns, 客户清单2026: if it is a title",
        ),
        (b"source_key,company_name\n1,x\n\n2,y,z\n", r"row 2 \(line 4\) has 3 fields, the first line names 2 columns"),
    ],
)
def test_a_file_that_cannot_be_resolved_says_what_to_do(tmp_path: Path, content: bytes, advice: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(RecordsError, match=advice):
        resolve_files([path], _ORGANISATION, tmp_path / "out")


def test_what_else_lies_in_the_folder_stays_and_nothing_half_written_is_left(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    for _ in range(2):
        _resolve({"crm": pl.DataFrame({"source_key": ["1"], "company_name": ["云帆科技"]})}, tmp_path)
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert not list(tmp_path.glob(".*"))


def test_persons_are_resolved_too_and_keep_the_id_of_their_organisation_beside_their_own(tmp_path: Path) -> None:
    header = "source,source_key,contact_name,company_name,mobile,customer_gid"
    rows = (
        "crm,1,王小明,上海云帆科技有限公司,13958620417,cus_1",
        "wecom,9,王小明,云帆科技,13958620417,",
        "form,4,王小明,上海云帆科技有限公司,,",
        "erp,3,李四光,苏州精卓机械设备有限公司,13746201958,cus_2",
    )
    resolve_files(
        [_write(tmp_path / "persons.csv", header, *rows)], RulesFile(load_rules("person"), None, None), tmp_path / "out"
    )
    golden = _read(tmp_path / "out", "golden").sort("organisation_gid")
    assert golden.select("full_name", "organisation_gid", "n_records").rows() == [("王小明", "cus_1", 3), ("李四光", "cus_2", 1)]
    assert golden["customer_gid"].str.starts_with("per_").all()


def test_colleagues_who_share_the_number_of_their_office_stay_as_many_persons(tmp_path: Path) -> None:
    names = ("王伟", "李芳", "张娜敏", "刘洋")
    rows = [f"crm,{place},{name},中国平安保险股份有限公司,13926845671" for place, name in enumerate(names)]
    path = _write(tmp_path / "p.csv", "source,source_key,contact_name,company_name,mobile", *rows)
    resolve_files([path], RulesFile(load_rules("person"), None, None), tmp_path / "out")
    assert _read(tmp_path / "out", "golden").height == len(names)


@pytest.mark.parametrize("entity", ["organisation", "person"])
@pytest.mark.parametrize("column", ["tax_no", "contact_name", "mobile", "phone", "email", "address", "company_name"])
def test_any_one_column_is_enough(tmp_path: Path, entity: str, column: str) -> None:
    same = {
        "tax_no": "91440101696915568A",
        "contact_name": "欧阳明慧",
        "mobile": "13926845671",
        "phone": "020-38847512",
        "email": "ming@yunfan.cn",
        "address": "广州市天河区中山大道89号",
        "company_name": "上海云帆科技有限公司",
    }
    table = pl.DataFrame({"source": ["a", "b"], "source_key": ["1", "2"], column: [same[column]] * 2})
    rules = RulesFile(load_rules(entity), None, None)
    if entity == "person" and column == "tax_no":
        with pytest.raises(RecordsError, match="no column that the rules of person use"):
            _resolve({"t": table}, tmp_path / "out", rules)
        return
    _resolve({"t": table.with_columns(pl.lit(None, dtype=pl.String).alias("job_title"))}, tmp_path / "out", rules)
    assert _read(tmp_path / "out", "crosswalk").height == 2


def test_whole_numbers_are_read_as_such_whatever_their_type(tmp_path: Path) -> None:
    table = pl.DataFrame({"source": "erp", "source_key": [1.0, 2.0], "mobile": [13926845671.0, None], "note": [b"x", b"y"]})
    table = table.with_columns(pl.col("source_key").cast(pl.Decimal(20, 2)))
    other = pl.DataFrame({"source": "crm", "source_key": ["1"], "mobile": ["13926845671"]})
    _resolve({"erp": table, "crm": other}, tmp_path / "out")
    assert _read(tmp_path / "out", "crosswalk")["source_key"].to_list() == ["1", "1", "2"]
    assert sorted(_read(tmp_path / "out", "golden")["phone"].drop_nulls().unique()) == ["13926845671"]


@pytest.mark.parametrize("within", [".", "found", "versions/found"])
def test_a_hubs_own_folder_and_what_lies_in_it_is_no_place_for_output(tmp_path: Path, within: str) -> None:
    path = _write(tmp_path / "crm.csv", _HEADER, *_CRM)
    with pytest.raises(RecordsError, match="write into another folder"):
        resolve_files([path], _ORGANISATION, tmp_path / "hub" / within, Beside(hub=tmp_path / "hub"))
    assert not (tmp_path / "hub").exists()


def test_a_hub_may_lie_in_the_folder_of_output(tmp_path: Path) -> None:
    path = _write(tmp_path / "crm.csv", _HEADER, *_CRM)
    for added in (len(_CRM), 0):
        report = resolve_files([path], _ORGANISATION, tmp_path, Beside(hub=tmp_path / "hub"))
        assert report.get("added", added) == added


def test_no_hub_at_all_is_a_place_for_output_and_it_stays_as_it_was(tmp_path: Path) -> None:
    path = _write(tmp_path / "crm.csv", _HEADER, *_CRM)
    resolve_files([path], _ORGANISATION, tmp_path / "out", Beside(hub=tmp_path / "hub"))
    before = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "hub").iterdir()}
    for beside in (Beside(), Beside(hub=tmp_path / "new")):
        for out in ("hub", "hub/versions/found"):
            with pytest.raises(RecordsError, match=f"{out}: a hub keeps its own files there: write into another folder"):
                resolve_files([path], _ORGANISATION, tmp_path / out, beside)
    assert {file.name: file.stat().st_mtime_ns for file in (tmp_path / "hub").iterdir()} == before
    assert not (tmp_path / "new").exists()
