"""Rules from a file, and rules suggested from a table."""

import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files

import polars as pl
import pytest

from hub.resolve import resolve
from hub.rules.model import RulesError
from hub.rules.profile import profile_column
from hub.rules.read import load_rules, parse_rules
from hub.rules.suggest import suggest_rules


def test_the_rules_of_persons_come_with_the_hub_and_those_of_ships_do_not() -> None:
    assert load_rules("person").entity == "person"
    with pytest.raises(RulesError, match="ship"):
        load_rules("ship")


def _suggest(**columns: list[str | None]) -> dict[str, tuple[str, tuple[str, ...]]]:
    rules = parse_rules(suggest_rules(pl.DataFrame(columns)), "suggested").rules
    return {field.name: (field.kind, field.columns) for field in rules.fields}


_MANY = range(60)


@pytest.mark.parametrize("entity", ["organisation", "person"])
def test_the_text_of_the_built_in_rules_has_the_settings_that_people_change_first(entity: str) -> None:
    text = files("hub").joinpath("rules", f"{entity}.toml").read_text(encoding="utf-8")
    assert {"match_bits", "review_bits", "review_limit", "source_precedence"} <= set(tomllib.loads(text))


def test_kinds_are_guessed_from_headers_and_values_in_two_languages() -> None:
    columns = dict(
        客户名称=[f"上海云帆{k}科技有限公司" for k in _MANY],
        手机=[f"139123400{k:02d}" for k in _MANY],
        联系人=["王小明", "李雷", "韩梅梅"] * 20,
        城市=["上海", "北京", "广州"] * 20,
        Mail=[f"info{k}@firm{k}.cn" for k in _MANY],
        dob=[f"19{k + 20}-03-0{k % 9 + 1}" for k in _MANY],
        price=[f"{k}.99" for k in _MANY],
        weight_kg=[f"{k % 9}.{k:02d}" for k in _MANY],
        cell=[f"(415) 555-26{k:02d}" for k in _MANY],
        altitude=[f"{k + 1023}.0" for k in _MANY],
        name=[
            f"{surname}{given}"
            for surname in "王李张刘陈杨"
            for given in ("伟", "芳芳", "建国", "秀英", "敏", "静", "丽", "强", "磊", "军")
        ],
        证件=[f"4419701997070870{k:02d}" for k in _MANY],
    )
    assert {name: profile_column(pl.Series(name, values)).kind for name, values in columns.items()} == {
        "客户名称": "company",
        "手机": "mobile",
        "联系人": "person_name",
        "城市": "place",
        "Mail": "email",
        "dob": "date",
        "price": "number",
        "weight_kg": "number",
        "cell": "phone",
        "altitude": "code",
        "name": "person_name",
        "证件": "code",
    }


def test_when_and_by_whom_a_record_was_written_is_no_column_of_its_entity() -> None:
    dates = [f"2024-0{k % 9 + 1}-{k % 27 + 1:02d}" for k in _MANY]
    written = ["Created Date", "LastModifiedDate", "LastModifiedById", "Create Date", "modifiedon", "gmt_create", "Date Modified"]
    written += ["SystemModstamp", "创建日期", "修改时间", "最后更新日期", "创建人"]
    assert {header for header in written if profile_column(pl.Series(header, dates)).kind != "skip"} == set()
    spoken = [f"{month} {k % 27 + 1} , 2014" for k, month in enumerate(["May", "July", "Nov", "January"] * 20)]
    assert profile_column(pl.Series("Released", spoken)).kind == "date"
    assert profile_column(pl.Series("Released", [f"{k % 27 + 1}-Oct-{k % 30:02d}" for k in _MANY])).kind == "date"
    assert profile_column(pl.Series("Song", [f"May {k} of you" for k in _MANY])).kind == "name"
    assert {profile_column(pl.Series(header, dates)).kind for header in ("dob", "注册日期", "Date", "Release Date")} == {"date"}


