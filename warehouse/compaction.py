"""Keeping landing tidy: many small files of a stream become one, files that no batch owns are removed."""

from __future__ import annotations

from collections import defaultdict

import duckdb
import sqlalchemy as sa

from warehouse import tables
from warehouse.batches import list_batches, move_files
from warehouse.durable import replace_durably
from warehouse.errors import WarehouseError
from warehouse.home import Home, RunLock
from warehouse.identity_log import discard_pending
from warehouse.ledger import Ledger
from warehouse.sql import literal
from warehouse.working import NO_EXTENSIONS

SMALL_ROWS = 100_000
MIN_FILES = 16
# file times come from a coarser clock than ours
CLOCK_GRAIN_S = 0.02


def compact(
    home: Home, ledger: Ledger, source: str, stream: str, *, min_files: int = MIN_FILES, small_rows: int = SMALL_ROWS
) -> int:
    """Merge a stream's files of fewer than `small_rows` rows into one when there are `min_files` of them (at least two).

    Rows keep their batch, so nothing else changes. Returns the number of files merged. Killed anywhere, the ledger names
    either the old files or the new one; the others are swept.
    """
    rows_in: dict[str, int] = defaultdict(int)
    newest: dict[str, str] = {}
    for batch in list_batches(ledger, source, stream):
        if batch.file is not None:
            rows_in[batch.file] += batch.n_rows - batch.n_erased
            newest[batch.file] = batch.batch_id
    small = [file for file, n_rows in rows_in.items() if n_rows < small_rows]
    if len(small) < max(min_files, 2):
        return 0
    expected = sum(rows_in[file] for file in small)
    merged = f"{source}/{stream}/compacted-{newest[small[-1]]}-{len(small)}.parquet"
    target = home.landing / merged
    temporary = target.with_name(target.name + ".tmp")
    with duckdb.connect(config=NO_EXTENSIONS) as connection:
        rows = "select * from read_parquet(?, union_by_name = true)"
        copy = f"copy ({rows}) to {literal(str(temporary))} (format parquet, compression zstd)"
        copied = connection.execute(copy, [[str(home.landing / file) for file in small]]).fetchall()[0][0]
    if copied != expected:
        raise WarehouseError(
            f"{source}/{stream}: {len(small)} files hold {copied} rows, the ledger says {expected}; not compacted"
        )
    replace_durably(temporary, target)
    move_files(ledger, small, merged, target.stat().st_size)
    for file in small:
        (home.landing / file).unlink()
    return len(small)


def sweep(home: Home, ledger: Ledger, lock: RunLock) -> list[str]:
    """Remove files of landing and identity log that no ledger row names and that are older than the run lock.

    Pending identity events of other runs are discarded first: they can no longer be published. Returns the paths removed.
    """
    discard_pending(ledger, except_run=lock.run_id)
    with home.hold_decision_lock():  # a decision's file comes before its row
        return _sweep(home, ledger, lock)


def _sweep(home: Home, ledger: Ledger, lock: RunLock) -> list[str]:
    batch, identity, decision = tables.batch, tables.identity_batch, tables.decision_batch
    owned = {
        home.landing / row["file"] for row in ledger.read(sa.select(batch.c.file).where(batch.c.file.is_not(None)).distinct())
    }
    owned |= {home.identity / row["file"] for table in (identity, decision) for row in ledger.read(sa.select(table.c.file))}
    removed = []
    for path in [*home.landing.rglob("*"), *home.identity.iterdir()]:
        if path.is_file() and path not in owned and path.stat().st_mtime < lock.acquired_at.timestamp() - CLOCK_GRAIN_S:
            path.unlink()
            removed.append(str(path.relative_to(home.path)))
    return sorted(removed)
