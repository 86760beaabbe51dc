"""DuckDB and SQLite files without traces. Both keep what was deleted in free pages, so a file is written anew or vacuumed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Set
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from warehouse.described import read_comments, write_comments
from warehouse.durable import replace_durably
from warehouse.erasure.traces import Record, Scrubber
from warehouse.sql import identifier, literal
from warehouse.working import NO_EXTENSIONS

BUSY_MS = 30_000
AT_ONCE = 20_000  # texts in memory


def clean_duckdb(path: Path, scrubber: Scrubber, attributes: Set[str], storage_version: str) -> int:
    """Write a DuckDB file anew where it has traces, tables in their order, rows in theirs; returns how many rows had some.

    A reader has the old file or the new one.
    """
    temporary = path.with_name(f".build-{path.name}")
    temporary.unlink(missing_ok=True)
    with duckdb.connect(config=NO_EXTENSIONS) as connection:
        connection.execute(f"attach {literal(str(path))} as old (read_only)")
        connection.execute("set timezone = 'UTC'")
        names = [
            name
            for (name,) in connection.execute(
                "select table_name from duckdb_tables() where database_name = 'old' and schema_name = 'main'"
            ).fetchall()
        ]
        found = {name: rows for name in names if (rows := _find_rows(connection, name, scrubber, attributes))}
        if not found:
            return 0
        connection.execute(f"attach {literal(str(temporary))} as new (storage_version {literal(storage_version)})")
        for name in names:
            _copy_table(connection, name, found.get(name, {}))
        write_comments(connection, "new", read_comments(connection, "old"))
        connection.execute("checkpoint new")
        connection.execute("detach new")
    temporary.chmod(path.stat().st_mode & 0o777)
    replace_durably(temporary, path)
    return sum(len(rows) for rows in found.values())


def _find_rows(
    connection: duckdb.DuckDBPyConnection, table: str, scrubber: Scrubber, attributes: Set[str]
) -> dict[int, Mapping[str, Any]]:
    """Rows as they are to be, by their number."""
    columns = connection.execute(
        "select column_name, data_type from duckdb_columns() where database_name = 'old' and table_name = ?", [table]
    ).fetchall()
    texts = [name for name, kind in columns if kind == "VARCHAR"]
    nested = [name for name, kind in columns if "VARCHAR" in kind and kind != "VARCHAR"]
    conditions = [_match_keys(side, scrubber.traces.records) for side in ("", "_a", "_b") if f"source_key{side}" in texts]
    if texts or nested:
        whole = ", ".join([*map(identifier, texts), *(f"{identifier(name)}::VARCHAR" for name in nested)])
        conditions += [f"regexp_matches(concat_ws(chr(31), {whole}), {literal(pattern)})" for pattern in scrubber.patterns]
    # short keys inside of a list have nothing else that tells of them
    conditions += [f"len({identifier(name)}) > 0" for name, kind in columns if "source_key" in kind and kind.endswith("[]")]
    if not conditions:
        return {}
    read = ", ".join(map(identifier, [*texts, *nested]))
    query = f"select rowid as __no, {read} from old.main.{identifier(table)} where {' or '.join(conditions)}"  # noqa: S608 (quoted)
    changed = {}
    for row in connection.sql(query).pl().iter_rows(named=True):
        number = row.pop("__no")
        cleaned = scrubber.clean_row(row, attributes)
        if cleaned is not row:
            changed[number] = cleaned
    return changed


def _match_keys(side: str, records: Mapping[Record, str]) -> str:
    pairs = ", ".join(f"({literal(source)}, {literal(key)})" for source, key in records)
    return f"(source{side}, source_key{side}) in ({pairs})" if pairs else "false"


def _copy_table(connection: duckdb.DuckDBPyConnection, table: str, changed: Mapping[int, Mapping[str, Any]]) -> None:
    name, source = identifier(table), f"old.main.{identifier(table)}"
    if not changed:
        connection.execute(f"create table new.main.{name} as select * from {source}")  # noqa: S608 (quoted)
        return
    columns = list(next(iter(changed.values())))
    frame = pl.DataFrame([{"__no": number, **row} for number, row in changed.items()], infer_schema_length=None)
    connection.register("changed", frame)
    kinds = dict(
        connection.execute(
            "select column_name, data_type from duckdb_columns() where database_name = 'old' and table_name = ?", [table]
        ).fetchall()
    )
    whole = ", ".join(
        _choose(identifier(column), kind) if column in columns else f"whole.{identifier(column)}"
        for column, kind in kinds.items()
    )
    connection.execute(
        f"create table new.main.{name} as select {whole} from (select *, rowid as __row from {source}) as whole "  # noqa: S608
        "left join changed on changed.__no = whole.__row order by whole.__row"
    )
    connection.unregister("changed")


def _choose(column: str, kind: str) -> str:
    return f"case when changed.__no is null then whole.{column} else changed.{column}::{kind} end as {column}"


def clean_sqlite(path: Path, scrubber: Scrubber) -> int:
    """Take traces out of every text of an SQLite file, whatever its tables are; returns texts changed. To be vacuumed after."""
    changed = 0
    with closing(sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None)) as connection:
        tables = connection.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'").fetchall()
        for (table,) in tables:
            for _, column, *_ in connection.execute(f"pragma table_info({identifier(table)})").fetchall():
                changed += _clean_column(connection, identifier(table), identifier(column), scrubber)
    return changed


def _clean_column(connection: sqlite3.Connection, table: str, column: str, scrubber: Scrubber) -> int:
    cleaned: list[tuple[str, int]] = []
    texts = connection.execute(f"select rowid, {column} from {table} where typeof({column}) = 'text'")  # noqa: S608 (quoted)
    while rows := texts.fetchmany(AT_ONCE):
        cleaned += [(new, number) for number, old, new in _clean_texts(rows, scrubber) if new is not old]
    connection.execute("begin immediate")
    connection.executemany(f"update {table} set {column} = ? where rowid = ?", cleaned)  # noqa: S608 (quoted)
    connection.execute("commit")
    return len(cleaned)


def _clean_texts(rows: list[tuple[int, str]], scrubber: Scrubber) -> Iterator[tuple[int, str, str]]:
    """Number, text and cleaned text of those of the rows in which there may be something."""
    texts = pl.Series([text for _, text in rows], dtype=pl.String)
    found = pl.Series([False] * len(rows), dtype=pl.Boolean)
    for pattern in scrubber.patterns:
        found |= texts.str.contains(pattern)
    for place in found.arg_true():
        number, text = rows[place]
        yield number, text, scrubber.clean_text(text)


def vacuum_sqlite(path: Path) -> None:
    """Nothing of what was deleted or overwritten stays in the file or its log."""
    with closing(sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None)) as connection:
        connection.execute("vacuum")
        connection.execute("pragma wal_checkpoint(truncate)")
