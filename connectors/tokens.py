"""Access tokens: one per (vendor, app, secret), renewed early, by one thread at a time."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

EARLY = timedelta(minutes=7)  # renew this long before the vendor's expiry


@dataclass(frozen=True)
class Token:
    """A bearer value (may be kilobytes long) and the moment until which it may be used."""

    value: str = field(repr=False)
    good_until: datetime


def expiring_token(value: str, expires_in: float, now: datetime) -> Token:
    """A token good for `expires_in` seconds less a margin of seven minutes, or a quarter of a very short life."""
    life = timedelta(seconds=expires_in)
    return Token(value, now + life - min(EARLY, life / 4))


@dataclass(frozen=True)
class TokenKey:
    """Whose token it is; the secret itself is not kept."""

    vendor: str
    app_id: str
    secret_hash: str


def token_key(vendor: str, app_id: str, secret: str) -> TokenKey:
    """The cache key of one app of one vendor: a new secret is a new key."""
    return TokenKey(vendor, app_id, hashlib.sha256(secret.encode()).hexdigest())


class TokenCache:
    """Tokens in memory; safe to share between connectors and threads."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._tokens: dict[TokenKey, Token] = {}
        self._locks: dict[TokenKey, threading.Lock] = {}
        self._guard = threading.Lock()

    def get(self, key: TokenKey, fetch: Callable[[], Token], *, refused: str | None = None) -> str:
        """The current token, fetched if there is none, it is about to expire, or it is the one the vendor `refused`.

        Of several threads that come with the same refused token only the first fetches; the others get its result.
        """
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            token = self._tokens.get(key)
            if token is None or token.good_until <= self._now() or token.value == refused:
                token = self._tokens[key] = fetch()
            return token.value
