"""Kinds of fields: what becomes of a column's values."""

from typing import Any

import polars as pl
import pytest

from hub.normalize.kinds import KINDS, derive, list_parts
from hub.rules.model import Field


def _derive(kind: str, values: list[str | None], part: str = "") -> list[Any]:
    frame = derive(pl.DataFrame({"v": values}, schema={"v": pl.String}), [Field("f", kind, ("v",))])
    return frame[f"f.{part}" if part else "f"].to_list()


@pytest.mark.parametrize("kind", ["text", "name", "company", "person_name", "code", "address", "place", "email", "phone"])
@pytest.mark.parametrize("value", ["n/a", "#N/A", "#VALUE!", "not available", "未知", "无", "unknown", "", "  "])
def test_a_placeholder_is_nothing(kind: str, value: str) -> None:
    assert _derive(kind, [value]) == [None]


@pytest.mark.parametrize("kind", ["text", "company", "person_name", "address", "place", "region"])
def test_what_a_program_writes_for_nothing_is_nothing(kind: str) -> None:
    assert _derive(kind, ["nan", "None", "#REF!", "<NA>"]) == [None] * 4


@pytest.mark.parametrize("kind", ["company", "person_name"])
def test_a_word_for_any_customer_is_nobodys_name(kind: str) -> None:
    assert _derive(kind, ["现金客户", "个人客户", "其他客户", "自然人", "自由职业"]) == [None] * 5


def test_a_word_for_any_customer_is_no_firm_in_a_city_or_in_english_either() -> None:
    assert _derive("company", ["上海现金客户", "Customer", "no name"]) == [None] * 3


def test_a_firm_may_be_named_as_a_word_for_nothing() -> None:
    assert None not in _derive("company", ["Nan Co., Ltd", "上海客户服务有限公司", "自然人科技有限公司"])


def test_a_filler_number_is_nothing() -> None:
    assert _derive("mobile", ["13800000000", "13912340001"]) == [None, "13912340001"]
    assert _derive("code", ["000000", "1234567", "7", "ab-12 3"]) == [None, None, "7", "AB123"]
    assert _derive("code", ["M8×20", "m8 * 20", "M8x20", "2088*"]) == ["M8X20", "M8X20", "M8X20", "2088"]


def test_titles_name_numbers_of_types_and_not_measures() -> None:
    titles = [
        "Sony KDL-37XBR6 37' LCD TV - KDL37XBR6 1080p",
        "佳能EOS-R50微单 HMA-AL00",
        "Labels 63904",
        "pp. 322-331, 500gb, 1920x1080",
    ]
    assert _derive("name", titles, "models") == ["kdl37xbr6", "eosr50 hmaal00", "63904", None]
    assert _derive("text", titles, "model") == ["kdl37xbr6", "hmaal00", "63904", None]


def test_dates_of_many_spellings_are_one_date() -> None:
    spellings = [
        "1990-03-04",
        "19900304",
        "1990/3/4",
        "1990年3月4日",
        "4 March 1990",
        "Mar 4, 1990",
        "March 4 , 1990",
        "4-Mar-90",
        "04.03.1990",
    ]
    assert set(_derive("date", spellings)) == {"1990-03-04"}


def test_a_column_with_a_day_above_twelve_in_second_place_is_read_months_first() -> None:
    assert _derive("date", ["03/04/1990", "03/25/1990"]) == ["1990-03-04", "1990-03-25"]
    assert _derive("date", ["03/04/1990", "25/03/1990"]) == ["1990-04-03", "1990-03-25"]


def test_an_address_is_spelled_one_way_and_its_core_leaves_the_kind_of_street_out() -> None:
    spellings = ["1312 South Racine Avenue", "1312 S. Racine Ave.", "1312 s racine ave"]
    assert set(_derive("address", spellings)) == {"1312 s racine ave"}
    assert set(_derive("address", [*spellings, "1312 Racine"], "core")) == {"1312 racine"}
    assert _derive("address", ["570 Fourth St.", "570 4th st"], "core") == ["570 4", "570 4"]
    streets = ["浙江省杭州市西湖区文三路90号", "文三路90号", "上海市中山路12号3楼", "中山路 12号"]
    assert _derive("address", streets, "core") == ["文三路90", "文三路90", "中山路12", "中山路12"]
    assert _derive("address", ["1312 South Racine Ave", "Racine House 1", "12 A"], "street") == ["racine", "racine", None]


