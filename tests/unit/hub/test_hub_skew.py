"""Skewed records: shared numbers, a company with very many records, names that say nothing. Bounds, not seconds."""

from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from hub.invariants import check_invariants
from hub.resolve import resolve
from hub.rules.read import load_rules

pytestmark = pytest.mark.generated

AT = datetime(2026, 1, 1, tzinfo=UTC)
_CHARACTERS = "华强宏盛达瑞恒信泰兴鑫隆昌源德永嘉博联创凯诚海天金东方明正威力光晟腾飞亚新伟通科"
_TRADES = ("机械", "电子", "食品", "贸易", "模具", "软件", "物流", "包装")


def name_firms(n):
    """`n` different registered names."""
    size = len(_CHARACTERS)
    cities = ("上海", "北京", "深圳", "杭州", "苏州", "成都", "武汉", "西安", "青岛", "宁波")
    names = []
    for k in range(n):
        tens, first, second = k // 10, k // 10 % size, k // 10 // size % size
        names.append(f"{cities[k % 10]}{_CHARACTERS[first]}{_CHARACTERS[second]}{_TRADES[tens // size // size % 8]}有限公司")
    return names


def run(records):
    resolved = resolve(records, rules=load_rules("organisation"), history=None, run_id="r", at=AT)
    assert check_invariants(resolved, records) == []
    return resolved.report


def frame(names, **columns):
    keys = [f"k{k:06d}" for k in range(len(names))]
    return pl.DataFrame({"source": "crm", "source_key": keys, "company_name": names, **columns})


def test_ten_thousand_firms_that_share_a_phone_stay_ten_thousand():
    names = name_firms(10_000)
    report = run(frame(names, phone=["021-61234567"] * len(names)))
    assert report["clusters"] > 9_900
    assert report["largest_cluster"] <= 4
    assert report["candidates"] < 200_000


@pytest.mark.parametrize("column", [{"mobile": "13912345670"}, {"email": "sales@yunfan.com.cn"}])
def test_ten_thousand_firms_that_share_an_agent_stay_apart(column):
    names = name_firms(10_000)
    report = run(frame(names, **{name: [value] * len(names) for name, value in column.items()}))
    assert report["clusters"] > 9_900
    assert report["candidates"] < 200_000


def test_a_company_with_fifty_thousand_records_is_one_customer_at_a_bounded_price(credit_code):
    names = ["上海云帆科技有限公司", "上海云帆科技", "上海市云帆科技有限公司(老客户)"] * 16_667
    codes = [credit_code(71000001) if k % 3 else None for k in range(len(names))]
    report = run(frame(names, tax_no=codes))
    assert report["largest_cluster"] == len(names)
    assert report["candidates"] < 20 * len(names)


@pytest.mark.parametrize(
    ("names", "coded"),
    [
        # a chain: one code would be the only thing that they share
        (name_firms(6_000), 6_000),
        # a name that says nothing, which one of them explains
        (["街边散客甲"] * 6_000, 1),
    ],
)
def test_a_large_customer_that_is_no_one_company_is_blocked(credit_code, names, coded):
    records = frame(names, tax_no=[credit_code(71000001)] * coded + [None] * (len(names) - coded))
    apart = resolve(records, rules=load_rules("organisation"), history=None, run_id="r", at=AT)
    chained = replace(apart, crosswalk=apart.crosswalk.with_columns(gid=pl.lit("cus_0000000000000000")))
    assert "largest_cluster" in [finding.check for finding in check_invariants(chained, records)]


def test_names_that_say_nothing_join_nothing():
    names = name_firms(2_000)
    silent = ["", "公司", "无", None, "测试", "有限公司", "-", "。。。", "某某公司", "XX公司"] * 10
    report = run(frame([*names, *silent]))
    assert report["clusters"] > 2_050
    assert report["largest_cluster"] <= 4
