"""What a resolution hands over: golden values, hierarchy, edges, review queue, explanations, guards."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from hub.columns.prepare import RecordsError
from hub.evaluate import evaluate, evaluate_candidates
from hub.explain import explain_pair
from hub.invariants import Limits, check_invariants
from hub.resolve import resolve
from hub.results.hierarchy import add_hierarchy
from hub.rules.read import load_rules

MOBILE = "13912345670"


@pytest.fixture(scope="module")
def one_firm(parties, credit_code):
    """Three systems' pictures of one firm."""
    code = credit_code(71000001)
    name = "上海云帆科技有限公司"
    return parties(
        {
            "source": "wecom",
            "source_key": "w1",
            "company_name": "云帆科技-王总",
            "mobile": MOBILE,
            "city": None,
            "updated_at": "2026-03-01T00:00:00Z",
        },
        {
            "source": "hubspot",
            "source_key": "h1",
            "company_name": name,
            "mobile": MOBILE,
            "province": "上海市",
            "city": "上海",
            "address": "漕河泾路1号",
        },
        {
            "source": "u8",
            "source_key": "u1",
            "company_name": name,
            "tax_no": code,
            "industry": "软件",
            "city": "上海市",
            "province": "上海市",
        },
    )


def test_a_name_of_one_letter_is_golden_only_where_there_is_no_better_one(new_hub, parties):
    golden = (
        new_hub()
        .run(
            parties(
                {"source": "u8", "source_key": "u1", "company_name": "某", "tax_no": None},
                {"source": "u8", "source_key": "u2", "company_name": "无", "tax_no": None},
                {"source": "u8", "source_key": "u3", "company_name": "云", "email": "wang@yunfan-keji.cn", "mobile": MOBILE},
                {"source": "wecom", "source_key": "w1", "company_name": "云帆", "email": "wang@yunfan-keji.cn", "mobile": MOBILE},
            )
        )
        .golden
    )
    assert golden.sort("company_name", nulls_last=True)["company_name"].to_list() == ["云帆", "某", None]


@pytest.fixture(scope="module")
def resolved(new_hub, one_firm):
    """What the firm's records resolve to; no test changes it."""
    return new_hub().run(one_firm)


def test_golden_values_name_their_source_and_keep_the_losers(resolved):
    golden = resolved.golden.row(0, named=True)
    assert (golden["company_name"], golden["n_records"], golden["n_sources"]) == ("上海云帆科技有限公司", 3, 3)
    names = resolved.lineage.filter(attribute="company_name")
    assert names.filter("is_winner").select("source", "source_key").rows() == [("u8", "u1")]
    assert names.height == 3
    assert "云帆科技" in names["value"].to_list()


def test_linked_attributes_come_from_one_record(resolved):
    won = resolved.lineage.filter("is_winner", pl.col("attribute").is_in(["province", "city", "address"]))
    assert won.select("source_key").unique().rows() == [("h1",)]
    assert won.height == 3


@pytest.mark.parametrize(
    ("name", "branch"),
    [
        ("上海云帆科技有限公司", "上海云帆科技有限公司北京分公司"),
        ("哈尔滨工业大学", "哈尔滨工业大学(深圳)"),
        ("海底捞火锅", "海底捞火锅(春熙路店)"),
        ("北京大成律师事务所", "北京大成(上海)律师事务所"),
        ("中铁十二局集团有限公司", "中铁十二局集团有限公司成昆铁路项目部"),
    ],
)
def test_a_branch_is_a_child_and_never_merged(new_hub, parties, name, branch):
    records = parties({"company_name": name, "phone": "021-61234567"}, {"company_name": branch, "phone": "021-61234567"})
    golden = add_hierarchy(new_hub().run(records))
    assert golden.height == 2
    child = golden.filter(pl.col("company_name") == branch)
    assert child["parent_gid"].to_list() == golden.filter(pl.col("company_name") == name)["gid"].to_list()
    assert child["relation"].to_list() == ["branch"]
    assert golden["relation"].null_count() == 1


def test_a_record_without_a_name_brings_no_branch_to_its_head_though_no_pair_of_the_two_was_compared(new_hub, parties):
    head, n = "华康医疗集团有限公司", 40
    links = [{"email": "a@huakang.com.cn"}, {"mobile": MOBILE}]
    sides = [
        [{"company_name": name, **link}] + [{"company_name": name}] * (n - 1)
        for name, link in zip((head, head + "苏州分公司"), links, strict=True)
    ]
    found = new_hub().run(parties(*sides[0], *sides[1], {"source": "forms", **links[0], **links[1]}))
    ends = found.sources.candidates
    assert not ((ends.left < n) & (ends.right >= n) & (ends.right < 2 * n)).any(), (
        "the blocks of the names are not above their caps"
    )
    assert found.golden.height == 2


