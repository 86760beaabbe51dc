"""Client-side request budgets, so that a vendor's limit is normally never met."""

import threading
import time
from collections import deque
from collections.abc import Callable


class Budget:
    """At most `calls` requests in any `seconds` (a sliding window, because a bucket would allow twice that at its seams)."""

    def __init__(
        self,
        calls: int,
        seconds: float,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if calls < 1:
            raise ValueError(f"a budget needs at least one call, got {calls}")
        self._seconds = seconds
        self._sleep = sleep
        self._clock = clock
        self._starts: deque[float] = deque(maxlen=calls)
        self._lock = threading.Lock()

    def take(self) -> None:
        """Wait until one more request fits, and count it. Waiting threads queue up behind each other."""
        with self._lock:
            if len(self._starts) == self._starts.maxlen:
                wait = self._starts[0] + self._seconds - self._clock()
                if wait > 0:
                    self._sleep(wait)
            self._starts.append(self._clock())
