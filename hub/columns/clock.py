"""Seconds and peak memory of the stages of a process."""

import re
import resource
import sys
import time
from pathlib import Path

_STATUS = Path("/proc/self/status")
#: ru_maxrss is in bytes on macOS and in KB elsewhere
_PER_MB = 2**20 if sys.platform == "darwin" else 2**10


class Clock:
    """seconds: of each stage; peak_mb: the most memory that the process had held by the end of each."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.peak_mb: dict[str, int] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """The stage ends now; the next one begins."""
        now = time.perf_counter()
        self.seconds[stage] = round(now - self._last, 3)
        self.peak_mb[stage] = _read_peak()
        self._last = now


def _read_peak() -> int:
    """MB. Where the kernel tells it, the process's own: ru_maxrss starts at what the parent held when it forked."""
    if _STATUS.exists():
        found = re.search(r"^VmHWM:\s+(\d+) kB", _STATUS.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return round(int(found[1]) / 2**10)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _PER_MB)
