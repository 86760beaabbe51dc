"""Erasing people (I-10): whom a subject names, what tells of them in every store, and doing it while no run does."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import duckdb
import polars as pl

from hub.ids.identify import find_members, find_redirects
from orchestration.lib.erasing import carry_out
from orchestration.lib.erasure_streams import ErasureStreams, list_erasure_streams
from orchestration.lib.identity import LOG_SCHEMA
from orchestration.lib.stores import Stores
from orchestration.project import Project, ProjectError
from warehouse.erasure.keys import Keyed, open_key
from warehouse.erasure.plan import Plan, read_journal
from warehouse.erasure.survey import Subject, survey_landing
from warehouse.erasure.told import find_contacts
from warehouse.erasure.traces import Traces
from warehouse.identity_log import read_events
from warehouse.sql import literal
from warehouse.working import NO_EXTENSIONS

ENTITIES = ("organisation", "person")
# golden and lineage tables by entity, with the column of the id
_GOLDEN = {"organisation": ("golden_customers", "customer_gid"), "person": ("golden_persons", "person_gid")}
_LINEAGE = {"organisation": "golden_lineage", "person": "person_lineage"}
_NAMES = {"organisation": {"company_name", "legal_name_key"}, "person": {"full_name"}}


@dataclass(frozen=True)
class Log:
    """Who is a member of which id: entity, source, source_key, gid; and what ids that were given up resolve to."""

    members: dict[tuple[str, str, str], str]
    redirects: dict[str, str]

    def list_records(self, gid: str) -> list[tuple[str, str, str]]:
        """The records of an id, redirects followed."""
        live = self.redirects.get(gid, gid)
        return [record for record, owner in self.members.items() if owner == live]


def plan_erasure(
    stores: Stores,
    project: Project,
    subjects: Sequence[str],
    *,
    entity: str | None,
    actor: str,
    reason: str,
    is_rehearsal: bool = False,
) -> Plan:
    """What would be erased. Subjects: an id, a record of the hub as SOURCE:KEY, or a landed one as SOURCE/STREAM/KEY.

    is_rehearsal: the plan is to be looked at only, so no key is made for it.

    Raises ProjectError for one that names nothing, and while an earlier erasure waits to be completed.
    """
    if read_journal(stores.home) is not None:
        raise ProjectError("an erasure was interrupted: `goldthread erase --resume` completes it, and so does the next run")
    streams, log = list_erasure_streams(project), _read_log(stores, project)
    subject = _find_subject(project, subjects, entity, streams, log)
    gids = _find_ended({*subject.records}, log)
    keyed = Keyed(b"") if is_rehearsal else open_key(stores.home)
    also = _read_derived(stores, project, subject.records, gids, has_companies=subject.has_companies)
    arguments = (stores.home, stores.ledger, keyed, subject, streams.declared, streams.carriers, streams.staff)
    members = {(source, key) for _, source, key in log.members}
    found = survey_landing(*arguments, also, members)
    if found.records != subject.records or not gids:
        # a row that is a person's is a company's too: what that was called and which ids end with it is looked for as well
        gids = _find_ended(set(found.records), log)
        also = _read_derived(stores, project, found.records, gids, has_companies=subject.has_companies)
        members = {(source, key) for _, source, key in log.members}
    found = survey_landing(*arguments, also, members)
    if not found.n_rows and not found.traces.records:
        raise ProjectError(f"nothing has landed for {', '.join(subjects)}")
    erased = {(source, key) for _, source, key in found.records}
    shared = {
        (source, key)
        for entity_of, source, key in log.members
        if (source, key) in erased and (entity_of, source, key) not in found.records
    }
    records = {record: standin for record, standin in found.traces.records.items() if record not in shared}
    return Plan(
        erasure_id=f"era_{uuid.uuid4().hex[:12]}",
        actor=actor,
        reason=reason,
        at=datetime.now(UTC),
        targets=found.targets,
        entries=found.entries,
        traces=replace(found.traces, records=records),
        n_rows=found.n_rows,
        n_cleaned=found.n_cleaned,
        kept=found.kept,
    )


def describe_plan(plan: Plan) -> dict[str, Any]:
    """For people and machines, before it is done; the keys are those that the caller named."""
    return {
        "erasure_id": plan.erasure_id,
        "records": [f"{source}:{key}" for source, key in sorted(plan.traces.records)],
        "ids": sorted(plan.traces.gids),
        "rows_erased": plan.n_rows,
        "rows_cleaned": plan.n_cleaned,
        "kept": list(plan.kept),
    }


def do_erasure(stores: Stores, project: Project, plan: Plan) -> dict[str, Any]:
    """Do it, holding the home as a run does. Raises HomeBusyError while one does."""
    with stores.home.hold_run_lock(plan.erasure_id) as lock:
        return carry_out(stores.home, stores.ledger, lock, project, plan)


def _read_log(stores: Stores, project: Project) -> Log:
    log = read_events(stores.home, stores.ledger, LOG_SCHEMA).rename({"customer_gid": "gid"})
    members: dict[tuple[str, str, str], str] = {}
    redirects: dict[str, str] = {}
    for entity, rules in project.rules.items():
        own = log.filter(pl.col("gid").str.starts_with(rules.id_prefix)).sort("event_no")
        members |= {(entity, source, key): gid for source, key, gid in find_members(own).iter_rows()}
        redirects |= dict(find_redirects(own).select("gid", "target_gid").iter_rows())
    return Log(members, redirects)


def _find_subject(project: Project, subjects: Sequence[str], entity: str | None, streams: ErasureStreams, log: Log) -> Subject:
    records: set[tuple[str, str, str]] = set()
    landed: set[tuple[str, str, str]] = set()
    has_companies = False
    for text in dict.fromkeys(subjects):
        prefixed = project.find_entity(text)
        if prefixed:
            found = log.list_records(text)
            if not found:
                raise ProjectError(f"{text} has no records: it was never issued, or they are gone already")
            records |= set(found)
            has_companies |= prefixed == "organisation"
        elif text.count("/") >= 2 and (":" not in text or text.index("/") < text.index(":")):
            landed.add(_split_landed(text, streams))
        else:
            one = _find_record(text, entity, streams, log)
            records |= one
            has_companies |= {name for name, _, _ in one} == {"organisation"}
    return Subject(frozenset(records), frozenset(landed), has_companies)


def _split_landed(text: str, streams: ErasureStreams) -> tuple[str, str, str]:
    source, stream, key = text.split("/", 2)
    if (source, stream) not in streams.declared:
        raise ProjectError(f"{text}: the project has no stream {source}.{stream}; see `goldthread status`")
    # as DuckDB writes it, which the keys of landed rows come from
    return (
        source,
        stream,
        json.dumps(json.loads(key) if key.startswith("[") else [key], ensure_ascii=False, separators=(",", ":")),
    )


def _find_record(text: str, entity: str | None, streams: ErasureStreams, log: Log) -> set[tuple[str, str, str]]:
    source, colon, key = text.partition(":")
    carrying = {c.entity: c.stream.name for c in streams.carriers if c.source == source and entity in (None, c.entity)}
    if not colon or not key or not carrying:
        raise ProjectError(
            f"{text!r} names nobody: write an ID, a record as SOURCE:KEY of a source that has customers or persons, "
            "or a landed one as SOURCE/STREAM/KEY"
        )
    known = {name for name in carrying if (name, source, key) in log.members} or set(carrying)
    if len({carrying[name] for name in known}) > 1:
        raise ProjectError(f"{text}: {source} has customers and persons in streams of their own; say --entity")
    return {(name, source, key) for name in known}


def _find_ended(records: set[tuple[str, str, str]], log: Log) -> frozenset[str]:
    """Ids whose every record is erased."""
    touched = {log.members[record] for record in records if record in log.members}
    return frozenset(touched - {gid for record, gid in log.members.items() if record not in records})


def _read_derived(
    stores: Stores,
    project: Project,
    records: frozenset[tuple[str, str, str]],
    gids: frozenset[str],
    *,
    has_companies: bool,
) -> Traces:
    """How the hub wrote the values of records and ids, in the working file and in every kept publication."""
    entities = ENTITIES if has_companies else ("person",)
    places = [(path, "main") for path in sorted(stores.home.history.glob("[!.]*.duckdb"))]
    places += [(stores.home.working, "hub")] if stores.home.working.exists() else []
    contacts: set[str] = set()
    names: set[str] = set()
    values: set[str] = set()
    for path, schema in places:
        with duckdb.connect(config=NO_EXTENSIONS) as con:
            con.execute(f"attach {literal(str(path))} as old (read_only)")
            tables = {
                t for (t,) in con.execute("select table_name from duckdb_tables() where schema_name = ?", [schema]).fetchall()
            }
            for entity in entities:
                ids = {gid for gid in gids if project.find_entity(gid) == entity}
                found = _read_lineage(con, schema, entity, records, tables) + _read_golden(con, schema, entity, ids, tables)
                contacts |= {contact for _, text in found for contact in find_contacts(text)}
                names |= {text for name, text in found if name in _NAMES[entity] and len(text) > 1}
                values |= {text for _, text in found}
    return Traces(contacts=frozenset(contacts), names=frozenset(names), values=frozenset(values), gids=gids)


def _read_lineage(
    con: duckdb.DuckDBPyConnection, schema: str, entity: str, records: frozenset[tuple[str, str, str]], tables: set[str]
) -> list[tuple[str, str]]:
    """Attribute and value of what records gave."""
    own = [(source, key) for name, source, key in records if name == entity]
    if not own or _LINEAGE[entity] not in tables:
        return []
    pairs = ", ".join(f"({literal(source)}, {literal(key)})" for source, key in own)
    query = (
        f"select distinct attribute, value::VARCHAR from old.{schema}.{_LINEAGE[entity]} where (source, source_key) in ({pairs})"  # noqa: S608
    )
    return [(name, text) for name, text in con.execute(query).fetchall() if text]


def _read_golden(
    con: duckdb.DuckDBPyConnection, schema: str, entity: str, gids: set[str], tables: set[str]
) -> list[tuple[str, str]]:
    """Attribute and value of golden records."""
    table, gid = _GOLDEN[entity]
    if not gids or table not in tables:
        return []
    listed = ", ".join(map(literal, sorted(gids)))
    rows = con.sql(f"select * from old.{schema}.{table} where {gid} in ({listed})").pl()  # noqa: S608 (quoted)
    texts = [name for name, kind in rows.schema.items() if kind == pl.String and not name.endswith("_gid") and name != "status"]
    return [(name, row[name]) for row in rows.iter_rows(named=True) for name in texts if row[name]]
