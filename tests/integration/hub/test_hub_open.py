"""A hub that stays open in a process says what a full run says, and is never ahead of its folder."""

from datetime import timedelta
from random import Random

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from hub.decide import Book
from hub.erase import erase_records
from hub.kept.outcome import name_candidates, sum_up
from hub.kept.state import mark_open
from hub.kept.versions import read_version
from hub.model import read_model
from hub.resolve import resolve
from hub.results.hierarchy import add_hierarchy
from hub.store import Hub, StoreError, read_events, read_state, resolve_into
from tests.unit.hub.conftest import DAY_ONE, load_few_rules, make_company_records, make_parties

pytestmark = pytest.mark.integration

RULES = load_few_rules()
KEYS = ["source", "source_key"]
CHOICES = [(firm, spelling, spelling == 0, True) for firm in range(4) for spelling in range(3)]


def open_hub(folder, records):
    resolve_into(folder, records, RULES, "run0", DAY_ONE)
    return Hub.open(folder, RULES)


def make_alike_records(chance):
    """Records of names that begin alike, with one of two mobiles: pairs in doubt, within customers and between them."""
    names = ("科腾模具", "科腾机械", "科腾电子", "科腾贸易", "科腾仪器", "keteng")
    rows = ({"company_name": chance.choice(names), "mobile": chance.choice(["13912345671", "13912345670"])} for _ in range(40))
    return make_parties(*rows)


def list_open(state):
    """What State.open should be, from all pairs."""
    numbers = state.list_pairs()
    pairs = state.take(numbers)
    is_open = mark_open(state.vectors, RULES)[pairs.vector] & (state.owner[pairs.left] != state.owner[pairs.right])
    return numbers[is_open].tolist()


def test_many_additions_equal_full_runs_while_pieces_are_joined(tmp_path, monkeypatch):
    monkeypatch.setattr("hub.kept.archive._MOST_PIECES", 2)
    everything, book = make_company_records(CHOICES), Book("organisation")
    moved = make_company_records([(2, 0, False, True), *CHOICES[1:4], (2, 1, False, True), *CHOICES[5:]])
    hub = open_hub(tmp_path, everything[:5])
    ends = [everything.select(KEYS).row(place) for place in (1, 4)]
    present = everything[:5]
    for number, batch in enumerate((everything[5:9], moved[:5], everything[9:], everything[:1], None), start=1):
        gone = everything[6:7].select(KEYS) if number == 4 else None
        if number == 5:
            book.decide("merge", [ends[0]], [ends[1]], actor="li", reason="one owner", at=DAY_ONE)
        at, history = DAY_ONE + timedelta(days=number), read_events(tmp_path)
        added = hub.add(batch, f"run{number}", at, gone, book.log)
        if batch is not None:
            present = pl.concat([present.join(batch, on=KEYS, how="anti"), batch])
        present = present if gone is None else present.join(gone, on=KEYS, how="anti")
        model = read_model(tmp_path / "model", RULES)
        full = resolve(present, rules=RULES, history=history, run_id=f"run{number}", at=at, model=model, decisions=book.log)
        for name in ("events", "review", "decisions"):
            assert_frame_equal(getattr(added, name), getattr(full, name))
        assert added.report["largest_cluster"] == full.report["largest_cluster"]
        assert_frame_equal(hub.list_crosswalk(), full.crosswalk.filter("is_current").select(*KEYS, "gid"))
        assert_frame_equal(hub.list_golden(), add_hierarchy(full))
        assert_frame_equal(name_candidates(read_state(tmp_path)), sum_up(full).list_pairs())
    assert len(list(tmp_path.glob("versions/6/*.portraits.arrow"))) == 2


