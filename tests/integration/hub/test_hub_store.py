"""A hub in a folder: additions equal full runs, versions are true or do not exist (I-1, I-2)."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from hub.decide import Book, DecisionError
from hub.decisions import list_decisions
from hub.model import read_model, write_model
from hub.resolve import resolve
from hub.results.hierarchy import add_hierarchy
from hub.rules.aliases import add_aliases
from hub.rules.model import RulesError
from hub.rules.read import load_rules
from hub.store import Hub, StoreError, hold_lock, read_events, resolve_into
from tests.unit.hub.conftest import DAY_ONE, load_few_rules, make_company_records, make_credit_code, make_parties

pytestmark = pytest.mark.integration

RULES, FEW_RULES = load_rules("organisation"), load_few_rules()
KEYS = ["source", "source_key"]
CHOICES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.booleans(), st.booleans()), min_size=6, max_size=16)
ACTIONS = st.sampled_from(["add", "change", "delete", "merge", "never", "move", "undo"])
STEPS = st.lists(st.tuples(ACTIONS, st.integers(0, 15), st.integers(0, 15)), min_size=3, max_size=5)
COUNTS = ("records", "clusters", "largest_cluster", "candidates", "share_ids_changed", "edges", "review_found", "decisions")
COUNTS += ("candidate_keys", "blocks_capped", "pairs_left_out", "distinct_vectors", "vetoes", "weight_histogram")


def add(folder, records, number, deleted=None, decided=None, rules=FEW_RULES):
    return resolve_into(folder, records, rules, f"run{number}", DAY_ONE + timedelta(days=number), deleted, decided)


def resolve_all(folder, records, number, history, decisions=None, rules=FEW_RULES):
    at = DAY_ONE + timedelta(days=number)
    # a hub's folder serves as its model's
    model = read_model(folder, rules)
    return resolve(records, rules=rules, history=history, run_id=f"run{number}", at=at, model=model, decisions=decisions)


def assert_equal(outcome, full):
    current = full.crosswalk.filter("is_current").select(*KEYS, "gid")
    assert_frame_equal(outcome.crosswalk, current)
    assert_frame_equal(outcome.golden, add_hierarchy(full))
    for name in ("edges", "review", "decisions", "events"):
        assert_frame_equal(getattr(outcome, name), getattr(full, name))
    assert_frame_equal(outcome.redirects.drop_nulls("target_gid"), full.redirects)
    assert not full.redirects["gid"].is_in(full.golden["gid"].implode()).any()
    assert {name: outcome.report[name] for name in COUNTS} == {name: full.report[name] for name in COUNTS} | {
        # how large the largest block is, an addition does not look at
        "candidate_keys": [
            {name: count for name, count in key.items() if name != "largest_block"} for key in full.report["candidate_keys"]
        ]
    }


def decide(book, kind, a, b, number, others=()):
    """A decision, or the undo of one; what contradicts an earlier one is not made."""
    by = {"actor": "li", "reason": "", "at": DAY_ONE + timedelta(days=number)}
    made = list_decisions(book.log).filter(pl.col("undone_by").is_null())["decision_id"].to_list()
    with suppress(DecisionError):
        if kind == "move":
            book.move([a], [b], others, **by)
        elif kind != "undo":
            book.decide(kind, [a], [b], **by)
        elif made:
            book.undo(made[number % len(made)], **by)


@pytest.mark.generated
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(choices=CHOICES, steps=STEPS)
def test_additions_changes_deletions_and_decisions_equal_full_runs(tmp_path_factory, choices, steps):
    folder = tmp_path_factory.mktemp("hub")
    everything, changed, book = make_company_records(choices), list(choices), Book("organisation")
    present = set(range(0, len(choices), 2))
    add(folder, everything[sorted(present)], 0, rules=RULES)
    for number, (action, place, other) in enumerate(steps, start=1):
        row, second = place % len(choices), other % len(choices)
        deleted, batch = None, everything[row : row + 1]
        if action in ("merge", "never", "move", "undo"):
            a, b = (everything.select(KEYS).row(one) for one in (row, second))
            decide(book, action, a, b, number, everything.select(KEYS).rows()[number : number + 2])
            if action == "undo":
                # of the same run is another merge of what was one
                decide(book, "merge", a, b, number)
            # half of the time something else happens to them at once
            batch = batch.clear() if other % 2 else batch
            present |= set() if other % 2 else {row}
        elif action == "delete":
            deleted, batch = batch.select(KEYS), batch.clear()
            present.discard(row)
        else:
            if action == "change":
                changed[row] = ((changed[row][0] + 1) % 5, *changed[row][1:])
                everything = make_company_records(changed)
            batch = everything[row : row + 1]
            present.add(row)
        history = read_events(folder)
        outcome = add(folder, batch, number, deleted, book.log, RULES)
        assert_equal(outcome, resolve_all(folder, everything[sorted(present)], number, history, book.log, RULES))


def test_undoing_a_merge_in_a_kept_hub_gives_the_ids_back_as_a_full_run_does(tmp_path):
    records = make_company_records([(firm, spelling, False, False) for firm in (0, 2) for spelling in (0, 0)])
    book, nobody = Book("organisation"), records.clear()
    before = add(tmp_path, records[:3], 0)
    merge = book.decide("merge", [("crm", "r000")], [("wecom", "r002")], actor="li", reason="one owner", at=DAY_ONE)
    for number, batch in ((1, nobody), (2, records[3:]), (3, nobody)):
        if number == 3:
            book.undo(merge, actor="li", reason="two owners", at=DAY_ONE)
        history = read_events(tmp_path)
        outcome = add(tmp_path, batch, number, decided=book.log)
        present = records[:3] if number == 1 else records
        assert_equal(outcome, resolve_all(tmp_path, present, number, history, book.log))
        assert outcome.golden.height == (2 if number == 3 else 1)
    assert outcome.events["kind"].to_list().count("restored") == 1
    assert set(outcome.golden["gid"]) == set(before.golden["gid"])
    assert add(tmp_path, nobody, 4).events.height == 0


def test_one_addition_equals_a_full_run(tmp_path):
    records = make_company_records([(firm, spelling, spelling == 0, True) for firm in range(5) for spelling in range(3)])
    add(tmp_path, records[:9], 0, rules=RULES)
    history = read_events(tmp_path)
    outcome = add(tmp_path, records[9:], 1, rules=RULES)
    assert outcome.report["added"] == 6
    assert_equal(outcome, resolve_all(tmp_path, records, 1, history, rules=RULES))


def test_a_spelled_name_weighs_the_same_whichever_record_came_first(tmp_path):
    names = ("科腾模具", "科腾机械", "科腾电子", "科腾贸易", "科腾仪器", "keteng")
    records = make_parties(*({"company_name": name, "mobile": "13912345670"} for name in names))
    records = records.with_columns(source_key=pl.lit("k") + pl.Series(range(9, 3, -1)).cast(pl.String))
    add(tmp_path, records[:5], 0)
    history = read_events(tmp_path)
    outcome = add(tmp_path, records[5:], 1)
    assert outcome.edges.filter(source_key_a="k4").height == 5
    assert_equal(outcome, resolve_all(tmp_path, records, 1, history))


def test_names_that_companies_bore_in_turn_are_the_same_in_additions_as_in_a_full_run(tmp_path):
    first, last, shared = "上海云帆科技有限公司", "杭州鹏翔贸易有限公司", "远帆科技"
    turns = pl.DataFrame({"alias": [shared] * 2, "name": [first, last], "valid_from": ["2000-01-01", "2015-01-01"]})
    rules = add_aliases(RULES, turns.with_columns(valid_to=pl.Series(["2014-12-31", None])))
    years = [None, None, 2005, 2006, 2020, 2021]
    made = pl.Series([year and datetime(year, 5, 1, tzinfo=UTC) for year in years], dtype=pl.Datetime("us", "UTC"))
    records = make_parties(*({"company_name": name} for name in (first, last, *[shared] * 4))).with_columns(created_at=made)
    add(tmp_path, records[[0, 2]], 0, rules=rules)
    # the last step corrects a date: the record goes from one company to the other
    corrected = records.with_columns(created_at=made.scatter(3, datetime(2019, 5, 1, tzinfo=UTC)))
    steps = ((records[[1, 3]], records[:4]), (records[4:], records), (corrected[3:4], corrected))
    for number, (batch, present) in enumerate(steps, start=1):
        history = read_events(tmp_path)
        outcome = add(tmp_path, batch, number, rules=rules)
        assert_equal(outcome, resolve_all(tmp_path, present, number, history, rules=rules))
    ids = outcome.crosswalk["gid"].to_list()
    assert [ids.index(gid) for gid in ids] == [0, 1, 0, 1, 1, 1]


def test_rows_in_many_pieces_are_joined(tmp_path, monkeypatch):
    monkeypatch.setattr("hub.kept.archive._MOST_PIECES", 2)
    records = make_company_records([(firm, 0, True, True) for firm in range(5)])
    pieces = []
    for number in range(4):
        outcome = add(tmp_path, records[number : number + 1], number)
        pieces.append(len(list(tmp_path.glob(f"versions/{number + 1}/*.records.arrow"))))
    assert pieces == [1, 2, 1, 2]
    assert outcome.crosswalk.select(KEYS).equals(records[:4].select(KEYS).sort(KEYS))


def test_a_first_piece_that_is_much_larger_stays_as_it_is_while_later_ones_are_joined(tmp_path, monkeypatch):
    monkeypatch.setattr("hub.kept.archive._MOST_PIECES", 3)
    records = make_parties(
        *({"company_name": f"宁波{first}{last}贸易有限公司"} for first in "华强恒远科腾" for last in "瑞丰盛泰宏达")
    )
    add(tmp_path, records[:30], 0)
    first = tmp_path / "versions" / "1" / "0.records.arrow"
    sizes = []
    for number in range(1, 9):
        outcome = add(tmp_path, records[29 + number : 30 + number], number)
        folder = tmp_path / "versions" / str(number + 1)
        sizes.append(len(list(folder.glob("*.records.arrow"))))
        first, before = folder / "0.records.arrow", first
        # a link to the same file, but where the later ones hold more than an eighth of it
        assert not before.exists() or first.samefile(before) == (number != 5), number
    assert sizes == [2, 3, 2, 3, 1, 2, 3, 2]
    assert outcome.crosswalk.select(KEYS).equals(records[:38].select(KEYS).sort(KEYS))


def test_what_the_hub_holds_already_changes_nothing(tmp_path):
    records = make_company_records([(firm, 0, True, True) for firm in range(5)])
    first = add(tmp_path, records, 0)
    again = add(tmp_path, records, 1)
    assert (again.events.height, again.report["added"]) == (0, 0)
    assert_frame_equal(again.crosswalk, first.crosswalk)


def test_a_killed_addition_leaves_the_version_before(tmp_path, monkeypatch):
    records = make_company_records([(firm, 0, True, True) for firm in range(5)])
    first = add(tmp_path, records[:3], 0)

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(pl.DataFrame, "write_parquet", die)
    with pytest.raises(KeyboardInterrupt):
        add(tmp_path, records, 1)
    monkeypatch.undo()
    assert read_events(tmp_path).height == first.events.height
    assert add(tmp_path, records, 1).report["version"] == 2


def test_two_additions_at_once_are_refused(tmp_path):
    records = make_company_records([(0, 0, True, True)])
    with hold_lock(tmp_path), pytest.raises(StoreError, match="under way"):
        add(tmp_path, records, 0)


def test_a_hub_of_other_rules_is_refused(tmp_path):
    records = make_company_records([(0, 0, True, True)])
    add(tmp_path, records, 0)
    with pytest.raises(RulesError, match="other rules"):
        resolve_into(tmp_path, records, load_rules("person"), "r", DAY_ONE)
    with pytest.raises(RulesError, match=r"thresholds.*--rebuild"):
        resolve_into(tmp_path, records, replace(FEW_RULES, match_bits=5.0), "r", DAY_ONE)


FIRMS = [f"上海{first}{second}科技有限公司" for first in "云精鹏瑞恒启泰盛安宏" for second in "帆卓翔丰达源"]


def make_firms(places, codes, copies=1):
    """Records of firms that differ in name and credit code; a record keeps its key whatever firm it is of."""
    return make_parties(
        *(
            {"source_key": f"{number}.{copy}", "company_name": FIRMS[place % 60], "tax_no": make_credit_code(1000 + code)}
            for number, (place, code) in enumerate(zip(places, codes, strict=True))
            for copy in range(copies)
        )
    )


def list_files(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "lock"}


def test_an_addition_that_runs_away_leaves_the_hub_as_it_was_unless_it_is_forced(tmp_path):
    good, bad = make_firms(range(60), range(60)), make_firms([0] * 60, [0] * 60)
    first = add(tmp_path, good, 0)
    before, book = list_files(tmp_path), Book("organisation")
    book.decide("never", [("crm", "1.0")], [("crm", "2.0")], actor="li", reason="", at=DAY_ONE)
    with pytest.raises(StoreError, match=r"1 customers hold more than 15 records, the largest 59: .* 96\.7% of known .*--force"):
        add(tmp_path, bad, 1, decided=book.log)
    hub = Hub.open(tmp_path, FEW_RULES)
    with pytest.raises(StoreError, match="is as it was"):
        hub.add(bad, "run1", DAY_ONE)
    assert list_files(tmp_path) == before
    assert_frame_equal(hub.list_crosswalk(), first.crosswalk)
    assert hub.add(bad, "run1", DAY_ONE, force=True).report["largest_cluster"] == 60
    # what was that large already does not hold up what comes after it, though it has many names
    assert hub.add(make_firms(range(-60, 9), [0] * 69)[60:], "run2", DAY_ONE).report["largest_cluster"] == 69


def test_another_table_under_the_same_keys_is_refused_though_it_is_a_small_part_of_the_hub(tmp_path):
    add(tmp_path, make_firms(range(205), range(205), copies=3), 0)
    with pytest.raises(StoreError, match=r"share_overwritten: 100\.0% of 60 changed records change their id"):
        add(tmp_path, make_firms(range(60), range(400, 460)), 1)
    assert add(tmp_path, make_firms(range(49), range(400, 449)), 1).report["changed"] == 49


def test_the_version_before_the_newest_stays_and_can_be_gone_back_to(tmp_path):
    records = make_firms(range(6), range(6))
    for number in range(3):
        outcome = add(tmp_path, records[: number + 3], number)
    assert sorted(path.name for path in (tmp_path / "versions").iterdir()) == ["2", "3"]
    (tmp_path / "current.before").rename(tmp_path / "current")
    assert read_events(tmp_path).height < outcome.events["event_no"].max()
    assert Hub.open(tmp_path, FEW_RULES).list_crosswalk().height == 4
    assert_frame_equal(add(tmp_path, records[:5], 2).crosswalk, outcome.crosswalk)


def test_a_model_serves_other_thresholds_and_no_other_comparisons(tmp_path):
    records = make_company_records([(0, 0, True, True), (1, 1, False, True)])
    trained = resolve(records, rules=RULES, history=None, run_id="r", at=DAY_ONE).model
    write_model(trained, tmp_path)
    assert read_model(tmp_path, replace(RULES, match_bits=9.0, review_bits=2.0)).version == trained.version
    with pytest.raises(RulesError, match="other rules"):
        read_model(tmp_path, replace(RULES, comparisons=RULES.comparisons[1:]))
