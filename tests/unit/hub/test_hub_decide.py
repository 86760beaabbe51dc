"""People outrank the matcher: decisions hold, contradictions are refused, undo restores exactly (I-4, I-8)."""

import random
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from hub.decide import AlreadyDecidedError, DecisionError
from hub.decisions import list_decisions, to_labels
from hub.explain import explain_pair, read_told
from hub.invariants import check_invariants
from hub.resolve import resolve
from hub.results.reasons import find_path, list_holding
from hub.rules.read import load_rules
from tests.unit.hub.conftest import DAY_ONE, make_company_records, make_credit_code, make_parties
from tests.unit.hub.deciding import People, owners, ref, run

CLOUD, RUIFENG, PENGXIANG = "上海云帆科技有限公司", "北京瑞丰仪器有限公司", "广州鹏翔机械有限公司"
BRIEFLY = settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture
def firms():
    """Two records each of three firms that share nothing."""
    return make_parties(*({"company_name": name} for name in (CLOUD, RUIFENG, PENGXIANG) for _ in range(2)))


def test_a_merge_unites_what_the_matcher_keeps_apart_and_says_so(new_small_hub, firms):
    people, hub = People(firms), new_small_hub()
    before = owners(hub.run(firms))
    people.say("merge", [ref(0), ref(1)], [ref(2), ref(3)], "same owner")
    result = run(hub, firms, people)
    assert set(owners(result).values()) == {before["k0000"], before["k0004"]}
    assert owners(result)["k0003"] == before["k0000"]
    [words] = result.edges.filter((pl.col("source_key_a") == "k0000") & (pl.col("source_key_b") == "k0002"))["decision"]
    assert words == "merged by 李明 on 2026-01-02: same owner"
    path = find_path(read_told(result.edges), list_holding(result.decisions, "organisation"), 0.0, ref(1), ref(3))
    assert [step["decision"] for step in path] == [None, words, None]
    assert result.decisions.select("state", "waits_for").rows() == [("holds", None)]
    told = explain_pair(firms, ref(0), ref(2), hub.rules, decisions=people.book.log)
    assert told["verdict"] == "no match"
    assert told["decision"] == words


def test_a_split_survives_a_change_of_ids_and_is_not_bridged_by_a_third_record(new_small_hub):
    same = {"company_name": CLOUD, "mobile": "13912345670"}
    records = make_parties(same, same, same, same)
    people, hub = People(records), new_small_hub()
    gid = owners(hub.run(records[:3]))["k0000"]
    people.say("split", [ref(0)], [ref(1), ref(2)])
    result = run(hub, records, people)
    assert owners(result)["k0000"] != owners(result)["k0001"] == owners(result)["k0002"] == gid
    assert result.review.height == 0
    assert result.edges.filter(pl.col("decision").is_not_null()).height == 2
    fresh = new_small_hub().run(records, decisions=people.book.log)
    assert owners(fresh)["k0000"] != owners(fresh)["k0001"] == owners(fresh)["k0002"]


def test_undoing_a_merge_restores_the_very_ids_though_new_records_came(new_small_hub):
    records = make_parties(*({"company_name": name} for name in (CLOUD, RUIFENG, RUIFENG, RUIFENG, RUIFENG)))
    people, hub = People(records), new_small_hub()
    before = owners(hub.run(records[:3]))
    merge = people.say("merge", [ref(0)], [ref(1), ref(2)])
    merged = run(hub, records, people)
    assert len(set(owners(merged).values())) == 1
    people.undo(merge)
    result = run(hub, records, people)
    assert {key: owners(result)[key] for key in before} == before
    assert owners(result)["k0004"] == before["k0001"]
    assert result.redirects.height == 0
    assert result.events.filter(kind="issued").height == 0
    assert result.events.filter(kind="restored").height == 1
    assert result.decisions["state"].to_list() == ["undone"]
    assert run(hub, records, people).events.height == 0
    gone = run(hub, records[:1], people)
    given_back = (set(before.values()) - {before["k0000"]}).pop()
    assert gone.events.filter(kind="retired")["gid"].to_list() == [given_back]