def test_the_place_of_a_birth_is_no_date() -> None:
    towns = ["Devon", "West Devon", "Bristol", "Wychavon"] * 15
    assert {profile_column(pl.Series(header, towns)).kind for header in ("birth_place", "PLACEOFBIRTH", "出生地")} == {"place"}
    assert profile_column(pl.Series("birth_name", ["Clifford", "Bennet", "Burn"] * 20)).kind == "name"
    assert profile_column(pl.Series("PLZ", [f"{k:05d}" for k in _MANY])).kind == "zip"


def test_chinese_companies_get_the_rules_of_organisations_over_their_own_columns() -> None:
    table = pl.DataFrame(
        {
            "编号": [str(k) for k in _MANY],
            "客户名称": [f"上海云帆{k}" for k in _MANY],
            "手机": [f"139123400{k:02d}" for k in _MANY],
            "联系人": ["王小明", "李雷", "韩梅梅"] * 20,
            "所在城市": ["上海", "北京", "广州"] * 20,
        }
    )
    read = parse_rules(suggest_rules(table), "suggested")
    fields = {field.name: field.columns for field in read.rules.fields}
    built_in = load_rules("organisation")
    assert read.source_key == "编号"
    assert (fields["name"], fields["mobile"]) == (("客户名称",), ("手机",))
    assert fields["place"][:2] == ("所在城市", "所在城市")
    assert fields["contact"][0] == "联系人"
    assert (read.rules.entity, read.rules.id_prefix, read.rules.weights) == ("organisation", "cus_", built_in.weights)
    assert parse_rules(suggest_rules(table, "Supplier"), "suggested").rules.entity == "supplier"


def test_a_list_of_persons_who_name_their_companies_is_no_list_of_companies() -> None:
    companies = [f"上海云帆{k}科技有限公司" for k in _MANY]
    persons = ["王小明", "李雷", "韩梅梅"] * 20
    half = [company if k % 2 else None for k, company in enumerate(companies)]

    def name(entity: str = "entity", **columns: Sequence[str | None]) -> str:
        mobiles = [f"139123400{k:02d}" for k in _MANY]
        return parse_rules(suggest_rules(pl.DataFrame(columns | {"手机": mobiles}), entity), "suggested").rules.entity

    assert name(联系人=persons, 公司=companies) == "organisation"
    assert name(姓名=persons, 公司=companies) == "person"
    assert name(联系人姓名=persons, 公司=companies) == "organisation"
    assert name(联系人=persons, 公司=half) == "person"
    # two persons for each company
    staff = [f"{surname}{given}" for surname in "王李张刘陈杨赵黄周吴" for given in ("伟", "秀英", "娜", "强", "敏", "静")]
    assert name(联系人=staff, 公司=sorted(companies[:30] * 2)) == "person"
    assert name(联系人=staff, 公司=companies) == "organisation"
    assert name("organisation", 姓名=persons, 公司=companies) == "organisation"
    assert name("person", 联系人=persons, 公司=companies) == "person"


def test_a_list_of_materials_is_no_list_of_companies_whatever_counts_or_supplies_them() -> None:
    materials = {"物料名称": [f"不锈钢{name}{k}" for k in range(20) for name in ("球阀", "油封", "轴承")]}
    materials["规格型号"] = [f"DN{k} PN{k % 7}" for k in _MANY]

    def name(entity: str = "entity", **columns: Sequence[str]) -> str:
        return parse_rules(suggest_rules(pl.DataFrame(materials | columns), entity), "suggested").rules.entity

    makers = ["江苏恒力机械有限公司", "宁波精工密封", "正泰电器"] * 20
    assert profile_column(pl.Series("单位", ["个", "件", "千克"] * 40)).kind == "category"
    assert profile_column(pl.Series("单位", makers)).kind == "company"
    assert name(单位=["个", "件", "千克"] * 20) == name(供应商=makers) == "entity"
    assert name("organisation", 供应商=makers) == "organisation"
    assert name(客户名称=[f"江苏恒力机械{k}厂" for k in range(30) for _ in "ab"]) == "organisation"


