"""Company names: the golden files of normalised names and of pairs judged by their names alone."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hub.columns.prepare import prepare
from hub.explain import explain_pair
from hub.normalize.company import parse_company_names
from hub.normalize.regions import load_regions, locate
from hub.rules.read import load_rules
from hub.scoring.compare import Comparer
from hub.scoring.frequency import Frequencies, find_buckets, list_counted
from hub.scoring.weigh import UNITS_PER_BIT, weigh

GOLDEN = Path(__file__).parents[2] / "golden"


def read_cases(name):
    lines = (GOLDEN / name).read_text(encoding="utf-8").splitlines()[1:]
    return [line.split("\t") for line in lines]


@pytest.fixture(scope="module")
def parsed():
    """What becomes of every golden name, all parsed at once."""
    names = [case[0] for case in read_cases("names.tsv")]
    return {row["raw"]: row for row in parse_company_names(pl.Series(names)).iter_rows(named=True)}


@pytest.fixture(scope="module")
def judged(parties):
    """Verdict, weight, and weight the other way round of every golden pair, in a hub that knows none of the names."""
    cases, rules = read_cases("pairs.tsv"), load_rules("organisation")
    _, parts = prepare(parties(*({"company_name": name} for case in cases for name in case[:2])), rules)
    nothing = (np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.uint8))
    unknown = Frequencies(dict.fromkeys((part for part, _ in list_counted(rules)), nothing))
    comparer = Comparer(parts, rules, find_buckets(parts, rules, unknown))
    left = np.arange(0, parts.n, 2, dtype=np.int32)
    there, back = (
        weigh(comparer.compare(a, b), comparer.layout, rules.weights, rules) for a, b in ((left, left + 1), (left + 1, left))
    )
    limits = ((rules.match_bits, "match"), (rules.review_bits, "grey"), (-np.inf, "no match"))
    found = {}
    for case, veto, one, other in zip(cases, there.is_vetoed, there.total, back.total, strict=True):
        verdict = "veto" if veto else next(name for least, name in limits if one / UNITS_PER_BIT >= least)
        found[case[0], case[1]] = (verdict, one / UNITS_PER_BIT, other / UNITS_PER_BIT)
    return found


@pytest.mark.parametrize(("raw", "name_key", "brand", "person"), read_cases("names.tsv"))
def test_names_come_apart_as_the_golden_file_says(parsed, raw, name_key, brand, person):
    found = parsed[raw]
    assert (found["name_key"] or "", found["brand"] or "", found["remark_person"] or "") == (name_key, brand, person)


@pytest.mark.parametrize(("left", "right", "verdict"), read_cases("pairs.tsv"))
def test_pairs_are_judged_as_the_golden_file_says(judged, left, right, verdict):
    found, weight, back = judged[left, right]
    assert found == verdict
    assert back == weight


@pytest.mark.parametrize("place", [0, 1])
def test_a_pair_on_its_own_is_explained_with_the_weight_that_it_has_among_others(judged, parties, place):
    left, right, verdict = read_cases("pairs.tsv")[place]
    records = parties({"company_name": left}, {"company_name": right})
    explained = explain_pair(records, ("crm", "k0000"), ("crm", "k0001"), load_rules("organisation"))
    assert (explained["verdict"], explained["weight"]) == (verdict, judged[left, right][1])


@pytest.mark.parametrize("size", [1, 4])
def test_one_name_parses_alike_alone_and_among_others(parsed, size):
    names = list(parsed)
    # alone every fourth, in fours all
    for start in range(0, len(names), 4):
        for row in parse_company_names(pl.Series(names[start : start + size])).iter_rows(named=True):
            assert row == parsed[row["raw"]]


def test_a_former_name_in_brackets_is_not_shown():
    names = ["郑州宇达客车有限公司（原：郑州宏达客车有限公司）", "郑州宇达客车有限公司(原郑州宏达客车厂)", "绿野面馆(原味)"]
    found = parse_company_names(pl.Series(names))["name_display"].to_list()
    assert found == ["郑州宇达客车有限公司", "郑州宇达客车有限公司", "绿野面馆(原味)"]


def test_every_province_has_its_cities():
    provinces = load_regions().group_by("province").len()
    assert provinces.height == 34
    assert load_regions()["name"].is_duplicated().sum() == 0


def test_a_city_of_another_province_is_not_believed():
    found = locate(
        pl.Series(["广东省", "广东省", None, "上海市", "吉林省吉林市"]), pl.Series(["深圳市", "杭州市", "苏州", None, None])
    )
    assert found.rows() == [("广东", "深圳"), ("广东", None), ("江苏", "苏州"), ("上海", "上海"), ("吉林", "吉林")]


@pytest.mark.parametrize(
    ("province", "city", "found"),
    [
        ("北京", "朝阳区", ("北京", "北京")),
        ("北京市朝阳区", None, ("北京", "北京")),
        ("天津", "河北区", ("天津", "天津")),
        ("黑龙江", "大庆市大同区", ("黑龙江", "大庆")),
        (None, "朝阳区", (None, None)),
        ("朝阳区", "朝阳区", (None, None)),
        ("湖北", "荆州区", ("湖北", "荆州")),
        ("浙江", "萧山区", ("浙江", "杭州")),
        ("湖南", "长沙县", ("湖南", "长沙")),
        ("河北", "雄安新区", ("河北", "雄安")),
        ("西藏", "阿里地区", ("西藏", "阿里地区")),
    ],
)
def test_a_district_is_no_city_of_its_name(province, city, found):
    assert locate(pl.Series([province], dtype=pl.String), pl.Series([city], dtype=pl.String)).row(0) == found