def test_an_id_that_comes_back_leads_nowhere_though_the_one_it_was_given_up_for_is_merged_at_once(new_small_hub, firms):
    people, hub = People(firms), new_small_hub()
    first = owners(hub.run(firms))
    oldest, middle, youngest = hub.history.filter(kind="issued")["gid"]
    place = {gid: int(key[1:]) for key, gid in first.items()}
    merge = people.say("merge", [ref(place[middle])], [ref(place[youngest])])
    assert run(hub, firms, people).redirects.select("gid", "target_gid").rows() == [(youngest, middle)]
    people.undo(merge)
    people.say("merge", [ref(place[oldest])], [ref(place[middle])])
    result = run(hub, firms, people)
    assert result.redirects.select("gid", "target_gid").rows() == [(middle, oldest)]
    assert youngest in result.golden["gid"]
    assert check_invariants(result, firms, history=hub.history) == []


def test_undoing_one_of_two_merges_leads_the_ids_that_followed_home(new_small_hub, firms):
    people, hub = People(firms), new_small_hub()
    first = owners(hub.run(firms))
    a, b, c = (first[key] for key in ("k0000", "k0002", "k0004"))
    people.say("merge", [ref(2)], [ref(4)])
    second = owners(run(hub, firms, people))
    assert len({second[key] for key in ("k0002", "k0004")}) == 1
    joined = people.say("merge", [ref(0)], [ref(2)])
    assert len(set(owners(run(hub, firms, people)).values())) == 1
    people.undo(joined)
    result = run(hub, firms, people)
    assert owners(result) == second
    assert set(result.redirects.rows()[0][:2]) == {b, c}
    assert owners(result)["k0000"] == a


def test_two_merges_of_one_run_are_undone_one_by_one(new_small_hub, firms):
    people, hub = People(firms), new_small_hub()
    before = owners(hub.run(firms))
    first = people.say("merge", [ref(0), ref(1)], [ref(2), ref(3)])
    people.say("merge", [ref(2)], [ref(4), ref(5)])
    assert len(set(owners(run(hub, firms, people)).values())) == 1
    people.undo(first)
    result = run(hub, firms, people)
    assert owners(result)["k0000"] == before["k0000"]
    assert owners(result)["k0002"] == owners(result)["k0004"] in {before["k0002"], before["k0004"]}
    assert result.redirects.height == 1


def test_a_contradiction_names_the_earlier_decision_through_whatever_chain():
    people = People()
    people.say("merge", [ref(0)], [ref(1)])
    people.say("merge", [ref(1)], [ref(2)], "one tax office")
    never = people.say("never", [ref(2)], [ref(3)], "rivals")
    with pytest.raises(DecisionError, match=rf"may not be merged: kept apart by 李明 on 2026-01-04: rivals \({never}\)"):
        people.say("merge", [ref(3)], [ref(0)])
    with pytest.raises(DecisionError, match=r"merged by 李明 on 2026-01-02: knows them .* and merged by .*: one tax office"):
        people.say("never", [ref(0)], [ref(2)])
    with pytest.raises(AlreadyDecidedError, match="already merged by 李明"):
        people.say("merge", [ref(0)], [ref(2)])
    with pytest.raises(AlreadyDecidedError, match="already kept apart by 李明"):
        people.say("never", [ref(3)], [ref(0)])
    people.undo(never)
    people.say("merge", [ref(3)], [ref(0)])


