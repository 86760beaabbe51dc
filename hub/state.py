"""What a hub keeps between additions: records, hashes of their keys, scored pairs, ids. Rows never move; the dead stay."""

import os
import shutil
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from hub.hashing import Hashes, hash_rows, hash_texts
from hub.hierarchy import read_name_keys
from hub.identify import align_events, find_redirects
from hub.parts import Parts, number
from hub.prepare import align_records
from hub.resolve import Resolution
from hub.rules.model import Rules
from hub.weigh import UNITS_PER_BIT, Weighed

Ids = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_TABLES = ("ids", "lineage")
#: what only ever grows by rows: an addition writes its own
_GROWING_TABLES = ("records", "vectors", "portraits")
_GROWING_ARRAYS = ("hashes", "keys", "guards")
_GROWING = _GROWING_TABLES + _GROWING_ARRAYS
#: rows that lie in so many pieces are written anew
_MOST_PIECES = 16


@dataclass
class State:
    """records: source, source_key and the columns of the rules, a row per version of a record; `alive` marks the present ones,
    `order` has these by source and key.

    hashes: of source and key; keys (in pieces), guards: a row per block key or guard, a lasting hash per record, 0 where unknown.
    vectors: vector, total and counted (tenths of a bit: the weight, and what it adds between clusters), evidence (JSON; null
    below the review threshold). Pairs of rows stand in the order of their records, left before right: proposed (bit per key),
    vector (row of `vectors`). owner: place in `ids` of each row's id. ids: gid, issued_no, target_gid, since, is_live.
    portraits: golden records as they once were, with the keys of their names (hub.hierarchy); `shown` has the rows that hold,
    by gid. lineage: None where it is not kept.
    """

    records: pl.DataFrame
    alive: Mask
    order: Ids
    hashes: Hashes
    keys: tuple[npt.NDArray[np.uint64], ...]
    guards: npt.NDArray[np.uint64]
    vectors: pl.DataFrame
    left: Ids
    right: Ids
    proposed: npt.NDArray[np.uint32]
    vector: Ids
    owner: Ids
    ids: pl.DataFrame
    portraits: pl.DataFrame
    shown: Ids
    next_no: int
    lineage: pl.DataFrame | None = None

    def read_keys(self, place: int) -> Hashes:
        """The hashes of one block key, of all rows."""
        return np.concatenate([piece[place] for piece in self.keys])

    @property
    def golden(self) -> pl.DataFrame:
        """The golden record of each live id, by gid."""
        return self.portraits.rechunk().select(pl.all().gather(pl.Series(self.shown)))

    @property
    def total(self) -> Ids:
        """The weight of each pair."""
        weights: Ids = self.vectors["total"].to_numpy()[self.vector]
        return weights


def hash_part(parts: Parts, part: str) -> Hashes:
    """A lasting hash of the part's value per record; 0 where nothing is known."""
    name, _, rest = part.partition(".")
    table = parts.tables[name]
    values = table.rows[rest].cast(pl.String)
    known = values.is_not_null().to_numpy()
    own = np.where(known, np.maximum(hash_texts(values), np.uint64(1)), np.uint64(0))
    return np.append(own, np.uint64(0))[table.ids]


