"""What people decided about records, as an append-only log: merge, split, never, move, and undo of each (I-4). Public door.

merge: the records of both groups are one entity. split and never: no record of one group is ever with a record of the other;
a split parts records of one present entity, so it is stored as records and survives every change of ids. A move is a split and a
merge of one id: its records leave those that they were with for those of another entity. undo takes one back, a move whole.

Decisions never contradict each other: what would is refused, in words that name the earlier decision.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import polars as pl

from hub.clustering.standing import Decision, RecordRef, Standing
from hub.decisions import DECISION_SCHEMA, align_log, list_standing

KINDS = ("merge", "split", "never")


class DecisionError(ValueError):
    """A decision that cannot be made: why, and which earlier decision or value stands against it."""


class AlreadyDecidedError(DecisionError):
    """A decision that says nothing which does not hold already."""


class Book:
    """The log of one entity's decisions, and what may be added to it.

    >>> book = Book("organisation", log)
    >>> book.decide("never", [("crm", "1")], [("erp", "7")], actor="li", reason="other owner", at=now)
    >>> book.added  # rows of DECISION_SCHEMA to append to the log
    """

    def __init__(self, entity: str, log: pl.DataFrame | None = None, guards: pl.DataFrame | None = None) -> None:
        """guards: source, source_key and a column per guarded part (hub.clustering.bonds.read_guards), of all records that exist;
        None: any record may be named, and values are not looked at."""
        self.entity = entity
        self._whole = align_log(log)
        self._rows: list[dict[str, Any]] = []
        self._read_again()
        columns = [] if guards is None else [name for name in guards.columns if name not in ("source", "source_key")]
        self._guards = columns
        self._values = (
            None
            if guards is None
            else {(row[0], row[1]): row[2:] for row in guards.select("source", "source_key", *columns).iter_rows()}
        )

    @property
    def added(self) -> pl.DataFrame:
        """What was decided since the log was read."""
        return pl.DataFrame(self._rows, schema=DECISION_SCHEMA)

    @property
    def log(self) -> pl.DataFrame:
        """The log with what was added."""
        return pl.concat([self._whole, self.added])

    def decide(
        self,
        kind: str,
        group_a: Iterable[RecordRef],
        group_b: Iterable[RecordRef],
        *,
        actor: str,
        reason: str,
        at: datetime,
    ) -> str:
        """Add a decision; returns its id.

        Raises DecisionError: it contradicts an earlier one, unites two values of a guard, or names a record that is not there.
        """
        if kind not in KINDS:
            raise DecisionError(f"{kind!r} is no decision: {', '.join(KINDS)}")
        a, b = tuple(dict.fromkeys(group_a)), tuple(dict.fromkeys(group_b))
        self._refuse_strangers([*a, *b])
        if not a or not b:
            raise DecisionError(f"a {kind} needs records on both sides")
        if kind == "merge":
            self._refuse_merge(self._standing, a, b)
        else:
            self._refuse_never(self._standing, kind, a, b)
        row = self._write(kind, actor, reason, at, a, b)
        made = Decision(row["decision_id"], kind, a, b, actor, reason, at)
        self._standing.add(made)
        self._splits += [made] if kind == "split" else []
        return str(row["decision_id"])

    def move(
        self,
        records: Iterable[RecordRef],
        to: Iterable[RecordRef],
        rest: Iterable[RecordRef],
        *,
        actor: str,
        reason: str,
        at: datetime,
    ) -> str:
        """Records leave the rest of their entity, if there is one, for that of others, whole; returns the move's id, which undo
        takes. Raises DecisionError as `decide` does."""
        a, b, c = (tuple(dict.fromkeys(group)) for group in (records, to, rest))
        self._refuse_strangers([*a, *b, *c])
        if not a or not b:
            raise DecisionError("a move needs records that move and others that they come to")
        first = self._write("split", actor, reason, at, a, c)
        self._write("merge", actor, reason, at, a, b, decision_id=first["decision_id"])
        try:
            # without the move, but as it leaves the moves before it
            before = [one for one in list_standing(self.log, self.entity) if one.decision_id != first["decision_id"]]
            standing = Standing(before)
            if c:
                with suppress(AlreadyDecidedError):
                    self._refuse_never(standing, "split", a, c)
            standing.add(Decision(first["decision_id"], "split", a, c, actor, reason, at, is_move=True))
            self._refuse_merge(standing, a, b)
        except DecisionError:
            del self._rows[-2:]
            raise
        self._read_again()
        return str(first["decision_id"])

    def list_staying(self, records: Sequence[RecordRef]) -> list[RecordRef]:
        """Records of one entity but for those that a split or a move took from others of them."""
        whole = set(records)
        gone = {record for one in self._splits if whole.intersection(one.group_b) for record in one.group_a}
        return [record for record in records if record not in gone]

    def list_companions(self, record: RecordRef, records: Iterable[RecordRef]) -> list[RecordRef]:
        """The record and those of others that no decision keeps apart from it."""
        return [record, *(other for other in records if other != record and not self._standing.find_never([record, other]))]

    def undo(self, decision_id: str, *, actor: str, reason: str, at: datetime) -> str:
        """Take a decision back; returns the undo's id. Raises DecisionError: unknown, of another entity, or undone already."""
        log = self.log.filter(pl.col("entity") == self.entity)
        found = log.filter((pl.col("decision_id") == decision_id) & (pl.col("kind") != "undo"))
        if not found.height:
            raise DecisionError(f"{decision_id} is no decision that could be undone; see the list of decisions")
        earlier = log.filter(pl.col("undoes") == decision_id)
        if earlier.height:
            one = earlier.row(0, named=True)
            raise DecisionError(
                f"{decision_id} was undone already by {one['actor']} on {one['at']:%Y-%m-%d}: "
                f"{one['reason'] or 'no reason given'} ({one['decision_id']})"
            )
        row = self._write("undo", actor, reason, at, undoes=decision_id)
        try:
            refuse_contradictions(list_standing(self.log, self.entity))
        except DecisionError as error:
            del self._rows[-1]
            raise DecisionError(f"{decision_id} cannot be undone yet: {error}") from None
        self._read_again()
        return str(row["decision_id"])

    def _read_again(self) -> None:
        decisions = list_standing(self.log, self.entity)
        self._standing = Standing(decisions)
        self._splits = [decision for decision in decisions if decision.kind == "split"]

    def _write(
        self,
        kind: str,
        actor: str,
        reason: str,
        at: datetime,
        group_a: Sequence[RecordRef] = (),
        group_b: Sequence[RecordRef] = (),
        undoes: str | None = None,
        decision_id: str | None = None,
    ) -> dict[str, Any]:
        a, b = ([{"source": source, "source_key": key} for source, key in group] for group in (group_a, group_b))
        number = self._whole.height + len(self._rows)
        text = json.dumps([number, self.entity, kind, a, b, actor, reason, at.isoformat(), undoes], ensure_ascii=False)
        row = {
            "decision_id": decision_id or "dec_" + hashlib.sha256(text.encode()).hexdigest()[:12],
            "at": at,
            "entity": self.entity,
            "kind": kind,
            "group_a": a,
            "group_b": b,
            "actor": actor,
            "reason": reason,
            "undoes": undoes,
        }
        self._rows.append(row)
        return row

    def _refuse_strangers(self, records: Sequence[RecordRef]) -> None:
        unknown = [] if self._values is None else [name_record(record) for record in records if record not in self._values]
        if unknown:
            raise DecisionError(f"no such {self.entity} record: {', '.join(unknown[:5])}; look for it in the crosswalk")

    def _refuse_merge(self, standing: Standing, a: Sequence[RecordRef], b: Sequence[RecordRef]) -> None:
        if set(a) == set(b) and len(a) == 1:
            raise DecisionError(f"{name_record(a[0])} stands on both sides of the merge: name two records or customers")
        against = standing.find_never([*a, *b])
        if against:
            raise DecisionError(f"they may not be merged: {against.describe()} ({against.decision_id}); undo that first")
        if standing.are_one([*a, *b]):
            path = standing.find_path(a[0], b[0])
            raise AlreadyDecidedError(f"already {' and '.join(f'{one.describe()} ({one.decision_id})' for one in path[:3])}")
        for place, guard in enumerate(self._guards):
            seen: dict[str, RecordRef] = {}
            for record in sorted(standing.list_one(record for record in (*a, *b))):
                value = self._read_guard(record, place)
                if value is not None:
                    seen.setdefault(value, record)
            if len(seen) > 1:
                held = " and ".join(f"{value} ({name_record(record)})" for value, record in list(sorted(seen.items()))[:2])
                # the first of a side is the one that was named, the others are its entity's
                free = [name_record(side[0]) for side in (a, b) if len(side) > 1 and self._read_guard(side[0], place) is None]
                alone = f"; if {free[0]} alone belongs to the other, move it: it has none" if free else ""
                raise DecisionError(
                    f"two values of {guard} never share an entity: {held}; correct the data where one is wrong{alone}"
                )

    def _read_guard(self, record: RecordRef, place: int) -> str | None:
        values = (self._values or {}).get(record)
        return values[place] if values else None

    def _refuse_never(self, standing: Standing, kind: str, a: Sequence[RecordRef], b: Sequence[RecordRef]) -> None:
        both = set(a) & set(b)
        if both:
            raise DecisionError(f"{name_record(min(both))} stands on both sides of the {kind}")
        linked = standing.find_link(a, b)
        if linked:
            names = " and ".join(f"{one.describe()} ({one.decision_id})" for one in standing.find_path(*linked))
            raise DecisionError(
                f"{name_record(linked[0])} and {name_record(linked[1])} may not be kept apart: {names}; undo that first"
            )
        known = standing.find_apart(a, b)
        if known:
            raise AlreadyDecidedError(f"already {known.describe()} ({known.decision_id})")


def refuse_contradictions(decisions: Sequence[Decision]) -> None:
    """Raises DecisionError where decisions, oldest first, contradict each other."""
    standing = Standing()
    for decision in decisions:
        if decision.kind == "merge":
            against = standing.find_never([*decision.group_a, *decision.group_b])
        else:
            linked = standing.find_link(decision.group_a, decision.group_b)
            against = next(iter(standing.find_path(*linked)), decision) if linked else None
        if against:
            raise DecisionError(
                f"the log contradicts itself: {decision.describe()} ({decision.decision_id}), but "
                f"{against.describe()} ({against.decision_id}); undo one of them"
            )
        standing.add(decision)


def name_record(record: RecordRef) -> str:
    """SOURCE:KEY."""
    return f"{record[0]}:{record[1]}"
