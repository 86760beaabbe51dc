"""Records that fit two customers which are never one: people are asked whose they are, once, and the answer holds (I-8)."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from hub.decide import Book, DecisionError
from hub.model import read_model
from hub.resolve import resolve
from hub.results.queue import STRAYS
from hub.results.strays import LEFT
from hub.rules.read import load_rules
from hub.store import Hub, read_events, resolve_into
from tests.unit.hub.conftest import DAY_ONE, make_credit_code, make_parties

pytestmark = pytest.mark.integration

RULES = load_rules("organisation")
KEYS = ["source", "source_key"]
CODES = [make_credit_code(71000000 + number) for number in range(4)]


def make_namesakes(chance: Random) -> pl.DataFrame:
    """Firms of four cities with a code each and one trade name, and records that know neither."""
    cities, rows = ("北京", "上海", "杭州", "苏州"), []
    for _ in range(36):
        firm, phone = chance.randrange(4), f"1391111222{chance.randrange(2)}"
        known = {"company_name": f"{cities[firm]}恒远科技有限公司", "tax_no": CODES[firm], "mobile": phone}
        bare = {"company_name": chance.choice(["恒远科技", "恒远", cities[firm] + "恒远"]), "mobile": phone}
        rows.append(chance.choice([known, bare, {"company_name": f"{cities[firm]}恒远科技有限公司苏州分公司", "mobile": phone}]))
    return make_parties(*rows).with_columns(value=pl.Series([float(chance.randrange(9)) for _ in rows]))


def answer(book: Book, queue: pl.DataFrame, owners: dict, chance: Random) -> set[str]:
    """Some questions about records answered, one kind after the other; those that were not refused."""
    said = set()
    for row in queue.filter(pl.col("reason").str.starts_with("record")).head(3).iter_rows(named=True):
        a, b = ((row[f"source_{side}"], row[f"source_key_{side}"]) for side in "ab")
        record, other = (a, b) if row["reason"] == STRAYS[LEFT] else (b, a)
        to, here = ([one for one in owners if owners[one] == owners[end] and one != record] for end in (other, record))
        by = {"actor": "li", "reason": "", "at": DAY_ONE}
        try:
            book.move([record], to, here, **by) if chance.random() < 0.5 else book.decide("never", [record], to, **by)
        except DecisionError:
            continue
        said.add(row["pair_id"])
    return said


@pytest.mark.parametrize("limit", [200, 2])
def test_additions_ask_about_the_records_that_a_full_run_asks_about(tmp_path: Path, limit: int):
    chance, book, rules = Random(3), Book("organisation"), replace(RULES, review_limit=limit)
    everything = make_namesakes(chance)
    resolve_into(tmp_path, everything[:10], rules, "run0", DAY_ONE)
    hub, asked, said = Hub.open(tmp_path, rules), set(), set()
    for number, end in enumerate((18, 26, 36, 36, 36), start=1):
        present, at, history = everything[:end], DAY_ONE + timedelta(days=number), read_events(tmp_path)
        added = hub.add(everything[10:end], f"run{number}", at, decided=book.log)
        model = read_model(tmp_path, rules)
        full = resolve(present, rules=rules, history=history, run_id=f"run{number}", at=at, model=model, decisions=book.log)
        assert_frame_equal(added.review, full.review)
        assert added.report["review_found"] == full.report["review_found"]
        assert not said & set(added.review["pair_id"])
        owners = {(source, key): gid for source, key, gid in hub.list_crosswalk().iter_rows()}
        asked |= set(added.review["reason"])
        said |= answer(book, added.review, owners, chance)
    assert set(STRAYS.values()) <= asked
    assert set(book.log["kind"]) >= {"split", "merge", "never"}
