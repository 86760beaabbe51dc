"""People decide about identities: what they may name, what stands against it, and where it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
import polars as pl

from hub.bonds import read_guards
from hub.decide import DECISION_SCHEMA, Book, DecisionError, list_decisions
from hub.rules.read import load_rules
from orchestration.lib.stores import Stores
from orchestration.project import ProjectError
from warehouse.decisions import append_decisions, read_decisions

Record = tuple[str, str]


@dataclass(frozen=True)
class Entity:
    """The tables of the working file that speak of an entity."""

    name: str
    gid: str
    crosswalk: str
    redirects: str
    review: str
    edges: str
    decisions: str
    records: str


ENTITIES = {
    "organisation": Entity(
        "organisation", "customer_gid", "crosswalk", "redirects", "review_queue", "edges", "decisions", "int_parties_unioned"
    ),
    "person": Entity(
        "person",
        "person_gid",
        "person_crosswalk",
        "person_redirects",
        "person_review_queue",
        "person_edges",
        "person_decisions",
        "int_persons_unioned",
    ),
}


def find_entity(name: str, *subjects: str) -> Entity:
    """The entity that an id tells of; for records, the one that is named."""
    told = {entity for entity in ENTITIES for subject in subjects if subject.startswith(load_rules(entity).id_prefix)}
    if len(told) > 1:
        raise ProjectError("a customer and a person are never one")
    chosen = told.pop() if told else name
    if chosen not in ENTITIES:
        raise ProjectError(f"no entity {chosen}: {', '.join(ENTITIES)}")
    return ENTITIES[chosen]


class Desk:
    """The decisions of one entity while nobody else may decide: what is added is kept when the block ends without an error."""

    def __init__(self, con: duckdb.DuckDBPyConnection, entity: Entity, log: pl.DataFrame) -> None:
        self.con, self.entity, self._log = con, entity, log
        if not con.execute(
            "select 1 from information_schema.tables where (table_schema, table_name) = ('hub', ?)", [entity.crosswalk]
        ).fetchall():
            raise ProjectError("identities have not been resolved yet: `goldthread run`")
        self.book = Book(entity.name, log)

    def load(self, records: Iterable[Record]) -> None:
        """Look at what these records, and those that decisions name, hold now."""
        named = pl.DataFrame(list(records), schema={"source": pl.String, "source_key": pl.String}, orient="row")
        log = self._log.filter(pl.col("entity") == self.entity.name)
        told = [log.select(pl.col(side).explode()).drop_nulls().unnest(side) for side in ("group_a", "group_b")]
        wanted = pl.concat([named, *told]).unique()
        query = f"select records.* from intermediate.{self.entity.records} as records semi join wanted using (source, source_key)"  # noqa: S608
        self.con.register("wanted", wanted)
        held = self.con.sql(query).pl()
        self.con.unregister("wanted")
        self.book = Book(self.entity.name, self._log, read_guards(held, load_rules(self.entity.name)))

    def find_id(self, subject: str) -> str:
        """The live id of an id, redirects followed, or of a record as SOURCE:KEY."""
        entity = self.entity
        if ":" in subject:
            source, _, key = subject.partition(":")
            query = f"select {entity.gid} from hub.{entity.crosswalk} where source = ? and source_key = ? and is_current"  # noqa: S608
            found = self.con.execute(query, [source, key]).fetchall()
            if not found:
                raise ProjectError(f"no record {key} of source {source}: look for it in the table {entity.crosswalk}")
            return str(found[0][0])
        query = f"select target_gid from hub.{entity.redirects} where {entity.gid} = ?"  # noqa: S608
        redirect = self.con.execute(query, [subject]).fetchall()
        return str(redirect[0][0]) if redirect else subject

    def list_records(self, gid: str) -> list[Record]:
        """The records of a live id."""
        query = (
            f"select source, source_key from hub.{self.entity.crosswalk} where {self.entity.gid} = ? and is_current order by all"  # noqa: S608
        )
        records = self.con.execute(query, [gid]).fetchall()
        if not records:
            raise ProjectError(f"{gid} is no live {self.entity.name}: it was never issued, or its records are gone")
        return records

    def list_customer(self, subject: str) -> list[Record]:
        """All records of an id; for a record those of its customer but for what was split from it since the last run."""
        records = self.list_records(self.find_id(subject))
        source, colon, key = subject.partition(":")
        return self.book.list_companions((source, key), records) if colon else records

    def expand(self, subject: str) -> list[Record]:
        """A record stands for itself, an id for all its records."""
        gid = self.find_id(subject)
        source, colon, key = subject.partition(":")
        return [(source, key)] if colon else self.list_records(gid)


@contextmanager
def open_desk(stores: Stores, entity: Entity) -> Iterator[Desk]:
    """Decide, and keep it: all that the block adds, or nothing."""
    with stores.home.hold_decision_lock(), stores.open_working() as con:
        desk = Desk(con, entity, read_decisions(stores.home, stores.ledger, DECISION_SCHEMA))
        try:
            yield desk
        except DecisionError as error:
            raise ProjectError(str(error)) from error
        append_decisions(stores.home, stores.ledger, desk.book.added)


def decide_pair(stores: Stores, kind: str, a: str, b: str, *, entity: str, actor: str, reason: str) -> dict[str, Any]:
    """merge joins the customers of the two, whole; never keeps apart just what is named."""
    with open_desk(stores, find_entity(entity, a, b)) as desk:
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
    stores: Stores, subject: str, records: list[Record], *, entity: str, actor: str, reason: str
) -> dict[str, Any]:
    """Part some records of a customer from the rest of it."""
    with open_desk(stores, find_entity(entity, subject)) as desk:
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


def undo_decision(stores: Stores, decision_id: str, *, actor: str, reason: str) -> dict[str, Any]:
    """Take a decision back."""
    made = list_decisions(read_decisions(stores.home, stores.ledger, DECISION_SCHEMA)).filter(decision_id=decision_id)
    with open_desk(stores, find_entity(made["entity"][0] if made.height else "organisation")) as desk:
        undo = desk.book.undo(decision_id, actor=actor, reason=reason, at=datetime.now(UTC))
    return {"decision_id": undo, "kind": "undo", "undoes": decision_id}


def list_made(stores: Stores) -> list[dict[str, Any]]:
    """Every decision, newest first, with its state: `holds`, `waits` and `undone` as of the last run, else `next run`."""
    made = list_decisions(read_decisions(stores.home, stores.ledger, DECISION_SCHEMA))
    with stores.open_working() as con:
        applied = pl.concat([_read_applied(con, entity.decisions) for entity in ENTITIES.values()])
    both = made.join(applied, on="decision_id", how="left", maintain_order="left")
    late = pl.col("state").is_null() | (pl.col("undone_by").is_not_null() & (pl.col("state") != "undone"))
    return both.with_columns(state=pl.when(late).then(pl.lit("next run")).otherwise("state")).reverse().to_dicts()


def _read_applied(con: duckdb.DuckDBPyConnection, table: str) -> pl.DataFrame:
    schema = dict.fromkeys(("decision_id", "state", "waits_for"), pl.String)
    known = con.execute("select 1 from information_schema.tables where (table_schema, table_name) = ('hub', ?)", [table])
    if not known.fetchall():
        return pl.DataFrame(schema=schema)
    applied: pl.DataFrame = con.sql(f"select decision_id, state, waits_for from hub.{table}").pl()  # noqa: S608
    return applied.cast(pl.Schema(schema))
