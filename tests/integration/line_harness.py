"""The line in this process, over a home of its own: run it, run a part of it, and look at what is served.

The servers of the sandbox company and one run of the whole line cost most of these tests' time, so there is one of
each per session (`company`, `published` in conftest.py); a test that changes something works on a copy of the home.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl
import pytest

from orchestration.definitions import defs
from orchestration.defs.jobs import record_failed_verdict
from orchestration.lib.runs import RunOutcome, load_job, open_instance, run_job
from orchestration.lib.stores import Stores, open_stores
from orchestration.project import current_project
from sandbox.serve import CORP_ID, Sandbox, ServeOptions, start
from sandbox.servers.atomic import write_atomically
from sandbox.servers.wecom_callback import CallbackKeys, build_envelope

REPOSITORY = Path(__file__).parents[2]
SCALE = 0.02
SOURCES = ("forms", "hubspot", "u8", "wecom")
VERDICT = dg.AssetKey(["gate", "verdict"])
PUBLICATION = dg.AssetKey(["publication", "goldthread"])
# what the libraries below the line warn about among themselves
MARKS = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:dagster"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@dataclass(frozen=True)
class Line:
    """A home with the project of the repository; `environment` is what its process is told."""

    home: Path
    environment: Mapping[str, str]

    def enter(self, monkeypatch: pytest.MonkeyPatch, **changes: str) -> Line:
        """Make this the project of the process; `changes` replace variables of the environment."""
        line = Line(self.home, {**self.environment, "GOLDTHREAD_HOME": str(self.home), **changes})
        for name, value in line.environment.items():
            monkeypatch.setenv(name, value)
        current_project.cache_clear()
        return line

    def copy_to(self, home: Path) -> Line:
        """The same stores elsewhere."""
        shutil.copytree(self.home, home)
        return Line(home, self.environment)

    @property
    def stores(self) -> Stores:
        return open_stores(current_project())

    @property
    def served(self) -> Path:
        return self.stores.home.served

    def run(self, job: str = "sync", **modes: str) -> RunOutcome:
        """A job of the project; `modes` are for the sources that are not to be read as the job would."""
        return run_job(load_job(job), open_instance(self.home), _configure(modes))

    def run_part(
        self,
        part: dg.AssetSelection,
        modes: Mapping[str, str] | None = None,
        *,
        passed: bool = True,
        tags: Mapping[str, str] | None = None,
    ) -> RunOutcome:
        """A run of some assets and checks, with the hooks of `sync`; `passed`: as if all checks of the served run passed anew."""
        run_id = str(uuid.uuid4())
        if passed:
            [[served]] = self.read("select run_id from _publication")
            self.stores.ledger.record_checks(run_id, self.stores.ledger.check_results(served))
        job = dg.define_asset_job("part", part, hooks={record_failed_verdict})
        # a job that was made for a part knows the whole's resources
        resolved = dg.Definitions.merge(defs(), dg.Definitions(jobs=[job])).resolve_job_def("part")
        result = resolved.execute_in_process(
            instance=open_instance(self.home),
            run_id=run_id,
            run_config=_configure(modes or {}) | {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=False,
            tags=tags,
        )
        return RunOutcome(run_id, result.success, ())

    @property
    def newest_run(self) -> str:
        run_id = self.stores.ledger.newest_run()
        assert run_id is not None
        return run_id

    def tamper(self, *statements: str) -> None:
        """Change the working file behind the line's back."""
        with self.stores.open_working() as con:
            for statement in statements:
                con.execute(statement)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the working file."""
        with self.stores.open_working() as con:
            return con.execute(sql).fetchall()

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the served file, opened as a BI tool opens it."""
        with duckdb.connect(str(self.served), read_only=True) as con:
            return con.execute(sql).fetchall()

    def hash_served(self) -> str:
        return hashlib.sha256(self.served.read_bytes()).hexdigest()

    def verdict(self, run_id: str) -> tuple[str, str]:
        row = self.stores.ledger.verdict_row(run_id) or {}
        return row.get("verdict", "none"), row.get("reason", "")

    def sync_streams(self, *sources: str, mode: str = "incremental") -> RunOutcome:
        """Read sources and nothing more."""
        part = dg.AssetSelection.groups(*sources)
        return self.run_part(part, dict.fromkeys(sources, mode), passed=False)

    def check(self, run_id: str, name: str) -> dict[str, tuple[bool, str, str]]:
        """Results of one check of a run by asset: passed, severity, detail."""
        results = self.stores.ledger.check_results(run_id)
        return {str(r.asset): (r.passed, r.severity, r.detail) for r in results if r.name == name}


