"""Lasting hashes of what records are found by: source and key, block keys, guards. They say the same in every later run."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from hub.columns.hashing import Hashes, hash_rows, hash_texts
from hub.columns.parts import Ids, Parts, number
from hub.rules.model import Rules


def hash_records(records: pl.DataFrame) -> Hashes:
    """A lasting hash of source and key per record."""
    return hash_rows(records, ("source", "source_key"))


def hash_part(parts: Parts, part: str) -> Hashes:
    """A lasting hash of the part's value per record; 0 where nothing is known."""
    name, _, rest = part.partition(".")
    table = parts.tables[name]
    values = table.rows[rest].cast(pl.String)
    known = values.is_not_null().to_numpy()
    own = np.where(known, np.maximum(hash_texts(values), np.uint64(1)), np.uint64(0))
    return np.append(own, np.uint64(0))[table.ids]


def hash_blocks(parts: Parts, rules: Rules) -> list[Hashes]:
    """The hashes of each block key, of its parts together; 0 where any is unknown."""
    own = {part: hash_part(parts, part) for part in dict.fromkeys(part for key in rules.block_keys for part in key.parts)}
    return [_mix([own[part] for part in key.parts]) for key in rules.block_keys]


def _mix(hashes: Sequence[Hashes]) -> Hashes:
    mixed = hashes[0]
    known = mixed != 0
    for own in hashes[1:]:
        known &= own != 0
        mixed = (mixed ^ (own + np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(29)
    return np.where(known, np.maximum(mixed, np.uint64(1)), np.uint64(0))


def hash_guards(parts: Parts, rules: Rules) -> Hashes:
    """A row per guard and barrier, 0 where it is unknown."""
    own = [hash_part(parts, part) for part in rules.separators]
    return np.stack(own) if own else np.zeros((0, parts.n), dtype=np.uint64)


def number_hashes(hashes: Hashes) -> Ids:
    """A code per hash, equal where they are; -1 for 0."""
    return number(pl.Series(hashes).set(pl.Series(hashes == 0), None))[0]


def find_rows(hashes: Hashes, asked: Hashes) -> Ids:
    """The rows whose hash is asked for; 0 is none. A table of 2**16 bits spares looking at most rows."""
    asked = np.unique(asked[asked != 0])
    table = np.zeros(1 << 16, dtype=bool)
    table[(asked >> np.uint64(40)).astype(np.uint16)] = True
    rows = np.flatnonzero(table[(hashes >> np.uint64(40)).astype(np.uint16)])
    place = np.minimum(np.searchsorted(asked, hashes[rows]), max(len(asked) - 1, 0))
    return rows[asked[place] == hashes[rows]].astype(np.int32) if len(asked) else np.zeros(0, dtype=np.int32)
