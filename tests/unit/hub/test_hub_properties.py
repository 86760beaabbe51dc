"""The promises of the hub over random histories (I-1, I-2, I-3, I-5, I-7)."""

import random
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from hub.invariants import check_invariants
from hub.rules.read import load_rules

pytestmark = pytest.mark.generated

CHOICES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.booleans(), st.booleans()), min_size=4, max_size=14)
FRAMES = ("crosswalk", "golden", "lineage", "edges", "review", "events", "redirects")
THRESHOLDS = [-3.0, 4.0, 12.0, 60.0]
# a resolution of ten records takes about 0.1 s, almost all of it fixed
BRIEFLY = settings(max_examples=3, suppress_health_check=[HealthCheck.too_slow])


def partition(result):
    groups = (
        result.crosswalk.filter("is_current").group_by("gid").agg(pl.concat_str("source", "source_key", separator=":").sort())
    )
    return sorted(groups["source"].to_list())


def read_holders(result):
    """The id of each present record."""
    return {
        tuple(row[:2]): row[2] for row in result.crosswalk.filter("is_current").select("source", "source_key", "gid").iter_rows()
    }


def assert_ids_stay(before, log, after):
    """Each id stays with the cluster that has most of its records, the oldest where several do; the others lead there.

    before: the id of each record then; log: all events so far, `after` included. Of equally large shares counts the one that has
    the first record.
    """
    now, clusters, homes = read_holders(after), {}, {}
    for record, gid in now.items():
        clusters.setdefault(gid, set()).add(record)
    for old in set(before.values()):
        shares = [(sum(before.get(record) == old for record in members), members) for members in clusters.values()]
        most = max(size for size, _ in shares)
        if most:
            home = min((members for size, members in shares if size == most), key=min)
            homes.setdefault(now[min(home)], []).append(old)
    order = log.filter(kind="issued")["gid"].to_list()
    targets = dict(after.redirects.select("gid", "target_gid").iter_rows())
    for gid in clusters:
        if gid in homes:
            assert gid == min(homes[gid], key=order.index)
            assert {targets[old] for old in homes[gid] if old != gid} <= {gid}
        else:
            assert gid not in before.values()


def assert_same(one, other, frames=FRAMES):
    for frame in frames:
        assert_frame_equal(getattr(one, frame), getattr(other, frame))


@BRIEFLY
@given(choices=CHOICES, seed=st.integers(0, 999))
def test_neither_order_nor_batching_changes_the_partition(company_records, new_hub, choices, seed):
    records = company_records(choices)
    one_shot = new_hub().run(records)
    shuffled = records.sample(fraction=1, shuffle=True, seed=seed)
    assert_same(one_shot, new_hub().run(shuffled))
    hub = new_hub()
    cuts = sorted(random.Random(seed).sample(range(records.height + 1), min(2, records.height)))
    for cut in [*cuts, records.height]:
        result = hub.run(shuffled.head(cut))
    assert partition(result) == partition(one_shot)


@BRIEFLY
@given(
    choices=CHOICES,
    steps=st.lists(
        st.tuples(st.sampled_from(["add", "change", "delete", "threshold"]), st.integers(0, 13)), min_size=1, max_size=3
    ),
)
def test_over_any_history_ids_stay_with_their_records_and_every_id_resolves(company_records, new_hub, choices, steps):
    everything = company_records(choices)
    present = set(range(0, len(choices), 2))
    hub = new_hub()
    issued = set()
    held = {}
    changed = list(choices)
    for action, number in [("start", 0), *steps]:
        row = number % len(choices)
        if action == "add":
            present.add(row)
        elif action == "delete":
            present.discard(row)
        elif action == "change":
            changed[row] = ((changed[row][0] + 1) % 5, *changed[row][1:])
            everything = company_records(changed)
        elif action == "threshold":
            bits = THRESHOLDS[number % len(THRESHOLDS)]
            hub.rules = replace(hub.rules, match_bits=bits, review_bits=bits - 3)
        records = everything[sorted(present)]
        before = hub.history
        backwards = hub.peek(records.reverse())
        result = hub.run(records)
        assert_same(result, backwards)
        assert check_invariants(result, records, history=before) == []
        assert_ids_stay(held, hub.history, result)
        held = read_holders(result)
        issued |= set(result.events.filter(kind="issued")["gid"])
        live = set(result.golden["gid"])
        retired = set(hub.history.filter(kind="retired")["gid"])
        targets = dict(result.redirects.select("gid", "target_gid").iter_rows())
        assert all(targets.get(gid, gid) in live | retired for gid in issued)
        again = hub.peek(records)
        assert again.events.height == 0
        assert_same(result, again, ("golden", "edges", "redirects"))


@BRIEFLY
@given(choices=CHOICES, bits=st.sampled_from(THRESHOLDS))
def test_another_threshold_keeps_ids_where_members_overlap(company_records, new_hub, choices, bits):
    records = company_records(choices)
    hub = new_hub()
    held = read_holders(hub.run(records))
    for match_bits in (bits, 0.0):
        moved = replace(load_rules("organisation"), match_bits=match_bits, review_bits=match_bits - 3)
        after = hub.run(records, rules=moved)
        assert_ids_stay(held, hub.history, after)
        held = read_holders(after)


def test_two_valid_codes_never_share_a_customer(new_hub, parties, credit_code):
    same = {"company_name": "上海云帆科技有限公司", "mobile": "13912345670", "contact_name": "李明"}
    records = parties({**same, "tax_no": credit_code(71000001)}, {**same, "tax_no": credit_code(71000002)}, same)
    result = new_hub().run(records)
    assert result.golden.height == 2
    assert result.report["vetoes"] == 1
    assert check_invariants(result, records) == []
