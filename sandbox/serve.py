"""Serves the made-up company: HubSpot and WeCom over HTTP, the ERP in PostgreSQL, form files in folders."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.company import Company, build_company
from sandbox.servers.atomic import write_atomically
from sandbox.servers.forms import FormsFolder
from sandbox.servers.http import HttpThread
from sandbox.servers.hubspot import HubSpotOptions, HubSpotServer
from sandbox.servers.u8 import U8Server
from sandbox.servers.versions import select_changed
from sandbox.servers.wecom import WeComOptions, WeComServer
from sandbox.servers.wecom_callback import CallbackKeys, write_envelopes

CORP_ID = "ww5a1d2b0x0goldthread"
FOLDERS = ("erp", "forms", "wecom-inbox", "truth")
MARKER = ".goldthread-sandbox"
# what there is to do until the systems answer; the four in the middle are done side by side
STAGES = ("company", "truth", "forms", "messaging", "ERP", "CRM")
OnStage = Callable[[str], None]


def ignore_stage(_stage: str) -> None:
    """For a caller who only waits."""


@dataclass(frozen=True)
class ServeOptions:
    """error_rate: share of HTTP calls that fail; rate_scale: factor on every rate limit; token_seconds: WeCom's token;
    search_lag_s: wall seconds after an advance until HubSpot's search knows it."""

    error_rate: float = 0.01
    rate_scale: float = 1.0
    token_seconds: float = 7200
    search_lag_s: float = 0.0
    seed: int = 7


class Sandbox:
    """The running company. `env`: settings for a pipeline; `as_of`: the company's present."""

    def __init__(self, company: Company, directory: Path, options: ServeOptions) -> None:
        self._company = company
        self._directory = directory
        self._lock = threading.Lock()
        self.as_of = company.as_of
        secrets = {name: _derive(name, options.seed) for name in ("hubspot", "wecom", "callback", "aes")}
        aes_key = base64.b64encode(bytes.fromhex(secrets["aes"])).decode().rstrip("=")
        self._keys = CallbackKeys(token=secrets["callback"][:16], aes_key=aes_key, corp_id=CORP_ID)
        hubspot = HubSpotOptions(
            token=f"pat-sandbox-{secrets['hubspot'][:32]}",
            error_rate=options.error_rate,
            rate_scale=options.rate_scale,
            search_lag_s=options.search_lag_s,
            seed=options.seed,
        )
        wecom = WeComOptions(
            corp_id=CORP_ID,
            secret=secrets["wecom"][:43],
            token_seconds=options.token_seconds,
            error_rate=options.error_rate,
            rate_scale=options.rate_scale,
            seed=options.seed,
        )
        self.hubspot = HubSpotServer(company.tables, company.as_of, hubspot)
        self.wecom = WeComServer(company.tables, company.as_of, wecom)
        self.u8 = U8Server(company.tables, company.as_of, directory / "erp")
        self.forms = FormsFolder(company.tables, directory / "forms")
        self._inbox = directory / "wecom-inbox"
        self._threads = {
            "hubspot": HttpThread(self.hubspot.app, "sandbox-hubspot"),
            "wecom": HttpThread(self.wecom.app, "sandbox-wecom"),
            "control": HttpThread(self._build_control(), "sandbox-control"),
        }
        self._credentials = {
            "HUBSPOT_TOKEN": hubspot.token,
            "WECOM_CORP_ID": CORP_ID,
            "WECOM_SECRET": wecom.secret,
            "WECOM_CALLBACK_TOKEN": self._keys.token,
            "WECOM_CALLBACK_AES_KEY": aes_key,
        }

    @property
    def env(self) -> dict[str, str]:
        """What a pipeline has to be told, by the names of its environment variables."""
        return {
            "HUBSPOT_URL": self._threads["hubspot"].url,
            "WECOM_URL": self._threads["wecom"].url,
            "U8_DATABASE_URL": self.u8.url,
            "WECOM_INBOX": str(self._inbox),
            "FORMS_FOLDER": str(self._directory / "forms"),
            "SANDBOX_CONTROL_URL": self._threads["control"].url,
            **self._credentials,
        }

    def start(self, on_stage: OnStage = ignore_stage) -> None:
        """Start every server, write the files, then `endpoints.json`. What an earlier run left in the directory goes."""
        _claim_directory(self._directory)
        try:
            # files, the database's start and its loading wait for different things
            with ThreadPoolExecutor() as pool:
                tasks = {
                    pool.submit(self._write_truth): "truth",
                    pool.submit(self.forms.advance, self.as_of): "forms",
                    pool.submit(self._write_events, None, self.as_of): "messaging",
                    pool.submit(self.u8.start): "ERP",
                }
                for task in as_completed(tasks):
                    task.result()
                    on_stage(tasks[task])
            for thread in self._threads.values():
                thread.start()
        except BaseException:
            self.stop()
            raise
        self._write_endpoints()
        on_stage("CRM")

    def stop(self) -> None:
        """Stop every server; `endpoints.json` goes away."""
        (self._directory / "endpoints.json").unlink(missing_ok=True)
        for thread in self._threads.values():
            thread.stop()
        self.u8.stop()

    def advance(self, days: float) -> datetime:
        """Let `days` pass in the company, at most to its horizon. Returns the new present."""
        with self._lock:
            if days <= 0:
                raise ValueError(f"days must be positive, got {days}: time does not run backwards")
            until = min(self.as_of + timedelta(days=days), self._company.horizon)
            self.u8.advance(until)
            self.forms.advance(until)
            self._write_events(self.as_of, until)
            self.hubspot.advance(until)
            self.wecom.advance(until)
            self.as_of = until
            self._write_endpoints()
            return until

    def describe_state(self) -> dict[str, Any]:
        """The clock, what each vendor holds, and what was asked of it."""
        return {
            "as_of": self.as_of.isoformat(),
            "horizon": self._company.horizon.isoformat(),
            "counts": {
                "hubspot": self.hubspot.store.counts(),
                "wecom": self.wecom.calls.store.counts(),
                "u8": self.u8.counts(),
                "forms": self.forms.counts(),
            },
            "requests": {"hubspot": dict(self.hubspot.counters), "wecom": dict(self.wecom.counters)},
        }

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _write_events(self, since: datetime | None, until: datetime) -> None:
        events = select_changed(self._company.tables["wecom.events"], ("event_id",), since, until)
        write_envelopes(events, self._inbox, self._keys)

    def _write_truth(self) -> None:
        folder = self._directory / "truth"
        folder.mkdir()
        for name, frame in self._company.truth.items():
            frame.write_parquet(folder / f"{name}.parquet")

    def _write_endpoints(self) -> None:
        endpoints = {"env": self.env, "truth": str(self._directory / "truth"), "as_of": self.as_of.isoformat()}
        content = json.dumps(endpoints, indent=2, ensure_ascii=False).encode()
        write_atomically(self._directory / "endpoints.json", content, mode=0o600)  # it holds a token and a password

    def _build_control(self) -> Starlette:
        async def advance(request: Request) -> Response:
            try:
                days = float((await request.json())["days"])
                moment = await run_in_threadpool(self.advance, days)
            except (ValueError, TypeError, KeyError) as error:
                return JSONResponse({"error": f'send {{"days": 7}}: {error}'}, status_code=400)
            return JSONResponse({"as_of": moment.isoformat()})

        async def state(request: Request) -> Response:
            return JSONResponse(await run_in_threadpool(self.describe_state))

        return Starlette(routes=[Route("/advance", advance, methods=["POST"]), Route("/state", state)])


