"""Quarantine: what was refused, why, and trying again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb
import polars as pl
import sqlalchemy as sa

from warehouse import tables
from warehouse.batches import (
    BatchRow,
    Retired,
    commit_batch,
    list_batches,
    list_retired,
    next_seq,
    retried_rejects,
    stream_state,
)
from warehouse.home import Home
from warehouse.landed import REJECT_SCHEMA
from warehouse.landing import LandedBatch, land_retry
from warehouse.ledger import Ledger, utc_now
from warehouse.protocols import BatchLike, StreamLike

Retry = Callable[[str, pl.DataFrame], BatchLike | None]


@dataclass(frozen=True)
class RetryBatch:
    """What a retry brought, less what was refused in the same words again."""

    rows: pl.DataFrame
    rejects: pl.DataFrame | None
    vendor_types: Mapping[str, str]
    cursor: Mapping[str, Any] = field(default_factory=dict)
    deleted: pl.DataFrame | None = None
    live_keys: pl.DataFrame | None = None
    rereads: bool = False
    replaces: tuple[str, ...] = ()
    lists_refused: bool = False


def list_quarantine(
    connection: duckdb.DuckDBPyConnection, source: str | None = None, stream: str | None = None, limit: int = 100
) -> pl.DataFrame:
    """Quarantined rows, newest first: source, stream, key, reason, payload, position (where it stands in its file or answer),
    batch_id, row_no, extracted_at."""
    query = """
        select * from landing._quarantine
        where source = coalesce(?, source) and stream = coalesce(?, stream)
        order by extracted_at desc, batch_id desc, row_no limit ?
    """
    rows: pl.DataFrame = connection.sql(query, params=[source, stream, limit]).pl()
    return rows


def find_unloaded(connection: duckdb.DuckDBPyConnection, ledger: Ledger, streams: Iterable[tuple[str, str]]) -> list[str]:
    """Those streams (source, name) of which more has landed than the working file holds, so that its quarantine lacks some."""
    batch = tables.batch
    newest = sa.select(batch.c.source, batch.c.stream, sa.func.max(batch.c.seq).label("seq")).group_by(
        batch.c.source, batch.c.stream
    )
    landed = {(row["source"], row["stream"]): row["seq"] for row in ledger.read(newest)}
    rows = connection.execute("select source, stream, batch_seq from landing._loaded").fetchall()
    loaded = {(source, stream): seq for source, stream, seq in rows}
    return [
        f"{source}.{stream}" for source, stream in streams if landed.get((source, stream), 0) > loaded.get((source, stream), 0)
    ]


def dismiss_rows(ledger: Ledger, rows: pl.DataFrame, run_id: str, actor: str, reason: str) -> None:
    """Give up rows of `list_quarantine`: from the next load on they count as superseded, until their source says them anew.

    The caller holds the run lock. Who, when and why stay in the ledger (`retired_rows`).
    """
    for (source, stream), given_up in rows.group_by("source", "stream", maintain_order=True):
        state, seq, now = stream_state(ledger, source, stream), next_seq(ledger), utc_now()
        batch = BatchRow(
            seq=seq,
            batch_id=f"{now:%Y%m%dT%H%M%SZ}-{seq:08d}",
            source=source,
            stream=stream,
            run_id=run_id,
            file=None,
            retry_of=None,
            n_rows=0,
            n_upserts=0,
            n_deletes=0,
            n_rejects=0,
            n_repeats=0,
            n_erased=0,
            n_bytes=0,
            columns={},
            cursor=state.cursor,
            extracted_at=now,
        )
        retired = [
            Retired(batch_id, row_no, row_no, "dismissed", actor, reason)
            for batch_id, row_no in given_up.select("batch_id", "row_no").iter_rows()
        ]
        commit_batch(ledger, batch, state, retired=retired)


def list_rejects(home: Home, ledger: Ledger, source: str, stream: str) -> pl.DataFrame:
    """What the connector could not parse and no retry has answered: position, reason, payload, batch_id, row_no."""
    schema = {**REJECT_SCHEMA, "batch_id": pl.String, "row_no": pl.Int64}
    files = dict.fromkeys(batch.file for batch in list_batches(ledger, source, stream) if batch.file and batch.n_rejects)
    frames = [
        pl.scan_parquet(home.landing / file)
        .filter(pl.col("_op") == "reject")
        .select(
            **{name: pl.col(f"_{name}").cast(dtype) for name, dtype in schema.items()},
        )
        .collect()
        for file in files
    ]
    rejects = pl.concat([pl.DataFrame(schema=schema), *frames])
    rejects = rejects.join(retried_rejects(ledger, source, stream), on=["batch_id", "row_no"], how="anti", maintain_order="left")
    retired = list_retired(ledger, source, stream)
    stands = [
        not any(rows.holds(batch_id, row_no) for rows in retired)
        for batch_id, row_no in rejects.select("batch_id", "row_no").iter_rows()
    ]
    return rejects.filter(pl.Series(stands, dtype=pl.Boolean))


def retry_rejects(home: Home, ledger: Ledger, source: str, stream: StreamLike, retry: Retry, run_id: str) -> list[LandedBatch]:
    """Let the connector parse its rejects again, batch by batch (`retry` is `connector.retry`), and land what it makes of them.

    An answered reject counts as superseded from the next load on; one that is refused again with the same payload stays.
    Rows that broke the contract need no retry: they are typed anew whenever the contract changes.
    """
    landed = []
    for (batch_id,), rejects in list_rejects(home, ledger, source, stream.name).group_by("batch_id", maintain_order=True):
        answer = retry(stream.name, rejects.select(list(REJECT_SCHEMA)))
        if answer is None:
            continue
        again = pl.DataFrame(schema=REJECT_SCHEMA) if answer.rejects is None else answer.rejects.select(list(REJECT_SCHEMA))
        same = ["position", "payload"]
        answered = rejects.join(again, on=same, how="anti", nulls_equal=True)
        fresh = again.join(rejects, on=same, how="anti", nulls_equal=True)
        if answered.height or answer.rows.height or fresh.height:
            batch = RetryBatch(answer.rows, fresh, answer.vendor_types)
            row_nos = tuple(answered["row_no"].to_list())
            landed.append(land_retry(home, ledger, source, stream, batch, run_id, retry_of=str(batch_id), row_nos=row_nos))
    return landed
