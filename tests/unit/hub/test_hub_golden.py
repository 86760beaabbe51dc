"""Golden values against a plain rule: per customer and attribute the best record by the order, one after the other (I-7)."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.columns.prepare import prepare
from hub.results.golden import build_golden, choose_winners, group_members
from hub.rules.model import Survivor
from hub.rules.read import load_rules

DAY_ONE = datetime(2026, 1, 1, tzinfo=UTC)
TRUSTED = ("erp", "crm")
ORDERS = (("majority", "recency"), ("recency", "majority"), ("precedence", "majority"), ("majority", "precedence", "recency"))
LINKED = ("completeness", "recency")
RULES = replace(
    load_rules("organisation"),
    fields=(),
    comparisons=(),
    block_keys=(),
    interactions=(),
    guards=(),
    vetoes=(),
    source_precedence=TRUSTED,
    survivors=(
        *(Survivor(((f"tier_{place}", "tier"),), order) for place, order in enumerate(ORDERS)),
        Survivor((("industry", "industry"), ("city", "town")), LINKED),
    ),
)
TIMES = dict.fromkeys(("created_at", "updated_at"), pl.Datetime("us", "UTC"))
SCHEMA = {
    **dict.fromkeys(("source", "source_key", "tier", "industry", "town"), pl.String),
    **TIMES,
    "customer": pl.Int32,
}


def make_records(*rows):
    """Records with the number of the customer that each is of, in the order of source and key."""
    whole = [dict.fromkeys(SCHEMA) | {"source": "web", "source_key": str(place)} | row for place, row in enumerate(rows)]
    return pl.DataFrame(whole, schema=SCHEMA).sort("source", "source_key")


def find_golden(records):
    """One row per customer, in their order."""
    aligned, parts = prepare(records.drop("customer"), RULES)
    customers = records["customer"].unique().sort()
    members = group_members(records["customer"].rank("dense").cast(pl.Int32).to_numpy() - 1, customers.cast(pl.String))
    return build_golden(parts, aligned, members, choose_winners(parts, aligned, members, RULES), RULES)


def find_best(rows, columns, order):
    """The values of the best row, one step of the order after the other; of equal rows the first by source and key."""
    offering = [row for row in rows if any(row[column] is not None for column in columns)]
    said = Counter(tuple(row[column] for column in columns) for row in offering)

    def grade(step, row):
        return {
            "majority": said[tuple(row[column] for column in columns)],
            "precedence": -TRUSTED.index(row["source"]) if row["source"] in TRUSTED else -len(TRUSTED),
            "recency": row["updated_at"] or row["created_at"] or DAY_ONE - timedelta(days=1),
            "completeness": sum(row[column] is not None for column in columns),
        }[step]

    for step in order:
        best = max((grade(step, row) for row in offering), default=None)
        offering = [row for row in offering if grade(step, row) == best]
    first = min(offering, key=lambda row: (row["source"], row["source_key"]), default=dict.fromkeys(columns))
    return tuple(first[column] for column in columns)


TIME = st.one_of(st.none(), st.integers(0, 3).map(lambda days: DAY_ONE + timedelta(days=days)))
ROW = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["erp", "crm", "web"]),
        **dict.fromkeys(("tier", "industry", "town"), st.sampled_from([None, "A", "B", "C"])),
        "created_at": TIME,
        "updated_at": TIME,
        "customer": st.integers(0, 2),
    }
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=14))
def test_each_golden_value_is_the_one_that_a_plain_rule_chooses(rows):
    records = make_records(*rows)
    golden = find_golden(records)
    for number, row in zip(records["customer"].unique().sort(), golden.iter_rows(named=True), strict=True):
        own = records.filter(customer=number).to_dicts()
        expected = {f"tier_{place}": find_best(own, ("tier",), order)[0] for place, order in enumerate(ORDERS)}
        expected |= dict(zip(("industry", "city"), find_best(own, ("industry", "town"), LINKED), strict=True))
        assert {name: row[name] for name in expected} == expected


def test_what_most_records_of_a_customer_say_is_golden_though_another_is_newer_or_said_elsewhere():
    newest = {"tier": "B", "updated_at": DAY_ONE, "customer": 0}
    elsewhere = [{"tier": "B", "customer": 1}] * 2
    golden = find_golden(make_records({"tier": "A", "customer": 0}, {"tier": "A", "customer": 0}, newest, *elsewhere))
    assert golden["tier_0"].to_list() == ["A", "B"]


def test_of_equal_records_the_first_by_source_and_key_is_golden():
    golden = find_golden(make_records({"tier": "A", "customer": 0}, {"tier": "B", "customer": 0}))
    assert golden.select("tier_0", "tier_1", "tier_2", "tier_3").row(0) == ("A",) * 4


@pytest.mark.parametrize(
    ("times", "first", "last"),
    [
        ([(1, 2), (0, None), (3, None)], 0, 3),
        ([(2, 5), (None, 1), (None, None)], 2, 5),
        ([(None, 4), (None, None)], None, 4),
        ([(None, None)], None, None),
        ([(-22_000, None), (-16_000, None), (None, None)], -22_000, -16_000),
        ([(-22_000, -21_999), (None, None)], -22_000, -21_999),
    ],
)
def test_a_customer_is_first_seen_when_its_first_record_was_made_and_updated_when_any_was_touched(times, first, last):
    def at(days):
        return None if days is None else DAY_ONE + timedelta(days=days)

    rows = [{"created_at": at(made), "updated_at": at(touched), "customer": 0} for made, touched in times]
    other = {"created_at": at(-9), "updated_at": at(9), "customer": 1}
    golden = find_golden(make_records(*rows, other))
    assert golden.select("first_seen_at", "updated_at").rows() == [(at(first), at(last)), (at(-9), at(9))]
    assert golden["n_records"].to_list() == [len(times), 1]


def test_a_contact_is_golden_by_a_whole_name_that_reaches_somebody_and_a_phone_by_a_landline():
    def find(*rows):
        rules = load_rules("organisation")
        columns = ["source", "source_key", "contact_name", "mobile", "phone", "email", "created_at", "updated_at"]
        rows = [(source, str(place), *row, DAY_ONE, None) for place, (source, *row) in enumerate(rows)]
        aligned, parts = prepare(pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String) | TIMES, orient="row"), rules)
        members = group_members(np.zeros(aligned.height, dtype=np.int32), pl.Series(["c"]))
        golden = build_golden(parts, aligned, members, choose_winners(parts, aligned, members, rules), rules)
        return golden.select("contact_name", "mobile", "phone").row(0)

    titled = ("u8", "罗总", "13926845671", None, "luo@yunfan.cn")
    assert find(titled, ("crm", "罗峰伟", "13926845671", None, None)) == ("罗峰伟", "13926845671", "13926845671")
    assert find(titled, ("crm", "罗峰伟", None, "020-38765432", None)) == ("罗总", "13926845671", "02038765432")
