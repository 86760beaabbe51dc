"""Runs of a part of the line, each in a process of its own that is killed at a place of its step.

The processes are forked from one that has imported the line and what it imports late: seconds once, not once a kill.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tests.integration.line_harness import PUBLICATION, SOURCES, VERDICT, Line

LATE_IMPORTS = ("dagster_dbt", "dbt.cli.main", "dbt.adapters.duckdb", "matplotlib.figure")
LOOK_EVERY = 0.25  # seconds; a look costs 0.03 s of the CPU that the run needs


@dataclass(frozen=True)
class Place:
    """Where a run dies: at the n-th call of a function, before it does its work or after. `owner`: its module, or class."""

    part: dg.AssetSelection
    owner: str
    function: str
    call: int = 1
    after: bool = False


END = dg.AssetSelection.assets(VERDICT, PUBLICATION)
PLACES = {
    "landing": Place(dg.AssetSelection.groups(*SOURCES), "warehouse.landing", "commit_batch"),
    "staging": Place(dg.AssetSelection.groups("staging"), "orchestration.lib.dbt", "_read_event", call=10),
    "resolve": Place(dg.AssetSelection.groups("hub"), "orchestration.defs.hub", "stage_events", after=True),
    "marts": Place(dg.AssetSelection.groups("marts"), "orchestration.lib.dbt", "_read_event", call=10),
    "gate": Place(END, "warehouse.ledger.Ledger", "decide"),
    "publication before its record": Place(END, "warehouse.publication", "_record"),
    "publication before the swap": Place(END, "warehouse.publication", "_serve", call=2),
    "publication after the swap": Place(END, "warehouse.publication", "_serve", call=2, after=True),
}


def start_and_kill(line: Line, place: str, while_it_runs: Callable[[], object]) -> None:
    """Run the place's part of the line in another process until it dies there, as SIGKILL ends it; fails if it does not."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *LATE_IMPORTS])
    process = context.Process(target=_run_until, args=(line.home, dict(line.environment), place))
    process.start()
    while process.exitcode is None:
        while_it_runs()
        process.join(LOOK_EVERY)
    assert process.exitcode == -signal.SIGKILL, f"{place}: the run ended with {process.exitcode} and not there"


def _run_until(home: Path, environment: Mapping[str, str], name: str) -> None:
    place = PLACES[name]
    with pytest.MonkeyPatch.context() as patch:
        line = Line(home, environment).enter(patch)
        owner = _find(place.owner)
        real, calls = getattr(owner, place.function), []

        def die_here(*args: Any, **settings: Any) -> Any:
            calls.append(1)
            if len(calls) == place.call and not place.after:
                os.kill(os.getpid(), signal.SIGKILL)
            made = real(*args, **settings)
            if len(calls) == place.call:
                os.kill(os.getpid(), signal.SIGKILL)
            return made

        patch.setattr(owner, place.function, die_here)
        line.run_part(place.part, passed=place.part is END)


def _find(owner: str) -> Any:
    module, _, name = owner.rpartition(".")
    return getattr(importlib.import_module(module), name) if name[0].isupper() else importlib.import_module(owner)
