"""A record is moved from one customer to another: a split and a merge that hold, wait and are undone together (I-4)."""

import polars as pl
import pytest

from hub.decide import AlreadyDecidedError, DecisionError
from hub.decisions import describe_decisions, list_standing
from tests.unit.hub.conftest import make_credit_code, make_parties
from tests.unit.hub.deciding import People, owners, ref, run

CLOUD, RUIFENG = "上海云帆科技有限公司", "北京瑞丰仪器有限公司"


@pytest.fixture
def firms():
    """Four records of one firm, the last of which people know better, and two of another."""
    return make_parties(*({"company_name": CLOUD, "mobile": "13912345670"} for _ in range(4)), *({"company_name": RUIFENG},) * 2)


def test_a_moved_record_leaves_its_customer_for_another_and_undo_takes_it_back_whole(new_small_hub, firms):
    people, hub = People(firms), new_small_hub()
    before = owners(hub.run(firms))
    move = people.move([ref(3)], [ref(4), ref(5)], [ref(0), ref(1), ref(2)], "their fitter")
    moved = run(hub, firms, people)
    assert owners(moved) == before | {"k0003": before["k0004"]}
    assert moved.report["decisions"] == {"holds": 1}
    words = "moved by 李明 on 2026-01-02: their fitter"
    assert describe_decisions(people.book.log, ref(3), ref(5), "organisation") == words
    assert describe_decisions(people.book.log, ref(3), ref(0), "organisation") == words
    assert describe_decisions(people.book.log, ref(4), ref(0), "organisation") == words
    people.undo(move)
    assert owners(run(hub, firms, people)) == before
    assert list_standing(people.book.log, "organisation") == []


@pytest.mark.parametrize("is_run_between", [False, True])
def test_records_are_moved_one_after_the_other_though_the_first_left_the_second(new_small_hub, firms, is_run_between):
    people, hub = People(firms), new_small_hub()
    before = owners(hub.run(firms))
    there, here = [ref(4), ref(5)], [ref(0), ref(1)]
    first = people.move([ref(3)], there, [*here, ref(2)])
    if is_run_between:
        run(hub, firms, people)
    second = people.move([ref(2)], there, here)
    assert owners(run(hub, firms, people)) == before | {"k0002": before["k0004"], "k0003": before["k0004"]}
    last = people.move([ref(0), ref(1)], there, [])
    assert set(owners(run(hub, firms, people)).values()) == {before["k0000"]}
    people.undo(last)
    people.undo(second)
    assert owners(run(hub, firms, people)) == before | {"k0003": before["k0004"]}
    people.undo(first)
    assert owners(run(hub, firms, people)) == before


def test_a_move_is_refused_whole_where_it_contradicts_a_value_or_an_earlier_decision(firms):
    codes = [make_credit_code(71000001), None, None, None, make_credit_code(71000002), None]
    people = People(firms.with_columns(tax_no=pl.Series(codes)))
    with pytest.raises(DecisionError, match=rf"two values of tax.code never share an entity: {codes[0]} .* is wrong$"):
        people.move([ref(0)], [ref(4), ref(5)], [ref(1)])
    merge = people.say("merge", [ref(1)], [ref(2)], "one desk")
    with pytest.raises(DecisionError, match=rf"crm:k0001 and crm:k0002 may not be kept apart: merged .* one desk \({merge}\)"):
        people.move([ref(1)], [ref(4)], [ref(0), ref(2)])
    never = people.say("never", [ref(3)], [ref(5)], "rivals")
    with pytest.raises(DecisionError, match=rf"may not be merged: kept apart by .* rivals \({never}\)"):
        people.move([ref(3)], [ref(4), ref(5)], [ref(0)])
    assert people.book.log["decision_id"].to_list() == [merge, never]
    move = people.move([ref(3)], [ref(4)], [ref(0)])
    with pytest.raises(AlreadyDecidedError, match=rf"already moved by .* \({move}\)"):
        people.move([ref(3)], [ref(4)], [ref(0)])
    with pytest.raises(DecisionError, match=rf"may not be merged: moved by .* \({move}\); undo that first"):
        people.say("merge", [ref(4)], [ref(0)])


def test_an_undo_that_would_contradict_what_was_decided_since_is_refused(firms):
    people = People(firms)
    people.move([ref(3)], [ref(4)], [ref(0), ref(2)])
    second = people.move([ref(2)], [ref(5)], [ref(0)])
    joined = people.say("merge", [ref(4), ref(3)], [ref(5), ref(2)])
    with pytest.raises(DecisionError, match=rf"{second} cannot be undone yet: .*merged by .* \({joined}\)"):
        people.undo(second)
    people.undo(joined)
    people.undo(second)


def test_a_move_holds_though_those_that_it_left_are_gone_and_waits_while_those_that_it_came_to_are(new_small_hub, firms):
    people, hub = People(firms), new_small_hub()
    before = owners(hub.run(firms))
    people.move([ref(3)], [ref(4), ref(5)], [ref(0), ref(1), ref(2)])
    run(hub, firms, people)
    assert owners(run(hub, firms[3:], people))["k0003"] == before["k0004"]
    gone = run(hub, firms[:4], people)
    assert set(gone.decisions["state"]) == {"waits"}
    assert owners(gone)["k0003"] == owners(gone)["k0000"]