def test_a_chinese_address_has_its_numbers_apart() -> None:
    assert _derive("address", ["上海市浦东新区张江路88号3楼"], "number") == ["88"]


def test_names_of_persons_fall_into_given_name_and_surname() -> None:
    values = ["Smith, John", "John Smith", "欧阳娜娜", "王小明", "王总"]
    assert _derive("person_name", values) == ["john smith", "john smith", "欧阳娜娜", "王小明", None]
    assert _derive("person_name", values, "surname") == ["smith", "smith", "欧阳", "王", "王"]
    assert _derive("person_name", values, "given") == ["john", "john", "娜娜", "小明", None]


def test_a_chinese_name_of_two_long_words_is_one_and_a_long_text_is_none() -> None:
    values = ["阿迪力·买买提", "阿迪力 买买提", "约翰•史密斯", "上海的王先生们", "王 小 明"]
    assert _derive("person_name", values) == ["阿迪力买买提", "阿迪力买买提", "约翰史密斯", None, "王小明"]


def test_a_name_has_a_formal_and_a_rough_form() -> None:
    values = ["Bob Smith", "SMITH, Robert", "Robert J. Smiht", "王小明", "明 王小", "王晓明", "王总"]
    assert _derive("person_name", values, "formal")[:2] == ["robert smith", "robert smith"]
    assert _derive("person_name", values, "rough") == ["rob smi"] * 3 + ["ming wang xiao"] * 3 + [None]
    assert set(_derive("person_name", ["高艳杰", "Yanjie Gao", "GAO Yan-Jie", "Gao, Yanjie"], "rough")) == {"gao jie yan"}


def test_a_key_that_means_something_in_its_source_alone_is_not_shared_by_sources() -> None:
    frame = pl.DataFrame({"gid": [None, None, "G1"], "source": ["a", "b", "b"], "key": ["K1", "K1", "K1"]})
    made = derive(frame, [Field("party", "scoped_code", ("gid", "source", "key"))])
    assert made["party"].to_list() == ["a:K1", "b:K1", "G1"]


def test_every_kind_makes_the_parts_that_it_names_and_copes_with_columns_that_are_not_there() -> None:
    for kind in KINDS:
        field = Field("f", kind, ("absent", "absent_2", "absent_3")[: 3 if kind == "scoped_code" else 2])
        made = derive(pl.DataFrame({"other": ["x", "y"]}), [field])
        assert made.height == 2
        assert set(list_parts(field)) <= set(made.columns), kind
        assert made.null_count().row(0) == (2,) * made.width, kind


def test_a_city_in_pinyin_is_the_city_unless_two_sound_so() -> None:
    assert _derive("region", ["Xiamen", "厦门市", "Chengdu", "成都", "Hong Kong"])[:4] == ["厦门", "厦门", "成都", "成都"]
    assert _derive("region", ["Suzhou", "New York City"]) == [None, "new york"]


@pytest.mark.parametrize("kind", ["name", "text", "person_name", "place", "address"])
def test_characters_of_a_web_page_are_what_they_stand_for(kind: str) -> None:
    assert _derive(kind, ["H&#233;ctor Garc&iacute;a"]) == ["hector garcia"]


def test_a_street_in_german_is_spelled_one_way() -> None:
    assert len(set(_derive("address", ["Goethestr. 47", "Goethestraße 47", "Goethe-Strasse 47"]))) == 1


def test_a_name_in_two_columns_is_read_as_one_in_one_column_is() -> None:
    table = pl.DataFrame(
        {"given": ["Bob", None, "小明"], "surname": ["Smith", "Hill", "王"], "whole": ["Bob Smith", "Hill", "王小明"]}
    )
    fields = [Field("two", "full_name", ("given", "surname")), Field("one", "person_name", ("whole",))]
    made = derive(table, fields)
    for part in ("called", "formal", "rough", "surname"):
        assert made[f"two.{part}"].to_list() == made[f"one.{part}"].to_list()
    assert made["two.shown"].to_list() == table["whole"].to_list()


def test_lines_of_an_address_are_one_address() -> None:
    table = pl.DataFrame({"no": ["7", None, None], "line": ["Elm Road", "Oak Lane", None], "more": [None, "Flat 3", None]})
    made = derive(table, [Field("f", "full_address", ("no", "line", "more"))])
    assert made["f"].to_list() == ["7 elm rd", "oak ln flat 3", None]
    assert made["f.shown"].to_list() == ["7 Elm Road", "Oak Lane Flat 3", None]
