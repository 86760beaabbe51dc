"""A command under watch: wall and CPU seconds, peak memory, and its CPU clock over time."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psutil

SAMPLE_SECONDS = 0.1
MEMORY_EVERY = 5  # samples: adding up a tree's memory costs milliseconds


@dataclass(frozen=True)
class Watched:
    """What a command took.

    cpu: seconds of the process and of the children that it waited for. peak_rss_mb: of the process itself.
    peak_tree_mb: of the process and all its descendants at one moment, shared pages counted once.
    clock: (epoch seconds, CPU seconds of the process itself so far), rising.
    """

    output: str
    wall: float
    cpu: float
    peak_rss_mb: float
    peak_tree_mb: float
    clock: tuple[tuple[float, float], ...]

    def cpu_between(self, start: float, end: float) -> float:
        """CPU seconds of the process itself between two epoch times, by interpolation."""
        return self._cpu_at(end) - self._cpu_at(start)

    def _cpu_at(self, moment: float) -> float:
        place = bisect_left(self.clock, (moment, 0.0))
        if place == 0:
            return 0.0
        if place == len(self.clock):
            return self.clock[-1][1]
        (t0, c0), (t1, c1) = self.clock[place - 1], self.clock[place]
        return c0 + (c1 - c0) * (moment - t0) / (t1 - t0)


def watch(command: Sequence[str], env: Mapping[str, str], limit: float | None = None) -> Watched:
    """Run the command to its end. Raises RuntimeError with its last words when it fails or takes more than `limit` seconds."""
    started = time.monotonic()
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    alarm = threading.Timer(limit or threading.TIMEOUT_MAX, process.kill)
    alarm.daemon = True
    alarm.start()
    samples = _Samples(process.pid)
    sampler = threading.Thread(target=samples.take_until_gone)
    sampler.start()
    said: dict[str, str] = {}
    assert process.stdout is not None
    assert process.stderr is not None
    readers = [
        threading.Thread(target=lambda name=name, pipe=pipe: said.update({name: pipe.read()}))
        for name, pipe in (("out", process.stdout), ("err", process.stderr))
    ]
    for reader in readers:
        reader.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - started
    alarm.cancel()
    for thread in (sampler, *readers):
        thread.join()
    process.stdout.close()
    process.stderr.close()
    if limit and wall >= limit:
        raise RuntimeError(f"{' '.join(command)} was stopped after {limit:g} s")
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{said['out'][-3000:]}\n{said['err'][-3000:]}")
    return Watched(
        said["out"],
        wall,
        usage.ru_utime + usage.ru_stime,
        samples.peak_rss / 2**20,
        samples.peak_tree / 2**20,
        tuple(samples.clock),
    )


class _Samples:
    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.clock: list[tuple[float, float]] = []
        self.peak_rss = 0
        self.peak_tree = 0

    def take_until_gone(self) -> None:
        turn = 0
        try:
            while self._process.status() != psutil.STATUS_ZOMBIE:
                times = self._process.cpu_times()
                self.clock.append((time.time(), times.user + times.system))
                self.peak_rss = max(self.peak_rss, self._process.memory_info().rss)
                if turn % MEMORY_EVERY == 0:
                    tree = [self._process, *self._process.children(recursive=True)]
                    self.peak_tree = max(self.peak_tree, sum(_measure_pss(member) for member in tree))
                turn += 1
                time.sleep(SAMPLE_SECONDS)
        except psutil.NoSuchProcess:
            return


def _measure_pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