def test_names_of_companies_alone_get_the_rules_of_organisations_whatever_their_letters() -> None:
    firms = [f"{word} {k} {legal}" for k in range(20) for word, legal in (("North", "Ltd."), ("Alpha", "Inc"), ("Rhein", "GmbH"))]
    towns = ["leeds", "hamburg", "austin"] * 20

    def name(**columns: Sequence[str]) -> str:
        return parse_rules(suggest_rules(pl.DataFrame(columns)), "suggested").rules.entity

    assert name(name=firms) == name(name=firms, town=towns) == "organisation"
    assert name(supplier=[f"north {k}" for k in _MANY]) == "organisation"
    assert name(name=[f"north {k}" for k in _MANY]) == "entity"
    assert name(name=firms, phone=[f"415 555-26{k:02d}" for k in _MANY]) == "entity"
    assert name(
        supplier=[f"north {k}" if k % 3 else f"上海云帆{k}" for k in _MANY], phone=[f"415 555-26{k:02d}" for k in _MANY]
    ) == ("organisation")


@pytest.mark.parametrize("entity", ["学生", "学生s", "3com", "Boîte", ""])
def test_an_entity_whose_name_rules_cannot_have_is_refused_with_what_to_write(entity: str) -> None:
    for names in (["North 1", "North 2"], ["上海云帆科技有限公司", "苏州精卓机械有限公司"]):
        with pytest.raises(RulesError, match=f"'{entity}' cannot be an entity: call it in letters from a to z"):
            suggest_rules(pl.DataFrame({"name": names}), entity)
    assert parse_rules(suggest_rules(pl.DataFrame({"name": ["a", "b"]}), "Sales Boat"), "own").rules.entity == "sales_boat"


def test_given_name_and_surname_become_one_field_that_may_be_swapped() -> None:
    born = [f"19{k + 20}-03-0{k % 9 + 1}" for k in _MANY]
    found = _suggest(first_name=["anna", "bert", "cora"] * 20, surname=["north", "south", "west", "east"] * 15, dob=born)
    assert found == {"name": ("full_name", ("first_name", "surname")), "dob": ("date", ("dob",))}


