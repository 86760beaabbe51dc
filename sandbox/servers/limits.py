"""Rate limits and seeded faults, shared by the simulated vendors."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


class RollingLimit:
    """At most `count` calls in any `seconds`; a breach blocks every call for `block_seconds` more."""

    def __init__(
        self, count: float, seconds: float, *, block_seconds: float = 0, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._count = max(1, int(count))
        self._seconds = seconds
        self._block_seconds = block_seconds
        self._now = now
        self._calls: deque[float] = deque()
        self._blocked_until = float("-inf")
        self._lock = threading.Lock()

    def admit(self) -> float:
        """Count one call. Returns 0 when it is within the limit, else the seconds until the next can be."""
        with self._lock:
            now = self._now()
            if now < self._blocked_until:
                return self._blocked_until - now
            while self._calls and self._calls[0] <= now - self._seconds:
                self._calls.popleft()
            if len(self._calls) < self._count:
                self._calls.append(now)
                return 0
            if self._block_seconds:
                self._blocked_until = now + self._block_seconds
                return self._block_seconds
            return self._calls[0] + self._seconds - now


class Faults:
    """Faults at a settable rate, the same ones for the same seed and order of calls."""

    def __init__(self, rate: float, seed: int) -> None:
        self._rate = rate
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def draw(self, kinds: Sequence[T]) -> T | None:
        """One of `kinds` with probability `rate`, else None."""
        with self._lock:
            if self._random.random() >= self._rate:
                return None
            return self._random.choice(kinds)
