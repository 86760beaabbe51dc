"""One resolution of organisations and persons over the working file: read parties, resolve, write the hub's tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import duckdb
import polars as pl

from hub.columns.clock import Clock
from hub.ids.identify import EVENT_SCHEMA
from hub.invariants import Finding, Limits, check_invariants
from hub.kept.increment import add_records, list_missing
from hub.kept.outcome import Whole, sum_up, sum_up_addition, tell
from hub.kept.review import keep_value
from hub.kept.state import State, build_state
from hub.model import write_model
from hub.resolve import resolve
from hub.rules.model import Rules
from orchestration.lib.kept_hub import KeptHub
from orchestration.lib.limits import read_maximum
from orchestration.lib.models import find_model_folder, keep_retrained, read_kept_model
from warehouse.home import Home

LOG_SCHEMA = pl.Schema({"customer_gid" if name == "gid" else name: dtype for name, dtype in EVENT_SCHEMA.items()})
#: the names of an entity's tables in schema hub; the identity log is one for both
_TABLES = {
    "organisation": {
        "crosswalk": "crosswalk",
        "golden": "golden_customers",
        "lineage": "golden_lineage",
        "edges": "edges",
        "review": "review_queue",
        "redirects": "redirects",
        "decisions": "decisions",
    },
    "person": {
        "crosswalk": "person_crosswalk",
        "golden": "golden_persons",
        "lineage": "person_lineage",
        "edges": "person_edges",
        "review": "person_review_queue",
        "redirects": "person_redirects",
        "decisions": "person_decisions",
    },
}
_OWN_ID = {"organisation": "customer_gid", "person": "person_gid"}


@dataclass(frozen=True)
class Resolved:
    """What was found of an entity, which invariants it breaks, and the state to keep if it is published."""

    whole: Whole
    findings: tuple[Finding, ...]
    state: State | None


@dataclass(frozen=True)
class Identities:
    """Both entities, and what they add to the identity log."""

    organisations: Resolved
    persons: Resolved
    new_events: pl.DataFrame

    @property
    def broken(self) -> list[str]:
        """The broken invariants of both, in words."""
        return [text for found in (self.organisations, self.persons) for text in describe_findings(found.whole, found.findings)]


def describe_findings(whole: Whole, findings: Iterable[Finding]) -> list[str]:
    """Of which entity, which invariant, what is wrong, and some of the cases."""
    entity = whole.rules.entity
    return [f"{entity} {found.check}: {found.message} ({', '.join(found.sample) or 'no case to show'})" for found in findings]


_PARTIES = """
select parties.*, party_values.value
from intermediate.int_parties_unioned as parties
left join intermediate.int_party_values as party_values using (source, source_key)
"""


def resolve_identities(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    rules: Mapping[str, Rules],
    log: pl.DataFrame,
    decisions: pl.DataFrame,
    run_id: str,
    at: datetime,
    *,
    retrain: bool = False,
) -> Identities:
    """Resolve `intermediate.int_parties_unioned` and `int_persons_unioned` against the identity log (LOG_SCHEMA).

    rules: by entity. decisions: what people decided (hub.decide), of both entities. The home holds the trained models, a missing
    one is trained and kept, so that weights and frequencies stay the same from run to run until the rules change; and the states
    that an addition builds on, where one fits. retrain: new ones are trained, which wait for the run's publication.
    """
    parties = con.sql(_PARTIES).pl()
    organisations = _resolve_entity(parties, rules["organisation"], home, log, log, decisions, run_id, at, retrain)
    org_events = _align(organisations.whole.events)
    persons_in = con.sql("select * from intermediate.int_persons_unioned").pl()
    persons_in = attach_customers(persons_in, organisations.whole.crosswalk)
    grown = pl.concat([log, org_events])
    persons = _resolve_entity(persons_in, rules["person"], home, log, grown, decisions, run_id, at, retrain)
    return Identities(organisations, persons, pl.concat([org_events, _align(persons.whole.events)]))


def keep_identities(home: Home, run_id: str, log: pl.DataFrame, identities: Identities) -> None:
    """Keep the states that the next run builds on, if this one is published."""
    for found in (identities.organisations, identities.persons):
        if found.state is not None:
            kept = _open_kept(home, found.whole.rules)
            kept.keep(run_id, found.state, found.whole.model, log, pl.concat([log, identities.new_events]))


def _open_kept(home: Home, rules: Rules) -> KeptHub:
    return KeptHub(home.hub / rules.entity, rules)


def write_identities(con: duckdb.DuckDBPyConnection, identities: Identities, log: pl.DataFrame) -> dict[str, int]:
    """Replace the tables of schema `hub`; returns rows per table."""
    tables = {**list_tables(identities.organisations.whole), **list_tables(identities.persons.whole)}
    tables["identity_events"] = pl.concat([log, identities.new_events])
    con.execute("create schema if not exists hub")
    con.execute("begin")
    for name, frame in tables.items():
        _replace_table(con, name, frame)
    con.execute("commit")
    return {name: frame.height for name, frame in tables.items()}


def list_tables(found: Whole) -> dict[str, pl.DataFrame]:
    """What was found under the names and columns of the warehouse's hub tables."""
    entity = found.rules.entity
    frames = {name: getattr(found, name) for name in _TABLES[entity]}
    frames["golden"] = found.golden.with_columns(status=pl.lit("active"))
    return {_TABLES[entity][name]: frame.rename({"gid": _OWN_ID[entity]}, strict=False) for name, frame in frames.items()}


