"""Dagster's event log on SQLite, with its connections kept open.

The storage that Dagster brings makes an engine and a connection for every statement: 12 ms an event, and a run of this
graph has 700 events before its first step. Files and tables are the same, so either can read what the other wrote.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dagster import EventLogEntry, StringSource
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._serdes import ConfigurableClassData

INDEX = "index"
BUSY_SECONDS = 30  # how long a statement waits for another process that writes


class KeptEventLog(SqliteEventLogStorage):
    """Keeps the index and the newest run's file connected; a batch of events is one transaction in each."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._kept: dict[str, sa.Engine] = {}
        self._in_batch: dict[str, sa.Connection] | None = None
        self._tables: set[str] = set()
        self._guard = threading.RLock()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {"dagster_home": StringSource}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> KeptEventLog:
        return cls(str(Path(config_value["dagster_home"]) / "history" / "runs"), inst_data)

    def run_connection(self, run_id: str | None = None) -> Any:
        return self._take(str(run_id))

    def index_connection(self) -> Any:
        return self._take(INDEX)

    def has_table(self, table_name: str) -> bool:
        """Dagster asks this of the same table for every check that it stores, each time with an engine of its own."""
        if table_name not in self._tables:
            with self.index_connection() as connection:
                if not sa.inspect(connection).has_table(table_name):
                    return False
            self._tables.add(table_name)
        return True

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        with self._guard, ExitStack() as stack:
            self._in_batch = {
                shard: stack.enter_context(self._take(shard)) for shard in {INDEX, *(event.run_id for event in events)}
            }
            try:
                super().store_event_batch(events)
            finally:
                self._in_batch = None

    def forget_planned_checks(self, run_id: str) -> None:
        """Drop the run's plans of checks that had no result, so that each shows the result it had last."""
        table = AssetCheckExecutionsTable.c
        is_planned = table.execution_status == AssetCheckExecutionRecordStatus.PLANNED.value
        with self.index_connection() as connection:
            connection.execute(AssetCheckExecutionsTable.delete().where(table.run_id == run_id, is_planned))

    def dispose(self) -> None:
        self._let_go(set(self._kept))
        super().dispose()

    def wipe(self) -> None:
        self._let_go(set(self._kept))
        self._tables.clear()
        super().wipe()

    @contextmanager
    def _take(self, shard: str) -> Iterator[sa.Connection]:
        with self._guard:
            if self._in_batch is not None and shard in self._in_batch:
                yield self._in_batch[shard]
                return
            if shard not in self._kept:
                self._keep(shard)
            with self._kept[shard].begin() as connection:
                yield connection

    def _keep(self, shard: str) -> None:
        with super().run_connection(shard):
            pass  # makes the file and its tables
        if shard != INDEX:
            self._let_go(self._kept.keys() - {INDEX})
        engine = sa.create_engine(
            self.conn_string_for_shard(shard), pool_size=1, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}
        )
        sa.event.listen(engine, "connect", _sync_seldom)
        self._kept[shard] = engine

    def _let_go(self, shards: set[str]) -> None:
        for shard in shards:
            self._kept.pop(shard).dispose()


def _sync_seldom(connection: sqlite3.Connection, _record: object) -> None:
    # a power cut may cost the newest events, never the file; what counts is in the ledger, which syncs every commit
    connection.execute("pragma synchronous=NORMAL")
