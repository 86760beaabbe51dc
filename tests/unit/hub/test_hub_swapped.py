"""A company and its contact in each other's field."""

import polars as pl
import pytest

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
