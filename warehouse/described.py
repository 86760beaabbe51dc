"""What a published file says of itself: one row of `_publication`, and comments on its tables and columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from warehouse.sql import identifier, literal

_TABLE = "_publication"
_COLUMNS = {
    "seq": ("BIGINT", "Number of the publication."),
    "run_id": ("VARCHAR", "Run that made the data."),
    "published_at": ("TIMESTAMPTZ", "When the data were published first."),
    "code_version": ("VARCHAR", "Version of the code that derived them."),
    "rule_version": ("VARCHAR", "Version of the hub's rules, of customers and of persons."),
    "verdict": ("VARCHAR", "Verdict of the run's checks."),
    "n_rows": ("VARCHAR", "Rows by table (JSON)."),
    "restored_seq": ("BIGINT", "After a rollback: the publication that is served again."),
    "restored_at": ("TIMESTAMPTZ", "After a rollback: when."),
    "restored_by": ("VARCHAR", "After a rollback: by whom."),
    "restored_reason": ("VARCHAR", "After a rollback: why."),
}


@dataclass(frozen=True)
class Comments:
    """What a table holds, and what its columns do."""

    table: str
    columns: Mapping[str, str]


def write_description(connection: duckdb.DuckDBPyConnection, values: Sequence[Any]) -> None:
    """The row of `_publication` in the attached database `publication`; values: the first columns', the others are null."""
    columns = ", ".join(f"{name} {dtype}" for name, (dtype, _) in _COLUMNS.items())
    connection.execute(f"create table publication.main.{_TABLE} ({columns})")
    row = [*values, *[None] * (len(_COLUMNS) - len(values))]
    connection.execute(f"insert into publication.main.{_TABLE} values ({', '.join('?' * len(row))})", row)  # noqa: S608
    told = Comments("One row: which run, code and rules this file is of.", {name: text for name, (_, text) in _COLUMNS.items()})
    write_comments(connection, "publication", {_TABLE: told})


def write_comments(connection: duckdb.DuckDBPyConnection, database: str, comments: Mapping[str, Comments]) -> None:
    """Comments on those tables of an attached database that have some, and on those of their columns that exist."""
    place = identifier(database) + ".main."
    statements = []
    for table, columns in _list_columns(connection, database).items():
        if table in comments:
            statements.append(f"comment on table {place}{identifier(table)} is {literal(comments[table].table)}")
            statements += [
                f"comment on column {place}{identifier(table)}.{identifier(column)} is {literal(text)}"
                for column in columns
                if (text := comments[table].columns.get(column))
            ]
    # one by one they take eight times as long
    connection.execute("; ".join(["begin", *statements, "commit"]))


def read_comments(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, Comments]:
    """The comments on tables and columns of an attached database."""
    columns = _list_columns(connection, database)
    tables = "select table_name, comment from duckdb_tables() where database_name = ? and comment is not null"
    return {
        name: Comments(text, {column: told for column, told in columns[name].items() if told})
        for name, text in connection.execute(tables, [database]).fetchall()
    }


def _list_columns(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, dict[str, str | None]]:
    """By table its columns with their comments."""
    query = "select table_name, column_name, comment from duckdb_columns() where database_name = ? and schema_name = 'main'"
    found: dict[str, dict[str, str | None]] = {}
    for table, column, text in connection.execute(query, [database]).fetchall():
        found.setdefault(table, {})[column] = text
    return found
