"""Whom a kept hub was told to erase: known again by keyed hashes of source and key, which are kept instead of them (I-10).

The hub's folder holds the key (erasure.key, readable to its owner alone) and the hashes (erased.txt, one per line).
"""

import hmac
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from hub.columns.prepare import RecordsError
from hub.decisions import align_log

#: begins what stands for the key of an erased record
STAND_IN = "erased-"
REDACTED = "[erased]"
_HEX, _STAND_IN_HEX = 32, 16
_BETWEEN = "\x1f"
_RECORD = ["source", "source_key"]
_SIDES = ("group_a", "group_b")

Standins = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Erased:
    """Hashes of the erased records, under one secret key."""

    key: bytes
    hashes: frozenset[str]

    def knows(self, source: str, source_key: str) -> bool:
        """Whether a record was erased."""
        return self.name_hash(source, source_key) in self.hashes

    def name_hash(self, source: str, source_key: str) -> str:
        """What is kept instead of a record's source and key."""
        return self._hash(_BETWEEN.join(("record", source, source_key)).encode())

    def leave_out(self, records: pl.DataFrame) -> pl.DataFrame:
        """The records but for the erased ones."""
        if not self.hashes:
            return records
        parts = pl.lit("record"), pl.col(_RECORD).cast(pl.String).fill_null("")
        named = records.select(pl.concat_str(*parts, separator=_BETWEEN).cast(pl.Binary)).to_series()
        return records.filter(pl.Series([self._hash(text) not in self.hashes for text in named], dtype=pl.Boolean))

    def hide(self, decisions: pl.DataFrame | None) -> pl.DataFrame:
        """A log of decisions in which stand-ins are named instead of erased records."""
        decisions = align_log(decisions)
        if not self.hashes:
            return decisions
        named = {(one["source"], one["source_key"]) for side in _SIDES for group in decisions[side] for one in group}
        return hide_in_decisions(decisions, self.make_standins(record for record in named if self.knows(*record)))

    def make_standins(self, records: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """What stands for the key of each record, the same every time."""
        texts = {record: _BETWEEN.join(("standin", *record)).encode() for record in records}
        return {record: STAND_IN + self._hash(text)[:_STAND_IN_HEX] for record, text in texts.items()}

    def _hash(self, text: bytes) -> str:
        return hmac.digest(self.key, text, "sha256").hex()[:_HEX]


def read_erased(folder: Path) -> Erased:
    """Whom a hub erased. Raises RecordsError where the key of the hashes is gone: then nobody could be told from them."""
    key, hashes = folder / "erasure.key", folder / "erased.txt"
    if not hashes.exists():
        return Erased(key.read_bytes() if key.exists() else b"", frozenset())
    if not key.exists():
        raise RecordsError(f"{key} is gone: without it erased records would come back; put it back from a copy of the hub")
    return Erased(key.read_bytes(), frozenset(hashes.read_text(encoding="ascii").split()))


def keep_erased(folder: Path, records: Iterable[tuple[str, str]]) -> Erased:
    """Remember more records as erased; the caller holds the hub's lock."""
    before = read_erased(folder)
    key = before.key or _make_key(folder)
    erased = Erased(key, before.hashes | {Erased(key, frozenset()).name_hash(*record) for record in records})
    waiting = folder / "erased.new"
    waiting.write_text("".join(f"{text}\n" for text in sorted(erased.hashes)), encoding="ascii")
    waiting.replace(folder / "erased.txt")
    return erased


def _make_key(folder: Path) -> bytes:
    waiting = folder / "erasure.new"
    waiting.unlink(missing_ok=True)
    with os.fdopen(os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32))
    waiting.replace(folder / "erasure.key")
    return (folder / "erasure.key").read_bytes()


def hide_in_decisions(decisions: pl.DataFrame, standins: Standins, contacts: frozenset[str] = frozenset()) -> pl.DataFrame:
    """Decisions with what stands for erased records' keys. The reasons of those that name one go: they were given about it."""
    rows = []
    for row in decisions.iter_rows(named=True):
        sides = {side: [_stand_in(one, standins) for one in row[side]] for side in _SIDES}
        texts = {name: _hide(text, contacts) for name, text in row.items() if name.endswith("reason")}
        if any(sides[side] != row[side] for side in _SIDES):
            texts = {name: REDACTED if text else text for name, text in texts.items()}
        rows.append({**row, **sides, **texts})
    return pl.DataFrame(rows, schema=decisions.schema)


def _stand_in(one: Mapping[str, str], standins: Standins) -> dict[str, str]:
    return {**one, "source_key": standins.get((one["source"], one["source_key"]), one["source_key"])}


def _hide(text: str | None, contacts: frozenset[str]) -> str | None:
    for contact in contacts:
        text = text.replace(contact, REDACTED) if text else text
    return text
