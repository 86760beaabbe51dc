"""What a file said once and says no longer is not in quarantine; nothing else leaves it, and every row is still counted."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.files.connector import Files
from tests.unit.warehouse.conftest import SOURCE, Store
from warehouse.batches import Fates, list_retired, read_cursor
from warehouse.landing import land
from warehouse.load import load_stream
from warehouse.quarantine import dismiss_rows, list_quarantine, list_rejects, retry_rejects
from warehouse.reconcile import reconcile
from warehouse.working import open_working

pytestmark = pytest.mark.integration

CONTRACT = """
stream: orders
files: '**/*.csv'
format: csv
key: [id]
columns: {id: {}, amount: {kind: decimal}}
"""
GOOD = "id,amount\n1,10\n2,20\n3,30\n"
KEYLESS = "id,amount\n1,10\n,20\n3,30\n"
UNTYPED = "id,amount\n1,10\n2,many\n3,30\n"
CUT = "id,amount\n1,10\n2\n3,30\n"
UNREADABLE = "\xff"


@dataclass
class Folder:
    """A folder of files, and the home that they land in."""

    path: Path
    store: Store

    @property
    def source(self) -> Files:
        return Files(SOURCE, self.path / "in", self.path)

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.path / "in" / f"{name}.csv").write_text(text, encoding="latin-1")

    def remove(self, *names: str) -> None:
        for name in names:
            (self.path / "in" / f"{name}.csv").unlink()

    def sync(self, *, full: bool = False) -> tuple[Fates, list[str]]:
        """Fates and the places in quarantine, after they were found to reconcile and to be those of a rebuild."""
        [stream] = self.source.streams()
        home, ledger = self.store.home, self.store.ledger
        for batch in self.source.read("orders", read_cursor(ledger, SOURCE, "orders"), full=full):
            land(home, ledger, SOURCE, stream, batch, "run")
        with open_working(home) as con:
            fates = load_stream(con, home, ledger, SOURCE, stream)
            quarantine = list_quarantine(con)
            assert reconcile(con, home, ledger, "run", {})["ok"].all()
            assert load_stream(con, home, ledger, SOURCE, stream, force=True) == fates
            assert list_quarantine(con).equals(quarantine)
        return fates, sorted(quarantine["position"])


@pytest.fixture
def folder(tmp_path: Path, store: Store) -> Folder:
    (tmp_path / "in").mkdir()
    (tmp_path / "orders.yaml").write_text(CONTRACT)
    return Folder(tmp_path, store)


@pytest.mark.parametrize(
    ("bad", "place"), [(KEYLESS, "a.csv, row 2"), (UNTYPED, "a.csv, row 2"), (CUT, "a.csv:3"), (UNREADABLE, "a.csv")]
)
def test_mending_a_file_empties_the_quarantine_of_it(folder, bad, place):
    folder.write(a=bad, b="id,amount\n8,80\n,90\n")
    assert folder.sync()[1] == [place, "b.csv, row 2"]
    folder.write(a=GOOD)
    fates, places = folder.sync()
    assert places == ["b.csv, row 2"]
    assert (fates.accepted, fates.quarantined) == (4, 1)


@pytest.mark.parametrize("bad", [KEYLESS, UNTYPED, CUT, UNREADABLE])
def test_a_file_that_is_gone_leaves_quarantine_but_what_it_said_stays_known(folder, bad):
    folder.write(a=bad)
    before, _ = folder.sync()
    folder.remove("a")
    fates, places = folder.sync()
    assert places == []
    assert (fates.rows_in, fates.accepted) == (before.rows_in, before.accepted)
    assert list_rejects(folder.store.home, folder.store.ledger, SOURCE, "orders").is_empty(), "there is nothing to try again"


@pytest.mark.parametrize("bad", [KEYLESS, UNTYPED, CUT, UNREADABLE])
def test_a_file_that_comes_back_brings_its_bad_row_back(folder, bad):
    folder.write(a=bad, b="id,amount\n8,80\n")
    places = folder.sync()[1]
    for leave in (lambda: folder.remove("a"), lambda: folder.write(a=GOOD)):
        leave()
        assert folder.sync()[1] == []
        folder.write(a=bad)
        assert folder.sync()[1] == places


def test_a_bad_row_that_is_still_there_stays_where_it_stands_now(folder):
    folder.write(a=UNTYPED + "4,40\n,50\n")
    assert folder.sync()[1] == ["a.csv, row 2", "a.csv, row 5"]
    folder.write(a=UNTYPED + ",50\n")
    assert folder.sync()[1] == ["a.csv, row 2", "a.csv, row 4"]
    assert folder.sync(full=True)[1] == ["a.csv, row 2", "a.csv, row 4"]


def test_a_renamed_file_keeps_its_bad_row_until_the_last_copy_goes(folder):
    folder.write(a=KEYLESS, c=GOOD)
    folder.sync()
    folder.remove("a")
    folder.write(b=KEYLESS)
    assert folder.sync()[1] == ["a.csv, row 2"]
    assert folder.sync()[1] == ["a.csv, row 2"]
    folder.write(b=GOOD)
    assert folder.sync()[1] == []


def test_a_changed_file_leaves_the_bad_row_that_its_copy_still_has(folder):
    folder.write(a=KEYLESS)
    folder.sync()
    folder.write(b=KEYLESS)
    folder.sync()
    folder.write(a=GOOD)
    assert folder.sync()[1] == ["a.csv, row 2"]
    folder.remove("b")
    folder.write(a=GOOD + "4,40\n")
    assert folder.sync()[1] == []


def test_an_unreadable_version_hides_no_bad_row_of_the_readable_one(folder):
    folder.write(a=KEYLESS)
    folder.sync()
    folder.write(a=UNREADABLE)
    assert folder.sync()[1] == ["a.csv", "a.csv, row 2"]
    folder.write(a=UNREADABLE * 2)
    assert folder.sync()[1] == ["a.csv", "a.csv, row 2"]
    folder.write(a=KEYLESS)
    assert folder.sync()[1] == ["a.csv, row 2"]


def test_an_empty_folder_that_held_several_files_is_not_believed(folder):
    folder.write(a=KEYLESS, b=UNTYPED, c=UNREADABLE)
    _, places = folder.sync()
    folder.remove("a", "b", "c")
    assert folder.sync()[1] == places
    folder.write(b=UNTYPED)
    assert folder.sync()[1] == ["b.csv, row 2"]


def test_a_file_that_a_retry_has_read_is_not_in_quarantine_twice(folder):
    folder.write(a=UNREADABLE)
    folder.sync()
    folder.write(a=KEYLESS)
    [stream] = folder.source.streams()
    retry_rejects(folder.store.home, folder.store.ledger, SOURCE, stream, folder.source.retry, "run")
    assert folder.sync()[1] == ["a.csv, row 2"]


@pytest.mark.parametrize("bad", [KEYLESS, UNTYPED, CUT, UNREADABLE])
def test_a_dismissed_row_stays_out_of_quarantine_until_the_file_says_something_else(folder, bad):
    folder.write(a=bad)
    before, _ = folder.sync()
    with open_working(folder.store.home) as con:
        dismiss_rows(folder.store.ledger, list_quarantine(con), "run", "Li", "a test order")
    for full in (False, True):
        fates, places = folder.sync(full=full)
        assert places == []
        assert (fates.rows_in, fates.accepted, fates.superseded) == (before.rows_in, before.accepted, 1)
    [row] = list_retired(folder.store.ledger, SOURCE, "orders")
    assert (row.cause, row.actor, row.reason) == ("dismissed", "Li", "a test order")
    folder.write(a=KEYLESS + "4,40\n,50\n")
    assert "a.csv, row 5" in folder.sync()[1]


def test_a_folder_without_news_makes_no_batch(folder):
    folder.write(a=KEYLESS, b=UNREADABLE)
    folder.sync()
    [stream] = folder.source.streams()
    for batch in folder.source.read("orders", read_cursor(folder.store.ledger, SOURCE, "orders")):
        assert land(folder.store.home, folder.store.ledger, SOURCE, stream, batch, "run").batch_id is None
