"""The stores as a Dagster resource: one run holds the home, opens the working file late and closes it early."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import dagster as dg
import duckdb
import polars as pl
from pydantic import PrivateAttr

from connectors.base import Batch, Stream
from connectors.catalog import KINDS, declare_streams
from connectors.files.entities import ENTITIES, table_name
from hub.decisions import DECISION_SCHEMA
from orchestration.lib.dagster_log import hush_absent_checks
from orchestration.lib.dead_runs import close_dead_runs
from orchestration.lib.erasing import finish_pending
from orchestration.lib.event_log import KeptEventLog
from orchestration.lib.inputs import describe_inputs, drop_published_inputs, read_published_inputs, write_published_inputs
from orchestration.lib.models import settle_retrained
from orchestration.project import Project, ProjectError, current_project, find_erasure_key, find_ledger_address
from warehouse.batches import Fates, note_read, read_cursor, store_fates, stream_state
from warehouse.canonical import create_canonical_views
from warehouse.compaction import compact, sweep
from warehouse.decisions import newest_decision, read_decisions
from warehouse.home import Home
from warehouse.landing import LandedBatch, land
from warehouse.ledger import CheckResult, Ledger, open_ledger
from warehouse.load import Loaded, create_empty, load_stream, read_loaded
from warehouse.publication import ensure_served, find_hold
from warehouse.working import open_working

REBUILD_TAG = "goldthread/rebuild"
RETRAIN_TAG = "goldthread/retrain"
PUBLISHING_JOBS = ("sync", "rebuild")
SHOWN = 5  # reasons that a message spells out


class Stores(dg.ConfigurableResource):
    """Landing, ledger, working file and publication of one home.

    For as long as a run lasts it holds the home's lock (decision 0006); the run's clock is read once, so that every
    model of a run means the same now.
    """

    path: str
    _now: datetime = PrivateAttr(default_factory=lambda: datetime.now(UTC))
    _built: set[str] = PrivateAttr(default_factory=set)
    _read: set[str] = PrivateAttr(default_factory=set)
    _is_unchanged: bool = PrivateAttr(default=False)
    _is_held: bool = PrivateAttr(default=False)
    _is_retraining: bool = PrivateAttr(default=False)
    _decided: int = PrivateAttr(default=0)
    _ledger: Ledger | None = PrivateAttr(default=None)
    _loaded: dict[tuple[str, str], Loaded] = PrivateAttr(default_factory=dict)

    @property
    def home(self) -> Home:
        # not fields of the resource: Dagster stores those, and both may be secrets
        return Home(Path(self.path), find_ledger_address(), find_erasure_key())

    @property
    def ledger(self) -> Ledger:
        return self._ledger or open_ledger(self.home)

    @property
    def built_tables(self) -> set[str]:
        """dbt tables that earlier steps of this run have built (unique ids)."""
        return self._built

    @property
    def read_sources(self) -> set[str]:
        """Names of the sources that this run has read."""
        return self._read

    @property
    def is_retraining(self) -> bool:
        """Whether this run trains the hub's models anew."""
        return self._is_retraining

    @property
    def now(self) -> datetime:
        """The run's clock, UTC."""
        return self._now

    def read_decisions(self) -> pl.DataFrame:
        """What people had decided about identities when this run began; what they decide meanwhile is the next run's."""
        return read_decisions(self.home, self.ledger, DECISION_SCHEMA, self._decided)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Stores]:
        run = context.run
        if run is None:
            yield self
            return
        with self.home.hold_run_lock(run.run_id) as lock, hush_absent_checks(lambda: self._is_unchanged):
            self._now, self._built, self._read, self._is_unchanged = current_project().now(), set(), set(), False
            self._ledger = open_ledger(self.home)
            self._decided, self._is_held = newest_decision(self._ledger), find_hold(self._ledger) is not None
            self._is_retraining = RETRAIN_TAG in run.tags
            close_dead_runs(context.instance, self.ledger, run.run_id)
            self.ledger.start_run(run.run_id)
            settle_retrained(self.home, self.ledger)
            finish_pending(self.home, self.ledger, lock, current_project())
            ensure_served(self.home, self.ledger)
            sweep(self.home, self.ledger, lock)
            if run.tags.get(REBUILD_TAG):
                self.home.working.unlink(missing_ok=True)
                shutil.rmtree(self.home.hub, ignore_errors=True)
            self._prepare_working(current_project())
            yield self
            log = context.instance.event_log_storage if context.instance else None
            if self._is_unchanged and isinstance(log, KeptEventLog):
                log.forget_planned_checks(run.run_id)
            self.ledger.finish_run(run.run_id, self._judge_end(run.run_id, run.job_name))

    def _judge_end(self, run_id: str, job: str) -> Literal["succeeded", "failed"]:
        """A run of a job that publishes has succeeded when it passed the gate or found nothing new."""
        verdict = self.ledger.verdict(run_id)
        needs_verdict = job in PUBLISHING_JOBS and not self._is_unchanged
        return "failed" if verdict == "fail" or (needs_verdict and verdict is None) else "succeeded"

    @contextmanager
    def open_working(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The working file, for as long as the block lasts."""
        with open_working(self.home) as connection:
            yield connection

    def read_cursor(self, source: str, stream: str) -> Mapping[str, Any] | None:
        return read_cursor(self.ledger, source, stream)

    def land(self, source: str, stream: Stream, batch: Batch, run_id: str) -> LandedBatch:
        return land(self.home, self.ledger, source, stream, batch, run_id)

    def note_read(self, source: str, stream: str) -> None:
        """The stream was read to its end and had nothing."""
        note_read(self.ledger, source, stream)

    def load(self, source: str, stream: Stream) -> Fates:
        """Bring the stream's table up to what has landed. The working file is opened only when something has."""
        ledger, loaded = self.ledger, self._loaded.get((source, stream.name))
        compact(self.home, ledger, source, stream.name)
        if loaded and loaded.is_newest(ledger, source, stream):
            store_fates(ledger, source, stream.name, loaded.fates)
            return loaded.fates
        with self.open_working() as connection:
            return load_stream(connection, self.home, ledger, source, stream)

    def prepare_canonical_tables(self, project: Project) -> dict[str, int]:
        """Make `files.<plural>` over the project's file streams. Returns rows per canonical table."""
        configured = {s.name: declare_streams(s.kind, s.settings, project.folder) for s in project.sources}
        with self.open_working() as connection:
            create_canonical_views(connection, ENTITIES, table_name, configured)
            names = [table_name(entity) for entity in ENTITIES]
            return {name: connection.execute(f"select count(*) from files.{name}").fetchall()[0][0] for name in names}  # noqa: S608

    def _prepare_working(self, project: Project) -> None:
        """Note what is loaded, and make empty tables for vendors that the project does not use: no asset precedes their
        staging models."""
        configured = {source.name for source in project.sources}
        with self.open_working() as connection:
            self._loaded = read_loaded(connection)
            for kind in KINDS.keys() - {"files"} - configured:
                for stream in declare_streams(kind, {}, project.folder):
                    create_empty(connection, kind, stream)

    def is_published_already(self, code: str) -> bool:
        """Whether the newest publication was made from just these landed rows, contracts, clock, code and rules.

        Not after a rollback: a run then derives all the same, so that there is something to publish when a person says so. Nor
        where models are trained anew.
        """
        with self.open_working() as connection:
            inputs = describe_inputs(connection, code, current_project().rule_version, self.now, self._decided)
            is_asked_anew = self._is_held or self._is_retraining
            self._is_unchanged = not is_asked_anew and read_published_inputs(connection) == inputs
        return self._is_unchanged

    def had_no_news(self, run_id: str) -> bool:
        """Whether a run ended well and derived nothing, because what is published holds all that had landed."""
        if self.ledger.verdict(run_id) is not None or self.ledger.run_state(run_id) != "succeeded":
            return False
        with self.open_working() as connection:
            return read_published_inputs(connection) is not None

    def forget_published(self) -> None:
        """What was published is about to be overwritten in the working file: it vouches for nothing any more."""
        with self.open_working() as connection:
            drop_published_inputs(connection)

    def remember_published(self, code: str) -> None:
        """Note what the publication just made came from."""
        with self.open_working() as connection:
            write_published_inputs(
                connection, describe_inputs(connection, code, current_project().rule_version, self.now, self._decided)
            )

    def judge(
        self, run_id: str, asset: dg.AssetKey, name: str, broken: Sequence[str], *, warn: bool = False
    ) -> dg.AssetCheckResult:
        """Record a check in the ledger and give it to Dagster; `broken` says in words what does not hold, empty: all holds."""
        severity: Literal["error", "warn"] = "warn" if warn else "error"
        detail = "; ".join(broken[:SHOWN]) + (f"; and {len(broken) - SHOWN} more" if len(broken) > SHOWN else "")
        self.ledger.record_checks(run_id, [CheckResult(name, not broken, detail, severity, asset.to_user_string())])
        return dg.AssetCheckResult(
            passed=not broken,
            asset_key=asset,
            check_name=name,
            severity=dg.AssetCheckSeverity.WARN if warn else dg.AssetCheckSeverity.ERROR,
            description=detail or None,
            metadata={"broken": dg.MetadataValue.json(list(broken[:100]))} if broken else None,
        )

    def days_since_sync(self, source: str, stream: str) -> float | None:
        """How long ago the stream was last read to its end, in days; None: never."""
        fresh_at = stream_state(self.ledger, source, stream).fresh_at
        return (datetime.now(UTC) - fresh_at).total_seconds() / 86400 if fresh_at else None

    def record_failure(self, run_id: str, where: str, reason: str) -> None:
        """A verdict for a run that broke, in the words of the checks that failed; one that has its verdict keeps it."""
        if self.ledger.verdict(run_id) is None:
            failed = [check for check in self.ledger.check_results(run_id) if not check.passed and check.severity == "error"]
            found = "; ".join(f"{check.name}: {check.detail}" for check in failed)
            self.ledger.record_verdict(run_id, "fail", f"{where}: {found or reason}")


def open_stores(project: Project) -> Stores:
    """The stores of a project's home; the ledger is elsewhere when GOLDTHREAD_LEDGER says so."""
    return Stores(path=str(project.home))


def open_existing_stores(project: Project) -> Stores:
    """The stores of a home that has some: reading makes none. Raises ProjectError where nothing has run yet."""
    stores = open_stores(project)
    if not (stores.home.ledger_address or (stores.home.path / "ledger.db").exists()):
        raise ProjectError(f"nothing has run at {stores.home.path} yet: `goldthread run` first, or set GOLDTHREAD_HOME (--home)")
    return stores
