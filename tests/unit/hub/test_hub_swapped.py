"""A company and its contact in each other's field."""

import polars as pl
import pytest

from hub.normalize.company import parse_company_names
from hub.normalize.swapped import exchange_swapped
from hub.rules.read import load_rules

FIELDS = load_rules("organisation").fields


def read(company, contact):
    frame = pl.DataFrame([(company, contact)], schema={"company_name": pl.String, "contact_name": pl.String}, orient="row")
    return exchange_swapped(frame, FIELDS).row(0)


@pytest.mark.parametrize(
    ("company", "contact"),
    [
        ("王小明", "上海华强电子有限公司"),
        ("王总", "华强电子"),
        ("欧阳经理", "上海华强电子有限公司"),
        ("John Smith", "Acme Trading Co., Ltd."),
        ("无", "上海华强电子有限公司"),
        (None, "上海华强电子有限公司"),
    ],
)
def test_what_is_typed_the_wrong_way_round_is_exchanged(company, contact):
    assert read(company, contact) == (contact, company)


@pytest.mark.parametrize(
    ("company", "contact"),
    [
        ("上海华强电子有限公司", "王小明"),
        ("华强电子", "上海云帆科技有限公司"),
        ("万科", "上海万科企业有限公司"),
        ("Acme Trading", "Acme Trading Co., Ltd."),
        ("王小明", "李建国"),
        ("王小明", None),
    ],
)
def test_what_may_be_right_stays(company, contact):
    assert read(company, contact) == (company, contact)


FIRM = "北京恒远科技有限公司"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (("13911112222", None, FIRM), (FIRM, None, "13911112222")),
        (("139 1111 2222", "无", None), (None, "无", "139 1111 2222")),
        (("91110000592306442E", FIRM, None), (FIRM, "91110000592306442E", None)),
        (("91110000592306442e", None, "13911112222"), (None, "91110000592306442e", "13911112222")),
        (("13911112222", None, "13911113333"), ("13911112222", None, "13911113333")),
        (("12306", None, None), ("12306", None, None)),
        (("3M", None, "13911113333"), ("3M", None, "13911113333")),
    ],
)
def test_a_number_in_the_field_of_a_company_goes_where_it_belongs(typed, read):
    frame = pl.DataFrame([typed], schema=dict.fromkeys(("company_name", "tax_no", "mobile"), pl.String), orient="row")
    assert exchange_swapped(frame, FIELDS).row(0) == read


@pytest.mark.parametrize(
    "number", ["13911112222", "0571-88889999转801", "91110000592306442E", "110108012345678", "１２３４５６７"]
)
def test_a_number_is_no_name(number):
    found = parse_company_names(pl.Series([number])).row(0, named=True)
    assert (found["name_display"], found["name_text"], found["core"]) == (None, None, None)


def test_a_number_is_never_the_golden_name_of_a_company(parties, new_hub):
    found = new_hub().run(
        parties(
            {"company_name": "13911112222", "mobile": FIRM},
            {"company_name": FIRM, "tax_no": "91110000592306442E"},
            {"company_name": "91110000592306442E", "mobile": "13911113333"},
        )
    )
    assert found.golden["company_name"].to_list() == [FIRM]
    assert found.crosswalk["gid"].n_unique() == 1


def test_two_firms_whose_contact_stands_in_the_company_field_are_not_joined_by_it(parties, new_hub):
    found = new_hub().run(
        parties(
            {"company_name": "王小明", "contact_name": "上海华强电子有限公司", "mobile": "13912340001"},
            {"company_name": "上海华强电子有限公司", "contact_name": "王小明"},
            {"company_name": "王小明", "contact_name": "北京瑞丰仪器有限公司"},
        )
    )
    owner = dict(found.crosswalk.select("source_key", "gid").iter_rows())
    assert owner["k0000"] == owner["k0001"] != owner["k0002"]
    assert set(found.golden["company_name"]) == {"上海华强电子有限公司", "北京瑞丰仪器有限公司"}
