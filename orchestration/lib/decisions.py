"""Decisions about the identities of the line: made on the working file's records, kept beside the identity log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import polars as pl

from hub.clustering.bonds import read_guards
from hub.decide import DecisionError
from hub.decisions import DECISION_SCHEMA
from orchestration.lib.desk import Desk, Record
from orchestration.lib.stores import Stores
from orchestration.project import ProjectError, current_project
from warehouse.decisions import append_decisions, read_decisions

ENDS = ["source_a", "source_key_a", "source_b", "source_key_b"]


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
    golden: str
    lineage: str


ENTITIES = {
    "organisation": Entity(
        "organisation",
        "customer_gid",
        "crosswalk",
        "redirects",
        "review_queue",
        "edges",
        "decisions",
        "int_parties_unioned",
        "golden_customers",
        "golden_lineage",
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
        "golden_persons",
        "person_lineage",
    ),
}


class Working:
    """Who is who in the working file (orchestration.lib.desk.Register)."""

    def __init__(self, con: duckdb.DuckDBPyConnection, entity: Entity) -> None:
        self.con, self.entity = con, entity
        if not _has_table(con, entity.crosswalk):
            raise ProjectError("identities have not been resolved yet: `goldthread run`")

    def find_holder(self, record: Record) -> str | None:
        query = f"select {self.entity.gid} from hub.{self.entity.crosswalk} where source = ? and source_key = ? and is_current"  # noqa: S608
        found = self.con.execute(query, list(record)).fetchall()
        return str(found[0][0]) if found else None

    def follow(self, gid: str) -> str:
        query = f"select target_gid from hub.{self.entity.redirects} where {self.entity.gid} = ?"  # noqa: S608
        redirect = self.con.execute(query, [gid]).fetchall()
        return str(redirect[0][0]) if redirect else gid

    def list_members(self, gid: str) -> list[Record]:
        query = (
            f"select source, source_key from hub.{self.entity.crosswalk} where {self.entity.gid} = ? and is_current order by all"  # noqa: S608
        )
        return self.con.execute(query, [gid]).fetchall()

    def read_guards(self, wanted: pl.DataFrame) -> pl.DataFrame:
        return read_guards(self.read_records(wanted), current_project().rules[self.entity.name])

    def read_records(self, wanted: pl.DataFrame) -> pl.DataFrame:
        """The records as the hub gets them."""
        query = f"select records.* from intermediate.{self.entity.records} as records semi join wanted using (source, source_key)"  # noqa: S608
        self.con.register("wanted", wanted)
        held: pl.DataFrame = self.con.sql(query).pl()
        self.con.unregister("wanted")
        return held

    def read_golden(self, ids: pl.Series) -> pl.DataFrame:
        """gid, golden attributes, n_records of some live ids."""
        entity = self.entity
        query = f"select {entity.gid} as gid, * exclude ({entity.gid}) from hub.{entity.golden} where {entity.gid} in $ids"  # noqa: S608
        golden: pl.DataFrame = self.con.sql(query, params={"ids": ids.to_list()}).pl()
        return golden

    def read_queue(self) -> pl.DataFrame:
        """The review queue in its order, with evidence, id_a and id_b."""
        entity = self.entity
        query = f"""
            select queue.*, edges.evidence, a.{entity.gid} as id_a, b.{entity.gid} as id_b
            from hub.{entity.review} as queue
            left join hub.{entity.edges} as edges using ({", ".join(ENDS)})
            left join hub.{entity.crosswalk} as a on a.source = source_a and a.source_key = source_key_a and a.is_current
            left join hub.{entity.crosswalk} as b on b.source = source_b and b.source_key = source_key_b and b.is_current
        """  # noqa: S608 (names are the hub's own)
        order = self.con.sql(f"select pair_id, row_number() over () as place from hub.{entity.review}").pl()  # noqa: S608
        queue: pl.DataFrame = self.con.sql(query).pl()
        return queue.join(order, on="pair_id").sort("place").drop("place")


@dataclass(frozen=True)
class Line:
    """The line as the place where people decide (orchestration.lib.desk.Office)."""

    stores: Stores
    effect: str = "takes effect with the next `goldthread run`, even if no source has news"

    def choose_entity(self, name: str, *subjects: str) -> str:
        told = {current_project().find_entity(subject) for subject in subjects} - {None}
        if len(told) > 1:
            raise ProjectError("a customer and a person are never one")
        chosen = told.pop() if told else name
        if chosen not in ENTITIES:
            raise ProjectError(f"no entity {chosen}: {', '.join(ENTITIES)}")
        return chosen

    @contextmanager
    def open_desk(self, entity: str) -> Iterator[Desk]:
        home, ledger = self.stores.home, self.stores.ledger
        with home.hold_decision_lock(), self.stores.open_working() as con:
            desk = Desk(Working(con, ENTITIES[entity]), entity, self.read_log())
            try:
                yield desk
            except DecisionError as error:
                raise ProjectError(str(error)) from error
            append_decisions(home, ledger, desk.book.added)

    def read_log(self) -> pl.DataFrame:
        return read_decisions(self.stores.home, self.stores.ledger, DECISION_SCHEMA)

    def read_applied(self) -> pl.DataFrame:
        with self.stores.open_working() as con:
            return pl.concat([_read_applied(con, entity.decisions) for entity in ENTITIES.values()])

    def read_queue(self, entity: str) -> pl.DataFrame:
        with self.stores.open_working() as con:
            return Working(con, ENTITIES[entity]).read_queue()

    def read_golden(self, entity: str, ids: pl.Series) -> pl.DataFrame:
        with self.stores.open_working() as con:
            return Working(con, ENTITIES[entity]).read_golden(ids)

    def read_records(self, entity: str, wanted: pl.DataFrame) -> pl.DataFrame:
        with self.stores.open_working() as con:
            return Working(con, ENTITIES[entity]).read_records(wanted)


def _read_applied(con: duckdb.DuckDBPyConnection, table: str) -> pl.DataFrame:
    schema = dict.fromkeys(("decision_id", "state", "waits_for"), pl.String)
    if not _has_table(con, table):
        return pl.DataFrame(schema=schema)
    applied: pl.DataFrame = con.sql(f"select decision_id, state, waits_for from hub.{table}").pl()  # noqa: S608
    return applied.cast(pl.Schema(schema))


def _has_table(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    query = "select 1 from information_schema.tables where (table_schema, table_name) = ('hub', ?)"
    return bool(con.execute(query, [table]).fetchall())
