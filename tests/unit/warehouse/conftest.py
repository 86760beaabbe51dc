"""A fresh home per test, and builders that let a test state only what matters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors.base import Batch, Field, Stream
from warehouse.batches import Fates
from warehouse.home import Home
from warehouse.landing import LandedBatch, land
from warehouse.ledger import CheckResult, Ledger, open_ledger
from warehouse.load import load_stream
from warehouse.publication import Publication, publish
from warehouse.working import open_working

SOURCE = "erp"
STREAM = Stream(
    name="customers",
    key=("id",),
    fields=(Field("id", required=True), Field("name"), Field("amount", "decimal")),
    cursor="watermark",
    deletes="id_reconcile",
    description="",
)


def frame(rows: Sequence[Mapping[str, str | None]], columns: Sequence[str] = ()) -> pl.DataFrame:
    names = list(columns) or list(dict.fromkeys(name for row in rows for name in row))
    return pl.DataFrame([{name: row.get(name) for name in names} for row in rows], schema=dict.fromkeys(names, pl.String))


@dataclass
class Store:
    """A home with its ledger, and the usual steps of a run on it."""

    home: Home
    ledger: Ledger

    def land(
        self, rows: Sequence[Mapping[str, str | None]] = (), *, stream: Stream = STREAM, run_id: str = "run-1", **batch: Any
    ) -> LandedBatch:
        frames = {name: frame(batch.pop(name)) for name in ("deleted", "live_keys", "rejects") if name in batch}
        cursor = batch.pop("cursor", {})
        rows_frame = frame(rows) if rows else pl.DataFrame()
        return land(self.home, self.ledger, SOURCE, stream, Batch(stream.name, rows_frame, cursor, **frames, **batch), run_id)

    def load(self, stream: Stream = STREAM, *, force: bool = False) -> Fates:
        with open_working(self.home) as connection:
            return load_stream(connection, self.home, self.ledger, SOURCE, stream, force=force)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with open_working(self.home) as connection:
            return connection.execute(sql).fetchall()

    def publish_number(self, run_id: str, number: int, *, passed: bool = True) -> Publication:
        """One whole run whose only mart holds `number`."""
        self.ledger.start_run(run_id)
        self.query(f"create or replace table mart as select {number} as number")
        self.ledger.record_checks(run_id, [CheckResult("a_check", passed, "3 rows lack a key")])
        self.ledger.decide(run_id)
        return publish(self.home, self.ledger, run_id, [("main", "mart")], "code-1", "rules-1")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    home = Home(tmp_path / "home").create()
    return Store(home, open_ledger(home))