@contextmanager
def start_company(folder: Path) -> Iterator[Sandbox]:
    """A small company's systems, with faults, and one forged callback among its events; the same one each time."""
    with start(folder, scale=SCALE, options=ServeOptions(error_rate=0.01, rate_scale=1000)) as sandbox:
        keys = CallbackKeys(sandbox.env["WECOM_CALLBACK_TOKEN"], sandbox.env["WECOM_CALLBACK_AES_KEY"], CORP_ID)
        event = {
            "event_id": "forged",
            "create_time": datetime(2025, 8, 1, tzinfo=UTC),
            "event": "change_external_contact",
            "change_type": "del_external_contact",
            "user_id": "nobody",
            "external_user_id": "nobody",
        }
        envelope = build_envelope(event, keys, forged=True)
        write_atomically(Path(sandbox.env["WECOM_INBOX"]) / "20250801T000000-forged.json", json.dumps(envelope).encode())
        yield sandbox


def describe_environment(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    """What a process is told to run the line against this company; one Dagster instance serves every home."""
    return {
        **sandbox.env,
        "SANDBOX_AS_OF": sandbox.as_of.isoformat(),
        "GOLDTHREAD_PROJECT": str(REPOSITORY),
        "DAGSTER_HOME": str(folder / "dagster"),
        "GOLDTHREAD_LEDGER": "",
    }


@contextmanager
def trap_network() -> Iterator[list[str]]:
    """Refuse every address that is not this machine, and note who was asked for."""
    attempts: list[str] = []
    real_connect, real_lookup = socket.socket.connect, socket.getaddrinfo

    def connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not _is_local(address[0]):
            attempts.append(str(address))
            raise OSError(f"the trap refuses {address}")
        real_connect(self, address)

    def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not _is_local(host):
            attempts.append(str(host))
            raise socket.gaierror(f"the trap refuses {host}")
        return real_lookup(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket, "getaddrinfo", look_up)
        yield attempts


def fingerprint_tables(con: duckdb.DuckDBPyConnection, without: Mapping[str, Iterable[str]]) -> dict[str, pl.DataFrame]:
    """Every table of the file, rows sorted; `without`: columns left out by table ("*": of every table; no column: the table)."""
    names = [name for (name,) in con.execute("select table_name from information_schema.tables order by all").fetchall()]
    found = {}
    for name in names:
        if name in without and not without[name]:
            continue
        left_out = {*without.get("*", ()), *without.get(name, ())}
        columns = [column for column in con.table(name).columns if column not in left_out]
        listed = ", ".join(f'"{column}"' for column in columns)
        found[name] = con.sql(f'select {listed} from "{name}" order by all').pl()
    return found


def _is_local(host: Any) -> bool:
    text = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    return text in {"localhost", "::1", "0.0.0.0", socket.gethostname()} or text.startswith("127.")


def _configure(modes: Mapping[str, str]) -> dict[str, Any]:
    return {"ops": {f"sync_{name}": {"config": {"mode": mode}} for name, mode in modes.items()}} if modes else {}


def parse_json(text: str) -> Any:
    """The one JSON object that a command printed."""
    return json.loads(text.strip().splitlines()[-1])