_PERSONS: dict[str, Sequence[str]] = {
    "first_name": ["anna", "bert", "cora"] * 20,
    "last_name": ["north", "south", "west", "east"] * 15,
    "street_no": [str(k // 2) for k in _MANY],
    "address_1": ["elm road", "oak lane"] * 30,
    "address_2": ["tower", "flat 3", "rear"] * 20,
    "suburb": ["leeds", "york", "hull"] * 20,
    "cell": [f"(415) 555-26{k:02d}" for k in _MANY],
    "job_title": ["nurse", "clerk"] * 30,
    "date_of_birth": [f"19{k % 30 + 20}-03-0{k % 9 + 1}" for k in range(30)] * 2,
}


@pytest.mark.parametrize("entity", ["entity", "person", "patient"])
def test_a_list_of_persons_gets_the_rules_that_come_with_the_hub_and_learns_what_they_do_not_know(entity: str) -> None:
    rules = parse_rules(suggest_rules(pl.DataFrame(_PERSONS), entity), "suggested").rules
    assert {field.name: (field.kind, field.columns) for field in rules.fields} == {
        "name": ("full_name", ("first_name", "last_name")),
        "phone": ("landline", ("cell",)),
        "place": ("region", ("suburb", "suburb")),
        "address": ("full_address", ("street_no", "address_1", "address_2")),
        "source": ("source", ("source",)),
        "title": ("category", ("job_title",)),
        "date_of_birth": ("date", ("date_of_birth",)),
    }
    built_in = load_rules("person").weights
    assert rules.weights == {name: built_in[name] for name in rules.weights}
    assert {"name.nickname", "phone.same", "household", "title.same"} <= set(rules.weights)
    assert not {name for name in rules.weights if name.startswith(("date_of_birth", "mobile", "employer"))}
    assert ("date_of_birth",) in [key.parts for key in rules.block_keys]
    assert (rules.entity, rules.id_prefix) == (("patient", "pat_") if entity == "patient" else ("person", "per_"))


def test_a_place_finds_candidates_together_with_a_column_that_the_built_in_rules_do_not_know() -> None:
    postcodes = {"postcode": ["LS1", "YO2", "HU3"] * 20}
    rules = parse_rules(suggest_rules(pl.DataFrame(_PERSONS | postcodes)), "suggested").rules
    assert ("place", "postcode") in [key.parts for key in rules.block_keys]


def test_golden_persons_have_the_columns_of_the_table() -> None:
    rules = parse_rules(suggest_rules(pl.DataFrame(_PERSONS)), "suggested").rules
    assert sorted(name for survivor in rules.survivors for name, _ in survivor.values) == sorted(_PERSONS)
    chinese = {"姓名": ["王小明", "李雷", "韩梅梅"] * 20, "phone": [f"139123400{k:02d}" for k in _MANY]}
    read = parse_rules(suggest_rules(pl.DataFrame(chinese)), "suggested").rules
    records = pl.DataFrame(chinese).with_columns(source=pl.lit("s"), source_key=pl.col("phone"))
    golden = resolve(records, rules=read, history=None, run_id="r", at=datetime(2026, 1, 1, tzinfo=UTC)).golden
    assert {("王小明", "13912340000"), ("李雷", "13912340001")} <= set(golden.select("姓名", "phone").iter_rows())


def test_of_many_other_columns_those_that_tell_most_are_compared_beside() -> None:
    others = {f"name of {letter}": [f"{letter} {k % (7 + place)}" for k in _MANY] for place, letter in enumerate("abcdefgh")}
    table = pl.DataFrame(
        {"full_name": [name if k < 5 else None for k, name in enumerate(["anna north", "bert south"] * 30)]} | others
    )
    rules = parse_rules(suggest_rules(table, "person"), "suggested").rules
    assert [field.columns[0] for field in rules.fields if field.name.startswith("name_of")] == list(others)[2:]


def test_what_names_persons_of_something_else_makes_no_list_of_persons() -> None:
    authors = ["anna north", "bert south", "cora west"] * 20

    def name(**columns: Sequence[str]) -> str:
        return parse_rules(suggest_rules(pl.DataFrame(columns)), "suggested").rules.entity

    titles = [f"report {k} on wells" for k in _MANY]
    assert name(author=authors, title=titles) == "entity"
    assert name(contact_name=authors, phone=[f"415 555-26{k:02d}" for k in _MANY]) == "person"
    assert name(name=authors, town=["leeds", "york", "hull"] * 20) == "entity"
    assert name(name=authors, gender=["f", "m", "f"] * 20, town=["leeds", "york", "hull"] * 20) == "person"


def test_row_keys_constants_sparse_columns_and_repetitions_are_left_out() -> None:
    names = [f"place number {k}" for k in _MANY]
    table = pl.DataFrame(
        {
            "id": [str(k) for k in _MANY],
            "name": names,
            "display name": [name.upper() for name in names],
            "country": ["cn"] * 60,
            "city": ["x"] + [None] * 58 + ["y"],
        }
    )
    read = parse_rules(suggest_rules(table), "suggested")
    assert read.source_key == "id"
    assert [field.columns for field in read.rules.fields] == [("name",)]


@pytest.mark.parametrize(
    "header", ["客户编号", "学号", "员工工号", "客户编码", "物料代码", "记录主键", "序号", "客户ID", "会员号", "编号", "cust_id"]
)
def test_a_column_of_keys_is_found_by_its_header(header: str) -> None:
    table = pl.DataFrame({"客户名称": [f"上海云帆{k}" for k in _MANY], header: [f"K{k:03d}" for k in _MANY]})
    assert parse_rules(suggest_rules(table), "suggested").source_key == header


@pytest.mark.parametrize(
    "header", ["邮政编码", "证件编号", "税务编号", "区域代码", "所属客户编号", "组织机构代码", "电话编号", "型号"]
)
def test_what_only_ends_like_a_key_is_none(header: str) -> None:
    table = pl.DataFrame({"客户名称": [f"上海云帆{k}" for k in _MANY], header: [f"K{k:03d}" for k in _MANY]})
    assert parse_rules(suggest_rules(table), "suggested").source_key is None


def test_a_key_is_filled_and_distinct_and_the_place_of_a_row_serves_where_there_is_no_other() -> None:
    places, keys = [str(k) for k in _MANY], [f"K{k:03d}" for k in _MANY]

    def find(**columns: list[str | None]) -> str | None:
        names: list[str | None] = [f"上海云帆{k}" for k in _MANY]
        return parse_rules(suggest_rules(pl.DataFrame(columns | {"客户名称": names})), "suggested").source_key

    assert find(序号=[*places], 客户编号=[*keys]) == "客户编号"
    assert find(序号=[*places], 客户编号=[*keys[1:], None]) == "序号"
    assert find(客户编号=[*keys[1:], keys[1]]) is None
    # without a header that says so: the first column, if it has codes
    assert find(船号=[*keys], 城市=["上海", "北京"] * 30) == "船号"
    assert find(城市=["上海", "北京"] * 30, 船号=[*keys]) is None
    assert find(船名=[f"海丰{k}号渔船" for k in _MANY]) is None


def test_a_key_that_joins_half_the_table_is_not_suggested() -> None:
    table = pl.DataFrame({"name": [f"{k % 50} street fair" for k in range(1000)], "city": ["a", "b"] * 500})
    keys = [key.parts for key in parse_rules(suggest_rules(table), "suggested").rules.block_keys]
    assert ("name.sorted",) in keys
    assert ("city",) not in keys


def test_lists_and_bytes_are_left_out_with_a_comment_and_names_survive_as_written() -> None:
    table = pl.DataFrame(
        {
            "id": [str(k) for k in _MANY],
            "name": [f"Gadget No {k}" for k in _MANY],
            "tags": [["a", "b"]] * 60,
            "size": [{"w": 1}] * 60,
            "photo": [b"x"] * 60,
        }
    )
    text = suggest_rules(table, "Product")
    assert text.splitlines()[0] == "# left out, since no text: tags, size, photo"
    rules = parse_rules(text, "suggested").rules
    assert rules.id_prefix == "pro_"
    result = resolve(
        table.select("name", source=pl.lit("shop"), source_key="id").head(1),
        rules=rules,
        history=None,
        run_id="r",
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert result.golden["name"].to_list() == ["Gadget No 0"]
    assert result.golden["gid"][0].startswith("pro_")


def test_the_key_of_a_record_is_no_column_of_its_entity_though_it_repeats_from_source_to_source() -> None:
    table = pl.DataFrame(
        {
            "source": ["crm", "erp"] * 30,
            "source_key": [str(k // 2) for k in _MANY],
            "name": [f"place number {k}" for k in _MANY],
            "town": [f"town {k % 7}" for k in _MANY],
        }
    )
    rules = parse_rules(suggest_rules(table), "suggested").rules
    assert [field.columns for field in rules.fields] == [("name",), ("town",), ("source",)]
    assert not any("source" in part for key in rules.block_keys for part in key.parts)


def test_sources_are_compared_where_there_are_two_or_more() -> None:
    table = pl.DataFrame({"dataset": ["crm", "erp"] * 30, "Source": [f"lead {k}" for k in _MANY], "name": ["a", "b", "c"] * 20})
    read = parse_rules(suggest_rules(table), "suggested")
    assert read.source == "dataset"
    fields = {field.name: (field.kind, field.columns) for field in read.rules.fields}
    assert fields["source"] == ("source", ("source",))
    alone = parse_rules(suggest_rules(table.with_columns(dataset=pl.lit("crm"))), "suggested").rules
    assert "source" not in [field.kind for field in alone.fields]


def test_numbers_of_types_are_compared_and_found_by_where_titles_have_them() -> None:
    table = pl.DataFrame(
        {
            "id": [str(k) for k in _MANY],
            "title": [f"Lens {k} black - EF-{k}0M2" for k in _MANY],
            "maker": [f"{['north', 'south', 'east', 'west'][k % 4]} optics {k % 9}" for k in _MANY],
            "modelno": [f"A{k // 2}-{k // 2 * 7}x" for k in _MANY],
        }
    )
    rules = parse_rules(suggest_rules(table), "suggested").rules
    assert {field.name: field.kind for field in rules.fields}["modelno"] == "code"
    assert [one.field for one in rules.comparisons if one.field.endswith(".models")] == ["title.models"]
    assert ("title.model",) in [key.parts for key in rules.block_keys]
