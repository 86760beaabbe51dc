"""A hub in a folder: every addition is a version, and a version is true once `current` names it. Public door.

FOLDER/model holds the model that the first resolution trained, FOLDER/model-N that of a rebuild (hub.rebuild); FOLDER/versions/N
the state; FOLDER/events/N.parquet the identity events of version N; FOLDER/decisions.parquet what people decided, which the next
addition obeys; hashes of what was erased, which it leaves out (hub.kept.erased). A killed addition leaves the version before it,
which stays beside the newest: `current.before` names it.
"""

import fcntl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

import polars as pl

from hub.clustering.bonds import Bonds
from hub.columns.clock import Clock
from hub.columns.parts import Ids
from hub.decided import join_logs
from hub.decisions import align_log
from hub.invariants import Finding, check_addition
from hub.kept.archive import load_state
from hub.kept.emptied import count_emptied
from hub.kept.erased import read_erased
from hub.kept.increment import Addition, add_records
from hub.kept.outcome import (
    Added,
    Outcome,
    Telling,
    begin_telling,
    list_crosswalk,
    order_present,
    tell,
    tell_added,
    tell_first,
)
from hub.kept.review import keep_value
from hub.kept.state import State, build_state
from hub.kept.versions import StoreError, blame_damage, read_newest, read_note, read_version, write_version
from hub.model import IN_HUB, Model, read_model, write_model
from hub.resolve import resolve
from hub.results.edges import TakeEdges
from hub.results.hierarchy import link_parents
from hub.rules.model import Rules, RulesError


def resolve_into(
    folder: Path,
    records: pl.DataFrame | None,
    rules: Rules,
    run_id: str,
    at: datetime,
    deleted: pl.DataFrame | None = None,
    decided: pl.DataFrame | None = None,
    take_edges: TakeEdges | None = None,
    take_rest: Callable[[Outcome], None] | None = None,
    *,
    force: bool = False,
) -> Outcome:
    """Add records to the hub of a folder, or found one there; what people decided there meanwhile takes effect.

    records: new and changed ones; those that the hub holds and that are not named stay, and those that were erased from it are
    left out and counted (`suppressed`). deleted: source, source_key.
    decided: decisions (hub.decide) that the hub keeps from now on, beside those that it has. take_edges: as of hub.resolve;
    take_rest: is given the rest, perhaps while the edges are still told of. force: an addition that runs away is kept too.

    Raises:
        StoreError: another addition is under way, there is nothing to found a hub on, the time is before the newest addition or
            without a zone, or the addition runs away (I-9).
        RulesError: the hub was founded with other rules. DecisionError: the decisions contradict each other.
    """
    if records is None or not records.height:
        records = None
        if read_version(folder) == 0:
            raise StoreError(f"{folder} holds no hub yet: found it with records")
    folder.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    with hold_lock(folder):
        refuse_earlier(folder, at)
        if records is not None and read_version(folder) == 0:
            outcome = _found(folder, records, rules, run_id, at, decided, clock, take_edges)
            if take_rest is not None:
                take_rest(outcome)
        else:
            hub = Hub.open(folder, rules)
            clock.lap("load")
            changes = hub._read_changes(records, decided)
            begun: list[Telling] = []
            with ThreadPoolExecutor(1) as pool:
                addition = hub._add(
                    changes,
                    run_id,
                    at,
                    deleted,
                    lambda state, rows, bonds: begun.append(begin_telling(pool, state, rows, bonds, rules, take_edges)),
                    force=force,
                )
                clock.lap("add")
                outcome = tell(addition, changes.decisions, rules, hub.model, begun[0], take_rest)
            clock.lap("list")
            hub._keep(addition, lambda: outcome, at, changes)
            clock.lap("save")
        version = read_version(folder)
    counts = {"version": version, "seconds": clock.seconds, "peak_mb": clock.peak_mb}
    return replace(outcome, report={**outcome.report, **counts})


def _found(
    folder: Path,
    records: pl.DataFrame,
    rules: Rules,
    run_id: str,
    at: datetime,
    decided: pl.DataFrame | None,
    clock: Clock,
    take_edges: TakeEdges | None,
) -> Outcome:
    decisions = join_logs(read_decisions(folder), decided)
    first = resolve(records, rules=rules, history=None, run_id=run_id, at=at, decisions=decisions, take_edges=take_edges)
    write_model(first.model, folder / IN_HUB)
    state, outcome = build_state(first, records), tell_first(first)
    clock.lap("add")
    if decided is not None:
        write_decisions(folder, decisions)
    write_version(folder, 1, state, lambda: outcome, rules, at)
    clock.lap("save")
    return outcome


@dataclass(frozen=True)
class _Changes:
    """What an addition is given: records without those that were erased, of which `suppressed` says how many there were; all
    decisions, and whether some are new."""

    records: pl.DataFrame
    decisions: pl.DataFrame
    has_decided: bool
    suppressed: int


