"""A hub in a folder: every addition is a version, and a version is true once `current` names it. Public door.

FOLDER/model holds the model that the first resolution trained; FOLDER/versions/N the state; FOLDER/events/N.parquet the identity
events of version N. A killed addition leaves the version before it.
"""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hub.clock import Clock
from hub.cluster import FORBIDDEN
from hub.compare import lay_out
from hub.increment import add_records
from hub.model import Model, read_model, write_model
from hub.prepare import sort_records
from hub.report import write_edges
from hub.resolve import resolve
from hub.rules.model import Rules, RulesError
from hub.state import State, build_state, load_state, save_state
from hub.weigh import UNITS_PER_BIT, weigh

_RECORD = ["source", "source_key"]


class StoreError(ValueError):
    """A hub's folder that cannot be used: what is wrong, what to do."""


@dataclass(frozen=True)
class Outcome:
    """The hub after an addition: crosswalk (source, source_key, gid), golden, edges; this addition's events; its model."""

    crosswalk: pl.DataFrame
    golden: pl.DataFrame
    edges: pl.DataFrame
    events: pl.DataFrame
    model: Model
    report: dict[str, Any]


def resolve_into(
    folder: Path, records: pl.DataFrame, rules: Rules, run_id: str, at: datetime, deleted: pl.DataFrame | None = None
) -> Outcome:
    """Add records to the hub of a folder, or found one there.

    records: new and changed ones; those that the hub holds and that are not named stay. deleted: source, source_key.

    Raises:
        StoreError: another addition is under way. RulesError: the hub was founded with other rules.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    with _hold_lock(folder):
        version = _read_version(folder)
        if version == 0:
            first = resolve(records, rules=rules, history=None, run_id=run_id, at=at)
            write_model(first.model, folder / "model")
            state, events, report, model = build_state(first, records), first.events, first.report, first.model
        else:
            _refuse_other_rules(folder, rules)
            model = read_model(folder / "model", rules)
            held = load_state(folder / "versions" / str(version))
            addition = add_records(held, records, deleted, rules, model, run_id, at)
            state, events, report = addition.state, addition.events, addition.report
        clock.lap("add")
        _write_version(folder, version + 1, state, events, rules)
        clock.lap("save")
    crosswalk, edges = list_crosswalk(state), list_edges(state, rules, model)
    clock.lap("list")
    counts = {
        "records": crosswalk.height,
        "clusters": state.golden.height,
        "candidates": len(state.left),
        "edges": edges.height,
        "model_version": model.version,
        "rule_version": rules.version,
        "version": version + 1,
    }
    return Outcome(
        crosswalk, state.golden, edges, events, model, {**report, **counts, "seconds": clock.seconds, "peak_mb": clock.peak_mb}
    )


@contextmanager
def _hold_lock(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError(f"{folder}: another addition is under way: wait for it to end") from error
        yield


def _read_version(folder: Path) -> int:
    current = folder / "current"
    return int(json.loads(current.read_text(encoding="utf-8"))["version"]) if current.exists() else 0


def _refuse_other_rules(folder: Path, rules: Rules) -> None:
    """The state holds clusters of its thresholds: with others an addition would equal no full run."""
    if json.loads((folder / "current").read_text(encoding="utf-8"))["rules"] != rules.version:
        raise RulesError(f"{folder}: founded with other rules or thresholds: resolve all records into a new folder")


def _write_version(folder: Path, version: int, state: State, events: pl.DataFrame, rules: Rules) -> None:
    target = folder / "versions" / str(version)
    shutil.rmtree(target, ignore_errors=True)  # what a killed addition left
    save_state(state, target)
    (folder / "events").mkdir(exist_ok=True)
    events.write_parquet(folder / "events" / f"{version}.parquet")
    waiting = folder / "current.new"
    waiting.write_text(json.dumps({"version": version, "rules": rules.version}), encoding="utf-8")
    waiting.replace(folder / "current")
    for old in (folder / "versions").iterdir():
        if old.name != str(version):
            shutil.rmtree(old, ignore_errors=True)


def read_events(folder: Path) -> pl.DataFrame:
    """The identity log of a hub: the events of all versions, in order."""
    numbers = range(1, _read_version(folder) + 1)
    return pl.concat([pl.read_parquet(folder / "events" / f"{number}.parquet") for number in numbers])


def list_crosswalk(state: State) -> pl.DataFrame:
    """source, source_key, gid of the present records, in their order."""
    rows = np.flatnonzero(state.alive)
    table = state.records.select(pl.col(_RECORD).gather(pl.Series(rows)))
    table = table.with_columns(gid=state.ids["gid"].gather(pl.Series(state.owner[rows])))
    return table.select(pl.all().gather(pl.Series(sort_records(table))))


def list_edges(state: State, rules: Rules, model: Model) -> pl.DataFrame:
    """The pairs at or above the review threshold, in the order of their records, with weight and evidence."""
    rows = np.flatnonzero(state.alive)
    keys = state.records.select(pl.col(_RECORD).gather(pl.Series(rows)))
    order = sort_records(keys)
    rank = np.full(len(state.alive), -1, dtype=np.int32)
    rank[rows[order]] = np.arange(len(rows), dtype=np.int32)
    shown = np.flatnonzero((state.total >= round(rules.review_bits * UNITS_PER_BIT)) & (state.counted != FORBIDDEN))
    one, two = rank[state.left[shown]], rank[state.right[shown]]
    low, high = np.minimum(one, two), np.maximum(one, two)
    sequence = np.argsort(low.astype(np.int64) * max(len(rows), 1) + high)
    vectors, place = np.unique(state.vector[shown][sequence], return_inverse=True)
    weighed = weigh(vectors, lay_out(rules), model.weights, rules)
    aligned = keys.select(pl.all().gather(pl.Series(order)))
    edges = write_edges(aligned, low[sequence], high[sequence], place.astype(np.int32), weighed)
    return edges.with_columns(decision=pl.lit(None, dtype=pl.String))
