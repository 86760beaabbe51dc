"""What people decided about records, as an append-only log: merge, split, never, and undo of each (I-4). Public door.

merge: the records of both groups are one entity. split and never: no record of one group is ever with a record of the other;
a split parts records of one present entity, so it is stored as records and survives every change of ids. undo takes one back.

Decisions never contradict each other: what would is refused, in words that name the earlier decision.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from hub.clustering.standing import Decision, RecordRef, Standing

_GROUP = pl.List(pl.Struct({"source": pl.String(), "source_key": pl.String()}))
DECISION_SCHEMA = pl.Schema(
    {
        "decision_id": pl.String(),
        "at": pl.Datetime("us", "UTC"),
        "entity": pl.String(),
        "kind": pl.String(),  # merge | split | never | undo
        "group_a": _GROUP,
        "group_b": _GROUP,
        "actor": pl.String(),
        "reason": pl.String(),
        "undoes": pl.String(),
    }
)
KINDS = ("merge", "split", "never")
#: labels of one decision about large groups: more of them would teach little else
MOST_LABELS = 25


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
        self._standing = Standing(list_standing(self._whole, entity))
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
            self._refuse_merge(a, b)
        else:
            self._refuse_never(kind, a, b)
        groups = {side: [{"source": source, "source_key": key} for source, key in group] for side, group in (("a", a), ("b", b))}
        row = self._write(kind, actor, reason, at, groups["a"], groups["b"], None)
        self._standing.add(Decision(row["decision_id"], kind, a, b, actor, reason, at))
        return str(row["decision_id"])

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
        row = self._write("undo", actor, reason, at, [], [], decision_id)
        self._standing = Standing(list_standing(self.log, self.entity))
        return str(row["decision_id"])

    def _write(
        self, kind: str, actor: str, reason: str, at: datetime, a: list[Any], b: list[Any], undoes: str | None
    ) -> dict[str, Any]:
        number = self._whole.height + len(self._rows)
        text = json.dumps([number, self.entity, kind, a, b, actor, reason, at.isoformat(), undoes], ensure_ascii=False)
        row = {
            "decision_id": "dec_" + hashlib.sha256(text.encode()).hexdigest()[:12],
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

    def _refuse_merge(self, a: Sequence[RecordRef], b: Sequence[RecordRef]) -> None:
        if set(a) == set(b) and len(a) == 1:
            raise DecisionError(f"{name_record(a[0])} stands on both sides of the merge: name two records or customers")
        standing = self._standing
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
                alone = f"; if {free[0]} alone belongs to the other, split it off first: it has none" if free else ""
                raise DecisionError(
                    f"two values of {guard} never share an entity: {held}; correct the data where one is wrong{alone}"
                )

    def _read_guard(self, record: RecordRef, place: int) -> str | None:
        values = (self._values or {}).get(record)
        return values[place] if values else None

    def _refuse_never(self, kind: str, a: Sequence[RecordRef], b: Sequence[RecordRef]) -> None:
        both = set(a) & set(b)
        if both:
            raise DecisionError(f"{name_record(min(both))} stands on both sides of the {kind}")
        linked = self._standing.find_link(a, b)
        if linked:
            names = " and ".join(f"{one.describe()} ({one.decision_id})" for one in self._standing.find_path(*linked))
            raise DecisionError(
                f"{name_record(linked[0])} and {name_record(linked[1])} may not be kept apart: {names}; undo that first"
            )
        known = self._standing.find_apart(a, b)
        if known:
            raise AlreadyDecidedError(f"already {known.describe()} ({known.decision_id})")


def align_log(log: pl.DataFrame | None) -> pl.DataFrame:
    """A log as DECISION_SCHEMA, in its order."""
    if log is None:
        return pl.DataFrame(schema=DECISION_SCHEMA)
    return log.select(pl.col(name).cast(dtype) for name, dtype in DECISION_SCHEMA.items())


def join_logs(log: pl.DataFrame, more: pl.DataFrame | None) -> pl.DataFrame:
    """A log of decisions with what another adds to it: nothing that stands is decided again.

    What was undone stays so, in whatever row a table has it now; with another actor, time or reason it is said anew.
    """
    new = align_log(more).filter(~pl.col("decision_id").is_in(log["decision_id"].implode()))
    both = pl.concat([log, new])
    undone = set(both["undoes"].drop_nulls())
    known: set[tuple[Any, ...]] = set()
    is_kept = []
    for place, row in enumerate(both.iter_rows(named=True)):
        sides = frozenset(frozenset((one["source"], one["source_key"]) for one in row[side]) for side in ("group_a", "group_b"))
        said = (row["entity"], row["kind"], sides)
        whole = (*said, row["actor"], row["at"], row["reason"])
        # an undo, and what it takes back, go together
        is_history = row["kind"] == "undo" or row["decision_id"] in undone
        is_kept.append(place < log.height or is_history or not known & {said, whole})
        known |= {whole} if is_history else {said, whole}
    return both.filter(pl.Series(is_kept, dtype=pl.Boolean))


def list_standing(log: pl.DataFrame, entity: str) -> list[Decision]:
    """The decisions of an entity that nobody took back, oldest first."""
    own = log.filter(pl.col("entity") == entity)
    undone = own["undoes"].drop_nulls().implode()
    rows = own.filter((pl.col("kind") != "undo") & ~pl.col("decision_id").is_in(undone))
    return [_read(row) for row in rows.iter_rows(named=True)]


def list_undone(log: pl.DataFrame, entity: str) -> frozenset[str]:
    """The decisions of an entity that people took back."""
    return frozenset(log.filter(pl.col("entity") == entity)["undoes"].drop_nulls().to_list())


def list_named(log: pl.DataFrame, entity: str) -> pl.DataFrame:
    """source, source_key of every record that a decision of an entity names, also of those taken back."""
    own = align_log(log).filter(pl.col("entity") == entity)
    named = [own.select(pl.col(side).explode()).drop_nulls().unnest(side) for side in ("group_a", "group_b")]
    return pl.concat(named).unique().sort("source", "source_key")


def list_decisions(log: pl.DataFrame | None, entity: str | None = None) -> pl.DataFrame:
    """One row per decision, oldest first, with the undo of each: undone_by (its id), undone_at, undone_actor, undone_reason."""
    aligned = align_log(log)
    own = aligned if entity is None else aligned.filter(pl.col("entity") == entity)
    undo = own.filter(pl.col("kind") == "undo").select(
        decision_id="undoes", undone_by="decision_id", undone_at="at", undone_actor="actor", undone_reason="reason"
    )
    made = own.filter(pl.col("kind") != "undo").drop("undoes")
    return made.join(undo, on="decision_id", how="left", maintain_order="left")


def describe_decisions(log: pl.DataFrame | None, a: RecordRef, b: RecordRef, entity: str) -> str | None:
    """What the standing decisions say about two records, also through others; None where they say nothing."""
    standing = Standing(list_standing(align_log(log), entity))
    against = standing.find_apart([a], [b]) or standing.find_never([a, b])
    path = standing.find_path(a, b) if against is None else [against]
    return " and ".join(decision.describe() for decision in path) or None


def to_labels(log: pl.DataFrame | None, entity: str) -> pl.DataFrame:
    """source_a, source_key_a, source_b, source_key_b, is_same: what the standing decisions teach about pairs of records.

    A decision about groups labels their pairs, the first MOST_LABELS of them.
    """
    rows: dict[tuple[str, ...], bool] = {}
    for decision in list_standing(align_log(log), entity):
        pairs = [(a, b) for a in decision.group_a for b in decision.group_b if a != b]
        for a, b in sorted((min(pair), max(pair)) for pair in pairs[:MOST_LABELS]):
            rows[(*a, *b)] = decision.kind == "merge"
    schema = dict.fromkeys(("source_a", "source_key_a", "source_b", "source_key_b"), pl.String) | {"is_same": pl.Boolean}
    return pl.DataFrame([(*pair, is_same) for pair, is_same in rows.items()], schema=schema, orient="row")


def name_record(record: RecordRef) -> str:
    """SOURCE:KEY."""
    return f"{record[0]}:{record[1]}"


def _read(row: dict[str, Any]) -> Decision:
    groups = [tuple((item["source"], item["source_key"]) for item in row[side]) for side in ("group_a", "group_b")]
    return Decision(row["decision_id"], row["kind"], groups[0], groups[1], row["actor"], row["reason"], row["at"])
