"""What people decided is kept as soon as it is said, in order, and whole."""

import os

import polars as pl
import pytest

from warehouse.compaction import sweep
from warehouse.decisions import append_decisions, newest_decision, read_decisions

SCHEMA = pl.Schema({"decision_id": pl.String, "actor": pl.String, "undoes": pl.String})


def make(*names):
    return pl.DataFrame({"decision_id": names, "actor": ["li"] * len(names)})


def test_decisions_are_read_in_the_order_in_which_they_were_made(store):
    append_decisions(store.home, store.ledger, make("z"))
    until = newest_decision(store.ledger)
    append_decisions(store.home, store.ledger, make())
    append_decisions(store.home, store.ledger, make("b", "a"))
    assert read_decisions(store.home, store.ledger, SCHEMA)["decision_id"].to_list() == ["z", "b", "a"]
    assert read_decisions(store.home, store.ledger, SCHEMA).schema == SCHEMA
    assert read_decisions(store.home, store.ledger, SCHEMA, until)["decision_id"].to_list() == ["z"]
    assert newest_decision(store.ledger) > until


def test_a_crash_before_the_ledger_decides_nothing_and_a_sweep_keeps_what_was_decided(store, monkeypatch):
    append_decisions(store.home, store.ledger, make("kept"))

    def crash():
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store.ledger, "write", crash)
        with pytest.raises(KeyboardInterrupt):
            append_decisions(store.home, store.ledger, make("lost"))
    files = list(store.home.identity.glob("decisions-*.parquet"))
    assert len(files) == 2
    for file in files:
        os.utime(file, (0, 0))
    with store.home.hold_run_lock("r") as lock:
        assert len(sweep(store.home, store.ledger, lock)) == 1
    assert read_decisions(store.home, store.ledger, SCHEMA)["decision_id"].to_list() == ["kept"]
