"""A process whose every call out is on record, from native code too: DuckDB, polars, PostgreSQL's client.

The trap for Python's sockets (`trap_network`) names who called, but sees no further than Python.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# what a TCP or UDP address is given to; connect alone would miss datagrams
CALLS = "connect,sendto,sendmsg,sendmmsg"
ADDRESS = re.compile(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')


@dataclass(frozen=True)
class Traced:
    """A process that has ended: `calls` are the addresses of other machines that it turned to."""

    code: int
    output: str
    calls: tuple[str, ...]


def can_trace() -> bool:
    """Whether this machine has strace and lets us use it."""
    if not shutil.which("strace"):
        return False
    return (
        subprocess.run(["strace", "-f", "--seccomp-bpf", "-o", os.devnull, "true"], check=False, capture_output=True).returncode
        == 0
    )


def run_traced(command: Sequence[str], environment: Mapping[str, str], record: Path) -> Traced:
    """Run a command and its children to their end, under strace."""
    traced = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", f"trace={CALLS}", "-o", str(record), *command]
    ended = subprocess.run(traced, env={**os.environ, **environment}, check=False, capture_output=True, text=True)
    found = [match[1] or match[2] for match in ADDRESS.finditer(record.read_text(encoding="utf-8", errors="replace"))]
    away = sorted({address for address in found if not address.startswith("127.") and address != "::1"})
    return Traced(ended.returncode, ended.stdout, tuple(away))
