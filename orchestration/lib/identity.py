"""One resolution of organisations and persons over the working file: read parties, resolve, write the hub's tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb
import polars as pl

from hub.identify import EVENT_SCHEMA
from hub.invariants import Finding, Limits, check_invariants
from hub.resolve import History, Resolution, resolve
from hub.rules.first import Entity, default_rules
from orchestration.lib.limits import read_maximum

LOG_SCHEMA = pl.Schema({"customer_gid" if name == "gid" else name: dtype for name, dtype in EVENT_SCHEMA.items()})


@dataclass(frozen=True)
class Identities:
    """Both resolutions, what they add to the identity log, and which invariants they break."""

    organisations: Resolution
    persons: Resolution
    new_events: pl.DataFrame
    findings: tuple[Finding, ...]


def current_rule_version() -> str:
    """Both rule sets' versions; changes with any rule."""
    return f"{default_rules('organisation').version}+{default_rules('person').version}"


def resolve_identities(con: duckdb.DuckDBPyConnection, log: pl.DataFrame, run_id: str, at: datetime) -> Identities:
    """Resolve `intermediate.int_parties_unioned` and `int_persons_unioned` against the identity log (LOG_SCHEMA)."""
    parties = con.sql("select * from intermediate.int_parties_unioned").pl()
    organisations, org_findings = _resolve_entity(con, parties, "organisation", log, run_id, at)
    org_events = organisations.tables()["identity_events"]
    grown = pl.concat([log, _align(org_events)])
    persons_in = con.sql("select * from intermediate.int_persons_unioned").pl()
    persons_in = _attach_customers(persons_in, organisations.crosswalk)
    persons, person_findings = _resolve_entity(con, persons_in, "person", grown, run_id, at)
    person_events = persons.tables()["person_identity_events"]
    new_events = _align(pl.concat([org_events, person_events]))
    return Identities(organisations, persons, new_events, (*org_findings, *person_findings))


def write_identities(con: duckdb.DuckDBPyConnection, identities: Identities, log: pl.DataFrame) -> dict[str, int]:
    """Replace the tables of schema `hub`; returns rows per table."""
    tables: dict[str, pl.DataFrame] = {**identities.organisations.tables(), **identities.persons.tables()}
    del tables["person_identity_events"]
    tables["identity_events"] = pl.concat([log, identities.new_events])
    caches = {"_scored_organisation": identities.organisations.scored, "_scored_person": identities.persons.scored}
    con.execute("create schema if not exists hub")
    con.execute("begin")
    for name, frame in {**tables, **caches}.items():
        _replace_table(con, name, frame)
    con.execute("commit")
    return {name: frame.height for name, frame in tables.items()}


def _align(events: pl.DataFrame) -> pl.DataFrame:
    return events.select(pl.col(name).cast(dtype) for name, dtype in LOG_SCHEMA.items())


def _resolve_entity(
    con: duckdb.DuckDBPyConnection, records: pl.DataFrame, entity: Entity, log: pl.DataFrame, run_id: str, at: datetime
) -> tuple[Resolution, list[Finding]]:
    history = History(events=log, scored=_read_cache(con, entity))
    resolution = resolve(records, entity=entity, history=history, run_id=run_id, at=at)
    limits = Limits(
        max_cluster_records=int(read_maximum("hub", "largest_cluster")),
        max_share_ids_changed=read_maximum("hub", "ids_changed_share"),
    )
    return resolution, check_invariants(resolution, records, limits, history)


def _attach_customers(persons: pl.DataFrame, crosswalk: pl.DataFrame) -> pl.DataFrame:
    current = crosswalk.filter("is_current").select("source", party_source_key="source_key", customer_gid="gid")
    return persons.join(current, on=["source", "party_source_key"], how="left", maintain_order="left")


def _read_cache(con: duckdb.DuckDBPyConnection, entity: Entity) -> pl.DataFrame | None:
    name = f"_scored_{entity}"
    known = con.execute(
        "select 1 from information_schema.tables where table_schema = 'hub' and table_name = ?", [name]
    ).fetchall()
    return con.sql(f"select * from hub.{name}").pl() if known else None  # noqa: S608 (entity is one of two literals)


def _replace_table(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    con.register("incoming", frame)
    con.execute(f"create or replace table hub.{name} as select * from incoming")  # noqa: S608 (names are the hub's own)
    con.unregister("incoming")