def test_two_credit_codes_an_unknown_record_and_a_vain_undo_are_refused(firms):
    codes = [make_credit_code(71000001), make_credit_code(71000002)]
    records = firms.with_columns(tax_no=pl.Series([codes[0], None, codes[1], None, None, None]))
    people = People(records)
    people.say("merge", [ref(1)], [ref(0)])
    with pytest.raises(DecisionError, match=rf"{codes[0]} \(crm:k0000\) and {codes[1]} \(crm:k0002\); correct the data"):
        people.say("merge", [ref(1)], [ref(2)])
    # k0004 was named, and k0002 comes with it as a record of its customer
    with pytest.raises(DecisionError, match="if crm:k0004 alone belongs to the other, move it"):
        people.say("merge", [ref(4), ref(2)], [ref(0)])
    with pytest.raises(DecisionError, match=r"one is wrong$"):
        people.say("merge", [ref(2), ref(4)], [ref(0)])
    with pytest.raises(DecisionError, match="no such organisation record: crm:k0099"):
        people.say("never", [ref(1)], [ref(99)])
    with pytest.raises(DecisionError, match="both sides"):
        people.say("never", [ref(1)], [ref(1), ref(2)])
    with pytest.raises(DecisionError, match="crm:k0001 stands on both sides of the merge: name two"):
        people.say("merge", [ref(1)], [ref(1)])
    with pytest.raises(DecisionError, match="dec_0 is no decision"):
        people.undo("dec_0")
    made = people.say("merge", [ref(2)], [ref(3)])
    undo = people.undo(made)
    with pytest.raises(DecisionError, match=r"undone already by 王芳 on .*: was wrong"):
        people.undo(made)
    with pytest.raises(DecisionError, match="is no decision"):
        people.undo(undo)


def test_a_decision_waits_while_its_records_are_gone_or_hold_two_codes(new_small_hub, firms):
    people, hub = People(firms), new_small_hub()
    people.say("merge", [ref(0)], [ref(2)])
    people.say("never", [ref(0)], [ref(4)])
    gone = run(hub, firms[1:], people)
    assert gone.decisions["state"].to_list() == ["waits", "waits"]
    assert owners(run(hub, firms, people))["k0002"] == owners(hub.peek(firms))["k0000"]
    codes = [make_credit_code(71000001), None, make_credit_code(71000002), None, None, None]
    clashing = firms.with_columns(tax_no=pl.Series(codes))
    result = run(hub, clashing, people)
    assert owners(result)["k0000"] != owners(result)["k0002"]
    assert codes[0] in result.decisions["waits_for"][0]
    assert codes[2] in result.decisions["waits_for"][0]


def test_a_log_that_contradicts_itself_stops_the_run(firms):
    one, other = People(), People()
    one.say("merge", [ref(0)], [ref(1)])
    other.say("never", [ref(1)], [ref(0)])
    log = pl.concat([one.book.log, other.book.log])
    with pytest.raises(DecisionError, match="the log contradicts itself"):
        resolve(firms, rules=load_rules("organisation"), history=None, run_id="r", at=DAY_ONE, decisions=log)


def test_decisions_are_labels_and_one_entity_never_sees_the_others():
    people = People()
    merge = people.say("merge", [ref(1)], [ref(0), ref(2)])
    people.say("never", [ref(3)], [ref(0)])
    labels = to_labels(people.book.log, "organisation")
    assert labels.select("source_key_a", "source_key_b", "is_same").rows() == [
        ("k0000", "k0001", True),
        ("k0001", "k0002", True),
        ("k0000", "k0003", False),
    ]
    people.undo(merge)
    assert to_labels(people.book.log, "organisation")["is_same"].to_list() == [False]
    assert to_labels(people.book.log, "person").height == 0
    listed = list_decisions(people.book.log)
    assert listed.select("kind", "undone_actor", "undone_reason").rows() == [
        ("merge", "王芳", "was wrong"),
        ("never", None, None),
    ]


