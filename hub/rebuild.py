"""A kept hub resolved anew, from its own records, by the rules given now and a model trained on them; ids last. Public door."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from hub.columns.clock import Clock
from hub.columns.prepare import align_records, list_columns
from hub.decided import join_logs
from hub.invariants import check_rebuild
from hub.kept.emptied import count_emptied
from hub.kept.erased import read_erased
from hub.kept.outcome import Outcome, tell_first
from hub.kept.state import State, build_state
from hub.kept.versions import read_version, write_version
from hub.model import IN_HUB, write_model
from hub.resolve import read_value, resolve
from hub.results.edges import TakeEdges
from hub.rules.model import Rules, RulesError
from hub.store import hold_lock, read_decisions, read_events, read_state, refuse_earlier, refuse_runaway, write_decisions

_RECORD = ["source", "source_key"]


def rebuild(
    folder: Path,
    records: pl.DataFrame | None,
    rules: Rules,
    run_id: str,
    at: datetime,
    deleted: pl.DataFrame | None = None,
    decided: pl.DataFrame | None = None,
    take_edges: TakeEdges | None = None,
    *,
    force: bool = False,
) -> Outcome:
    """Resolve all records of a hub anew, with new, changed and deleted ones, by these rules; the result is its next version.

    An id stays with the cluster that has most of its records; the arguments are those of hub.store.resolve_into. A killed one
    leaves the version before.

    Raises:
        StoreError: another addition is under way, there is no hub, an earlier time, or more changes than may (I-9).
        RulesError: rules of other ids. DecisionError: the decisions contradict each other.
    """
    clock = Clock()
    folder.mkdir(parents=True, exist_ok=True)
    with hold_lock(folder):
        refuse_earlier(folder, at)
        state = read_state(folder)
        _refuse_other_ids(folder, state, rules)
        erased = read_erased(folder)
        given = state.records.clear() if records is None else records
        left = erased.leave_out(given)
        suppressed = given.height - left.height
        gathered = _gather(state, left, deleted, rules)
        clock.lap("load")
        log, decisions = read_events(folder), join_logs(read_decisions(folder), erased.hide(decided))
        found = resolve(
            gathered.records, rules=rules, history=log, run_id=run_id, at=at, decisions=decisions, take_edges=take_edges
        )
        if not force:
            refuse_runaway(folder, check_rebuild(state, found, gathered.records))
        anew = build_state(found, gathered.records, pl.concat([log, found.events]))
        outcome = replace(tell_first(found), redirects=anew.list_given_up())
        clock.lap("resolve")
        version = read_version(folder) + 1
        model = f"{IN_HUB}-{version}"
        write_model(found.model, folder / model)
        if decided is not None:
            write_decisions(folder, decisions)
        write_version(folder, version, anew, lambda: outcome, rules, at, model=model)
        clock.lap("save")
    counts = {**gathered.counts, "suppressed": suppressed, "version": version}
    report = {**outcome.report, **counts, "seconds": clock.seconds, "peak_mb": clock.peak_mb}
    return replace(outcome, report=report)


def _refuse_other_ids(folder: Path, state: State, rules: Rules) -> None:
    if not state.issued["gid"].str.starts_with(rules.id_prefix).all():
        raise RulesError(
            f"{folder}: its ids do not begin with {rules.id_prefix!r}, as these rules say (id_prefix): keep its prefix"
        )


@dataclass(frozen=True)
class _Gathered:
    """All records that the hub is to hold; how they differ from those that it held."""

    records: pl.DataFrame
    counts: Mapping[str, Any]


def _gather(state: State, records: pl.DataFrame, deleted: pl.DataFrame | None, rules: Rules) -> _Gathered:
    order = pl.Series(state.order)
    held = state.records.select(pl.all().gather(order))
    given = align_records(records, rules)[0]
    if state.value is not None:
        held = held.with_columns(value=pl.Series(state.value).gather(order))
    if "value" in records.columns:
        given = given.with_columns(value=read_value(records, given))
    elif state.value is not None:
        given = given.join(held.select(*_RECORD, "value"), on=_RECORD, how="left", maintain_order="left")
    left = held if deleted is None else held.join(deleted.select(pl.col(_RECORD).cast(pl.String)), on=_RECORD, how="anti")
    known = given.join(held, on=_RECORD, how="semi")
    both = [column for column in held.columns if column in given.columns and column != "value"]
    kept = left.join(given, on=_RECORD, how="anti")
    wanted = list_columns(rules)
    counts = {
        "added": given.height - known.height,
        "changed": known.join(held, on=both, how="anti", nulls_equal=True).height,
        "deleted": held.height - left.height,
        "records_reached": kept.height + given.height,
        "columns_never_kept": [column for column in wanted if column not in held.columns] if kept.height else [],
        "columns_let_go": [column for column in held.columns if column not in (*_RECORD, *wanted, "value")],
        "columns_emptied": {column: n for column, n in count_emptied(state, records).items() if column in wanted},
        "records_from_hub": kept.height,
    }
    return _Gathered(pl.concat([kept, given], how="diagonal"), counts)
