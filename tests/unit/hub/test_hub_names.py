"""Company names: the golden files of normalised names and of pairs judged by their names alone."""

from pathlib import Path

import polars as pl
import pytest

from hub.explain import explain_pair
from hub.normalize.company import parse_company_names
from hub.normalize.regions import load_regions, locate
from hub.rules.read import load_rules

GOLDEN = Path(__file__).parents[2] / "golden"


def read_cases(name):
    lines = (GOLDEN / name).read_text(encoding="utf-8").splitlines()[1:]
    return [line.split("\t") for line in lines]


@pytest.mark.parametrize(("raw", "name_key", "brand", "person"), read_cases("names.tsv"))
def test_names_come_apart_as_the_golden_file_says(raw, name_key, brand, person):
    parsed = parse_company_names(pl.Series([raw])).row(0, named=True)
    assert (parsed["name_key"] or "", parsed["brand"] or "", parsed["remark_person"] or "") == (name_key, brand, person)


@pytest.mark.parametrize(("left", "right", "verdict"), read_cases("pairs.tsv"))
def test_pairs_are_judged_as_the_golden_file_says(parties, left, right, verdict):
    records = parties({"company_name": left}, {"company_name": right})
    refs = ("crm", "k0000"), ("crm", "k0001")
    explained = explain_pair(records, *refs, load_rules("organisation"))
    assert explained["verdict"] == verdict
    assert explain_pair(records[::-1], *refs[::-1], load_rules("organisation"))["weight"] == explained["weight"]


def test_one_name_parses_alike_alone_and_among_others():
    names = [case[0] for case in read_cases("names.tsv")]
    together = parse_company_names(pl.Series(names)).sort("raw")
    alone = pl.concat([parse_company_names(pl.Series([name])) for name in names]).sort("raw")
    assert together.equals(alone)


def test_every_province_has_its_cities():
    provinces = load_regions().group_by("province").len()
    assert provinces.height == 34
    assert load_regions()["name"].is_duplicated().sum() == 0


def test_a_city_of_another_province_is_not_believed():
    found = locate(
        pl.Series(["广东省", "广东省", None, "上海市", "吉林省吉林市"]), pl.Series(["深圳市", "杭州市", "苏州", None, None])
    )
    assert found.rows() == [("广东", "深圳"), ("广东", None), ("江苏", "苏州"), ("上海", "上海"), ("吉林", "吉林")]
