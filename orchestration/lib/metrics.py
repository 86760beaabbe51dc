"""What the suites look at: one aggregate query per table, one row per table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import polars as pl

from connectors.base import Stream
from hub.normalize.codes import parse_tax_numbers
from orchestration.lib.own_rules import list_attributes
from orchestration.project import current_project
from warehouse.sql import literal

SECONDS_A_DAY = 86400.0
TIME_KINDS = {"timestamp", "epoch_ms", "epoch_s"}
LANDING_METRICS = {
    "stream": pl.String,
    "duplicate_keys": pl.Int64,
    "null_keys": pl.Int64,
    "null_required": pl.Int64,
    "missing_required_columns": pl.Int64,
    "quarantined_share": pl.Float64,
    "days_ahead": pl.Float64,
}


@dataclass(frozen=True)
class Golden:
    """A golden table: its ID and name, where its IDs are used, where its values come from, and whose rules made it."""

    table: str
    gid: str
    name: str
    crosswalk: str
    lineage: str
    entity: str


ORGANISATIONS = Golden(
    "hub.golden_customers", "customer_gid", "company_name", "hub.crosswalk", "hub.golden_lineage", "organisation"
)
PERSONS = Golden("hub.golden_persons", "person_gid", "full_name", "hub.person_crosswalk", "hub.person_lineage", "person")
GOLDEN = (ORGANISATIONS, PERSONS)


def measure_landing(
    con: duckdb.DuckDBPyConnection,
    streams: Iterable[tuple[str, Stream]],
    missing: Mapping[tuple[str, str], Sequence[str]],
    as_of: datetime,
) -> pl.DataFrame:
    """One row per stream, columns LANDING_METRICS; `missing`: the required columns that no longer arrive."""
    rows = []
    for source, stream in streams:
        [row] = con.execute(_landing_query(source, stream), [source, stream.name]).fetchall()
        duplicates, null_keys, null_required, share, newest = row
        ahead = (newest - as_of).total_seconds() / SECONDS_A_DAY if newest else None
        gone = len(missing.get((source, stream.name), ()))
        rows.append((f"{source}.{stream.name}", duplicates, null_keys, null_required, gone, share, ahead))
    return pl.DataFrame(rows, schema=LANDING_METRICS, orient="row")


def _landing_query(source: str, stream: Stream) -> str:
    required = [_quote(field.name) for field in stream.fields if field.required]
    nulls = " + ".join(f"count(*) filter (where {column} is null)" for column in required) or "0"
    time = find_time_column(stream)
    newest = f"max({_quote(time)})" if time else "null"
    return f"""
        select count(_key) - count(distinct _key), count(*) filter (where _key is null), {nulls},
            (select quarantined / nullif(rows_in, 0) from landing._fates where source = ? and stream = ?), {newest}
        from landing.{_quote(f"{source}__{stream.name}")}
    """  # noqa: S608 (names are quoted)


def find_time_column(stream: Stream) -> str | None:
    """The column that says when a row was last changed."""
    return next((field.name for field in stream.fields if field.name == stream.version and field.kind in TIME_KINDS), None)


def measure_golden(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """One row per golden table and crosswalk: IDs missing, doubled, unknown; values without lineage; bad credit codes."""
    parts = [_golden_query(golden, list_golden_attributes(golden)) for golden in GOLDEN]
    measured: pl.DataFrame = con.sql(" union all by name ".join(parts)).pl()
    invalid = pl.when(pl.col("subject") == "hub.golden_customers").then(len(find_invalid_codes(con)))
    return measured.with_columns(invalid_tax_numbers=invalid)


def find_invalid_codes(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Golden credit codes of full length that fail a check digit; shorter numbers are other kinds of number."""
    codes = con.sql("select tax_no from hub.golden_customers where length(tax_no) = 18").pl()["tax_no"]
    return [str(code) for code in codes.filter(parse_tax_numbers(codes)["tax_code"].is_null())]


def list_golden_attributes(golden: Golden) -> list[str]:
    """The attributes that the project's rules give a golden table."""
    return list_attributes(current_project().rules[golden.entity])


def _golden_query(golden: Golden, attributes: Iterable[str]) -> str:
    without = " + ".join(_untraced_query(golden, attribute) for attribute in attributes)
    gid, table = golden.gid, golden.table
    return f"""
        select '{table}' as subject,
            count(*) filter (where {gid} is null) as null_ids,
            count({gid}) - count(distinct {gid}) as duplicate_ids,
            count(*) filter (where {golden.name} is null) / nullif(count(*), 0) as unnamed_share,
            (select count(*) from {golden.crosswalk} as crosswalk where crosswalk.is_current
                and not exists (select 1 from {table} as golden where golden.{gid} = crosswalk.{gid})) as unknown_ids,
            {without} as without_lineage
        from {table}
    """  # noqa: S608 (names from the constants above and the project's rules)


def _untraced_query(golden: Golden, attribute: str) -> str:
    """How many golden values of an attribute no winning row of the lineage gives."""
    return f"""(
        select count(*) from {golden.table} as golden where golden.{_quote(attribute)} is not null and not exists (
            select 1 from {golden.lineage} as lineage where lineage.{golden.gid} = golden.{golden.gid}
                and lineage.attribute = {literal(attribute)} and lineage.is_winner)
    )"""  # noqa: S608 (names from the constants above, quoted ones from the project's rules)


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