def test_nobody_is_asked_whether_a_branch_is_its_head(new_hub, parties):
    name = "上海云帆科技有限公司"
    same = {"tax_no": "9131010457749201X", "phone": "021-61234567", "mobile": MOBILE, "contact_name": "王小明"}
    found = new_hub().run(parties({"company_name": name, **same}, {"company_name": name + "北京分公司", **same}))
    assert found.golden.height == 2
    assert not found.review.height


def test_a_branch_is_one_by_its_name_and_no_other_tier_or_region_is_its_head(new_hub, parties):
    records = parties(
        {"company_name": "上海鑫杭汽车配件有限公司"},
        {"company_name": "鑫杭汽车配件集团有限公司东莞分公司"},
        {"company_name": "合肥创安金属制品有限公司"},
        {"company_name": "南京创安金属制品有限公司苏州分公司"},
        {"company_name": "腾帆医疗器械有限公司"},
        {"company_name": "青岛腾帆医疗器械有限公司烟台分公司"},
    )
    golden = add_hierarchy(new_hub().run(records))
    branches = golden.filter(pl.col("company_name").str.ends_with("分公司")).sort("company_name")
    assert branches["relation"].to_list() == ["branch"] * 3
    named = dict(golden.select("gid", "company_name").iter_rows())
    heads = {name: named.get(parent) for name, parent in branches.select("company_name", "parent_gid").iter_rows()}
    assert heads == {
        "南京创安金属制品有限公司苏州分公司": None,
        "鑫杭汽车配件集团有限公司东莞分公司": None,
        "青岛腾帆医疗器械有限公司烟台分公司": "腾帆医疗器械有限公司",
    }


def test_a_named_parent_becomes_the_parent(new_hub, parties):
    records = parties(
        {"company_name": "鹏翔控股集团有限公司"}, {"company_name": "深圳精卓机械有限公司", "parent_name": "鹏翔控股集团有限公司"}
    )
    golden = add_hierarchy(new_hub().run(records))
    parent = golden.filter(pl.col("parent_gid").is_null()).row(0, named=True)
    assert parent["relation"] == "group"
    assert golden.filter(pl.col("parent_gid") == parent["gid"])["relation"].to_list() == ["subsidiary"]


def test_a_shared_switchboard_joins_no_two_firms(new_hub, parties):
    names = ["上海云帆科技有限公司", "北京瑞丰仪器有限公司", "广州鹏翔机械有限公司", "武汉天汇食品有限公司"]
    result = new_hub().run(parties(*({"company_name": name, "phone": "021-61234567"} for name in names)))
    assert result.golden.height == 4


def test_a_thousand_records_with_one_phone_stay_bounded(new_hub, parties):
    marks = "天地玄黄宇宙洪荒日月盈昃辰宿列张"
    names = [f"{a}{b}{c}贸易有限公司" for a in marks for b in marks for c in marks[:4]][:1000]
    records = parties(*({"company_name": name, "phone": "021-61234567", "mobile": MOBILE} for name in names))
    result = new_hub().run(records)
    assert result.report["candidates"] < 30 * 1000
    assert result.report["largest_cluster"] < 20
    assert check_invariants(result, records) == []


def test_one_company_in_a_large_block_stays_one(new_hub, parties):
    records = parties(*({"company_name": "上海云帆科技有限公司"} for _ in range(300)))
    result = new_hub().run(records)
    name = next(row for row in result.report["candidate_keys"] if row["key"] == "name")
    assert (name["capped_blocks"], name["largest_block"], name["pairs"]) == (1, 300, 4 * 300 - 10)
    assert name["pairs"] + name["pairs_left_out"] == 300 * 299 // 2
    assert result.golden["n_records"].to_list() == [300]


def test_stored_evidence_equals_a_fresh_score(resolved, one_firm):
    assert resolved.edges.height
    for edge in resolved.edges.iter_rows(named=True):
        a, b = (edge["source_a"], edge["source_key_a"]), (edge["source_b"], edge["source_key_b"])
        explained = explain_pair(one_firm, a, b, load_rules("organisation"))
        stored = json.loads(edge["evidence"])
        assert explained["weight"] == edge["weight"] == pytest.approx(sum(stored.values()))
        spoken = {field["field"]: field["bits"] for field in explained["fields"] if field["bits"]} | explained["together"]
        assert spoken == {name: bits for name, bits in stored.items() if name != "prior"}


def test_the_grey_band_asks_and_the_queue_is_bounded(new_hub, parties):
    pairs = [(f"上海昌{a}机械有限公司", f"上海昌{b}机械有限公司") for a, b in ("建健", "双霜", "利力")]
    records = parties(*({"company_name": name, "city": "上海"} for pair in pairs for name in pair))
    rules = replace(load_rules("organisation"), review_limit=2)
    result = new_hub().run(records, rules=rules)
    assert result.review.height == 2
    assert result.report["review_found"] > 2
    assert set(result.review["reason"]) == {"grey band"}


