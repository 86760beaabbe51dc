"""Answers to "why", from the working file and landing: a customer or a person, a pair of records, one landed record."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import polars as pl

from hub.decisions import DECISION_SCHEMA
from hub.explain import add_reasons, read_pairs, read_told
from hub.explain import explain_pair as score_pair
from hub.ids.identify import align_events
from hub.model import Model
from hub.results.reasons import grow_tree, list_holding
from hub.rules.model import Rules
from orchestration.lib.decisions import ENTITIES, Entity, Working
from orchestration.lib.explain_folder import follow_id, follow_record
from orchestration.lib.identity import LOG_SCHEMA, attach_customers
from orchestration.lib.kept_hub import KeptHub
from orchestration.lib.models import read_kept_model
from orchestration.lib.stores import Stores
from orchestration.project import ProjectError, current_project
from warehouse.batches import list_batches, list_files
from warehouse.decisions import read_decisions
from warehouse.home import Home
from warehouse.ledger import Ledger
from warehouse.sql import identifier, landing_table

Record = tuple[str, str]
FIGURES = "marts"
_NOT_KEPT = "the hub's state after this run is gone or of other code; `goldthread run --rebuild` keeps it anew"


def explain_customer(con: duckdb.DuckDBPyConnection, subject: str, entity: str | None = None) -> dict[str, Any]:
    """A customer or a person by its ID (one that was given up is followed) or by one of its records as SOURCE:KEY; a record that
    was deleted stands for the one that it was of.

    entity: which of the two a record is asked for that is of both.
    """
    last, became = _follow_deleted(con, subject, entity)
    of, also = _choose_entity(con, [last], entity)
    gid = _find_gid(con, of, last)
    crosswalk = f"hub.{of.crosswalk}"
    queries = {
        "golden": f"select * from hub.{of.golden} where {of.gid} = $gid",  # noqa: S608 (of the hub)
        "records": f"select * from {crosswalk} where {of.gid} = $gid order by source, source_key",  # noqa: S608 (of the hub)
        "lineage": f"select * exclude ({of.gid}) from hub.{of.lineage} where {of.gid} = $gid order by attribute, is_winner desc",  # noqa: S608 (of the hub)
        "edges": f"""
            select edges.* from hub.{of.edges} as edges
            join {crosswalk} as a on a.source = source_a and a.source_key = source_key_a and a.is_current
            join {crosswalk} as b on b.source = source_b and b.source_key = source_key_b and b.is_current
            where a.{of.gid} = $gid and b.{of.gid} = a.{of.gid} order by weight desc
        """,  # noqa: S608 (of the hub)
        "decisions": f"""
            select distinct on (decision_id, kind) decisions.* from hub.{of.decisions} as decisions
            join {crosswalk} on {of.gid} = $gid and is_current
            where list_contains(group_a || group_b, {{'source': source, 'source_key': source_key}}) order by decision_id, kind
        """,  # noqa: S608 (of the hub)
        "events": "select * from hub.identity_events where customer_gid = $gid or other_gid = $gid order by event_no",
    }
    frames = {name: con.sql(query, params={"gid": gid}).pl() for name, query in queries.items()}
    holding = list_holding(con.sql(f"select * from hub.{of.decisions}").pl(), of.name)  # noqa: S608 (of the hub)
    members = frames["records"].filter("is_current").select("source", "source_key").rows()
    tree = grow_tree(read_told(frames["edges"]), holding, current_project().rules[of.name].match_bits, members)
    found = {name: frame.to_dicts() for name, frame in frames.items()}
    return {"asked": subject, "became": became, "entity": of.name, "also": also, of.gid: gid, "tree": tree, **found}


def explain_pair(
    con: duckdb.DuckDBPyConnection, stores: Stores, a: Record, b: Record, entity: str | None = None
) -> dict[str, Any]:
    """The evidence for and against two records, in bits, what people decided, whether they are one customer or person now, and
    the path that joins them or what keeps them two."""
    named = [f"{source}:{key}" for source, key in (a, b)]
    of, also = _choose_entity(con, named, entity)
    rules = current_project().rules[of.name]
    decisions = read_decisions(stores.home, stores.ledger, DECISION_SCHEMA)
    model = read_kept_model(stores.home.models, rules)
    score = score_pair(_read_records(con, of), a, b, rules, model, decisions)
    working = Working(con, of)
    sides = {gid: working.list_members(gid) for gid in (_find_gid(con, of, record) for record in named)}
    members = [record for side in sides.values() for record in side]
    pairs = _read_pairs(con, stores, of, rules, model, members)
    holders = {gid: working.read_records(_frame(side)) for gid, side in sides.items()}
    applied = con.sql(f"select * from hub.{of.decisions}").pl()  # noqa: S608 (of the hub)
    return {**add_reasons(score, sides, pairs, applied, holders, rules, _NOT_KEPT), "entity": of.name, "also": also}


def _read_pairs(
    con: duckdb.DuckDBPyConnection, stores: Stores, of: Entity, rules: Rules, model: Model | None, records: list[Record]
) -> pl.DataFrame:
    """The compared pairs of some records: all of them where the hub's state is that of the working file, else its edges."""
    state = KeptHub(stores.home.hub / of.name, rules).find(model, _read_log(con)) if model else None
    if state is not None:
        return read_pairs(state, records, rules)
    wanted, edges = _frame(records), con.sql(f"select * from hub.{of.edges}").pl()  # noqa: S608 (of the hub)
    for side in "ab":
        edges = edges.join(wanted, left_on=[f"source_{side}", f"source_key_{side}"], right_on=wanted.columns, how="semi")
    return read_told(edges)


