"""What rules say of records beside their fields: sources, keys, values and times, under the names that tables have."""

from datetime import UTC, datetime

import polars as pl
import pytest

from hub.resolve import resolve
from hub.rules.model import RulesError
from hub.rules.profile import profile_column
from hub.rules.read import parse_rules
from hub.rules.suggest import suggest_rules
from hub.tables import gather_records

_MANY = range(60)
_RULES = """
entity = "thing"
id_prefix = "T"
[records]
created_at = "Opened"
[fields.name]
kind = "name"
columns = ["title"]
[comparisons.name]
levels = ["same"]
[keys.name]
parts = ["name.sorted"]
"""


def test_times_are_read_from_the_columns_that_the_rules_name() -> None:
    rules = parse_rules(_RULES, "thing.toml")
    table = pl.DataFrame({"source_key": ["1", "2"], "title": ["a", "b"], "Opened": ["13/5/2024", "x"], "created_at": ["", ""]})
    read = gather_records({"things": table}, rules)
    assert read.frame["created_at"].to_list() == [datetime(2024, 5, 13, tzinfo=UTC), None]
    assert read.inputs[0]["times_not_read"]["created_at"]["first_value"] == "x"
    assert read.inputs[0]["columns_ignored"] == ["created_at"]
    golden = resolve(read.frame, rules=rules.rules, history=None, run_id="r", at=datetime(2026, 1, 1, tzinfo=UTC)).golden
    assert datetime(2024, 5, 13, tzinfo=UTC) in golden["first_seen_at"].to_list()
    assert gather_records({"things": table.drop("Opened")}, rules).fields_missing == ["created_at"]


@pytest.mark.parametrize(
    ("old", "new", "advice"),
    [
        ('"title"', '"title", "created_at"', "records.created_at: a field reads a column called created_at"),
        ('created_at = "Opened"', 'create_at = "Opened"', "records.create_at is not known here"),
        ('created_at = "Opened"', "updated_at = 7", "records.updated_at"),
    ],
)
def test_a_time_that_could_be_two_columns_or_none_is_refused(old: str, new: str, advice: str) -> None:
    with pytest.raises(RulesError, match=advice):
        parse_rules(_RULES.replace(old, new), "thing.toml")


@pytest.mark.parametrize(
    "header", ["创建时间", "建立日期", "录入时间", "Created", "Created On", "Opened", "date_added", "gmt_create"]
)
@pytest.mark.parametrize("last", ["更新时间", "最后修改日期", "Last Modified", "updated", "LastModifiedDate"])
def test_columns_of_times_are_suggested_by_their_headers(header: str, last: str) -> None:
    table = pl.DataFrame({"name": [f"place number {k}" for k in _MANY], header: ["45000"] * 60, last: ["13/5/2024"] * 60})
    read = parse_rules(suggest_rules(table), "suggested")
    assert (read.created_at, read.updated_at) == (header, last)
    assert [field.columns for field in read.rules.fields] == [("name",)]
    unread = parse_rules(suggest_rules(table.with_columns(pl.lit("soon").alias(header), created_at=pl.lit("2024-01-01"))), "s")
    assert (unread.created_at, unread.updated_at) == (None, last)


def test_traditional_headers_say_what_simplified_ones_do() -> None:
    table = pl.DataFrame(
        {
            "客戶編號": [f"H{k:03d}" for k in _MANY],
            "客戶名稱": [f"騰億塑膠{k}有限公司" for k in _MANY],
            "統一編號": [f"{k * 7919 + 10_000_000}" for k in _MANY],
            "聯絡人": ["黃家詠", "王家詩", "吳美珠"] * 20,
            "電話": [f"(07)407-62{k:02d}" for k in _MANY],
            "手機": [f"0971-585-9{k:02d}" for k in _MANY],
            "電郵": [f"info{k}@firm{k}.tw" if k % 9 else None for k in _MANY],
            "建立日期": ["2016/12/13"] * 60,
        }
    )
    read = parse_rules(suggest_rules(table), "suggested")
    fields = {field.name: field.columns for field in read.rules.fields}
    assert (read.source_key, read.created_at) == ("客戶編號", "建立日期")
    assert (fields["name"], fields["tax"], fields["contact"][0]) == (("客戶名稱",), ("統一編號",), "聯絡人")
    assert (set(fields["mobile"]), set(fields["phone"]), fields["email"]) == ({"電話", "手機"}, {"電話", "手機"}, ("電郵",))
    kinds = [profile_column(pl.Series(header, ["13912340000", "13912340001"])).kind for header in ("行動電話", "連絡電話")]
    assert kinds == ["mobile", "phone"]


