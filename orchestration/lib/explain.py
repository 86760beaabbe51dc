"""Answers to "why", from the working file and landing: a customer, a pair of records, one landed record."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import polars as pl

from hub.decide import DECISION_SCHEMA
from hub.explain import explain_pair as score_pair
from hub.rules.read import load_rules
from orchestration.lib.identity import read_kept_model
from orchestration.lib.stores import Stores
from orchestration.project import ProjectError
from warehouse.batches import list_batches, list_files
from warehouse.decisions import read_decisions
from warehouse.home import Home
from warehouse.ledger import Ledger
from warehouse.sql import identifier, landing_table

Record = tuple[str, str]
FIGURES = "marts"


def explain_customer(con: duckdb.DuckDBPyConnection, subject: str) -> dict[str, Any]:
    """A customer by its ID (one that was given up is followed) or by one of its records as SOURCE:KEY."""
    gid = _find_customer(con, subject)
    return {
        "asked": subject,
        "customer_gid": gid,
        "golden": _rows(con, "select * from hub.golden_customers where customer_gid = ?", [gid]),
        "records": _rows(con, "select * from hub.crosswalk where customer_gid = ? order by source, source_key", [gid]),
        "lineage": _rows(
            con,
            "select * exclude (customer_gid) from hub.golden_lineage where customer_gid = ? order by attribute, is_winner desc",
            [gid],
        ),
        "edges": _rows(
            con,
            """
            select edges.* from hub.edges as edges
            join hub.crosswalk as a on a.source = source_a and a.source_key = source_key_a and a.is_current
            join hub.crosswalk as b on b.source = source_b and b.source_key = source_key_b and b.is_current
            where a.customer_gid = ? and b.customer_gid = a.customer_gid order by weight desc
            """,
            [gid],
        ),
        "decisions": _rows(
            con,
            """
            select distinct on (decision_id) decisions.* from hub.decisions as decisions
            join hub.crosswalk on customer_gid = ? and is_current
            where list_contains(group_a || group_b, {'source': source, 'source_key': source_key}) order by decision_id
            """,
            [gid],
        ),
        "events": _rows(
            con, "select * from hub.identity_events where customer_gid = ? or other_gid = ? order by event_no", [gid, gid]
        ),
    }


def explain_pair(con: duckdb.DuckDBPyConnection, stores: Stores, a: Record, b: Record) -> dict[str, Any]:
    """The evidence for and against two records, in bits, what people decided, and whether they are one customer now."""
    records = con.sql("select * from intermediate.int_parties_unioned").pl()
    try:
        rules = load_rules("organisation")
        decisions = read_decisions(stores.home, stores.ledger, DECISION_SCHEMA)
        score = score_pair(records, a, b, rules, read_kept_model(stores.home.models, rules), decisions)
    except KeyError as error:
        raise ProjectError(str(error.args[0])) from error
    customers = [_find_customer(con, f"{source}:{key}") for source, key in (a, b)]
    return {**score, "customers": customers, "are_one_customer": customers[0] == customers[1]}


def explain_record(con: duckdb.DuckDBPyConnection, home: Home, ledger: Ledger, reference: str) -> dict[str, Any]:
    """Every landed version of the record behind a `record_ref` (SOURCE/STREAM/KEY): batch, time, verbatim columns.

    The `evidence_ref` of a figure (marts/TABLE/KEY) is opened to the rows that it was counted from.
    """
    source, stream, key = _split_reference(reference)
    if source == FIGURES:
        return _explain_figure(con, stream, reference)
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


def _explain_figure(con: duckdb.DuckDBPyConnection, table: str, reference: str) -> dict[str, Any]:
    """The figure's row, and by table the rows behind it with what they come to when they are counted anew (ref_evidence)."""
    recipes = con.execute(
        """
        select evidence_table, rows_where, list(figure order by figure), list(formula order by figure)
        from policy.ref_evidence where figure_table = ? group by all order by all
        """,
        [table],
    ).fetchall()
    columns = con.execute(
        "select 1 from duckdb_columns() where schema_name = ? and table_name = ? and column_name = 'evidence_ref'",
        [FIGURES, table],
    ).fetchall()
    figure = f"with figure as (select * from {FIGURES}.{identifier(table)} where evidence_ref = ?)"  # noqa: S608 (quoted)
    rows = _rows(con, f"{figure} from figure", [reference]) if recipes and columns else []
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


def _find_customer(con: duckdb.DuckDBPyConnection, subject: str) -> str:
    source, colon, key = subject.partition(":")
    if colon:
        found = con.execute(
            "select customer_gid from hub.crosswalk where source = ? and source_key = ? and is_current", [source, key]
        ).fetchall()
        if not found:
            raise ProjectError(f"no record {key} of source {source}: look for it in the table crosswalk")
        return str(found[0][0])
    redirect = con.execute("select target_gid from hub.redirects where customer_gid = ?", [subject]).fetchall()
    gid = str(redirect[0][0]) if redirect else subject
    if not con.execute("select 1 from hub.golden_customers where customer_gid = ?", [gid]).fetchall():
        raise ProjectError(f"{subject} is no live customer: it was never issued, or its records are gone (see identity_events)")
    return gid


def _rows(con: duckdb.DuckDBPyConnection, query: str, parameters: list[Any]) -> list[dict[str, Any]]:
    frame: pl.DataFrame = con.sql(query, params=parameters).pl()
    return frame.to_dicts()