class Hub:
    """A hub that stays open in a process, so that small additions cost what they reach and not what there is."""

    def __init__(self, folder: Path, rules: Rules, model: Model, version: int, state: State) -> None:
        self.folder, self.rules, self.model = folder, rules, model
        self._version, self._state = version, state

    @classmethod
    def open(cls, folder: Path, rules: Rules) -> "Hub":
        """Raises StoreError where the folder holds no hub, RulesError where it was founded with other rules."""
        state = read_state(folder)
        refuse_other_rules(folder, rules)
        return cls(folder, rules, read_model(folder, rules), read_version(folder), state)

    def add(
        self,
        records: pl.DataFrame | None,
        run_id: str,
        at: datetime,
        deleted: pl.DataFrame | None = None,
        decided: pl.DataFrame | None = None,
        *,
        force: bool = False,
    ) -> Added:
        """Add to the hub as resolve_into does, and keep it in its folder; what others added there meanwhile is heeded."""
        with hold_lock(self.folder):
            refuse_earlier(self.folder, at)
            changes = self._read_changes(records, decided)
            addition = self._add(changes, run_id, at, deleted, force=force)
            tell_all = partial(tell_added, addition, changes.decisions, self.rules, self.model)
            return self._keep(addition, tell_all, at, changes)

    def list_crosswalk(self) -> pl.DataFrame:
        """source, source_key, gid of every record, sorted."""
        return list_crosswalk(self._state, order_present(self._state))

    def list_golden(self) -> pl.DataFrame:
        """The golden record of every customer, linked to its parent."""
        return link_parents(self._state.golden, self.list_crosswalk())

    def _read_changes(self, records: pl.DataFrame | None, decided: pl.DataFrame | None) -> _Changes:
        """What is to be added, after the hub has read what others added."""
        if (version := read_version(self.folder)) != self._version:
            refuse_other_rules(self.folder, self.rules)
            self.model = read_model(self.folder, self.rules)
            self._version, self._state = version, read_state(self.folder)
        given = self._state.records.clear() if records is None else records
        erased, before = read_erased(self.folder), read_decisions(self.folder)
        left = erased.leave_out(given)
        decisions = before if decided is None else join_logs(before, erased.hide(decided))
        return _Changes(left, decisions, decisions.height > before.height, given.height - left.height)

    def _add(
        self,
        changes: _Changes,
        run_id: str,
        at: datetime,
        deleted: pl.DataFrame | None,
        begin: Callable[[State, Ids, Bonds], None] | None = None,
        *,
        force: bool,
    ) -> Addition:
        log = partial(read_events, self.folder)
        told = (run_id, at, changes.decisions, log, begin)
        addition = add_records(self._state, changes.records, deleted, self.rules, self.model, *told)
        addition = keep_value(self._state, addition, changes.records)
        counts = {"columns_emptied": count_emptied(self._state, changes.records), "suppressed": changes.suppressed}
        addition = replace(addition, report={**addition.report, **counts})
        if not force:
            refuse_runaway(self.folder, check_addition(self._state, addition, self.rules))
        return addition

    def _keep(self, addition: Addition, find: Callable[[], Added], at: datetime, changes: _Changes) -> Added:
        if changes.has_decided:
            write_decisions(self.folder, changes.decisions)
        base = self.folder / "versions" / str(self._version)
        state, added = write_version(self.folder, self._version + 1, addition.state, find, self.rules, at, base)
        # what was joined is mapped instead of held
        is_joined = len(state.parts) < len(addition.state.parts)
        self._version, self._state = self._version + 1, read_state(self.folder) if is_joined else state
        return added


@contextmanager
def hold_lock(folder: Path) -> Iterator[None]:
    """One at a time adds to a hub or decides about it. Raises StoreError where another does."""
    with (folder / "lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError(f"{folder}: another addition is under way: wait for it to end") from error
        yield


def refuse_other_rules(folder: Path, rules: Rules) -> None:
    """The state holds clusters of its thresholds: with others an addition would equal no full run."""
    if read_note(folder)["rules"] != rules.version:
        raise RulesError(f"{folder}: made with other rules or thresholds: name those, or resolve it anew by these with --rebuild")


def refuse_earlier(folder: Path, at: datetime) -> None:
    """A hub's time never goes back, and its events are in UTC. Raises StoreError."""
    if at.tzinfo is None:
        raise StoreError(f"{at.isoformat()} is of no time zone: say which, as in {at.isoformat()}+00:00")
    newest = read_newest(folder)
    if newest and at < newest:
        raise StoreError(f"{at.isoformat()} is before the hub's newest addition, {newest.isoformat()}: its time never goes back")


def refuse_runaway(folder: Path, findings: list[Finding]) -> None:
    """Raises StoreError where there are any: what ran away, and how to take it all the same."""
    if findings:
        said = "; ".join(f"{found.check}: {found.message} ({', '.join(found.sample)})" for found in findings)
        raise StoreError(f"{folder} is as it was, for too much would change: {said}; --force takes it all the same")


def read_events(folder: Path) -> pl.DataFrame:
    """The identity log of a hub: the events of all versions, in order."""
    numbers = range(1, read_version(folder) + 1)
    return pl.concat([_read_parquet(folder / "events" / f"{number}.parquet") for number in numbers])


def read_state(folder: Path) -> State:
    """The newest state of a hub."""
    version = read_version(folder)
    if version == 0:
        raise StoreError(f"{folder} holds no hub: `goldthread resolve FILE --hub {folder} --out DIR` founds one")
    newest = folder / "versions" / str(version)
    with blame_damage(newest):
        return load_state(newest)


def read_table(folder: Path, name: str) -> pl.DataFrame:
    """A table of the newest version: review (the queue), decisions (with what became of each)."""
    return _read_parquet(folder / "versions" / str(read_version(folder)) / f"{name}.parquet")


def read_decisions(folder: Path) -> pl.DataFrame:
    """What people decided about the hub's records, in the order in which they did."""
    path = folder / "decisions.parquet"
    with blame_damage(path):
        return align_log(pl.read_parquet(path) if path.exists() else None)


def _read_parquet(path: Path) -> pl.DataFrame:
    with blame_damage(path):
        return pl.read_parquet(path)


def write_decisions(folder: Path, log: pl.DataFrame) -> None:
    """Replace the log of decisions; who adds to it holds the hub's lock since it was read."""
    waiting = folder / "decisions.new"
    log.write_parquet(waiting)
    waiting.replace(folder / "decisions.parquet")
