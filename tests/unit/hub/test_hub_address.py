"""Addresses of organisations: what they say of a place, and what of a house."""

import polars as pl
import pytest

from hub.normalize.address import parse_address
from hub.normalize.kinds import derive
from hub.rules.read import load_rules


@pytest.mark.parametrize(
    ("address", "province", "city"),
    [
        ("四川省成都市武侯区人民南路四段9号", "四川", "成都"),
        ("四川成都春熙路8号", "四川", "成都"),
        ("成都高新区天府大道1号", "四川", "成都"),
        ("廣東省深圳市南山區科技園", "广东", "深圳"),
        ("江苏省昆山市花桥镇", "江苏", "苏州"),
        ("江苏省东台市海陵路1号", "江苏", "盐城"),
        ("广州番禺大道8号", "广东", "广州"),
        ("8 Chunxi Road, Jinjiang District, Chengdu, Sichuan 610000", "四川", "成都"),
        # streets and districts have the names of cities
        ("上海路12号", None, None),
        ("中山东一路3号", None, None),
        ("朝阳区建国路88号", None, None),
        ("8 Beijing Road, Springfield", None, None),
    ],
)
def test_the_region_that_an_address_begins_with_is_its_place(address, province, city):
    assert parse_address(pl.Series([address])).select("province", "city").row(0) == (province, city)


def place(**columns):
    fields = {field.name: field for field in load_rules("organisation").fields}
    frame = derive(pl.DataFrame({"address.province": [None], "address.city": [None], **columns}), [fields["place"]])
    return frame.row(0)


def test_an_address_says_where_a_record_is_if_no_column_of_places_does():
    address = {"address.province": ["四川"], "address.city": ["成都"], "name.province": ["山东"], "name.city": ["青岛"]}
    assert place(**address) == ("成都", "四川")
    assert place(**address, province=["四川省"]) == ("成都", "四川")
    assert place(**address, province=["广东省"]) == (None, "广东")
    assert place(**address, city=["绵阳市"]) == ("绵阳", "四川")


def test_two_firms_of_one_name_are_told_apart_by_their_addresses_and_golden_places_come_with_these(new_hub, parties):
    name = "鼎盛商贸有限公司"
    rows = ({"company_name": name, "address": address} for address in ("四川省成都市科华路12号", "山东省青岛市香港中路77号"))
    golden = new_hub().run(parties(*rows)).golden
    assert sorted(golden.select("province", "city").rows()) == [("四川", "成都"), ("山东", "青岛")]


@pytest.mark.parametrize(
    ("address", "house", "core", "unit"),
    [
        ("322 Church Lane", "322", "322 church", None),
        ("Unit 8, 322 Church Lane", "322", "322 church", "8"),
        ("322 Church Lane, Suite 8B", "322", "322 church", "8b"),
        ("322 Church Ln #8", "322", "322 church", "8"),
        ("322 Church Ln, Apt #8", "322", "322 church", "8"),
        ("2nd Floor, 322 Church Lane", "322", "322 church", "2"),
        ("Flat B, 322 Church Lane", "322", "322 church", "b"),
        # the only number there is
        ("Unit 8, Church Lane", "8", "apt 8 church", None),
        ("#322 Church Lane", "322", "322 church", None),
    ],
)
def test_a_unit_is_no_number_of_a_house(address, house, core, unit):
    assert parse_address(pl.Series([address])).select("house", "core", "unit").row(0) == (house, core, unit)


def test_a_unit_that_one_leaves_out_weighs_less_than_another_unit(new_hub, parties):
    def weigh(address):
        rows = ({"company_name": "Northgate Fabrications", "address": one} for one in ("Unit 8, 322 Church Lane", address))
        return new_hub().run(parties(*rows)).edges["weight"].item()

    without, other, elsewhere = (weigh(address) for address in ("322 Church Lane", "Unit 9, 322 Church Lane", "9 Mill Road"))
    assert without > other > elsewhere


def test_the_clients_of_a_bookkeeping_agent_stay_apart(new_hub, parties):
    brands = ["泰禾", "信瑞", "元金", "远兴", "隆德", "雅联", "荣晟", "桥恒", "博旋", "永辉", "富祥", "凯华"]
    names = [f"成都{brand}商贸有限公司" for brand in brands]
    shared = {"mobile": "13980001234", "city": "成都", "address": "成都市武侯区人民南路四段9号"}
    for known in (shared, {**shared, "address": None}):
        rows = ({"company_name": name, "contact_name": ("周会计", "周丽华")[k % 2], **known} for k, name in enumerate(names))
        assert new_hub().run(parties(*rows)).crosswalk["gid"].n_unique() == len(names)


def test_a_firm_that_has_another_name_is_one_by_its_number_contact_and_address(new_hub, parties):
    shared = {"mobile": "13980001234", "contact_name": "周丽华", "city": "成都", "address": "成都市武侯区人民南路四段9号"}
    rows = ({"company_name": name, **shared} for name in ("成都泰禾五金有限公司", "成都雅联酒业有限公司"))
    assert new_hub().run(parties(*rows)).crosswalk["gid"].n_unique() == 1


@pytest.mark.parametrize(
    ("address", "core"),
    [
        ("江苏省南京市玄武区新街口街道珠江路291号209室", "珠江路291"),
        ("南京市鼓楼区凤凰街道凤凰西街116号", "凤凰西街116"),
        ("珠江路291号", "珠江路291"),
        ("五角场街道12号", "五角场街道12"),
    ],
)
def test_the_street_of_a_chinese_address_begins_behind_its_subdistrict(address, core):
    assert parse_address(pl.Series([address]))["core"].item() == core