def _align(events: pl.DataFrame) -> pl.DataFrame:
    renamed = events.rename({"gid": "customer_gid"}, strict=False)
    return renamed.select(pl.col(name).cast(dtype) for name, dtype in LOG_SCHEMA.items())


def _resolve_entity(
    records: pl.DataFrame,
    rules: Rules,
    home: Home,
    committed: pl.DataFrame,
    log: pl.DataFrame,
    decisions: pl.DataFrame,
    run_id: str,
    at: datetime,
    retrain: bool,
) -> Resolved:
    """committed: the identity log; log: with what this run has added to it before."""
    clock = Clock()
    model = None if retrain else read_kept_model(home.models, rules)
    base = _open_kept(home, rules).find(model, committed) if model else None
    if base is not None and model is not None:
        base = replace(base, next_no=int(log["event_no"].max() or 0) + 1)  # type: ignore[arg-type]
        clock.lap("load")
        gone = list_missing(base, records)
        addition = add_records(base, records, gone, rules, model, run_id, at, decisions, lambda: log)
        addition = keep_value(base, addition, records)
        clock.lap("add")
        whole = sum_up_addition(addition, tell(addition, decisions, rules, model), log, rules)
        clock.lap("tell")
        whole, state = replace(whole, report=whole.report | {"seconds": clock.seconds}), addition.state
    else:
        found = resolve(records, rules=rules, history=log, run_id=run_id, at=at, model=model, decisions=decisions)
        whole, state = sum_up(found), build_state(found, records, pl.concat([log, _align(found.events)]), keeps_lineage=True)
        if retrain and records.height:
            keep_retrained(home, run_id, found.model, rules)
        elif model is None and records.height:
            write_model(found.model, find_model_folder(home.models, rules))
    limits = Limits(
        max_cluster_records=int(read_maximum("hub", "largest_cluster")),
        max_share_ids_changed=read_maximum("hub", "ids_changed_share"),
    )
    return Resolved(whole, tuple(check_invariants(whole, records, limits, log)), state if records.height else None)


def attach_customers(persons: pl.DataFrame, crosswalk: pl.DataFrame) -> pl.DataFrame:
    """Records of persons with the ID of the customer whose contact each is, as the hub gets them."""
    current = crosswalk.filter("is_current").select("source", party_source_key="source_key", customer_gid="gid")
    return persons.join(current, on=["source", "party_source_key"], how="left", maintain_order="left")


def _replace_table(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    con.register("incoming", frame)
    con.execute(f"create or replace table hub.{name} as select * from incoming")  # noqa: S608 (names are the hub's own)
    con.unregister("incoming")
