"""The identity log: append-only Parquet that becomes true with the publication of the run that wrote it."""

from __future__ import annotations

import uuid

import polars as pl
import sqlalchemy as sa

from warehouse import tables
from warehouse.durable import replace_durably
from warehouse.home import Home
from warehouse.ledger import Ledger, utc_now


def stage_events(home: Home, ledger: Ledger, run_id: str, events: pl.DataFrame) -> None:
    """Write a run's identity events, pending until `publish` of that run commits them.

    Replaces what the same run staged before, so a step that is repeated inside a run issues nothing twice.
    """
    table = tables.identity_batch
    row = None
    if events.height:
        name = f"{utc_now():%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:12]}.parquet"
        temporary = home.identity / f"{name}.tmp"
        events.write_parquet(temporary)
        replace_durably(temporary, home.identity / name)
        row = {"run_id": run_id, "file": name, "n_events": events.height, "state": "pending", "at": utc_now()}
    with ledger.write() as connection:
        connection.execute(table.delete().where(table.c.run_id == run_id, table.c.state == "pending"))
        if row:
            connection.execute(table.insert().values(**row))


def read_events(home: Home, ledger: Ledger, schema: pl.Schema) -> pl.DataFrame:
    """All committed events in the order of commit, as `schema`; a column that older files lack is null."""
    table = tables.identity_batch
    rows = ledger.read(sa.select(table.c.file).where(table.c.state == "committed").order_by(table.c.seq))
    frames = [pl.read_parquet(home.identity / row["file"]) for row in rows]
    return pl.concat([schema.to_frame(), *frames], how="diagonal_relaxed").select(pl.col(n).cast(t) for n, t in schema.items())


def discard_pending(ledger: Ledger, *, except_run: str | None = None) -> int:
    """Forget pending events of runs that will not be published; returns how many. Their files are swept later."""
    table = tables.identity_batch
    pending = sa.and_(table.c.state == "pending", table.c.run_id != (except_run or ""))
    with ledger.write() as connection:
        counts: list[int] = list(connection.execute(sa.select(table.c.n_events).where(pending)).scalars())
        connection.execute(table.delete().where(pending))
    return sum(counts)