_SPREAD = [str((k * 7919 + 13) ** 2 % 99_991) for k in range(400)]


@pytest.mark.parametrize(
    ("header", "values", "kind"),
    [
        ("insured", _SPREAD, "number"),
        ("保额", _SPREAD, "number"),
        ("Wert", _SPREAD, "number"),
        ("Wert", [f"¥{int(value):,}" for value in _SPREAD], "number"),
        ("Wert", [f"{int(value):05d}" for value in _SPREAD], "code"),
        ("Wert", [str(k) for k in range(95, 495)], "code"),
        ("Wert No", _SPREAD, "code"),
        ("Wert", ["5", "50", "5000", "90000"] * 100, "category"),
        ("Account", [f"S{k:05d}" for k in range(400)], "code"),
    ],
)
def test_whole_numbers_that_are_measured_are_no_codes(header: str, values: list[str], kind: str) -> None:
    assert profile_column(pl.Series(header, values)).kind == kind


@pytest.mark.parametrize("header", ["insured", "Balance", "年采购额", "contract_value"])
def test_what_is_at_stake_is_the_value_of_a_record_and_not_compared(header: str) -> None:
    table = pl.DataFrame({"Account": [f"S{k:05d}" for k in range(400)], "name": [f"place number {k}" for k in range(400)]})
    read = parse_rules(suggest_rules(table.with_columns(pl.Series(header, _SPREAD))), "suggested")
    assert (read.source_key, read.value) == ("Account", header)
    assert [field.columns for field in read.rules.fields] == [("name",)]


def _compare(**columns: list[str | None]) -> tuple[str, set[str]]:
    """The suggested rules of a list of things, and the columns that they compare."""
    table = pl.DataFrame({"model name": [f"place number {k}" for k in range(400)]} | columns)
    text = suggest_rules(table, "device")
    return text, {column for field in parse_rules(text, "suggested").rules.fields for column in field.columns}


@pytest.mark.parametrize(
    "header", ["Asset tag", "VAT / EIN", "Tax ID", "Registration No.", "IMEI", "Passport", "注册号", "序列号"]
)
def test_a_code_that_identifies_is_compared_though_few_rows_have_one(header: str) -> None:
    tags = [f"T{k // 4:05d}" if k % 4 == 0 else None for k in range(400)]
    assert header in _compare(**{header: tags})[1]
    shaped = [tag and f"{tag[-2:]}-1{tag}".replace("T", "1") for tag in tags]
    assert "Ref" in _compare(Ref=shaped)[1]


def test_what_few_rows_have_and_many_share_is_left_out_with_a_comment() -> None:
    text, compared = _compare(**{"Asset tag": [f"T{k % 7}" if k % 4 == 0 else None for k in range(400)]})
    assert text.startswith("# left out, since few rows have them: Asset tag\n")
    assert compared == {"model name"}


def test_a_company_that_has_a_name_and_a_tax_number_gets_the_rules_of_organisations() -> None:
    firms = [f"North {k} Ltd" for k in range(400)]
    numbers = [f"GB{k:09d}" if k % 4 == 0 else None for k in range(400)]
    rules = parse_rules(suggest_rules(pl.DataFrame({"Supplier": firms, "VAT": numbers})), "suggested").rules
    assert {field.name: field.columns for field in rules.fields}["tax"] == ("VAT",)


def test_what_names_a_record_or_what_it_is_worth_is_told_where_it_is_compared() -> None:
    for own in ("source_key", "value"):
        found = parse_rules(_RULES.replace("[records]", f'[records]\n{own} = "title"'), "thing.toml")
        assert found.list_compared_too() == {own: ["name"]}
    assert parse_rules(_RULES.replace('"title"', '"source_key"'), "s").list_compared_too() == {"source_key": ["name"]}
    assert parse_rules(_RULES, "thing.toml").list_compared_too() == {}
