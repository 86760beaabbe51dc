"""Numbers, addresses and names of persons."""

import json

import polars as pl
import pytest

from hub.explain import explain_pair
from hub.normalize.contact import drop_country, split_emails, split_numbers, split_person_names
from hub.normalize.kinds import derive
from hub.rules.model import Field
from hub.rules.read import load_rules


@pytest.mark.parametrize(
    ("typed", "mobile", "landline", "extension"),
    [
        ("139-2234-5678", "13922345678", None, None),
        ("+86 13922345678", "13922345678", None, None),
        ("0086-139 2234 5678", "13922345678", None, None),
        ("１３９２２３４５６７８", "13922345678", None, None),
        ("021-61234567转801", None, "02161234567", "801"),
        ("+86(021)61234567", None, "02161234567", None),
        ("(021)61234567-801", None, "02161234567", "801"),
        ("0086-21-61234567", None, "02161234567", None),
        ("+86 400-820-8820", None, "4008208820", None),
        ("400-820-8820", None, "4008208820", None),
        ("13800138000", None, None, None),
        ("00000000", None, None, None),
        ("无", None, None, None),
        ("95588", None, None, None),
        ("13926845671.0", "13926845671", None, None),
        ("1.3926845671E+10", "13926845671", None, None),
        ("1.39268E+10", None, None, None),
        ("+86 (0)139 2684 5671", "13926845671", None, None),
        ("+86 755 88886543", None, "075588886543", None),
        ("+86 10 6234 5678", None, "01062345678", None),
        ("+86 635 8321234", None, "06358321234", None),
        ("86-10-62345678", None, "01062345678", None),
        ("86-21-61234567", None, "02161234567", None),
        ("86 0755 88886543", None, "075588886543", None),
        ("86 139 2234 5678", "13922345678", None, None),
        ("86-400-820-8820", None, "4008208820", None),
        ("1062345678", None, "1062345678", None),
        ("+1 415 555 2671", None, "4155552671", None),
        ("001-415-555-2671", None, "4155552671", None),
        ("1 (415) 555-2671 ext 12", None, "4155552671", "12"),
        ("(415) 555-2671", None, "4155552671", None),
        ("415/555-2671", None, "4155552671", None),
        ("0755-88886543/88886544", None, "075588886543", None),
        ("+44 (0)20 7946 0958", None, "+442079460958", None),
        ("0044 7700 900123", "+447700900123", None, None),
        ("+81 3-1234-5678", None, "+81312345678", None),
        ("+86-139-2684-5671", "13926845671", None, None),
        ("02155551234-8001", None, "02155551234", "8001"),
        ("13867549021、13958672203", "13867549021", None, None),
        ("13867549021，13958672203", "13867549021", None, None),
        ("13867549021\n13958672203", "13867549021", None, None),
        ("021-68886543 13867549021", "13867549021", "02168886543", None),
        ("021-68886543/13800138000", None, "02168886543", None),
        ("138 6754 9021", "13867549021", None, None),
    ],
)
def test_numbers_are_told_apart(typed, mobile, landline, extension):
    assert split_numbers(pl.Series([typed])).row(0) == (mobile, landline, extension)


def test_public_mail_services_are_no_company():
    found = split_emails(pl.Series(["Li.Ming@QQ.com", "info@yunfan.com.cn", "sales02@yunfan.com.cn", "nonsense", None]))
    assert found.drop("user").rows() == [
        ("li.ming@qq.com", None, False),
        ("info@yunfan.com.cn", "yunfan.com.cn", True),
        ("sales02@yunfan.com.cn", "yunfan.com.cn", True),
        (None, None, None),
        (None,) * 3,
    ]


def test_of_several_addresses_the_first_counts_whatever_is_written_beside_them():
    typed = ["a@b.com;c@d.com", "a@b.com c@d.com", "张三<a@b.com>", "a@b.com。", "mailto:a@b.com", " A @ b.com"]
    assert split_emails(pl.Series(typed))["email"].to_list() == ["a@b.com"] * len(typed)


def test_an_address_that_stands_for_none_is_nobodys():
    found = split_emails(pl.Series(["noemail@yunfan.com.cn", "123456@qq.com", "li@example.com", "NoReply@Yunfan.com.cn "]))
    assert found["email"].to_list() == [None] * 4
    assert found["domain"].to_list() == ["yunfan.com.cn", None, None, "yunfan.com.cn"]


def test_a_title_leaves_only_the_surname_and_a_pet_name_not_even_that():
    found = split_person_names(pl.Series(["王总", "欧阳经理", "李明轩", "李 明", "张三 先生", "Mr. John Smith", "无", "小敏"]))
    assert found.rows() == [
        (None, "王", "王"),
        (None, "欧阳", "欧阳"),
        ("李明轩", "李", "李明轩"),
        ("李明", "李", "李明"),
        ("张三", "张", "张三"),
        ("john smith", None, "john smith"),
        (None, None, None),
        (None, None, "敏"),
    ]


def test_a_firm_is_nobodys_name():
    found = split_person_names(pl.Series(["上海华强电子有限公司", "卓方新能源", "华强公司", "程新能"]))
    assert found["called"].to_list() == [None, None, None, "程新能"]


@pytest.mark.parametrize(
    ("abroad", "at_home"),
    [("+44 114 637 1543", "0114 637 1543"), ("+44 7700 900123", "07700 900123"), ("+49 (0)30 1234567", "030 1234567")],
)
def test_a_number_with_its_country_code_is_that_of_domestic_calls(abroad, at_home):
    frame = derive(pl.DataFrame({"v": [abroad, at_home]}), [Field("f", "phone", ("v",))])
    assert frame["f.national"].n_unique() == 1


def test_numbers_with_a_country_code_and_without_are_compared_as_one(new_hub, parties):
    rows = ({"company_name": "Northgate Fabrications", "phone": number} for number in ("+44 114 637 1543", "0114 637 1543"))
    evidence = new_hub().run(parties(*rows)).edges["evidence"].item()
    assert json.loads(evidence)["phone"] > 0


def test_a_short_number_is_no_other_countrys():
    assert drop_country(pl.Series(["+85223456789", "23456789", None])).to_list() == ["+85223456789", "23456789", None]


@pytest.mark.parametrize(("other", "level"), [("Wang Wei", "sound"), ("WEI WANG", "sound"), ("王玮", "sound"), ("王芳", "other")])
def test_a_contact_speaks_for_who_is_called_so_in_pinyin(parties, other, level):
    firm = {"company_name": "上海云帆科技有限公司"}
    records = parties({**firm, "contact_name": "王伟"}, {**firm, "contact_name": other})
    told = explain_pair(records, ("crm", "k0000"), ("crm", "k0001"), load_rules("organisation"))
    assert next(field["level"] for field in told["fields"] if field["field"] == "contact") == level