def hash_key(parts: Parts, names: tuple[str, ...]) -> Hashes:
    """A lasting hash of several parts together; 0 where any is unknown."""
    mixed = hash_part(parts, names[0])
    known = mixed != 0
    for part in names[1:]:
        own = hash_part(parts, part)
        known &= own != 0
        mixed = (mixed ^ (own + np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(29)
    return np.where(known, np.maximum(mixed, np.uint64(1)), np.uint64(0))


def number_hashes(hashes: Hashes) -> Ids:
    """A code per hash, equal where they are; -1 for 0."""
    return number(pl.Series(hashes).set(pl.Series(hashes == 0), None))[0]


def hash_records(records: pl.DataFrame) -> Hashes:
    """A lasting hash of source and key per record."""
    return hash_rows(records, ("source", "source_key"))


def hash_all_keys(parts: Parts, rules: Rules) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """A row per block key, and a row per guard."""
    keys = [hash_key(parts, key.parts) for key in rules.block_keys]
    guards = [hash_part(parts, part) for part in rules.guards]
    shape = (0, parts.n)
    return (
        np.stack(keys) if keys else np.zeros(shape, dtype=np.uint64),
        np.stack(guards) if guards else np.zeros(shape, dtype=np.uint64),
    )


def build_state(
    resolution: Resolution, records: pl.DataFrame, log: pl.DataFrame | None = None, *, keeps_lineage: bool = False
) -> State:
    """The state of a hub after a full resolution of `records`. log: the identity log with its events, if it was not the first."""
    rules, own = resolution.rules, resolution.sources
    aligned, order = align_records(records, rules)
    keys, guards = hash_all_keys(own.parts, rules)
    events, next_no = align_events(resolution.events if log is None else log, rules.id_prefix)
    ids = _list_ids(events)
    places = ids.select("gid", place=pl.int_range(pl.len(), dtype=pl.Int32))
    holders = own.members.gids.to_frame("gid").join(places, on="gid", how="left", maintain_order="left")["place"].to_numpy()
    golden = resolution.golden.with_columns(read_name_keys(own.parts, own.winners, rules))
    return State(
        records=aligned[order],
        alive=np.ones(own.parts.n, dtype=bool),
        order=np.arange(own.parts.n, dtype=np.int32),
        hashes=hash_records(own.aligned),
        keys=(keys,),
        guards=guards,
        vectors=describe_vectors(own.vectors, own.weighed, rules),
        left=own.candidates.left,
        right=own.candidates.right,
        proposed=own.candidates.keys,
        vector=own.place.astype(np.int32),
        owner=holders[own.members.owner],
        ids=ids,
        portraits=golden,
        shown=np.arange(golden.height, dtype=np.int32),
        next_no=next_no,
        lineage=resolution.lineage if keeps_lineage else None,
    )


def describe_vectors(vectors: Longs, weighed: Weighed, rules: Rules) -> pl.DataFrame:
    """Vectors with what they weigh, as State keeps them."""
    told = np.flatnonzero(weighed.total >= round(rules.review_bits * UNITS_PER_BIT))
    place = pl.Series(np.full(len(vectors), -1, dtype=np.int32)).scatter(told, np.arange(len(told), dtype=np.int32))
    return pl.DataFrame(
        {
            "vector": vectors,
            "total": weighed.total.astype(np.int32),
            "counted": weighed.weigh_for_clusters(rules),
            "evidence": weighed.take(told).write_evidence().gather(place.set(place < 0, None)),
        }
    )


def _list_ids(log: pl.DataFrame) -> pl.DataFrame:
    """gid, issued_no, target_gid, since, is_live of every id ever issued."""
    issued = log.filter(pl.col("kind") == "issued").select("gid", issued_no="event_no").sort("gid")
    ends = log.filter(pl.col("kind").is_in(["merged", "retired", "restored"])).unique("gid", keep="last", maintain_order=True)
    over = ends.filter(pl.col("kind") != "restored")["gid"]
    ids = issued.join(find_redirects(log), on="gid", how="left", maintain_order="left")
    return ids.with_columns(is_live=~pl.col("gid").is_in(over.implode()))


def save_state(state: State, folder: Path, base: Path | None = None) -> State:
    """Write the state into a new folder. base: one that it was added to, whose rows are linked to and not written again.

    Returns the state as it was written: golden records that hold no more are left out where all are written.
    """
    folder.mkdir(parents=True)
    starts = _link_pieces(base, folder) if base is not None else {}
    if not starts:
        state = replace(state, portraits=state.golden, shown=np.arange(len(state.shown), dtype=np.int32))
    for name in _GROWING_TABLES:
        start = starts.get(name, 0)
        getattr(state, name)[start:].write_ipc(folder / f"{name}.{start}.arrow", compression="uncompressed")
    for name in _GROWING_ARRAYS:
        start = starts.get(name, 0)
        np.save(folder / f"{name}.{start}.npy", _cut(getattr(state, name), start))
    for name in _TABLES:
        table = getattr(state, name)
        if table is not None:
            table.write_ipc(folder / f"{name}.arrow", compression="uncompressed")
    for name in _list_arrays():
        np.save(folder / f"{name}.npy", getattr(state, name))
    (folder / "next_no").write_text(str(state.next_no), encoding="utf-8")
    return state


def _cut(values: Any, start: int) -> Any:
    """The values from a place on, those of pieces as one."""
    if not isinstance(values, tuple):
        return values[..., start:]
    before = np.cumsum([0, *(piece.shape[-1] for piece in values)])
    return np.concatenate([piece[:, max(start - own, 0) :] for piece, own in zip(values, before[:-1], strict=True)], axis=-1)


def _link_pieces(base: Path, folder: Path) -> dict[str, int]:
    """Take over what only grows from another state; returns how much of each, nothing where it lies in so many pieces that they
    are better joined."""
    pieces = {name: _list_pieces(base, name) for name in _GROWING}
    if len(pieces["records"]) >= _MOST_PIECES:
        return {}
    for path in (path for name in _GROWING for path in pieces[name]):
        try:
            os.link(path, folder / path.name)
        except OSError:  # a file system without hard links
            shutil.copyfile(path, folder / path.name)
    return {name: _find_start(paths[-1]) + _measure(paths[-1]) for name, paths in pieces.items()}


def _list_pieces(folder: Path, name: str) -> list[Path]:
    return sorted(folder.glob(f"{name}.*.*"), key=_find_start)


def _find_start(piece: Path) -> int:
    return int(piece.name.split(".")[1])


def _measure(piece: Path) -> int:
    return _map_table(piece).height if piece.suffix == ".arrow" else _map_array(piece).shape[-1]


def load_state(folder: Path) -> State:
    """Read a state; its files are mapped, not read. Raises OSError or ValueError where a file is missing or cut off."""
    paths = {name: folder / f"{name}.arrow" for name in _TABLES}
    values: dict[str, Any] = {name: _map_table(path) for name, path in paths.items() if name != "lineage" or path.exists()}
    values |= {name: _map_array(folder / f"{name}.npy") for name in _list_arrays()}
    for name in _GROWING_TABLES:
        values[name] = pl.concat([_map_table(path) for path in _list_pieces(folder, name)])
    for name in _GROWING_ARRAYS:
        values[name] = tuple(_map_array(path) for path in _list_pieces(folder, name))
    n = {sum(piece.shape[-1] for piece in values[name]) for name in _GROWING_ARRAYS} | {values["records"].height}
    if n != {len(values["alive"])} or len({len(values[name]) for name in ("left", "right", "proposed", "vector")}) > 1:
        raise ValueError(f"{folder}: not a whole state")
    for name in ("hashes", "guards"):
        pieces = values[name]
        values[name] = pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=-1)
    return State(**values, next_no=int((folder / "next_no").read_text(encoding="utf-8")))


def _map_table(path: Path) -> pl.DataFrame:
    """A table whose values are mapped; polars would read a million records in 0.5 s."""
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        table = pl.from_arrow(reader.read_all())
    assert isinstance(table, pl.DataFrame)
    return table


def _map_array(path: Path) -> npt.NDArray[Any]:
    """An array whose values are mapped; as a plain one, for each part of a memmap is a memmap again."""
    return np.asarray(np.load(path, mmap_mode="r"))


def _list_arrays() -> list[str]:
    return [field.name for field in fields(State) if field.name not in (*_TABLES, *_GROWING, "next_no")]
