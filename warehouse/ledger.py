"""The ledger: what is decided. SQLite in WAL mode, or PostgreSQL by URL.

This module opens it and keeps runs, checks and verdicts; batches are in `batches`, publications in `publication`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from warehouse import tables
from warehouse.home import Home

Verdict = Literal["pass", "fail"]
RunState = Literal["running", "succeeded", "failed"]
#: the reason of a verdict that a run did not come to by itself
KILLED = "the run was killed before its verdict"


@dataclass(frozen=True)
class CheckResult:
    """Outcome of one check of a run. Only `severity` error makes the verdict fail."""

    name: str
    passed: bool
    detail: str = ""
    severity: Literal["error", "warn"] = "error"
    asset: str | None = None


def utc_now() -> datetime:
    """Now, aware."""
    return datetime.now(UTC)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's BEGIN, not the driver's
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
        connection.execute(f"pragma {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    # a writer takes its lock at once: a read that turns into a write would fail instead of waiting
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("begin" if reads else "begin immediate")


def _add_missing_counts(engine: sa.Engine) -> None:
    """A ledger that was made before something was counted has none of it."""
    inspector = sa.inspect(engine)
    for table, name in ((tables.batch, "n_erased"), (tables.stream_fates, "erased")):
        if name not in {column["name"] for column in inspector.get_columns(table.name)}:
            with engine.begin() as connection:
                connection.exec_driver_sql(f"alter table {table.name} add column {name} BIGINT not null default 0")


class Ledger:
    """An open ledger. Connections are taken per transaction, so it may outlive forks and needs no closing on SQLite."""

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        tables.metadata.create_all(self.engine)
        _add_missing_counts(self.engine)

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction: all of it or nothing."""
        with self.engine.begin() as connection:
            yield connection

    def read(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        """Rows of a query as dicts."""
        with self.engine.connect().execution_options(reads=True) as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def start_run(self, run_id: str) -> None:
        """Record that a run begins; from now on only this run may be published. Starting it again is harmless."""
        with self.write() as connection:
            known = connection.execute(sa.select(tables.run.c.seq).where(tables.run.c.run_id == run_id)).first()
            if known is None:
                connection.execute(tables.run.insert().values(run_id=run_id, started_at=utc_now(), state="running"))

    def finish_run(self, run_id: str, state: RunState) -> None:
        """Record how a run ended."""
        with self.write() as connection:
            connection.execute(
                tables.run.update().where(tables.run.c.run_id == run_id).values(state=state, finished_at=utc_now())
            )

    def close_running(self, *, except_run: str) -> list[str]:
        """Record that every other run that never ended has failed; returns their ids, oldest first."""
        table = tables.run
        unended = sa.and_(table.c.state == "running", table.c.run_id != except_run)
        with self.write() as connection:
            ended: list[str] = list(connection.execute(sa.select(table.c.run_id).where(unended).order_by(table.c.seq)).scalars())
            connection.execute(table.update().where(unended).values(state="failed", finished_at=utc_now()))
        return ended

    def newest_run(self) -> str | None:
        """The run that began last."""
        rows = self.read(sa.select(tables.run.c.run_id).order_by(tables.run.c.seq.desc()).limit(1))
        return rows[0]["run_id"] if rows else None

    def run_state(self, run_id: str) -> RunState | None:
        """How far a run has come; None: there is none."""
        rows = self.read(sa.select(tables.run.c.state).where(tables.run.c.run_id == run_id))
        return rows[0]["state"] if rows else None

    def record_checks(self, run_id: str, results: list[CheckResult]) -> None:
        """Add check results to a run; of two results with one name the later counts."""
        rows = [
            {
                "run_id": run_id,
                "name": result.name,
                "asset": result.asset,
                "severity": result.severity,
                "passed": result.passed,
                "detail": result.detail,
                "at": utc_now(),
            }
            for result in results
        ]
        if rows:
            with self.write() as connection:
                connection.execute(tables.check_result.insert(), rows)

    def check_results(self, run_id: str) -> list[CheckResult]:
        """The newest result of each check of a run, in the order of recording."""
        table = tables.check_result
        rows = self.read(sa.select(table).where(table.c.run_id == run_id).order_by(table.c.seq))
        newest = {(row["asset"], row["name"]): row for row in rows}
        return [CheckResult(row["name"], row["passed"], row["detail"], row["severity"], row["asset"]) for row in newest.values()]

    def decide(self, run_id: str) -> Verdict:
        """Judge a run by its recorded checks and record the verdict. No checks at all is a fail."""
        results = self.check_results(run_id)
        failed = [result for result in results if not result.passed and result.severity == "error"]
        if not results:
            reason = "no check was recorded for this run"
        else:
            reason = "; ".join(f"{result.name}: {result.detail}" if result.detail else result.name for result in failed)
        verdict: Verdict = "fail" if failed or not results else "pass"
        self.record_verdict(run_id, verdict, reason or f"{len(results)} checks passed")
        return verdict

    def record_verdict(self, run_id: str, verdict: Verdict, reason: str) -> None:
        """Write a verdict row; the newest row of a run counts."""
        with self.write() as connection:
            connection.execute(tables.verdict.insert().values(run_id=run_id, verdict=verdict, reason=reason, at=utc_now()))

    def verdict(self, run_id: str) -> Verdict | None:
        """The newest verdict of a run; None when it has none."""
        row = self.verdict_row(run_id)
        return row["verdict"] if row else None

    def verdict_row(self, run_id: str) -> dict[str, Any] | None:
        """The newest verdict row of a run: verdict, reason, at."""
        table = tables.verdict
        rows = self.read(sa.select(table).where(table.c.run_id == run_id).order_by(table.c.seq.desc()).limit(1))
        return rows[0] if rows else None


def open_ledger(home: Home) -> Ledger:
    """Open the ledger of a home, creating what is missing."""
    home.create()
    if not home.ledger_address:
        (home.path / "ledger.db").touch(mode=0o600)
    return Ledger(home.ledger_url)
