"""What people hand in: empty tables, folders that are no hub, lists that name strangers."""

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from hub.columns.prepare import RecordsError
from hub.rules.read import RulesFile, load_rules
from hub.standalone import Beside, resolve_files, resolve_tables
from hub.store import StoreError

pytestmark = pytest.mark.integration

_ORGANISATION = RulesFile(load_rules("organisation"), None, None)
_PERSON = RulesFile(load_rules("person"), None, None)
_TABLES = ("crosswalk", "golden", "edges", "events", "review", "decisions", "redirects", "rejected")
_FIRMS = pl.DataFrame(
    {
        "source": "crm",
        "source_key": ["1", "2", "3"],
        "company_name": ["上海云帆科技有限公司", "上海云帆科技", "苏州精卓机械设备有限公司"],
        "mobile": ["13926845671", "13926845671", "13900001111"],
    }
)


@pytest.mark.parametrize("rules", [_ORGANISATION, _PERSON])
def test_a_table_without_rows_gives_empty_files_of_the_same_columns(tmp_path: Path, rules: RulesFile) -> None:
    records = _FIRMS.with_columns(contact_name=pl.Series(["王小明", "王小明", "李四光"]))
    resolve_tables({"crm": records}, rules, tmp_path / "some")
    report = resolve_tables({"crm": records.head(0)}, rules, tmp_path / "none")
    assert (report["records"], report["clusters"]) == (0, 0)
    for name in _TABLES:
        some, none = (pl.read_parquet(tmp_path / folder / f"{name}.parquet") for folder in ("some", "none"))
        assert (none.schema, none.height) == (some.schema, 0), name


def test_a_table_without_rows_leaves_a_hub_as_it_is_and_strangers_to_delete_are_counted(tmp_path: Path) -> None:
    hub, out = tmp_path / "hub", tmp_path / "out"
    resolve_tables({"crm": _FIRMS}, _ORGANISATION, out, Beside(hub=hub))
    before = [(out / f"{name}.parquet").read_bytes() for name in ("crosswalk", "golden", "edges")]
    assert resolve_tables({"crm": _FIRMS.head(0)}, _ORGANISATION, out, Beside(hub=hub))["records"] == 3
    assert [(out / f"{name}.parquet").read_bytes() for name in ("crosswalk", "golden", "edges")] == before
    gone = pl.DataFrame({"source": "crm", "source_key": ["3", "99"]})
    report = resolve_tables({}, _ORGANISATION, out, Beside(hub=hub, deleted=gone))
    assert (report["deleted"], report["deleted_unknown"], report["records"]) == (1, 1, 2)


@pytest.mark.parametrize("rebuild", [False, True])
def test_what_records_lose_that_are_given_again_with_fewer_columns_is_counted(tmp_path: Path, *, rebuild: bool) -> None:
    hub, out = tmp_path / "hub", tmp_path / "out"
    resolve_tables({"crm": _FIRMS.with_columns(city=pl.lit(None, pl.String))}, _ORGANISATION, out, Beside(hub=hub))
    again = _FIRMS.head(2).vstack(_FIRMS.tail(1).with_columns(source_key=pl.lit("4"))).drop("mobile")
    report = resolve_tables({"crm": again}, _ORGANISATION, out, Beside(hub=hub, rebuild=rebuild, force=True))
    assert (report["added"], report["changed"], report["columns_emptied"]) == (1, 2, {"mobile": 2})
    report = resolve_tables({"crm": again}, _ORGANISATION, out, Beside(hub=hub, rebuild=rebuild))
    assert (report["changed"], report["columns_emptied"]) == (0, {})


def test_a_folder_of_other_files_and_a_hub_of_another_entity_are_refused(tmp_path: Path) -> None:
    hub, out = tmp_path / "hub", tmp_path / "out"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.docx").touch()
    with pytest.raises(RecordsError, match="name a new or an empty folder"):
        resolve_tables({"crm": _FIRMS}, _ORGANISATION, out, Beside(hub=tmp_path / "mine"))
    (tmp_path / "file").touch()
    with pytest.raises(RecordsError, match="names the folder of a hub"):
        resolve_tables({"crm": _FIRMS}, _ORGANISATION, out, Beside(hub=tmp_path / "file"))
    (hub / "model").mkdir(parents=True)  # what a killed founding leaves
    resolve_tables({"crm": _FIRMS}, _ORGANISATION, out, Beside(hub=hub))
    with pytest.raises(RecordsError, match="records of organisation, these are of person"):
        resolve_tables({"crm": _FIRMS}, _PERSON, out, Beside(hub=hub))


