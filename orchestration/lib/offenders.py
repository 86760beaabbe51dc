"""The rows behind a broken check: how many they are, and a few of them with what is wrong; looked up only when it broke."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import duckdb

from connectors.base import Stream
from orchestration.lib.limits import SEED
from orchestration.lib.metrics import GOLDEN, Golden, find_invalid_codes, find_time_column, list_golden_attributes
from warehouse.sql import identifier, landing_table, literal

# what a message shows of them: it becomes part of the verdict's one line
SAMPLE, COLUMNS, CHARACTERS = 3, 4, 60


@dataclass(frozen=True)
class Offenders:
    """How many rows (or what `unit` says) break a rule, and the first of them: columns and values."""

    count: int
    sample: tuple[dict[str, Any], ...]
    unit: str = "row"
    of: int | None = None  # how many there are in all
    advice: str = ""

    def describe(self) -> str:
        """The count and the sample in words."""
        rows = " | ".join(" ".join(f"{name}={_show(value)}" for name, value in row.items()) for row in self.sample)
        unit = self.unit if (self.of or self.count) == 1 else f"{self.unit}s"
        more = " | ..." if self.count > len(self.sample) else ""
        total = "" if self.of is None else f"of {self.of} "
        return f"{self.count} {total}{unit}: {rows}{more}{self.advice}"


def _show(value: Any) -> str:
    text = "null" if value is None else value.isoformat(" ") if isinstance(value, datetime) else str(value)
    return text if len(text) <= CHARACTERS else f"{text[:CHARACTERS]}..."


def list_rows(con: duckdb.DuckDBPyConnection, query: str) -> Offenders:
    """The rows of a query, and the first columns of some, which are its ids."""
    [[count]] = con.execute(f"select count(*) from (\n{query}\n)").fetchall()  # noqa: S608 (of this module, or a dbt test)
    found = con.execute(f"select * from (\n{query}\n) order by all limit {SAMPLE}")  # noqa: S608
    names = [column[0] for column in found.description or ()][:COLUMNS]
    return Offenders(count, tuple(dict(zip(names, row, strict=False)) for row in found.fetchall()))


def find_landing_rows(
    con: duckdb.DuckDBPyConnection, metric: str, source: str, stream: Stream, missing: Sequence[str], latest: datetime
) -> Offenders:
    """The rows of a landed table that a metric of measure_landing counts.

    `missing`: the required columns that no longer arrive; `latest`: the last moment that is no defect.
    """
    table = landing_table(source, stream.name)
    match metric:
        case "duplicate_keys":
            query = f"select _key, count(*) as n_rows from {table} where _key is not null group by _key having count(*) > 1"  # noqa: S608
        case "null_keys":
            query = f"select _batch_id, _row_no from {table} where _key is null"  # noqa: S608
        case "null_required":
            query = _empty_fields_query(table, [field.name for field in stream.fields if field.required])
        case "missing_required_columns":
            return Offenders(len(missing), tuple({"column": name} for name in missing[:SAMPLE]), "column")
        case "quarantined_share":
            return _find_quarantined(con, source, stream.name)
        case "days_ahead":
            time = identifier(find_time_column(stream) or "")
            query = f"select _key, {time} from {table} where {time} > timestamptz '{latest.isoformat()}'"  # noqa: S608
        case _:
            raise KeyError(f"no rows are known for the landing metric {metric!r}: add a query beside the others")
    return list_rows(con, query)


def _find_quarantined(con: duckdb.DuckDBPyConnection, source: str, stream: str) -> Offenders:
    where = f"where source = {literal(source)} and stream = {literal(stream)}"
    found = list_rows(con, f"select coalesce(position, key, batch_id) as place, reason from landing._quarantine {where}")  # noqa: S608
    [[rows_in]] = con.execute(f"select coalesce(sum(rows_in), 0)::BIGINT from landing._fates {where}").fetchall()  # noqa: S608
    return replace(
        found,
        of=rows_in,
        advice=f"; see `goldthread quarantine list --source {source} --stream {stream}`, mend the files or the contract, "
        f"run again; the limit is quarantined_share in the seed {SEED.name}",
    )


def _empty_fields_query(table: str, names: Sequence[str]) -> str:
    empty = ", ".join(f"case when {identifier(name)} is null then {literal(name)} end" for name in names)
    return f"select _key, concat_ws(', ', {empty}) as empty from {table} where coalesce({empty}) is not null"  # noqa: S608


def find_golden_rows(con: duckdb.DuckDBPyConnection, metric: str, subject: str) -> Offenders:
    """The golden or crosswalk rows that a metric of measure_golden counts; `subject`: the golden table."""
    [golden] = [golden for golden in GOLDEN if golden.table == subject]
    table, gid, name = golden.table, golden.gid, golden.name
    match metric:
        case "null_ids":
            query = f"select {gid}, {name} from {table} where {gid} is null"  # noqa: S608
        case "duplicate_ids":
            query = f"select {gid}, count(*) as n_rows from {table} group by {gid} having count({gid}) > 1"  # noqa: S608
        case "unnamed_share":
            query = f"select {gid}, {name} from {table} where {name} is null"  # noqa: S608
        case "unknown_ids":
            query = f"""select source, source_key, {gid} from {golden.crosswalk} as crosswalk where is_current
                and not exists (select 1 from {table} as golden where golden.{gid} = crosswalk.{gid})"""  # noqa: S608
        case "without_lineage":
            query = _untraced_query(golden)
        case "invalid_tax_numbers":
            codes = ", ".join(map(literal, find_invalid_codes(con)))
            query = f"select {gid}, tax_no from {table} where tax_no in ({codes})"  # noqa: S608
        case _:
            raise KeyError(f"no rows are known for the golden metric {metric!r}: add a query beside the others")
    return list_rows(con, query)


def _untraced_query(golden: Golden) -> str:
    return " union all ".join(
        f"""select golden.{golden.gid}, {literal(attribute)} as attribute from {golden.table} as golden
            where golden.{identifier(attribute)} is not null and not exists (
                select 1 from {golden.lineage} as lineage where lineage.{golden.gid} = golden.{golden.gid}
                    and lineage.attribute = {literal(attribute)} and lineage.is_winner)"""  # noqa: S608
        for attribute in list_golden_attributes(golden)
    )
