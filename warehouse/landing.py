"""Landing: a batch becomes a Parquet file, then one ledger transaction makes it exist together with its cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from warehouse.batches import (
    BatchRow,
    SchemaChange,
    StreamState,
    commit_batch,
    list_batches,
    list_retired,
    move_cursor,
    next_seq,
    stream_state,
)
from warehouse.contract import find_headers
from warehouse.durable import replace_durably
from warehouse.erasure.suppression import read_erased
from warehouse.home import Home
from warehouse.landed import Incoming, compare_with_landed
from warehouse.ledger import Ledger, utc_now
from warehouse.protocols import BatchLike, StreamLike

MAX_SHRINK = 0.2


@dataclass(frozen=True)
class LandedBatch:
    """What one batch brought; `batch_id` is None when that was only a cursor. Repeats and erased records are not in `n_rows`."""

    batch_id: str | None
    n_rows: int
    n_upserts: int
    n_deletes: int
    n_rejects: int
    n_repeats: int
    schema_changes: tuple[SchemaChange, ...]


def land(
    home: Home,
    ledger: Ledger,
    source: str,
    stream: StreamLike,
    batch: BatchLike,
    run_id: str,
    *,
    max_shrink: float = MAX_SHRINK,
) -> LandedBatch:
    """Land one batch; the caller holds the run lock.

    Killed anywhere, either the batch and its cursor exist or neither does (a file without ledger row is no batch).
    Raises BatchRefusedError for a batch of the wrong shape, TruncationRefusedError when the live keys shrank by
    more than `max_shrink` (a share) and more than 20 rows.
    """
    return _commit(home, ledger, source, stream, batch, run_id, max_shrink, None, ())


def land_retry(
    home: Home,
    ledger: Ledger,
    source: str,
    stream: StreamLike,
    batch: BatchLike,
    run_id: str,
    *,
    retry_of: str,
    row_nos: tuple[int, ...],
) -> LandedBatch:
    """Land what became of the rejects `row_nos` of batch `retry_of`, in that batch's place in time; no cursor moves."""
    return _commit(home, ledger, source, stream, batch, run_id, 1.0, retry_of, row_nos)


def _commit(
    home: Home,
    ledger: Ledger,
    source: str,
    stream: StreamLike,
    batch: BatchLike,
    run_id: str,
    max_shrink: float,
    retry_of: str | None,
    row_nos: tuple[int, ...],
) -> LandedBatch:
    erased = read_erased(home, ledger, source, stream.name)
    landed, retired = _list_rivals(ledger, source, stream, batch), list_retired(ledger, source, stream.name)
    incoming, n_repeats = compare_with_landed(home, source, stream, batch, landed, max_shrink, erased, retired)
    if incoming.n_rows == 0 and incoming.n_erased == 0 and not incoming.retired and retry_of is None:
        move_cursor(ledger, source, stream.name, batch.cursor)
        return LandedBatch(None, 0, 0, 0, 0, n_repeats, ())
    now = utc_now()
    seq = next_seq(ledger)
    batch_id = f"{now:%Y%m%dT%H%M%SZ}-{seq:08d}"
    file = f"{source}/{stream.name}/{batch_id}.parquet" if incoming.n_rows else None
    landed_frame = _landing_frame(incoming, batch_id, retry_of) if file else pl.DataFrame()
    n_bytes = _write(home, file, landed_frame) if file else 0
    state = stream_state(ledger, source, stream.name)
    columns = {column: batch.vendor_types.get(column, "") for column in batch.rows.columns}
    changes = find_drift(stream, state, columns) if batch.rows.height else ()
    row = BatchRow(
        seq=seq,
        batch_id=batch_id,
        source=source,
        stream=stream.name,
        run_id=run_id,
        file=file,
        retry_of=retry_of,
        n_rows=incoming.n_rows + incoming.n_erased,
        n_upserts=incoming.upserts.height,
        n_deletes=incoming.deletes.height,
        n_rejects=incoming.rejects.height,
        n_repeats=n_repeats,
        n_erased=incoming.n_erased,
        n_bytes=n_bytes,
        columns={name: columns.get(name, "") for name in landed_frame.columns if not name.startswith("_")},
        cursor=None if retry_of else dict(batch.cursor),
        extracted_at=now,
    )
    new_state = StreamState(
        cursor=state.cursor if retry_of else dict(batch.cursor),
        columns={**state.columns, **{name: kind or state.columns.get(name, "") for name, kind in columns.items()}},
        present=tuple(columns) if batch.rows.height else state.present,
        fresh_at=now,
    )
    commit_batch(ledger, row, new_state, changes, row_nos, incoming.retired)
    if erased:
        erased.remember(ledger)
    return LandedBatch(batch_id, incoming.n_rows, row.n_upserts, row.n_deletes, row.n_rejects, n_repeats, changes)


def _list_rivals(ledger: Ledger, source: str, stream: StreamLike, batch: BatchLike) -> list[BatchRow]:
    """The batches that a new one has to be compared with."""
    if batch.rereads or batch.deleted is not None or batch.live_keys is not None:
        return list_batches(ledger, source, stream.name)
    if not (batch.replaces or batch.lists_refused):
        return []
    landed = list_batches(ledger, source, stream.name)
    refusing = [row for row in landed if row.n_rejects]
    return landed if batch.replaces and refusing else refusing


def find_drift(stream: StreamLike, state: StreamState, columns: dict[str, str]) -> tuple[SchemaChange, ...]:
    """What changed in a stream's columns (name -> vendor type) since its previous batch. On the first batch only
    declared columns can be missing. A column that comes back is not new; an unknown vendor type ("") is no change; a field
    that comes under another of its headers is not missing."""
    changes = []
    names = list(columns)
    if state.present:
        changes += [SchemaChange(name, "new_column", None, kind) for name, kind in columns.items() if name not in state.columns]
        replaced = _list_replaced_headers(stream, names)
        gone = [name for name in state.present if name not in columns and name.casefold() not in replaced]
    else:
        gone = [field.name for field in stream.fields if not find_headers(field, names)]
    changes += [SchemaChange(name, "missing_column", state.columns.get(name), None) for name in gone]
    for name, kind in columns.items():
        old = state.columns.get(name, "")
        if old and kind and old != kind:
            changes.append(SchemaChange(name, "retyped_column", old, kind))
    return tuple(changes)


def _list_replaced_headers(stream: StreamLike, columns: Sequence[str]) -> set[str]:
    """Every header, in small letters, of the fields that some of these columns hold."""
    return {header.casefold() for field in stream.fields if find_headers(field, columns) for header in field.headers}


def _landing_frame(incoming: Incoming, batch_id: str, retry_of: str | None) -> pl.DataFrame:
    rejects = incoming.rejects.rename({name: f"_{name}" for name in ("position", "reason", "payload")})
    parts = [(incoming.upserts, "upsert"), (incoming.deletes, "delete"), (rejects, "reject")]
    frames = [frame.with_columns(_op=pl.lit(op)) for frame, op in parts if frame.height]
    frame = frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal")
    absent = [pl.lit(None, pl.String).alias(name) for name in ("_reason", "_payload", "_position") if name not in frame.columns]
    return frame.with_columns(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("_row_no"),
        pl.lit(batch_id).alias("_batch_id"),
        pl.lit(retry_of, pl.String).alias("_retry_of"),
        *absent,
    )


def _write(home: Home, file: str, frame: pl.DataFrame) -> int:
    target = home.landing / file
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(target.name + ".tmp")
    frame.write_parquet(temporary, compression="zstd")
    replace_durably(temporary, target)
    return target.stat().st_size