def test_the_time_of_a_hub_never_goes_back(tmp_path: Path) -> None:
    may, earlier = datetime(2026, 5, 1, tzinfo=UTC), datetime(2020, 5, 1, tzinfo=UTC)
    for at in (may, may):
        resolve_tables({"crm": _FIRMS}, _ORGANISATION, tmp_path / "out", Beside(at=at, hub=tmp_path / "hub"))
    for is_rebuilt in (False, True):
        beside = Beside(at=earlier, hub=tmp_path / "hub", rebuild=is_rebuilt)
        with pytest.raises(StoreError, match=r"2020-05-01.* is before the hub's newest addition, 2026-05-01"):
            resolve_tables({"crm": _FIRMS}, _ORGANISATION, tmp_path / "out", beside)


def test_files_are_told_of_in_the_order_of_their_names_and_none_twice(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv"):
        (tmp_path / name).write_text("source_key,company_name\n1,云帆科技\n,x\n", encoding="utf-8")
    reports = [
        resolve_files([tmp_path / name for name in names], _ORGANISATION, tmp_path / "out")
        for names in (("a.csv", "b.csv"), ("b.csv", "a.csv"))
    ]
    assert reports[0]["inputs"] == reports[1]["inputs"]
    assert [Path(one["file"]).name for one in reports[0]["inputs"]] == ["a.csv", "b.csv"]
    with pytest.raises(RecordsError, match="named more than once"):
        resolve_files([tmp_path / "a.csv", tmp_path / "a.csv"], _ORGANISATION, tmp_path / "out")


def test_golden_names_are_shown_as_written_and_chosen_without_notes(tmp_path: Path) -> None:
    names = [
        "ACME Trading Co., Ltd.",
        "ABB（中国）有限公司",
        "Smith & Sons",
        "台灣積體電路股份有限公司",
        "苏州精卓机械设备有限公司(停用)",
    ]
    table = pl.DataFrame({"source": "crm", "source_key": ["1", "2", "3", "4", "5"], "company_name": names})
    resolve_tables({"crm": table}, _ORGANISATION, tmp_path)
    shown = set(pl.read_parquet(tmp_path / "golden.parquet")["company_name"])
    assert shown == {*names[:1], "ABB(中国)有限公司", *names[2:4], "苏州精卓机械设备有限公司"}


def test_a_golden_organisation_takes_its_contact_from_one_record_and_a_person_his_company(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "source": ["erp", "crm"],
            "source_key": ["1", "2"],
            "company_name": "上海云帆科技有限公司",
            "contact_name": ["王小明", "李四光"],
            "mobile": [None, "13926845671"],
            "email": [None, "li@yunfan.cn"],
            "phone": ["021-61234567"] * 2,
        }
    )
    resolve_tables({"t": table}, _ORGANISATION, tmp_path / "o")
    golden = pl.read_parquet(tmp_path / "o" / "golden.parquet")
    assert golden.select("contact_name", "mobile", "email").rows() == [("李四光", "13926845671", "li@yunfan.cn")]
    resolve_tables({"t": table}, _PERSON, tmp_path / "p")
    persons = pl.read_parquet(tmp_path / "p" / "golden.parquet")
    assert set(persons.select("full_name", "company_name", "phone").rows()) == {
        ("王小明", "上海云帆科技有限公司", "02161234567"),
        ("李四光", "上海云帆科技有限公司", "02161234567"),
    }


def test_what_a_killed_run_left_is_removed_and_two_runs_never_write_into_one_folder(tmp_path: Path) -> None:
    (tmp_path / ".writing-killed").mkdir()
    resolve_tables({"crm": _FIRMS}, _ORGANISATION, tmp_path)
    assert not list(tmp_path.glob(".*"))
    other = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(RecordsError, match="another run is writing there"):
            resolve_tables({"crm": _FIRMS}, _ORGANISATION, tmp_path)
    finally:
        os.close(other)


def test_files_are_moved_when_all_are_written_and_the_report_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_tables({"crm": _FIRMS}, _ORGANISATION, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    moved: list[str] = []

    def note(path: Path, target: Path) -> Path:
        moved.append(target.name)
        return target

    monkeypatch.setattr(Path, "replace", note)
    resolve_tables({"crm": _FIRMS.head(1)}, _ORGANISATION, tmp_path)
    assert moved[-1] == "report.json"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
