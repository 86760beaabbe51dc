"""One resolution of organisations and persons over the working file: read parties, resolve, write the hub's tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl

from hub.hierarchy import add_hierarchy
from hub.identify import EVENT_SCHEMA
from hub.invariants import Finding, Limits, check_invariants
from hub.model import REVISION, Model, read_model, write_model
from hub.resolve import Resolution, resolve
from hub.rules.model import Rules
from hub.rules.read import load_rules
from orchestration.lib.limits import read_maximum

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
class Identities:
    """Both resolutions, what they add to the identity log, and which invariants they break."""

    organisations: Resolution
    persons: Resolution
    new_events: pl.DataFrame
    findings: tuple[Finding, ...]


def current_rule_version() -> str:
    """Both rule sets' versions; changes with any rule."""
    return f"{load_rules('organisation').version}+{load_rules('person').version}"


_PARTIES = """
select parties.*, party_values.value
from intermediate.int_parties_unioned as parties
left join intermediate.int_party_values as party_values using (source, source_key)
"""


def resolve_identities(
    con: duckdb.DuckDBPyConnection, models: Path, log: pl.DataFrame, decisions: pl.DataFrame, run_id: str, at: datetime
) -> Identities:
    """Resolve `intermediate.int_parties_unioned` and `int_persons_unioned` against the identity log (LOG_SCHEMA).

    decisions: what people decided (hub.decide), of both entities. models: the folder of the trained models; one that is missing
    there is trained and kept, so that weights and frequencies stay the same from run to run until the rules change.
    """
    parties = con.sql(_PARTIES).pl()
    organisations, org_findings = _resolve_entity(parties, load_rules("organisation"), models, log, decisions, run_id, at)
    org_events = _align(organisations.events)
    persons_in = con.sql("select * from intermediate.int_persons_unioned").pl()
    persons_in = _attach_customers(persons_in, organisations.crosswalk)
    grown = pl.concat([log, org_events])
    persons, person_findings = _resolve_entity(persons_in, load_rules("person"), models, grown, decisions, run_id, at)
    new_events = pl.concat([org_events, _align(persons.events)])
    return Identities(organisations, persons, new_events, (*org_findings, *person_findings))


def write_identities(con: duckdb.DuckDBPyConnection, identities: Identities, log: pl.DataFrame) -> dict[str, int]:
    """Replace the tables of schema `hub`; returns rows per table."""
    tables = {**list_tables(identities.organisations), **list_tables(identities.persons)}
    tables["identity_events"] = pl.concat([log, identities.new_events])
    con.execute("create schema if not exists hub")
    con.execute("begin")
    for name, frame in tables.items():
        _replace_table(con, name, frame)
    con.execute("commit")
    return {name: frame.height for name, frame in tables.items()}


def list_tables(resolution: Resolution) -> dict[str, pl.DataFrame]:
    """The frames of a resolution under the names and columns of the warehouse's hub tables."""
    entity = resolution.rules.entity
    golden = add_hierarchy(resolution)
    frames = {name: getattr(resolution, name) for name in _TABLES[entity]}
    frames["golden"] = golden.with_columns(status=pl.lit("active"))
    return {_TABLES[entity][name]: frame.rename({"gid": _OWN_ID[entity]}, strict=False) for name, frame in frames.items()}


def read_kept_model(folder: Path, rules: Rules) -> Model | None:
    """The model that was kept for these rules, or None."""
    return read_model(find_model_folder(folder, rules), rules) if find_model_folder(folder, rules).exists() else None


def find_model_folder(folder: Path, rules: Rules) -> Path:
    """Where the model for these rules is kept."""
    return folder / f"{rules.entity}-{rules.evidence_version}-{REVISION}"


def _align(events: pl.DataFrame) -> pl.DataFrame:
    renamed = events.rename({"gid": "customer_gid"}, strict=False)
    return renamed.select(pl.col(name).cast(dtype) for name, dtype in LOG_SCHEMA.items())


def _resolve_entity(
    records: pl.DataFrame, rules: Rules, models: Path, log: pl.DataFrame, decisions: pl.DataFrame, run_id: str, at: datetime
) -> tuple[Resolution, list[Finding]]:
    model = read_kept_model(models, rules)
    resolution = resolve(records, rules=rules, history=log, run_id=run_id, at=at, model=model, decisions=decisions)
    if model is None and records.height:
        write_model(resolution.model, find_model_folder(models, rules))
    limits = Limits(
        max_cluster_records=int(read_maximum("hub", "largest_cluster")),
        max_share_ids_changed=read_maximum("hub", "ids_changed_share"),
    )
    return resolution, check_invariants(resolution, records, limits, log)


def _attach_customers(persons: pl.DataFrame, crosswalk: pl.DataFrame) -> pl.DataFrame:
    current = crosswalk.filter("is_current").select("source", party_source_key="source_key", customer_gid="gid")
    return persons.join(current, on=["source", "party_source_key"], how="left", maintain_order="left")


def _replace_table(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    con.register("incoming", frame)
    con.execute(f"create or replace table hub.{name} as select * from incoming")  # noqa: S608 (names are the hub's own)
    con.unregister("incoming")
