"""Start and stop the sandbox company's systems beside the pipeline, and tell the project where they listen."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dotenv import set_key

from orchestration.project import ProjectError

START_SECONDS = 300.0


@dataclass(frozen=True)
class SandboxOptions:
    """Size 1 is about 2,000 customers; the same seed makes the same company."""

    scale: float = 1.0
    seed: int = 7
    error_rate: float = 0.01
    rate_scale: float = 1.0


@dataclass(frozen=True)
class Sandbox:
    """Where the running systems listen; `truth` holds who is who and is never read by the pipeline."""

    folder: Path
    control_url: str
    truth: Path


def sandbox_folder(home: Path) -> Path:
    return home / "sandbox"


#: told how many stages there are, and the names of those that are done
OnStages = Callable[[int, list[str]], None]


@contextmanager
def run_sandbox(home: Path, options: SandboxOptions) -> Iterator[Sandbox]:
    """Serve the company from a child process for as long as the block lasts."""
    with start_sandbox(home, options) as wait_until_ready:
        yield wait_until_ready(lambda _count, _done: None)


@contextmanager
def start_sandbox(home: Path, options: SandboxOptions) -> Iterator[Callable[[OnStages], Sandbox]]:
    """Like `run_sandbox`, but the block begins at once; what it is given waits until the systems answer, and tells the stages."""
    folder = sandbox_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    endpoints = folder / "endpoints.json"
    endpoints.unlink(missing_ok=True)
    log = folder / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(_command(folder, options), stdout=output, stderr=subprocess.STDOUT)  # noqa: S603

    def wait_until_ready(on_stages: OnStages) -> Sandbox:
        _wait_until_ready(process, endpoints, log, on_stages)
        return read_sandbox(home)

    try:
        yield wait_until_ready
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def read_sandbox(home: Path) -> Sandbox:
    """The running sandbox of this home; writes its addresses where the project looks them up."""
    folder = sandbox_folder(home)
    endpoints = folder / "endpoints.json"
    if not endpoints.exists():
        raise ProjectError("no sandbox is running for this home: start one with `goldthread sandbox serve`")
    answer = json.loads(endpoints.read_text(encoding="utf-8"))
    env_file = folder / "endpoints.env"
    env_file.touch(mode=0o600)
    for name, value in {**answer["env"], "SANDBOX_AS_OF": answer["as_of"]}.items():
        set_key(env_file, name, value)
    return Sandbox(folder, answer["env"]["SANDBOX_CONTROL_URL"], Path(answer["truth"]))


def advance_sandbox(home: Path, days: int) -> str:
    """Let the company live on for some days; returns its new time."""
    import httpx

    sandbox = read_sandbox(home)
    answer = httpx.post(f"{sandbox.control_url}/advance", json={"days": days}, timeout=START_SECONDS)
    answer.raise_for_status()
    as_of: str = answer.json()["as_of"]
    set_key(sandbox.folder / "endpoints.env", "SANDBOX_AS_OF", as_of)
    return as_of


def _command(folder: Path, options: SandboxOptions) -> list[str]:
    return [
        sys.executable,
        "-m",
        "sandbox",
        "serve",
        "--dir",
        str(folder),
        "--scale",
        str(options.scale),
        "--seed",
        str(options.seed),
        "--error-rate",
        str(options.error_rate),
        "--rate-scale",
        str(options.rate_scale),
    ]


def _wait_until_ready(process: subprocess.Popen[bytes], endpoints: Path, log: Path, on_stages: OnStages) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not endpoints.exists():
        on_stages(*_read_stages(log))
        if process.poll() is not None or time.monotonic() > deadline:
            tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
            raise ProjectError(f"the sandbox did not start; the end of {log}:\n{tail}")
        time.sleep(0.02)


def _read_stages(log: Path) -> tuple[int, list[str]]:
    """How many stages the serving process has announced, and which it has done."""
    count, done = 0, []
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        kind, _, names = line.partition(": ")
        if kind == "stages":
            count = len(names.split())
        elif kind == "done":
            done.append(names)
    return count, done