def test_guards_speak_when_a_run_runs_away(new_hub, parties, credit_code):
    hub = new_hub()
    firms = [
        {"company_name": f"上海{a}{b}机械有限公司", "tax_no": credit_code(72000000 + i)}
        for i, (a, b) in enumerate(zip("天地玄黄宇宙" * 10, "日月盈昃辰宿列张寒来" * 6, strict=True))
    ]
    records = parties(*firms)
    before = hub.run(records)
    assert check_invariants(before, records) == []
    merged = records.with_columns(tax_no=pl.lit(credit_code(72999999)), company_name=pl.lit("上海天日机械有限公司"))
    history = hub.history
    after = hub.run(merged)
    found = {finding.check for finding in check_invariants(after, merged, Limits(), history)}
    assert found == {"largest_cluster", "share_ids_changed"}


def test_invariants_see_a_tampered_result(resolved, one_firm):
    wrong = replace(resolved, golden=resolved.golden.with_columns(company_name=pl.lit("别的公司")))
    assert [finding.check for finding in check_invariants(wrong, one_firm)] == ["golden_from_lineage"]
    lost = replace(resolved, crosswalk=resolved.crosswalk.head(2))
    assert "one_current_id" in [finding.check for finding in check_invariants(lost, one_firm)]


def test_persons_follow_their_mobile_and_not_their_employer(new_hub, parties):
    records = parties(
        {"full_name": "李明轩", "mobile": MOBILE, "customer_gid": "cus_a"},
        {"full_name": "李明轩", "mobile": "+86 139-1234-5670", "customer_gid": "cus_b"},
        {"full_name": "李明轩", "customer_gid": "cus_a", "email": "lmx@qq.com"},
        {"full_name": "王芳", "mobile": MOBILE, "customer_gid": "cus_c"},
    )
    result = new_hub("person").run(records)
    assert sorted(result.golden["n_records"].to_list()) == [1, 3]
    assert result.golden["gid"].str.starts_with("per_").all()


def test_no_records_give_an_empty_typed_result(parties):
    empty = parties({"company_name": "x"}).head(0)
    result = resolve(empty, rules=load_rules("organisation"), history=None, run_id="r", at=datetime(2026, 1, 1, tzinfo=UTC))
    assert (result.golden.height, result.edges.height, result.events.height) == (0, 0, 0)
    assert check_invariants(result, empty) == []
    assert (
        resolve(empty, rules=load_rules("person"), history=None, run_id="r", at=datetime(2026, 1, 1, tzinfo=UTC)).golden.height
        == 0
    )


def test_bad_input_is_refused_with_its_reason(parties):
    at = datetime(2026, 1, 1, tzinfo=UTC)
    twice = parties({"source_key": "1"}, {"source_key": "1"})
    with pytest.raises(RecordsError, match="keep one row per key"):
        resolve(twice, rules=load_rules("organisation"), history=None, run_id="r", at=at)
    with pytest.raises(RecordsError, match="source_key"):
        resolve(pl.DataFrame({"source": ["a"]}), rules=load_rules("organisation"), history=None, run_id="r", at=at)
    with pytest.raises(ValueError, match="time zone"):
        resolve(twice, rules=load_rules("organisation"), history=None, run_id="r", at=at.replace(tzinfo=None))


def test_evaluation_by_hand():
    found = pl.DataFrame({"source": ["s"] * 4, "source_key": list("abcd"), "gid": ["1", "1", "2", "2"]})
    truth = pl.DataFrame({"source": ["s"] * 4, "source_key": list("abcd"), "customer_id": ["x", "x", "x", "y"]})
    figures = evaluate(found, truth)
    assert (figures["precision"], figures["recall"]) == (0.5, 1 / 3)
    assert figures["bcubed_precision"] == pytest.approx(0.75)
    assert figures["bcubed_recall"] == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1) / 4)


def test_candidates_are_measured_against_the_true_pairs():
    ends = {"a": ["a", "b", "a"], "b": ["b", "c", "d"]}
    pairs = pl.DataFrame({f"source_key_{side}": keys for side, keys in ends.items()}).with_columns(
        source_a=pl.lit("s"), source_b=pl.lit("s")
    )
    truth = pl.DataFrame({"source": ["s"] * 5, "source_key": list("abcde"), "customer_id": ["x", "x", "x", "y", "y"]})
    figures = evaluate_candidates(pairs, truth)
    # of ab, bc, ac and de, the candidates are ab and bc, which bring ac with them
    assert figures == {"candidate_recall": 2 / 4, "candidate_reach": 3 / 4, "candidate_precision": 2 / 3}
