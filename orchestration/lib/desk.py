"""People decide about identities: what they may name and what stands against it, wherever the records are kept."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Protocol

import polars as pl

from hub.decide import Book, name_record
from hub.decisions import list_decisions, list_named
from orchestration.project import ProjectError

Record = tuple[str, str]


class Register(Protocol):
    """Who is who now."""

    def find_holder(self, record: Record) -> str | None:
        """The live id of a record; None where there is no such record."""

    def follow(self, gid: str) -> str:
        """The id that an id resolves to; itself where it was not given up."""

    def list_members(self, gid: str) -> list[Record]:
        """The records of a live id, in their order."""

    def read_guards(self, wanted: pl.DataFrame) -> pl.DataFrame:
        """hub.clustering.bonds.read_guards of some records (source, source_key)."""


class Office(Protocol):
    """Where decisions about the records of a line, or of a hub in a folder, are made and kept."""

    @property
    def effect(self) -> str:
        """When what is decided takes effect, in words."""

    def choose_entity(self, name: str, *subjects: str) -> str:
        """The entity that ids tell of; for records, the one that is named. Raises ProjectError."""

    def open_desk(self, entity: str) -> AbstractContextManager[Desk]:
        """Decide, and keep it: all that the block adds, or nothing."""

    def read_log(self) -> pl.DataFrame:
        """What people decided (hub.decide.DECISION_SCHEMA)."""

    def read_applied(self) -> pl.DataFrame:
        """decision_id, state, waits_for of what has taken effect."""

    def read_queue(self, entity: str) -> pl.DataFrame:
        """The review queue in its order, with evidence (JSON), id_a and id_b."""

    def read_golden(self, entity: str, ids: pl.Series) -> pl.DataFrame:
        """gid, golden attributes, n_records of some live ids."""

    def read_records(self, entity: str, wanted: pl.DataFrame) -> pl.DataFrame:
        """The values of some records (source, source_key)."""


class Desk:
    """The decisions of one entity while nobody else may decide: what is added is kept when the block ends without an error."""

    def __init__(self, register: Register, entity: str, log: pl.DataFrame) -> None:
        self._register, self._entity, self._log = register, entity, log
        self.book = Book(entity, log)

    def load(self, records: Iterable[Record]) -> None:
        """Look at what these records, and those that decisions name, hold now."""
        named = pl.DataFrame(list(records), schema={"source": pl.String, "source_key": pl.String}, orient="row")
        wanted = pl.concat([named, list_named(self._log, self._entity)]).unique()
        self.book = Book(self._entity, self._log, self._register.read_guards(wanted))

    def find_id(self, subject: str) -> str:
        """The live id of an id, redirects followed, or of a record as SOURCE:KEY."""
        source, colon, key = subject.partition(":")
        if not colon:
            return self._register.follow(subject)
        found = self._register.find_holder((source, key))
        if found is None:
            raise ProjectError(f"no record {key} of source {source}: look for it in the crosswalk")
        return found

    def list_records(self, gid: str) -> list[Record]:
        """The records of a live id."""
        records = self._register.list_members(gid)
        if not records:
            raise ProjectError(f"{gid} is no live {self._entity}: it was never issued, or its records are gone")
        return records

    def list_customer(self, subject: str) -> list[Record]:
        """All records of an id but for what was split or moved from it since the last run; of a record those of its customer."""
        records = self.list_records(self.find_id(subject))
        source, colon, key = subject.partition(":")
        return self.book.list_companions((source, key), records) if colon else self.book.list_staying(records)

    def move(self, records: list[Record], subject: str, *, actor: str, reason: str, at: datetime) -> tuple[str, list[int]]:
        """Records of one customer leave it for another, whole; returns the decision and how many records both sides have. What
        both customers hold is to be loaded before."""
        gid, to = self.find_id(name_record(records[0])), self.list_customer(subject)
        rest = [record for record in self.list_records(gid) if record not in records]
        for moved in records:
            rest = self.book.list_companions(moved, rest)[1:]
        return self.book.move(records, to, rest, actor=actor, reason=reason, at=at), [len(records), len(to)]

    def expand(self, subject: str) -> list[Record]:
        """A record stands for itself, an id for all its records."""
        gid = self.find_id(subject)
        source, colon, key = subject.partition(":")
        return [(source, key)] if colon else self.list_records(gid)


def decide_pair(office: Office, kind: str, a: str, b: str, *, entity: str, actor: str, reason: str) -> dict[str, Any]:
    """merge joins the customers of the two, whole; never keeps apart just what is named."""
    with office.open_desk(office.choose_entity(entity, a, b)) as desk:
        ids = [desk.find_id(subject) for subject in (a, b)]
        if ids[0] == ids[1] and ":" not in a + b:
            raise ProjectError(f"both are {ids[0]} already")
        if kind == "merge" and ids[0] != ids[1]:
            groups = [desk.list_customer(subject) for subject in (a, b)]
        else:
            groups = [desk.expand(subject) for subject in (a, b)]
        desk.load([*groups[0], *groups[1]])
        made = desk.book.decide(kind, *groups, actor=actor, reason=reason, at=datetime.now(UTC))
    return {"decision_id": made, "kind": kind, "ids": ids, "records": [len(group) for group in groups]}


def split_customer(
    office: Office, subject: str, records: list[Record], *, entity: str, actor: str, reason: str
) -> dict[str, Any]:
    """Part some records of a customer from the rest of it."""
    with office.open_desk(office.choose_entity(entity, subject)) as desk:
        gid = desk.find_id(subject)
        whole = desk.list_records(gid)
        strange = [f"{source}:{key}" for source, key in records if (source, key) not in whole]
        if strange:
            raise ProjectError(f"no records of {gid}: {', '.join(strange)}; see `goldthread explain {gid}`")
        rest = [record for record in whole if record not in records]
        if not rest:
            raise ProjectError(f"these are all records of {gid}: name those that do not belong to it")
        desk.load(whole)
        made = desk.book.decide("split", records, rest, actor=actor, reason=reason, at=datetime.now(UTC))
    return {"decision_id": made, "kind": "split", "ids": [gid], "records": [len(records), len(rest)]}


def move_records(office: Office, records: list[Record], subject: str, *, entity: str, actor: str, reason: str) -> dict[str, Any]:
    """Take records out of their customer and put them to another."""
    with office.open_desk(office.choose_entity(entity, subject)) as desk:
        ids = [desk.find_id(name_record(record)) for record in records]
        target = desk.find_id(subject)
        strange = next((record for record, gid in zip(records, ids, strict=True) if gid != ids[0]), None)
        if strange:
            raise ProjectError(
                f"{name_record(records[0])} and {name_record(strange)} are of two customers: move those of one at a time"
            )
        if target == ids[0]:
            raise ProjectError(f"{name_record(records[0])} is of {target} already")
        desk.load([*desk.list_records(ids[0]), *desk.list_records(target)])
        made, sizes = desk.move(records, subject, actor=actor, reason=reason, at=datetime.now(UTC))
    return {"decision_id": made, "kind": "move", "ids": [ids[0], target], "records": sizes}


def undo_decision(office: Office, decision_id: str, *, actor: str, reason: str) -> dict[str, Any]:
    """Take a decision back."""
    made = list_decisions(office.read_log()).filter(decision_id=decision_id)
    entity = made["entity"][0] if made.height else office.choose_entity("organisation")
    with office.open_desk(entity) as desk:
        undo = desk.book.undo(decision_id, actor=actor, reason=reason, at=datetime.now(UTC))
    return {"decision_id": undo, "kind": "undo", "undoes": decision_id}


def list_made(office: Office) -> list[dict[str, Any]]:
    """Every decision, newest first, with its state: `holds`, `waits` and `undone` as of the last run, else `next run`."""
    made = list_decisions(office.read_log())
    applied = office.read_applied().unique("decision_id")
    both = _name_moves(made).join(applied, on="decision_id", how="left", maintain_order="left")
    late = pl.col("state").is_null() | (pl.col("undone_by").is_not_null() & (pl.col("state") != "undone"))
    return both.with_columns(state=pl.when(late).then(pl.lit("next run")).otherwise("state")).reverse().to_dicts()


def _name_moves(made: pl.DataFrame) -> pl.DataFrame:
    """Decisions, each in one row: of a move who was moved, and to whom."""
    is_half = made["decision_id"].is_duplicated()
    named = made.filter(~is_half | (made["kind"] == "merge"))
    moved = made.filter(is_half)["decision_id"].unique()
    kind = pl.when(pl.col("decision_id").is_in(moved.implode())).then(pl.lit("move")).otherwise("kind")
    return named.with_columns(kind=kind)
