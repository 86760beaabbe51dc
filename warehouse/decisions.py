"""What people decided about identities: append-only Parquet, true as soon as the file and its ledger row are on disk."""

from __future__ import annotations

import uuid

import polars as pl
import sqlalchemy as sa

from warehouse import tables
from warehouse.durable import replace_durably
from warehouse.home import Home
from warehouse.ledger import Ledger, utc_now


def append_decisions(home: Home, ledger: Ledger, decisions: pl.DataFrame) -> None:
    """Add decisions, all or none. The caller holds the home's decision lock since it read those that it adds to."""
    if not decisions.height:
        return
    name = f"decisions-{utc_now():%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:12]}.parquet"
    temporary = home.identity / f"{name}.tmp"
    decisions.write_parquet(temporary)
    replace_durably(temporary, home.identity / name)
    with ledger.write() as connection:
        row = {"file": name, "n_decisions": decisions.height, "at": utc_now()}
        connection.execute(tables.decision_batch.insert().values(**row))


def read_decisions(home: Home, ledger: Ledger, schema: pl.Schema, until: int | None = None) -> pl.DataFrame:
    """All decisions in the order in which they were made, as `schema`; until: a number that newest_decision gave."""
    table = tables.decision_batch
    query = sa.select(table.c.file).order_by(table.c.seq)
    rows = ledger.read(query if until is None else query.where(table.c.seq <= until))
    frames = [pl.read_parquet(home.identity / row["file"]) for row in rows]
    return pl.concat([schema.to_frame(), *frames], how="diagonal_relaxed").select(pl.col(n).cast(t) for n, t in schema.items())


def newest_decision(ledger: Ledger) -> int:
    """A number that grows with every decision; 0 before the first."""
    rows = ledger.read(sa.select(sa.func.coalesce(sa.func.max(tables.decision_batch.c.seq), 0).label("newest")))
    return int(rows[0]["newest"])
