"""Which customer is part of which: by the record that a source names as parent, by a given name, by a branch's own name."""

import polars as pl
import pytest

from hub.invariants import check_invariants
from hub.kept.outcome import sum_up
from hub.results.hierarchy import add_hierarchy, find_circles

GROUP, OTHER, CHILD = "鹏翔控股集团有限公司", "武汉天汇食品有限公司", "深圳精卓机械有限公司"


def link(new_hub, parties, *rows):
    """relation, and the company name of the parent, by company name."""
    golden = add_hierarchy(new_hub().run(parties(*rows)))
    names = dict(golden.select("gid", "company_name").iter_rows())
    linked = golden.select("company_name", "relation", "parent_gid").iter_rows()
    return {name: (relation, names.get(parent)) for name, relation, parent in linked}


def row(key, name, source="hubspot", **more):
    return {"source": source, "source_key": key, "company_name": name, **more}


def test_a_named_record_of_the_same_source_is_the_parent(new_hub, parties):
    rows = row("1", OTHER, "u8"), row("1", GROUP), row("2", CHILD, parent_source_key="1")
    found = link(new_hub, parties, *rows)
    assert found == {GROUP: ("group", None), OTHER: (None, None), CHILD: ("subsidiary", GROUP)}


def test_the_parent_is_the_customer_that_the_named_record_came_to(new_hub, parties):
    rows = (
        row("1", GROUP),
        row("9", GROUP, "u8"),
        row("2", CHILD, parent_source_key="1"),
        row("3", OTHER, "u8", parent_source_key="9"),
    )
    found = link(new_hub, parties, *rows)
    assert found == {GROUP: ("group", None), CHILD: ("subsidiary", GROUP), OTHER: ("subsidiary", GROUP)}


@pytest.mark.parametrize(("given", "parent"), [({}, None), ({"parent_name": GROUP}, GROUP)])
def test_a_record_that_nobody_holds_leaves_the_parent_to_its_name(new_hub, parties, given, parent):
    found = link(new_hub, parties, row("1", GROUP), row("2", CHILD, parent_source_key="7", **given))
    assert found[CHILD] == ("subsidiary" if parent else None, parent)


def test_a_named_record_outranks_a_given_name(new_hub, parties):
    rows = row("1", GROUP), row("2", OTHER), row("3", CHILD, parent_source_key="1", parent_name=OTHER)
    assert link(new_hub, parties, *rows)[CHILD] == ("subsidiary", GROUP)


def test_a_record_tied_below_its_duplicate_has_no_parent(new_hub, parties):
    found = link(new_hub, parties, row("1", GROUP), row("2", GROUP, parent_source_key="1"))
    assert found == {GROUP: (None, None)}


def test_a_branch_is_its_heads_whatever_record_is_named(new_hub, parties):
    branch = f"{GROUP}武汉分公司"
    rows = row("1", GROUP), row("2", branch, parent_source_key="3"), row("3", OTHER)
    assert link(new_hub, parties, *rows)[branch] == ("branch", GROUP)


def test_a_branch_whose_head_has_another_name_is_the_named_records(new_hub, parties):
    rows = row("1", GROUP), row("2", "鹏祥控股集团有限公司武汉分公司", parent_source_key="1")
    assert link(new_hub, parties, *rows)["鹏祥控股集团有限公司武汉分公司"] == ("branch", GROUP)


def test_parents_in_a_circle_hold_for_none_in_it(new_hub, parties):
    branch, below = f"{GROUP}武汉分公司", "广州瑞丰仪器有限公司"
    rows = (
        row("1", GROUP, parent_source_key="2"),
        row("2", branch),
        row("3", CHILD, parent_source_key="4"),
        row("4", OTHER, parent_source_key="3"),
        row("5", below, parent_source_key="3"),
    )
    found = link(new_hub, parties, *rows)
    assert found == {
        GROUP: (None, None),
        branch: ("branch", GROUP),
        CHILD: ("group", None),
        OTHER: (None, None),
        below: ("subsidiary", CHILD),
    }