def test_the_queue_puts_value_at_stake_first_and_a_decided_pair_leaves_it(new_hub):
    names = ("云帆科技", "云帆贸易", "精卓机械", "精卓设备")
    rules = replace(load_rules("organisation"), match_bits=60.0, review_bits=-60.0)
    records = make_parties(*({"company_name": f"上海{name}有限公司", "value": 1.0} for name in names))
    dear = records.with_columns(value=pl.Series([1.0, 1.0, 900_000.0, 1.0]))
    hub = new_hub(rules=rules)
    queue = hub.peek(dear).review
    assert set(queue.row(0, named=True)[side] for side in ("source_key_a", "source_key_b")) == {"k0002", "k0003"}
    assert queue["value_at_stake"][0] == 900_001.0
    people = People(records)
    people.say("never", [ref(2)], [ref(3)])
    left = hub.peek(dear, decisions=people.book.log).review
    assert left["pair_id"].to_list() == queue["pair_id"].to_list()[1:]
    assert hub.peek(dear, rules=replace(rules, review_limit=0)).review.height == 0


def test_a_decision_that_does_not_hold_blocks_publication(new_small_hub, firms):
    people = People(firms)
    people.say("merge", [ref(0)], [ref(2)])
    people.say("never", [ref(0)], [ref(4)])
    result = new_small_hub().run(firms, decisions=people.book.log)
    swapped = result.decisions.with_columns(kind=pl.Series(["never", "merge"]))
    [finding] = check_invariants(replace(result, decisions=swapped), firms)
    assert (finding.check, finding.count) == ("decisions_hold", 2)


def decide_at_random(records, seed):
    people, rng = People(records), random.Random(seed)
    refs = records.select("source", "source_key").rows()
    for _ in range(6):
        made = list_decisions(people.book.log).filter(pl.col("undone_by").is_null())["decision_id"].to_list()
        try:
            if made and rng.random() < 0.2:
                people.undo(rng.choice(made))
            else:
                a, b, c = (rng.sample(refs, rng.randint(1, 2)) for _ in range(3))
                kind = rng.choice(["merge", "split", "never", "move"])
                people.move(a, b, c) if kind == "move" else people.say(kind, a, b)
        except DecisionError:
            continue
    return people


def assert_decided(result):
    gids = dict(
        result.crosswalk.filter("is_current")
        .select(pl.struct("source", "source_key"), "gid")
        .map_rows(lambda row: (f"{row[0]['source']}:{row[0]['source_key']}", row[1]))
        .iter_rows()
    )
    for decision in list_holding(result.decisions, "organisation"):
        a, b = ({gids.get(":".join(record)) for record in group} - {None} for group in (decision.group_a, decision.group_b))
        assert len(a | b) == 1 if decision.kind == "merge" else not a & b


@pytest.mark.generated
@BRIEFLY
@given(
    choices=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.booleans(), st.booleans()), min_size=6, max_size=14),
    seed=st.integers(0, 9999),
    bits=st.sampled_from([-20.0, 0.0, 8.0, 60.0]),
)
def test_decisions_hold_at_any_threshold_and_order_and_undo_restores_exactly(new_hub, choices, seed, bits):
    records = make_company_records(choices)
    hub = new_hub()
    before = hub.run(records)
    people = decide_at_random(records, seed)
    assert_decided(run(hub, records, people))
    shuffled = records.sample(fraction=1, shuffle=True, seed=seed)
    moved = replace(load_rules("organisation"), match_bits=bits, review_bits=bits - 3)
    for rules in (hub.rules, moved):
        one, other = (new_hub().run(frame, rules=rules, decisions=people.book.log) for frame in (records, shuffled))
        for frame in ("crosswalk", "edges", "review", "decisions", "golden"):
            assert_frame_equal(getattr(one, frame), getattr(other, frame))
        assert_decided(one)
        assert check_invariants(one, records) == []
    half = run(hub, shuffled.head(records.height // 2), people)
    assert_decided(half)
    assert_decided(run(hub, records, people, rules=moved))

    straight = new_hub()
    run(straight, records)
    run(straight, records, people)
    for made in list_decisions(people.book.log).filter(pl.col("undone_by").is_null())["decision_id"].unique(maintain_order=True):
        people.undo(made)
    undone = run(straight, records, people)
    assert owners(undone) == owners(before)
    assert set(before.golden["gid"]) == set(undone.golden["gid"])