@pytest.mark.parametrize(("most_pieces", "much_larger"), [(3, 8), (3, 0), (100, 8)])
def test_records_that_come_change_go_and_come_back_leave_what_a_full_run_finds(tmp_path, monkeypatch, most_pieces, much_larger):
    monkeypatch.setattr("hub.kept.archive._MOST_PIECES", most_pieces)
    monkeypatch.setattr("hub.kept.archive._MUCH_LARGER", much_larger)
    chance = Random(7)
    versions = [make_alike_records(chance) for _ in range(2)]
    hub, present = open_hub(tmp_path, versions[0][:6]), dict.fromkeys(range(6), 0)
    for number in range(1, 11):
        places = chance.sample(range(versions[0].height), 4)
        gone = [place for place in present if chance.random() < 0.08 and place not in places]
        here = {place: chance.randrange(2) for place in places}
        batch = pl.concat([versions[version][place] for place, version in here.items()])
        present = {place: version for place, version in (present | here).items() if place not in gone}
        at, history = DAY_ONE + timedelta(days=number), read_events(tmp_path)
        added = hub.add(batch, f"run{number}", at, versions[0][gone].select(KEYS))
        kept = Hub.open(tmp_path, RULES)
        assert_frame_equal(hub.list_crosswalk(), kept.list_crosswalk())
        assert_frame_equal(hub.list_golden(), kept.list_golden())
        assert_frame_equal(name_candidates(read_state(tmp_path)), name_candidates(hub._state))
        assert sorted(hub._state.open.number.tolist()) == list_open(hub._state)
        if number % 3 == 0:
            hub = kept
        if number % 5:
            continue
        everything = pl.concat([versions[version][place] for place, version in present.items()])
        model = read_model(tmp_path / "model", RULES)
        full = resolve(everything, rules=RULES, history=history, run_id=f"run{number}", at=at, model=model)
        assert_frame_equal(added.events, full.events)
        assert_frame_equal(added.review, full.review)
        assert_frame_equal(hub.list_crosswalk(), full.crosswalk.filter("is_current").select(*KEYS, "gid"))
        assert_frame_equal(hub.list_golden(), add_hierarchy(full))
        assert_frame_equal(name_candidates(hub._state), sum_up(full).list_pairs())


def test_what_is_added_after_an_addition_that_was_killed_is_all_that_is_kept(tmp_path, monkeypatch):
    records = make_company_records(CHOICES)
    hub = open_hub(tmp_path, records[:4])

    def die(*_, **__):
        raise KeyboardInterrupt

    for number, patched in enumerate(
        ("hub.kept.archive._write_piece", "hub.kept.archive.Path.write_text", "hub.store.Path.replace")
    ):
        with monkeypatch.context() as patch:
            patch.setattr(patched, die)
            with pytest.raises(KeyboardInterrupt):
                hub.add(records[6:], "lost", DAY_ONE)
        assert_frame_equal(Hub.open(tmp_path, RULES).list_crosswalk(), hub.list_crosswalk())
        hub.add(records[4 + number : 5 + number], f"run{number}", DAY_ONE)
    assert_frame_equal(Hub.open(tmp_path, RULES).list_crosswalk(), hub.list_crosswalk())
    assert hub.list_crosswalk().height == 7


def test_what_another_process_added_is_heeded(tmp_path):
    records = make_company_records(CHOICES)
    hub = open_hub(tmp_path, records[:3])
    resolve_into(tmp_path, records[3:6], RULES, "other", DAY_ONE)
    assert hub.add(records[6:9], "run2", DAY_ONE).report["added"] == 3
    assert hub.list_crosswalk().height == 9
    assert_frame_equal(Hub.open(tmp_path, RULES).list_crosswalk(), hub.list_crosswalk())


def test_a_failed_addition_leaves_an_open_hub_as_it_was(tmp_path, monkeypatch):
    records = make_company_records(CHOICES)
    hub = open_hub(tmp_path, records[:3])
    before = hub.list_crosswalk()

    def die(*_):
        raise OSError("no space left")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", die)
    with pytest.raises(OSError, match="no space"):
        hub.add(records[3:], "run1", DAY_ONE)
    monkeypatch.undo()
    assert_frame_equal(hub.list_crosswalk(), before)
    assert hub.add(records[3:], "run1", DAY_ONE).report["added"] == len(CHOICES) - 3


def test_a_folder_without_a_hub_cannot_be_opened(tmp_path):
    with pytest.raises(StoreError, match="founds one"):
        Hub.open(tmp_path, RULES)


def test_a_time_that_is_earlier_or_of_no_zone_is_refused_and_nothing_is_changed(tmp_path):
    records = make_company_records(CHOICES)
    hub = open_hub(tmp_path / "hub", records[:3])
    for at, words in (
        (DAY_ONE - timedelta(days=1), "before the hub's newest addition"),
        (DAY_ONE.replace(tzinfo=None), "no time zone"),
    ):
        for act in (
            lambda at=at: hub.add(records[3:6], "run1", at),
            lambda at=at: resolve_into(tmp_path / "hub", records[3:6], RULES, "run1", at),
            lambda at=at: erase_records(tmp_path / "hub", records[:1], RULES, "run1", at),
        ):
            with pytest.raises(StoreError, match=words):
                act()
    assert not (tmp_path / "hub" / "erased.txt").exists()
    with pytest.raises(StoreError, match="no time zone"):
        resolve_into(tmp_path / "new", records[:3], RULES, "run0", DAY_ONE.replace(tzinfo=None))
    assert read_version(tmp_path / "new") == 0
    # what older code let in
    note = tmp_path / "hub" / "current"
    note.write_text(note.read_text(encoding="utf-8").replace("+00:00", ""), encoding="utf-8")
    assert hub.add(records[3:6], "run1", DAY_ONE).report["added"] == 3
