"""Sources as evidence: how much of a register each is."""

from datetime import UTC, datetime

import polars as pl

from hub.columns.prepare import prepare
from hub.resolve import resolve
from hub.rules.read import load_rules
from hub.scoring.frequency import LAST_BUCKET, count_buckets

_FIRMS = [
    f"上海{a}{b}机械有限公司"
    for a in "华强宏盛达瑞恒信泰兴鑫隆昌源德永嘉博联创凯诚海天金东方明正威"
    for b in "力光晟腾飞亚新伟通科" * 4
]
_DISTINCT = sorted(set(_FIRMS))


def list_records():
    """A register that names each firm once, and an address book that names many twice."""
    register = pl.DataFrame({"source": "register", "company_name": _DISTINCT})
    book = pl.DataFrame({"source": "book", "company_name": _DISTINCT[:100] * 2})
    records = pl.concat([register, book])
    return records.with_columns(source_key=pl.int_range(records.height).cast(pl.String))


def test_a_source_without_repeats_is_a_register_and_one_with_many_is_none():
    _, parts = prepare(list_records(), load_rules("organisation"))
    buckets = dict(zip(parts.list_values("source"), count_buckets(parts, "source", "name.key").tolist(), strict=True))
    assert buckets["book"] == 0
    assert buckets["register"] >= LAST_BUCKET - 2


def test_the_model_keeps_what_a_source_was_and_trusts_no_new_one():
    rules = load_rules("organisation")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    model = resolve(list_records(), rules=rules, history=None, run_id="a", at=at).model
    records = pl.DataFrame(
        {"source": ["register", "new"], "source_key": ["1", "1"], "company_name": ["上海甲乙机械有限公司"] * 2}
    )
    _, parts = prepare(records, rules)
    kept = dict(zip(parts.list_values("source"), model.frequencies.look_up(parts, "source").tolist(), strict=True))
    assert kept["register"] >= LAST_BUCKET - 2
    assert kept["new"] == 0
