"""The home of all stores: one directory, one setting."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from warehouse.errors import HomeBusyError


@dataclass(frozen=True)
class RunLock:
    """Proof that this process is the one run of the home. Files older than `acquired_at` have no other writer."""

    run_id: str
    acquired_at: datetime


@dataclass(frozen=True)
class Home:
    """Where the stores are. `ledger_address` is an SQLAlchemy URL; empty: SQLite inside the home.

    `erasure_key`: what the hashes of erased records are keyed with; empty: a file of the home.
    """

    path: Path
    ledger_address: str = ""
    erasure_key: str = field(default="", repr=False)

    @property
    def landing(self) -> Path:
        """Parquet files of batches: `<source>/<stream>/<batch_id>.parquet`."""
        return self.path / "landing"

    @property
    def identity(self) -> Path:
        """Parquet files of the identity log, and of what people decided about identities."""
        return self.path / "identity"

    @property
    def models(self) -> Path:
        """The hub's trained models, a folder per entity and version of its rules."""
        return self.path / "models"

    @property
    def hub(self) -> Path:
        """The hub's state after the last runs, a folder per entity; derived, so it may be deleted at any time."""
        return self.path / "hub"

    @property
    def ledger_url(self) -> str:
        """SQLAlchemy URL of the ledger."""
        return self.ledger_address or f"sqlite:///{self.path / 'ledger.db'}"

    @property
    def working(self) -> Path:
        """The working DuckDB file, private to the run."""
        return self.path / "working.duckdb"

    @property
    def publication(self) -> Path:
        """Directory of the served file and its history."""
        return self.path / "publication"

    @property
    def history(self) -> Path:
        """The last publications, `<seq>-<run>.duckdb`."""
        return self.publication / "history"

    @property
    def served(self) -> Path:
        """What BI reads."""
        return self.publication / "goldthread.duckdb"

    def create(self) -> Home:
        """Make the missing directories. What holds people's data is its owner's alone; publications are for readers."""
        for directory in (self.landing, self.identity):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.history.mkdir(parents=True, exist_ok=True)
        return self

    @contextmanager
    def hold_run_lock(self, run_id: str) -> Iterator[RunLock]:
        """Hold the home for one run; the kernel lets go of it however the process ends.

        Raises HomeBusyError, naming the holder, when another run has it.
        """
        self.create()
        with (self.path / "run.lock").open("a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise HomeBusyError(self._tell_holder()) from error
            lock = RunLock(run_id, datetime.now(UTC))
            file.truncate(0)
            file.write(json.dumps({"run_id": run_id, "pid": os.getpid(), "since": lock.acquired_at.isoformat()}))
            file.flush()
            yield lock

    def find_holder(self) -> str | None:
        """The id of the run that holds the home now, empty where it has not yet said so; None: nobody holds it."""
        path = self.path / "run.lock"
        if not path.exists():
            return None
        with path.open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return self._read_holder().get("run_id", "")
        return None

    def refuse_while_held(self) -> None:
        """Raise HomeBusyError, naming the holder, while a run has the home."""
        if self.find_holder() is not None:
            raise HomeBusyError(self._tell_holder())

    def _tell_holder(self) -> str:
        holder = self._read_holder()
        who = "run {run_id}, process {pid}, since {since}".format(**holder) if holder else "it has not said who it is"
        return f"another run holds {self.path}: {who}. Wait for it to end, or end that process, then try again."

    def _read_holder(self) -> dict[str, str]:
        """Who wrote itself into the lock: run_id, pid, since; empty where it has not come to that."""
        text = (self.path / "run.lock").read_text(encoding="utf-8")
        if not text:
            return {}
        holder = json.loads(text)
        since = datetime.fromisoformat(holder["since"])
        return {"run_id": holder["run_id"], "pid": str(holder["pid"]), "since": f"{since:%Y-%m-%d %H:%M:%S} UTC"}

    @contextmanager
    def hold_publication_lock(self) -> Iterator[None]:
        """Serialise whoever changes the served file; waits."""
        self.create()
        with (self.publication / "swap.lock").open("a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def hold_decision_lock(self) -> Iterator[None]:
        """Serialise whoever reads the decisions to add one that fits them; waits."""
        self.create()
        with (self.path / "decisions.lock").open("a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
