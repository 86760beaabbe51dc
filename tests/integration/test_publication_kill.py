"""Readers in a loop while a publisher is killed at random points: whole, present, never older."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import polars as pl
import pytest

from warehouse.home import Home
from warehouse.identity_log import read_events
from warehouse.ledger import open_ledger
from warehouse.publication import ensure_served, list_publications

PUBLISHER = """
import itertools, sys
from pathlib import Path
import polars as pl
from warehouse.home import Home
from warehouse.identity_log import stage_events
from warehouse.ledger import CheckResult, open_ledger
from warehouse.publication import ensure_served, list_publications, publish
from warehouse.working import open_working

home = Home(Path(sys.argv[1]))
ledger = open_ledger(home)
ensure_served(home, ledger)
first = len(list_publications(ledger)) + 1
print("ready", flush=True)
for number in itertools.count(first):
    run_id = f"run-{sys.argv[2]}-{number}"
    ledger.start_run(run_id)
    with open_working(home) as connection:
        connection.execute("create or replace table fact as select range as n from range(?)", [number * 100])
    stage_events(home, ledger, run_id, pl.DataFrame({"number": [number]}))
    ledger.record_checks(run_id, [CheckResult("a", True)])
    ledger.decide(run_id)
    publish(home, ledger, run_id, [("main", "fact")], "c", "r")
"""
N_KILLS = 6


def read_served(path: Path) -> tuple[int, int, int]:
    """seq, rows promised by the description, rows found."""
    with duckdb.connect(str(path), read_only=True) as connection:
        seq, promised = connection.execute("select seq, (n_rows->>'fact')::BIGINT from _publication").fetchall()[0]
        return seq, promised, connection.execute("select count(*) from fact").fetchall()[0][0]


@pytest.mark.integration
def test_a_killed_publisher_is_never_noticed_by_readers(tmp_path):
    home = Home(tmp_path / "home").create()
    moments = random.Random(7)
    newest, n_reads = 0, 0
    for life in range(N_KILLS):
        command = [sys.executable, "-c", PUBLISHER, str(home.path), str(life)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as publisher:
            assert publisher.stdout.readline() == "ready\n"
            goal, deadline = newest + moments.randint(1, 3), float("inf")
            while time.monotonic() < deadline:
                if newest or home.served.exists():
                    seq, promised, found = read_served(home.served)
                    assert seq >= newest
                    assert found == promised > 0
                    newest, n_reads = seq, n_reads + 1
                if newest >= goal and deadline == float("inf"):
                    deadline = time.monotonic() + moments.random() * 0.15
            publisher.send_signal(signal.SIGKILL)
    ledger = open_ledger(home)
    served = ensure_served(home, ledger)
    seq, promised, found = read_served(home.served)
    assert (seq, found) == (served.seq, promised)
    assert seq >= newest >= N_KILLS
    assert n_reads > 20
    assert not [path for path in home.publication.rglob("*") if path.name.startswith(".build") or path.suffix == ".wal"]
    committed = read_events(home, ledger, pl.Schema({"number": pl.Int64}))["number"].to_list()
    assert committed == [item.seq for item in list_publications(ledger)]
