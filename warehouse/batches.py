"""The ledger's knowledge of batches: which exist, where their rows are, where each stream stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import polars as pl
import sqlalchemy as sa

from warehouse import tables
from warehouse.ledger import Ledger, utc_now


@dataclass(frozen=True)
class BatchRow:
    """A committed batch. `file` is relative to the landing directory; several batches may share one."""

    seq: int
    batch_id: str
    source: str
    stream: str
    run_id: str
    file: str | None
    retry_of: str | None
    n_rows: int
    n_upserts: int
    n_deletes: int
    n_rejects: int
    n_repeats: int
    n_erased: int
    n_bytes: int
    columns: dict[str, str]
    cursor: dict[str, Any] | None
    extracted_at: datetime


@dataclass(frozen=True)
class SchemaChange:
    """A column that came, went or changed its vendor type."""

    column_name: str
    kind: str  # new_column | missing_column | retyped_column
    old_type: str | None = None
    new_type: str | None = None


@dataclass(frozen=True)
class Retired:
    """Rows of a batch that are in quarantine no longer, be they bad or not. `cause` is replaced or dismissed."""

    batch_id: str
    first_row: int
    last_row: int
    cause: str = "replaced"
    actor: str | None = None
    reason: str | None = None

    def holds(self, batch_id: str, row_no: int) -> bool:
        """Whether a row is one of these."""
        return batch_id == self.batch_id and self.first_row <= row_no <= self.last_row


@dataclass(frozen=True)
class StreamState:
    """Where a stream stands: its cursor and the columns it has had."""

    cursor: dict[str, Any] | None
    columns: dict[str, str]
    present: tuple[str, ...]
    fresh_at: datetime | None


@dataclass(frozen=True)
class Fates:
    """What became of a stream's rows; rows_in = accepted + superseded + quarantined + tombstoned + erased."""

    rows_in: int = 0
    accepted: int = 0
    superseded: int = 0
    quarantined: int = 0
    tombstoned: int = 0
    erased: int = 0


def next_seq(ledger: Ledger) -> int:
    """Number of the next batch. Only the holder of the run lock commits batches; a clash would fail on the key."""
    return int(ledger.read(sa.select(sa.func.coalesce(sa.func.max(tables.batch.c.seq), 0).label("seq")))[0]["seq"]) + 1


def list_batches(ledger: Ledger, source: str, stream: str) -> list[BatchRow]:
    """Batches of a stream, oldest first."""
    table = tables.batch
    query = sa.select(table).where(table.c.source == source, table.c.stream == stream).order_by(table.c.seq)
    return [BatchRow(**row) for row in ledger.read(query)]


def list_files(batches: Sequence[BatchRow]) -> list[str]:
    """Landing files of batches, each once."""
    return list(dict.fromkeys(batch.file for batch in batches if batch.file is not None))


def union_columns(batches: Sequence[BatchRow]) -> list[str]:
    """Vendor columns of batches, each once."""
    return list(dict.fromkeys(column for batch in batches for column in batch.columns))


def stream_state(ledger: Ledger, source: str, stream: str) -> StreamState:
    """Where a stream stands; empty for one that never landed."""
    table = tables.stream_state
    rows = ledger.read(sa.select(table).where(table.c.source == source, table.c.stream == stream))
    if not rows:
        return StreamState(None, {}, (), None)
    row = rows[0]
    return StreamState(row["cursor"], row["columns"], tuple(row["present"]), row["fresh_at"])


def read_cursor(ledger: Ledger, source: str, stream: str) -> dict[str, Any] | None:
    """The cursor that the last committed batch brought the stream to."""
    return stream_state(ledger, source, stream).cursor


def commit_batch(
    ledger: Ledger,
    batch: BatchRow,
    state: StreamState,
    changes: Sequence[SchemaChange] = (),
    retried: Sequence[int] = (),
    retired: Sequence[Retired] = (),
) -> None:
    """One transaction: the batch, its cursor, its schema, its drift, the rejects (row numbers) that it answers, and the rows
    of earlier batches that it retires."""
    where = {"source": batch.source, "stream": batch.stream}
    with ledger.write() as connection:
        connection.execute(tables.batch.insert().values(**asdict(batch)))
        _put(connection, tables.stream_state, where, asdict(state))
        if changes:
            rows = [
                {**where, **asdict(change), "run_id": batch.run_id, "batch_id": batch.batch_id, "at": utc_now()}
                for change in changes
            ]
            connection.execute(tables.schema_change.insert(), rows)
        if retried:
            rows = [{"batch_id": batch.retry_of, "row_no": row_no, "retry_batch_id": batch.batch_id} for row_no in retried]
            connection.execute(tables.retried_reject.insert(), rows)
        if retired:
            rows = [{**asdict(rows), "by_batch_id": batch.batch_id, "at": utc_now()} for rows in retired]
            connection.execute(tables.retired_rows.insert(), rows)


