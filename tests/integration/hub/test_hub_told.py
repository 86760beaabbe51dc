"""What a kept hub tells after an addition beside who is who: counts of pairs, what became of ids, what is worth a look."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from hub.decide import Book
from hub.model import read_model
from hub.rebuild import rebuild
from hub.resolve import resolve
from hub.rules.read import load_rules
from hub.store import Hub, read_events, read_state, resolve_into
from tests.unit.hub.conftest import DAY_ONE, load_few_rules, make_credit_code, make_parties

pytestmark = pytest.mark.integration

RULES = load_few_rules()
WHOLE = load_rules("organisation")
#: blocks of more than four records are above their cap
TIGHT = replace(RULES, block_keys=tuple(replace(key, cap=4) for key in RULES.block_keys))
KEYS = ["source", "source_key"]
PAIRS = ("blocks_capped", "pairs_left_out", "distinct_vectors", "vetoes", "weight_histogram")


def make_alike(chance: Random) -> pl.DataFrame:
    names = ("科腾模具", "科腾机械", "科腾电子", "科腾模具苏州分公司", "瑞丰仪器")
    codes = [None, None, make_credit_code(71000001), make_credit_code(71000002)]
    rows = (
        {"company_name": chance.choice(names), "mobile": f"1391234567{chance.randrange(3)}", "tax_no": chance.choice(codes)}
        for _ in range(30)
    )
    return make_parties(*rows)


def count_keys(report: dict) -> list[dict]:
    return [{name: count for name, count in key.items() if name != "largest_block"} for key in report["candidate_keys"]]


def test_counts_of_pairs_after_any_addition_are_those_of_a_full_run(tmp_path: Path):
    chance = Random(5)
    versions = [make_alike(chance) for _ in range(2)]
    resolve_into(tmp_path, versions[0][:8], TIGHT, "run0", DAY_ONE)
    hub, present, capped = Hub.open(tmp_path, TIGHT), dict.fromkeys(range(8), 0), set()
    for number in range(1, 9):
        here = {place: chance.randrange(2) for place in chance.sample(range(30), 6 if number < 5 else 2)}
        gone = [place for place in present if chance.random() < (0.1 if number < 5 else 0.5) and place not in here]
        present = {place: version for place, version in (present | here).items() if place not in gone}
        batch = pl.concat([versions[version][place] for place, version in here.items()])
        at, history = DAY_ONE + timedelta(days=number), read_events(tmp_path)
        added = hub.add(batch, f"run{number}", at, versions[0][gone].select(KEYS))
        everything = pl.concat([versions[version][place] for place, version in present.items()])
        model = read_model(tmp_path, TIGHT)
        full = resolve(everything, rules=TIGHT, history=history, run_id=f"run{number}", at=at, model=model)
        assert {name: added.report[name] for name in PAIRS} == {name: full.report[name] for name in PAIRS}
        assert added.report["candidate_keys"] == count_keys(full.report)
        capped.add(added.report["blocks_capped"])
        if number % 3 == 0:
            hub = Hub.open(tmp_path, TIGHT)
    # blocks grew beyond their caps and shrank below them again
    assert len(capped) > 2
    assert max(capped) > added.report["blocks_capped"]


def test_every_id_that_was_given_up_is_told_with_where_it_leads_and_since_when(tmp_path: Path):
    records = make_parties(*({"company_name": name} for name in ("上海云帆科技有限公司", "北京瑞丰仪器", "苏州精卓机械")))
    first = resolve_into(tmp_path, records, RULES, "run0", DAY_ONE)
    assert first.redirects.rows() == []
    ids = [first.crosswalk.filter(source_key=key)["gid"][0] for key in records["source_key"]]
    book, days = Book("organisation"), [DAY_ONE + timedelta(days=number) for number in range(5)]
    ends = [records.select(KEYS).row(place) for place in (0, 1)]
    merge = book.decide("merge", [ends[0]], [ends[1]], actor="li", reason="", at=DAY_ONE)
    resolve_into(tmp_path, None, RULES, "run1", days[1], decided=book.log)
    last = resolve_into(tmp_path, None, RULES, "run2", days[2], deleted=records[2:].select(KEYS), force=True)
    [lost] = {ids[0], ids[1]} - set(last.crosswalk["gid"])
    [kept] = {ids[0], ids[1]} - {lost}
    expected = sorted([(lost, kept, days[1]), (ids[2], None, days[2])])
    assert last.redirects.rows() == expected
    assert read_state(tmp_path).list_given_up().rows() == expected
    assert rebuild(tmp_path, None, RULES, "run3", days[3]).redirects.rows() == expected
    book.undo(merge, actor="li", reason="", at=DAY_ONE)
    assert resolve_into(tmp_path, None, RULES, "run4", days[4], decided=book.log).redirects.rows() == [(ids[2], None, days[2])]


def test_what_records_are_worth_is_kept_so_that_additions_leave_the_order_of_the_queue(tmp_path: Path):
    pairs = [(f"上海昌{a}机械有限公司", f"上海昌{b}机械有限公司") for a, b in ("建健", "双霜")]
    rows = [{"company_name": name, "city": "上海"} for pair in pairs for name in pair]
    other = {"company_name": "北京瑞丰仪器有限公司", "city": "北京"}
    records = make_parties(*rows, other, other).with_columns(value=pl.Series([1.0, 1.0, 1e6, 5.0, 3.0, None]))

    def list_stakes(review: pl.DataFrame) -> list[tuple[set[str], float]]:
        keys = dict(zip(records["source_key"], range(6), strict=True))
        return [
            ({keys[row["source_key_a"]], keys[row["source_key_b"]]}, row["value_at_stake"])
            for row in review.iter_rows(named=True)
        ]

    first = resolve_into(tmp_path, records[:4], WHOLE, "run0", DAY_ONE)
    stakes = list_stakes(first.review)
    assert ({2, 3}, 1_000_005.0) == stakes[0]
    added = resolve_into(tmp_path, records[4:5], WHOLE, "run1", DAY_ONE)
    assert list_stakes(added.review) == stakes
    # of records that come again without a column of values the hub knows it, and a change does not take it away
    changed = records[2:3].with_columns(city=pl.lit("上海市"), address=pl.lit("漕河泾路1号")).drop("value")
    again = resolve_into(tmp_path, pl.concat([changed, records[5:6].drop("value")], how="diagonal"), WHOLE, "run2", DAY_ONE)
    assert again.report["changed"] == 1
    assert list_stakes(again.review)[0] == stakes[0]
    anew = rebuild(tmp_path, None, WHOLE, "run3", DAY_ONE)
    assert list_stakes(anew.review)[0] == stakes[0]
    assert "value" not in anew.report["columns_let_go"]
    # another value of a record that is else the same is no change of it, and counts at once
    risen = resolve_into(tmp_path, records[:1].with_columns(value=pl.lit(9e6)), WHOLE, "run4", DAY_ONE)
    assert (risen.report["changed"], risen.report["added"]) == (0, 0)
    assert list_stakes(risen.review)[0][1] > 9e6
    full = resolve(
        records.with_columns(value=pl.Series([9e6, 1.0, 1e6, 5.0, 3.0, None]))[[0, 1, 3, 4, 5]],
        rules=WHOLE,
        history=None,
        run_id="r",
        at=DAY_ONE,
        model=read_model(tmp_path, WHOLE),
    )
    assert_frame_equal(risen.review.head(1), full.review.head(1))