def _read_log(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """The identity log with what the run that made the working file added."""
    log: pl.DataFrame = con.sql("select * from hub.identity_events").pl()
    return log.select(pl.col(name).cast(dtype) for name, dtype in LOG_SCHEMA.items())


def _frame(records: list[Record]) -> pl.DataFrame:
    return pl.DataFrame(records, schema=dict.fromkeys(("source", "source_key"), pl.String), orient="row")


def _read_records(con: duckdb.DuckDBPyConnection, of: Entity) -> pl.DataFrame:
    records: pl.DataFrame = con.sql(f"select * from intermediate.{of.records}").pl()  # noqa: S608 (of the hub)
    if of.name == "organisation":
        return records
    return attach_customers(records, con.sql("select * from hub.crosswalk").pl().rename({"customer_gid": "gid"}))


def explain_record(con: duckdb.DuckDBPyConnection, home: Home, ledger: Ledger, reference: str) -> dict[str, Any]:
    """Every landed version of the record behind a `record_ref` (SOURCE/STREAM/KEY): batch, time, verbatim columns.

    The `evidence_ref` of a figure (marts/TABLE/KEY) is opened to the rows that it was counted from; a table without one is named
    with the first column of the row.
    """
    source, stream, key = _split_reference(reference)
    if source == FIGURES:
        return _explain_figure(con, stream, key)
    batches = list_batches(ledger, source, stream)
    if not batches:
        raise ProjectError(f"{reference}: nothing has landed for {source}.{stream}; see `goldthread status`")
    loaded = _rows(con, f"select * from {landing_table(source, stream)} where _key = ?", [key])  # noqa: S608 (quoted)
    files = [str(home.landing / file) for file in list_files(batches)]
    landed = []
    for row in loaded:
        found = con.sql(
            "select * from read_parquet(?, union_by_name = true) where _batch_id = ? and _row_no = ?",
            params=[files, row["_batch_id"], row["_row_no"]],
        ).pl()
        landed += [{name: value for name, value in item.items() if value is not None} for item in found.to_dicts()]
    quarantined = _rows(
        con, "select * from landing._quarantine where source = ? and stream = ? and key = ?", [source, stream, key]
    )
    if not loaded and not quarantined:
        raise ProjectError(f'{reference}: no such record in {source}.{stream}; a key is a JSON array, such as ["5"]')
    return {"record_ref": reference, "key": json.loads(key), "accepted": loaded, "verbatim": landed, "quarantined": quarantined}


def _explain_figure(con: duckdb.DuckDBPyConnection, table: str, key: str) -> dict[str, Any]:
    """The figure's row, and by table the rows behind it with what they come to when they are counted anew (ref_evidence)."""
    recipes = con.execute(
        """
        select evidence_table, rows_where, list(figure order by figure), list(formula order by figure)
        from policy.ref_evidence where figure_table = ? group by all order by all
        """,
        [table],
    ).fetchall()
    query = "select column_name from duckdb_columns() where schema_name = ? and table_name = ? order by column_index"
    columns = [name for (name,) in con.execute(query, [FIGURES, table]).fetchall()]
    reference = f"{FIGURES}/{table}/{key}"
    if not recipes or not columns:
        raise ProjectError(f"{reference}: no such figure; the tables that have some are in ref_evidence")
    own = identifier(columns[0])
    named = "evidence_ref" if "evidence_ref" in columns else f"'{FIGURES}/{table}/' || to_json([cast({own} as varchar)])"
    figure = f"with figure as (select * from {FIGURES}.{identifier(table)} where {named} = ?)"  # noqa: S608 (quoted)
    rows = _rows(con, f"{figure} from figure", [reference])
    if not rows:
        raise ProjectError(f"{reference}: no such figure; an evidence_ref is in a row of a table such as fct_score_item")
    evidence = []
    for evidence_table, rows_where, names, formulas in recipes:
        chosen = f"from {FIGURES}.{identifier(evidence_table)} as evidence where {rows_where}"
        counted = [f"(select {formula} {chosen}) as {identifier(name)}" for name, formula in zip(names, formulas, strict=True)]
        [recounted] = _rows(con, f"{figure} from figure select {', '.join(counted)}", [reference])
        found = _rows(con, f"{figure} from figure, lateral (select evidence.* {chosen}) as rows select rows.*", [reference])
        evidence.append({"table": evidence_table, "counted": recounted, "rows": found})
    return {"evidence_ref": reference, "figure": rows[0], "evidence": evidence}


def _split_reference(reference: str) -> tuple[str, str, str]:
    parts = reference.split("/", 2)
    if len(parts) != 3:
        raise ProjectError(f'{reference!r} is no record_ref: it reads SOURCE/STREAM/KEY, such as hubspot/deals/["5"]')
    source, stream, key = parts
    return source, stream, key if key.startswith("[") else json.dumps([key])


def _choose_entity(con: duckdb.DuckDBPyConnection, subjects: list[str], asked: str | None) -> tuple[Entity, list[str]]:
    """What the subjects are of, and what else: an ID says it by its first letters, records by the crosswalk that has them all."""
    if asked not in (None, *ENTITIES):
        raise ProjectError(f"no entity {asked}: {', '.join(ENTITIES)}")
    told = {current_project().find_entity(subject) for subject in subjects} - {None}
    if told:
        if asked not in (None, *told):
            raise ProjectError(f"{' and '.join(subjects)}: the ID is of {', '.join(map(str, told))} and not of {asked}")
        return ENTITIES[str(told.pop())], []
    held = {subject: [name for name, of in ENTITIES.items() if _find_holder(con, of, subject)] for subject in subjects}
    for subject, names in held.items():
        if not names:
            _, colon, _ = subject.partition(":")
            looked = "look for it in the tables crosswalk and person_crosswalk" if colon else "write an ID, or SOURCE:KEY"
            raise ProjectError(f"no record {subject}: {looked}")
    common = [name for name in ENTITIES if all(name in names for names in held.values())]
    chosen = [name for name in common if asked in (None, name)]
    if not chosen:
        said = "; ".join(f"{subject} is of {', '.join(names)}" for subject, names in held.items())
        raise ProjectError(f"{said}: " + ("a customer and a person are never one" if not common else f"none is of {asked}"))
    return ENTITIES[chosen[0]], [name for name in common if name != chosen[0]]


def _find_holder(con: duckdb.DuckDBPyConnection, of: Entity, subject: str) -> str | None:
    source, _, key = subject.partition(":")
    query = f"select {of.gid} from hub.{of.crosswalk} where source = ? and source_key = ? and is_current"  # noqa: S608 (of the hub)
    found = con.execute(query, [source, key]).fetchall()
    return str(found[0][0]) if found else None


def _follow_deleted(con: duckdb.DuckDBPyConnection, subject: str, asked: str | None) -> tuple[str, list[str]]:
    """The subject, and what became of an ID on the way; for a record that is no more the ID that leads on from its last one."""
    log = _read_log(con).rename({"customer_gid": "gid"})
    source, colon, key = subject.partition(":")
    if not colon:
        return subject, follow_id(log, subject)[1]
    if any(_find_holder(con, of, subject) for of in ENTITIES.values()):
        return subject, []
    for name in (name for name in ENTITIES if asked in (None, name)):
        gid, became = follow_record(align_events(log, current_project().rules[name].id_prefix)[0], (source, key))
        if gid:
            return gid, became
    return subject, []


def _find_gid(con: duckdb.DuckDBPyConnection, of: Entity, subject: str) -> str:
    held = _find_holder(con, of, subject)
    if held is not None:
        return held
    redirect = con.execute(f"select target_gid from hub.{of.redirects} where {of.gid} = ?", [subject]).fetchall()  # noqa: S608 (of the hub)
    gid = str(redirect[0][0]) if redirect else subject
    if not con.execute(f"select 1 from hub.{of.golden} where {of.gid} = ?", [gid]).fetchall():  # noqa: S608 (of the hub)
        called = "customer" if of.name == "organisation" else of.name
        _, became = follow_id(_read_log(con).rename({"customer_gid": "gid"}), subject)
        raise ProjectError(f"{subject} is no live {called}: {'; '.join(became) or 'it was never issued'}")
    return gid


def _rows(con: duckdb.DuckDBPyConnection, query: str, parameters: list[Any] | dict[str, Any]) -> list[dict[str, Any]]:
    frame: pl.DataFrame = con.sql(query, params=parameters).pl()
    return frame.to_dicts()
