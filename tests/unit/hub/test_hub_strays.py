"""Which records people are asked about because they fit two customers which are never one (I-8)."""

from dataclasses import replace

import polars as pl
import pytest

from hub.clustering.bonds import read_guards
from hub.decide import Book
from hub.resolve import resolve
from hub.results.queue import STRAYS
from hub.results.strays import LEFT
from hub.rules.read import load_rules
from tests.unit.hub.conftest import DAY_ONE, make_credit_code, make_parties

RULES = load_rules("organisation")
A, B = make_credit_code(71000001), make_credit_code(71000002)
BY = {"actor": "li", "reason": "", "at": DAY_ONE}
NORTH = {"company_name": "北京恒远科技有限公司", "tax_no": A, "mobile": "13911112222"}
SOUTH = {"company_name": "上海恒远科技有限公司", "tax_no": B, "mobile": "13911112222"}
BARE = {"company_name": "恒远科技", "mobile": "13911112222"}


def ask(records: pl.DataFrame, book: Book | None = None, rules=RULES):
    log = book.log if book else None
    return resolve(records, rules=rules, history=None, run_id="r", at=DAY_ONE, decisions=log)


def name_asked(found) -> list[tuple[str, str]]:
    """The record that is asked about and the one that it might belong to."""
    asked = found.review.filter(pl.col("reason").str.starts_with("record"))
    is_a = asked["reason"] == STRAYS[LEFT]
    ends = asked.select("source_key_a", "source_key_b").rows()
    return sorted(pair if first else pair[::-1] for pair, first in zip(ends, is_a, strict=True))


def find_owners(found) -> dict[str, str]:
    return dict(found.crosswalk.select("source_key", "gid").rows())


def test_a_record_that_fits_two_firms_with_a_code_each_alike_is_asked_about_and_an_answer_ends_it():
    records = make_parties(NORTH, SOUTH, BARE)
    found = ask(records)
    [(record, other)] = name_asked(found)
    assert record == "k0002"
    owners = find_owners(found)
    [here] = {"k0000", "k0001"} - {other}
    assert owners["k0002"] == owners[here] != owners[other]
    for kind in ("never", "move"):
        book = Book("organisation", None, read_guards(records, RULES))
        ends = [("crm", record)], [("crm", other)]
        book.move(*ends, [("crm", here)], **BY) if kind == "move" else book.decide(kind, *ends, **BY)
        decided = ask(records, book)
        assert not decided.review.height
        assert find_owners(decided)["k0002"] == find_owners(decided)[other if kind == "move" else here]


def test_twins_that_fit_two_firms_are_asked_about_each_though_they_hold_each_other():
    found = ask(make_parties(NORTH, SOUTH, BARE, BARE))
    assert [record for record, _ in name_asked(found)] == ["k0002", "k0003"]


@pytest.mark.parametrize(
    "more",
    [
        {"tax_no": A},  # of itself it is of one of them
        {"company_name": "北京恒远科技有限公司"},  # and it fits one of them far better
    ],
)
def test_a_record_that_clearly_belongs_to_one_of_them_is_not_asked_about(more):
    assert not name_asked(ask(make_parties(NORTH, SOUTH, BARE | more)))


def test_a_record_that_people_merged_is_not_asked_about():
    records = make_parties(NORTH, SOUTH, BARE)
    book = Book("organisation")
    book.decide("merge", [("crm", "k0002")], [("crm", "k0001")], **BY)
    assert not name_asked(ask(records, book))


def test_the_queue_holds_the_most_valuable_questions_of_both_kinds():
    rows = [NORTH, SOUTH, BARE, {"company_name": "苏州精卓机械有限公司"}, {"company_name": "苏州精卓设备有限公司"}]
    rules = replace(RULES, review_bits=-20.0)
    records = make_parties(*rows)
    kinds = [
        ask(records.with_columns(value=pl.Series(value)), rules=replace(rules, review_limit=1)).review["reason"].to_list()
        for value in ([1.0, 1.0, 1.0, 900.0, 900.0], [900.0, 900.0, 1.0, 1.0, 1.0])
    ]
    assert kinds[0] == ["grey band"]
    assert kinds[1][0].startswith("record")
    assert ask(records, rules=rules).review.height > 1
    assert not ask(records, rules=replace(rules, review_limit=0)).review.height
