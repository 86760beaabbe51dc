"""Reconciliation: every landed row is somewhere, and only once, from the ledger to staging."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import duckdb
import polars as pl
import sqlalchemy as sa

from warehouse import tables
from warehouse.batches import Fates, list_batches, list_files
from warehouse.canonical import FeedFates
from warehouse.home import Home
from warehouse.ledger import Ledger, utc_now
from warehouse.sql import landing_table

RECONCILIATION_SCHEMA = {
    "source": pl.String,
    "stream": pl.String,
    "equality": pl.String,
    "expected": pl.Int64,
    "actual": pl.Int64,
    "ok": pl.Boolean,
    "message": pl.String,
}


class Equality(StrEnum):
    """What must be equal for a stream."""

    IN_FILES = "rows in the landing files + erased = rows that the ledger committed"
    LOADED = "rows loaded = rows that the ledger committed"
    SHARED = "accepted + superseded + quarantined + tombstoned + erased = rows loaded"
    IN_TABLE = "rows of the landing table = accepted"
    IN_QUARANTINE = "rows in quarantine = quarantined"
    STAGED = "rows staged = accepted"
    FED = "rows staged + superseded by a newer one + left out by `when` = accepted"


def reconcile(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    ledger: Ledger,
    run_id: str,
    staged_counts: Mapping[tuple[str, str], int],
    feeds: Sequence[FeedFates] = (),
) -> pl.DataFrame:
    """Check every equality of every stream that ever landed and record the outcome for the run.

    `staged_counts`: rows of the staging model over (source, stream), for those that have one; `feeds`: what became of the
    rows of the others. Returns one row per stream and equality: source, stream, equality, expected, actual, ok, message
    ("" when ok).
    """
    state = tables.stream_state
    streams = ledger.read(sa.select(state.c.source, state.c.stream).order_by(state.c.source, state.c.stream))
    rows = [
        {"source": row["source"], "stream": row["stream"], **equality}
        for row in streams
        for equality in _reconcile_stream(connection, home, ledger, row["source"], row["stream"], staged_counts, feeds)
    ]
    if rows:
        with ledger.write() as write:
            write.execute(tables.reconciliation.insert(), [{**row, "run_id": run_id, "at": utc_now()} for row in rows])
    return pl.DataFrame(rows, schema=RECONCILIATION_SCHEMA)


def _reconcile_stream(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    ledger: Ledger,
    source: str,
    stream: str,
    staged_counts: Mapping[tuple[str, str], int],
    feeds: Sequence[FeedFates],
) -> list[dict[str, object]]:
    batches = list_batches(ledger, source, stream)
    in_ledger = sum(batch.n_rows for batch in batches)
    erased = sum(batch.n_erased for batch in batches)
    files = [str(home.landing / file) for file in list_files(batches)]
    in_files = _count(connection, "select count(*) from read_parquet(?)", [files]) if files else 0
    fates = _read_fates(connection, source, stream)
    in_table = _count(connection, f"select count(*) from {landing_table(source, stream)}", [])  # noqa: S608
    in_quarantine = _count(
        connection, "select count(*) from landing._quarantine where source = ? and stream = ?", [source, stream]
    )
    shared = fates.accepted + fates.superseded + fates.quarantined + fates.tombstoned + fates.erased
    where = f"{source}/{stream}"
    equalities = [
        _compare(where, Equality.IN_FILES, in_ledger, in_files + erased),
        _compare(where, Equality.LOADED, in_ledger, fates.rows_in),
        _compare(where, Equality.SHARED, fates.rows_in, shared),
        _compare(where, Equality.IN_TABLE, fates.accepted, in_table),
        _compare(where, Equality.IN_QUARANTINE, fates.quarantined, in_quarantine),
    ]
    if (source, stream) in staged_counts:
        equalities.append(_compare(where, Equality.STAGED, fates.accepted, staged_counts[source, stream]))
    for feed in feeds:
        if (feed.source, feed.stream) == (source, stream):
            found = feed.staged + feed.superseded + feed.left_out
            equalities.append(_compare(where, f"as {feed.entity}: {Equality.FED}", fates.accepted, found))
    return equalities


def _compare(where: str, equality: str, expected: int, actual: int) -> dict[str, object]:
    ok = expected == actual
    message = "" if ok else f"{where}: {equality}: expected {expected}, found {actual}"
    return {"equality": str(equality), "expected": expected, "actual": actual, "ok": ok, "message": message}


def _read_fates(connection: duckdb.DuckDBPyConnection, source: str, stream: str) -> Fates:
    query = "select * exclude (source, stream) from landing._fates where source = ? and stream = ?"
    rows = connection.execute(query, [source, stream]).fetchall()
    return Fates(*rows[0]) if rows else Fates()


def _count(connection: duckdb.DuckDBPyConnection, query: str, parameters: list[object]) -> int:
    return int(connection.execute(query, parameters).fetchall()[0][0])
