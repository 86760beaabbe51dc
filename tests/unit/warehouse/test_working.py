"""The working file has one process at a time: who comes second waits, but not for ever."""

import time

import pytest

from tests.holding import hold_elsewhere
from warehouse.errors import HomeBusyError
from warehouse.landed import _open_memory
from warehouse.working import open_working


def test_who_comes_second_waits_until_the_file_is_free(store):
    with hold_elsewhere(store.home.working, 0.7):
        assert store.query("select number from left_behind") == [(1,)]


def test_a_file_that_stays_busy_says_who_must_let_go(store, monkeypatch):
    monkeypatch.setattr("warehouse.working.WAIT", 0.5)
    with (
        hold_elsewhere(store.home.working, 60),
        pytest.raises(HomeBusyError, match=r"in use by a run or a tool.*close it.*PID"),
        open_working(store.home),
    ):
        pass


def test_a_file_that_is_no_database_is_not_waited_for(store):
    store.home.working.write_text("no database at all" * 100)
    began = time.monotonic()
    with pytest.raises(Exception, match="not a valid DuckDB"), open_working(store.home):
        pass
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("setting", ["autoinstall_known_extensions", "autoload_known_extensions"])
def test_duckdb_fetches_and_loads_no_extension(store, setting):
    assert store.query(f"select current_setting('{setting}')") == [(False,)]
    assert _open_memory().execute(f"select current_setting('{setting}')").fetchall() == [(False,)]
