"""Access tokens as WeCom hands them out: the same one while it is valid."""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections.abc import Callable


class TokenDesk:
    """Issues, checks and revokes the one valid access token. `now` in seconds."""

    def __init__(self, corp_id: str, secret: str, valid_seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._identity = f"{corp_id}:{secret}"
        self._valid_seconds = valid_seconds
        self._now = now
        self._numbers = itertools.count(1)
        self._token = ""
        self._expires_at = float("-inf")
        self._old: set[str] = set()
        self._lock = threading.Lock()

    def issue(self) -> tuple[str, int]:
        """(token, seconds that it stays valid)."""
        with self._lock:
            if self._now() >= self._expires_at:
                self._old.add(self._token)
                self._token = hashlib.sha256(f"{self._identity}:{next(self._numbers)}".encode()).hexdigest()
                self._expires_at = self._now() + self._valid_seconds
            return self._token, max(1, int(self._expires_at - self._now()))

    def revoke(self) -> None:
        """Let the token expire before its time."""
        with self._lock:
            self._expires_at = float("-inf")

    def check(self, token: str | None) -> tuple[int, str]:
        """(errcode, errmsg): 0, 41001 missing, 42001 expired, 40014 never issued."""
        with self._lock:
            if not token:
                return 41001, "access_token missing"
            if token == self._token and self._now() < self._expires_at:
                return 0, "ok"
            if token == self._token or token in self._old:
                return 42001, "access_token expired"
            return 40014, "invalid access_token"