def start(
    directory: Path,
    *,
    scale: float = 1.0,
    options: ServeOptions | None = None,
    company: Company | None = None,
    on_stage: OnStage = ignore_stage,
) -> Sandbox:
    """Build the company (unless given) and serve it from `directory`; stop it with `.stop()` or as a context manager.

    `on_stage` is told the name of each of STAGES that is done.
    """
    options = options or ServeOptions()
    company = company or build_company(scale, options.seed)
    on_stage("company")
    sandbox = Sandbox(company, directory.resolve(), options)
    sandbox.start(on_stage)
    return sandbox


def serve_until_stopped(sandbox: Sandbox) -> None:
    """Wait for SIGTERM or SIGINT, then stop. Main thread only."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()
    sandbox.stop()


def _claim_directory(directory: Path) -> None:
    """Empty our folders in `directory` of an earlier company. Raises FileExistsError when they are not ours to empty."""
    folders = [directory / name for name in FOLDERS]
    found = [folder.name for folder in folders if folder.exists()]
    marker = directory / MARKER
    if found and not marker.exists():
        raise FileExistsError(f"{directory} holds {', '.join(found)}, not made by the sandbox: choose another directory")
    directory.mkdir(parents=True, exist_ok=True)
    marker.write_text("The sandbox empties its folders here at each start.\n", encoding="utf-8")
    (directory / "endpoints.json").unlink(missing_ok=True)
    for folder in folders:
        # the database's own folder is emptied by whoever stops a server that still runs there
        if folder.name != "erp":
            shutil.rmtree(folder, ignore_errors=True)


def _derive(name: str, seed: int) -> str:
    return hashlib.sha256(f"sandbox {name} {seed}".encode()).hexdigest()
