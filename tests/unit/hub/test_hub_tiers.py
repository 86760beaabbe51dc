"""Firms of one trade name that are not one: a group and its stock company, a branch and its head."""

from dataclasses import replace

import numpy as np
import pytest

from hub.clustering.bonds import Bonds
from hub.invariants import check_invariants
from hub.results.hierarchy import add_hierarchy
from tests.unit.hub.deciding import People, owners, ref, run

GROUP, STOCK, SHORT = "宏远集团有限公司", "宏远股份有限公司", "宏远"


def own(found):
    return dict(found.crosswalk.select("source_key", "gid").iter_rows())


@pytest.mark.parametrize("times", [1, 20])
def test_a_short_name_does_not_glue_a_group_and_its_stock_company(new_hub, parties, times):
    found = own(new_hub().run(parties(*({"company_name": name} for name in [GROUP, STOCK, *[SHORT] * times]))))
    assert found["k0000"] != found["k0001"]
    assert len(set(found.values())) == 2


def test_a_group_that_was_a_stock_company_keeps_its_number_and_is_one(new_hub, parties, credit_code):
    code = credit_code(71000001)
    found = own(new_hub().run(parties({"company_name": GROUP, "tax_no": code}, {"company_name": STOCK, "tax_no": code})))
    assert found["k0000"] == found["k0001"]


def test_a_branch_with_an_english_name_is_a_child_of_its_head(new_hub, parties):
    names = ["Acme Trading Co., Ltd.", "ACME Trading Limited", "Acme Trading Co Ltd Shanghai Branch"]
    golden = add_hierarchy(new_hub().run(parties(*({"company_name": name} for name in names))))
    head, branch = golden.sort("n_records", descending=True).iter_rows(named=True)
    assert (head["n_records"], branch["n_records"]) == (2, 1)
    assert (branch["parent_gid"], branch["relation"]) == (head["gid"], "branch")


@pytest.mark.parametrize(
    ("name", "cities", "count"),
    [
        ("Phoenix Realty Inc.", ("Dallas", "Atlanta"), 2),
        ("Phoenix Realty Inc.", ("New York", "New York City"), 1),
        ("Phoenix Realty Inc.", (None, None), 1),
        ("上海云帆科技有限公司", ("上海", "杭州"), 1),
    ],
)
def test_a_registered_name_is_unique_where_it_names_its_region(new_hub, parties, name, cities, count):
    found = own(new_hub().run(parties(*({"company_name": name, "city": city} for city in cities))))
    assert len(set(found.values())) == count


def test_people_may_make_a_branch_one_with_its_head(new_small_hub, parties):
    firms = parties({"company_name": "上海云帆科技有限公司"}, {"company_name": "上海云帆科技有限公司北京分公司"})
    people, hub = People(firms), new_small_hub()
    assert len(set(owners(hub.run(firms)).values())) == 2
    people.say("merge", [ref(0)], [ref(1)], "the branch was closed")
    result = run(hub, firms, people)
    assert len(set(owners(result).values())) == 1
    assert check_invariants(result, firms) == []
    undecided = replace(result, decisions=result.decisions.clear())
    assert [finding.check for finding in check_invariants(undecided, firms)] == ["one_name_site"]


@pytest.mark.parametrize("codes", [(7, 5, 5), (7, 5, 7), (5, 7, 7)])
def test_where_people_made_two_values_of_a_barrier_one_it_keeps_nobody_out(codes):
    nothing = np.zeros(0, dtype=np.int64)
    bonds = Bonds(np.array([0, 0, 2]), (nothing, nothing))
    pair = (np.array([1]), np.array([2]), np.array([10]))
    assert bonds.cluster(3, *pair, [np.array(codes)], np.arange(1, 4, dtype=np.uint64)).tolist() == [0, 0, 0]
