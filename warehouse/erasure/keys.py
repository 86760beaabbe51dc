"""Keyed hashes: how an erased record is known again without being kept."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from functools import cached_property
from pathlib import Path

from warehouse.durable import sync_directory
from warehouse.home import Home

HASH_CHARACTERS = 32
STANDIN_CHARACTERS = 16
STANDIN_PREFIX = "erased-"


class Keyed:
    """Hashes under one secret key: without it nobody can tell by trying which text a hash is of."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def hash(self, *parts: str) -> str:
        """128 bits of HMAC-SHA-256, as hex."""
        message = "\x1f".join(parts).encode()
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()[:HASH_CHARACTERS]

    def make_standin(self, source: str, source_key: str) -> str:
        """What stands for an erased record's key from now on."""
        return STANDIN_PREFIX + self.hash("token", source, source_key)[:STANDIN_CHARACTERS]

    @cached_property
    def check(self) -> str:
        """The same for the same key."""
        return self.hash("check")


def key_file(home: Home) -> Path:
    """Where the key is when the environment names none."""
    return home.path / "erasure.key"


def open_key(home: Home) -> Keyed:
    """The key that the environment gave, else the home's own, made at the first need and readable to its owner alone."""
    if home.erasure_key:
        return Keyed(home.erasure_key.encode())
    path = key_file(home)
    if not path.exists():
        _make(path)
    return Keyed(path.read_bytes())


def _make(path: Path) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(descriptor)
    temporary.replace(path)
    sync_directory(path.parent)