def move_cursor(ledger: Ledger, source: str, stream: str, cursor: Mapping[str, Any]) -> None:
    """Bring a stream to a cursor without a batch: the source had nothing new."""
    state = replace(stream_state(ledger, source, stream), cursor=dict(cursor), fresh_at=utc_now())
    with ledger.write() as connection:
        _put(connection, tables.stream_state, {"source": source, "stream": stream}, asdict(state))


def note_read(ledger: Ledger, source: str, stream: str) -> None:
    """The stream was read to its end and yielded nothing, not even a cursor: what has landed is as fresh as this read."""
    state = replace(stream_state(ledger, source, stream), fresh_at=utc_now())
    with ledger.write() as connection:
        _put(connection, tables.stream_state, {"source": source, "stream": stream}, asdict(state))


def move_files(ledger: Ledger, old_files: Sequence[str], new_file: str, n_bytes: int) -> None:
    """Let all batches of `old_files` be read from `new_file`."""
    table = tables.batch
    with ledger.write() as connection:
        connection.execute(table.update().where(table.c.file.in_(old_files)).values(file=new_file, n_bytes=n_bytes))


def schema_changes(ledger: Ledger, *, run_id: str | None = None) -> list[dict[str, Any]]:
    """Recorded drift, oldest first: source, stream, column_name, kind, old_type, new_type, batch_id, run_id, at."""
    table = tables.schema_change
    query = sa.select(table).order_by(table.c.seq)
    return ledger.read(query if run_id is None else query.where(table.c.run_id == run_id))


def retried_rejects(ledger: Ledger, source: str, stream: str) -> pl.DataFrame:
    """Rejects of a stream that a later batch answered: batch_id, row_no."""
    retried, batch = tables.retried_reject, tables.batch
    query = (
        sa.select(retried.c.batch_id, retried.c.row_no)
        .join(batch, batch.c.batch_id == retried.c.batch_id)
        .where(batch.c.source == source, batch.c.stream == stream)
    )
    return pl.DataFrame(ledger.read(query), schema={"batch_id": pl.String, "row_no": pl.Int64})


def list_retired(ledger: Ledger, source: str, stream: str) -> list[Retired]:
    """Rows of a stream that are in quarantine no longer, whatever they hold; oldest first."""
    retired, batch = tables.retired_rows, tables.batch
    query = (
        sa.select(*(retired.c[name] for name in Retired.__dataclass_fields__))
        .join(batch, batch.c.batch_id == retired.c.batch_id)
        .where(batch.c.source == source, batch.c.stream == stream)
        .order_by(retired.c.seq)
    )
    return [Retired(**row) for row in ledger.read(query)]


def store_fates(ledger: Ledger, source: str, stream: str, fates: Fates) -> None:
    """Keep a stream's fates where they can be read while the working file is busy."""
    if read_fates(ledger, source, stream) != fates:
        with ledger.write() as connection:
            _put(connection, tables.stream_fates, {"source": source, "stream": stream}, {**asdict(fates), "loaded_at": utc_now()})


def read_fates(ledger: Ledger, source: str, stream: str) -> Fates | None:
    """Fates at the stream's last load; None before the first."""
    table = tables.stream_fates
    columns = [table.c[name] for name in Fates.__dataclass_fields__]
    rows = ledger.read(sa.select(*columns).where(table.c.source == source, table.c.stream == stream))
    return Fates(**rows[0]) if rows else None


def _put(connection: sa.Connection, table: sa.Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    condition = sa.and_(*(table.c[name] == value for name, value in key.items()))
    if connection.execute(table.update().where(condition).values(**values)).rowcount == 0:
        connection.execute(table.insert().values(**key, **values))