def test_circles_are_found_at_the_end_of_any_chain():
    parents = {"a": "b", "b": "c", "c": "b", "d": "a", "e": "f", "f": None, "g": "g", "h": "gone"}
    found = find_circles(pl.Series(list(parents)), pl.Series(list(parents.values())))
    assert found.to_list() == ["b", "c", "g"]


def test_a_circle_of_parents_is_not_published(new_hub, parties):
    records = parties(row("1", GROUP), row("2", CHILD, parent_source_key="1"))
    found = sum_up(new_hub().run(records))
    assert check_invariants(found, records) == []
    turned = found.golden.with_columns(parent_gid=pl.col("gid").reverse())
    (broken,) = check_invariants(type(found)(**{**vars(found), "golden": turned}), records)
    assert (broken.check, broken.count) == ("parents_end", 2)


@pytest.mark.parametrize(
    ("branch", "others", "parent"),
    [
        # the head's name is misspelt by its sound; another of the same sound leaves it open
        ("鹏祥控股集团有限公司武汉分公司", [], GROUP),
        ("鹏祥控股集团有限公司武汉分公司", ["朋翔控股集团有限公司"], GROUP),
        ("朋祥控股集团有限公司武汉分公司", ["朋翔控股集团有限公司", "朋详控股集团有限公司"], None),
        ("鹏辉控股集团有限公司武汉分公司", [], None),
        ("成都峰越食品有限公司绵阳办事处", ["成都锋越食品有限公司"], "成都锋越食品有限公司"),
        ("成都峰越食品有限公司绵阳办事处", ["重庆锋越食品有限公司"], None),
        # names without a region or 集团 are many's
        ("峰越食品有限公司绵阳办事处", ["锋越食品有限公司"], None),
        # a group's head that is known by its short name alone
        ("达宏新能源集团有限公司深圳分公司", ["达宏新能源"], "达宏新能源"),
        ("达宏新能源集团有限公司深圳分公司", ["厦门达宏新能源"], None),
        ("达宏新能源集团有限公司深圳分公司", ["达宏新能源有限公司"], None),
        # a short name is a group's before it is another's
        ("达宏新能源深圳分公司", ["达宏新能源集团有限公司", "深圳达宏新能源有限公司"], "达宏新能源集团有限公司"),
        ("达宏新能源深圳分公司", ["达宏新能源科技集团有限公司", "达宏新能源"], "达宏新能源科技集团有限公司"),
        ("达宏新能源深圳分公司", ["达宏新能源科技集团有限公司", "达宏新能源装备集团有限公司"], None),
        ("达宏新能源深圳分公司", ["厦门达宏新能源有限公司"], None),
        ("达宏新能源深圳分公司", ["达宏新能源有限公司"], "达宏新能源有限公司"),
        # banks are written short by all
        ("工行杭州西湖支行", ["中国工商银行股份有限公司", "中国农业银行股份有限公司"], "中国工商银行股份有限公司"),
    ],
)
def test_a_branch_has_the_head_whose_name_is_likest_or_none(new_hub, parties, branch, others, parent):
    rows = [row(str(place), name) for place, name in enumerate([branch, GROUP, *others])]
    assert link(new_hub, parties, *rows)[branch] == ("branch", parent)


def test_of_two_customers_with_the_name_of_the_head_it_is_the_one_with_more_records(new_hub, parties, credit_code):
    small, large = ({"company_name": GROUP, "tax_no": credit_code(number)} for number in (1, 2))
    records = parties(small, *[large] * 3, {"company_name": f"{GROUP}武汉分公司"})
    golden = add_hierarchy(new_hub().run(records))
    parent = golden.filter(pl.col("relation") == "branch")["parent_gid"].item()
    assert golden.filter(pl.col("gid") == parent)["n_records"].item() == 3
    assert golden.filter(pl.col("company_name") == GROUP).height == 2


def test_a_branch_whose_head_is_no_customer_is_a_branch_all_the_same(new_hub, parties):
    names = ("工行杭州西湖支行", "三一重工长沙办事处", "联炜模具集团有限公司深圳分公司", "泰安人寿保险有限公司苏州中心支公司")
    found = link(new_hub, parties, *(row(str(place), name) for place, name in enumerate(names)))
    assert {relation for relation, _ in found.values()} == {"branch"}
    assert {parent for _, parent in found.values()} == {None}
