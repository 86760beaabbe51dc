"""A hub's state in a folder: what came with an addition lies in files of its own, what was there is linked to."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from hub.columns.parts import Parts, Table
from hub.kept.pieces import Blocks, Open, Pairs, index_blocks, join_parts, read_block, sort_pairs, take_pairs
from hub.kept.state import State
from hub.kept.tally import Tally

#: raise it when the files change, so that none of older code is read
_FORMAT = 3
_NOTE = "state.json"
#: tables and arrays that only ever grow, by rows and by columns; the others are small and written by every addition
_TABLES = ("records", "vectors", "issued", "portraits")
_ARRAYS = ("hashes", "guards")
_WHOLE = ("alive", "order", "changed", "owner", "is_live", "shown")
_PAIRS, _BLOCKS = ("left", "right", "vector"), ("starts", "hashes", "rows")
#: pieces that are joined when there are so many
_MOST_PIECES = 16
#: how many times the first piece is the size of the later ones where only these are joined: a first one of a million records
#: takes 3 to 4 s
_MUCH_LARGER = 8


def save_state(state: State, folder: Path, base: Path | None = None) -> State:
    """Write the state into a new folder. base: one that it was added to, whose pieces are linked to and not written again.

    Returns the state as it was written: many pieces are joined, without pairs and golden records that hold no more.
    """
    folder.mkdir(parents=True)
    pieces = _read_note(base)["pieces"] if base is not None else []
    if len(pieces) >= _MOST_PIECES:
        pieces = pieces[: int(_is_much_larger(pieces[0], state))]
        state = _join_pieces(state, len(pieces))
    elif not pieces:
        state = _join_pieces(state, 0)
    if base is not None:
        for path in (path for number in range(len(pieces)) for path in base.glob(f"{number}.*")):
            _link(path, folder / path.name)
    before: Mapping[str, int] = {name: sum(piece[name] for piece in pieces) for name in (*_TABLES, "pairs")}
    _write_piece(state, folder, len(pieces), before)
    for name in _WHOLE:
        np.save(folder / f"{name}.npy", getattr(state, name))
    np.save(folder / "changed.proposed.npy", state.proposed[state.changed])
    np.save(folder / "open.npy", state.open.number)
    over = np.flatnonzero(~state.is_live)
    np.save(folder / "over.npy", np.stack([over, state.target[over], state.since[over]]))
    np.save(folder / "tally.npy", state.tally.vectors)
    if state.value is not None:
        np.save(folder / "value.npy", state.value)
    if state.lineage is not None:
        _write_table(state.lineage, folder / "lineage.arrow")
    sizes = {name: getattr(state, name).height - before[name] for name in _TABLES}
    sizes["pairs"] = len(state.proposed) - before["pairs"]
    note = {"format": _FORMAT, "next_no": state.next_no, "fields": list(state.parts[0].tables), "pieces": [*pieces, sizes]}
    note |= {"keys": state.tally.keys.tolist(), "barred": state.tally.barred}
    (folder / _NOTE).write_text(json.dumps(note), encoding="utf-8")
    return state


def _write_piece(state: State, folder: Path, number: int, before: Mapping[str, int]) -> None:
    """The last piece of the state, or all of it where it is the first."""
    for name in _TABLES:
        _write_table(getattr(state, name)[before[name] :], folder / f"{number}.{name}.arrow")
    for name in _ARRAYS:
        np.save(folder / f"{number}.{name}.npy", getattr(state, name)[..., before["records"] :])
    parts = state.parts[-1]
    np.save(folder / f"{number}.parts.npy", np.stack([table.ids for table in parts.tables.values()]))
    for place, table in enumerate(parts.tables.values()):
        _write_table(table.rows, folder / f"{number}.parts.{place}.arrow")
    for column in _BLOCKS:
        np.save(folder / f"{number}.blocks.{column}.npy", getattr(state.blocks[-1], column))
    for column in _PAIRS:
        np.save(folder / f"{number}.pairs.{column}.npy", getattr(state.pairs[-1], column))
    np.save(folder / f"{number}.pairs.proposed.npy", state.proposed[before["pairs"] :])


def _write_table(table: pl.DataFrame, path: Path) -> None:
    table.write_ipc(path, compression="uncompressed")


def _link(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(path, target)


def _is_much_larger(first: Mapping[str, int], state: State) -> bool:
    sizes = {"records": state.records.height, "pairs": len(state.proposed)}
    return all((size - first[name]) * _MUCH_LARGER <= first[name] for name, size in sizes.items())


def _join_pieces(state: State, kept: int) -> State:
    """The same state with all but its first pieces in one, without the pairs there that are no more; where that is all of it,
    without the golden records that are no more either."""
    if not kept:
        state = replace(state, portraits=state.golden, shown=np.arange(len(state.shown), dtype=np.int32))
    if len(state.pairs) == len(state.parts) == len(state.blocks) == 1 and state.proposed.all():
        return state
    start = sum(len(piece.left) for piece in state.pairs[:kept])
    at = start + np.flatnonzero(state.proposed[start:])
    held = state.take(at)
    pairs, order = sort_pairs(held.left, held.right, held.vector)
    number = np.arange(len(state.proposed))
    number[start:] = -1
    number[at[order]] = np.arange(start, start + len(at))
    keys = [read_block(state.blocks[kept:], place) for place in range(len(state.blocks[0].starts) - 1)]
    return replace(
        state,
        parts=(*state.parts[:kept], join_parts(state.parts[kept:])),
        blocks=(*state.blocks[:kept], index_blocks(keys)),
        pairs=(*state.pairs[:kept], pairs),
        proposed=np.concatenate([state.proposed[:start], state.proposed[at[order]]]),
        changed=state.changed[state.changed < start],
        open=replace(state.open, number=number[state.open.number]),
    )


def load_state(folder: Path) -> State:
    """Read a state; its files are mapped, not read. Raises OSError or ValueError where a file is missing or cut off."""
    note = _read_note(folder)
    sizes = note["pieces"]
    numbers = range(len(sizes))
    values: dict[str, Any] = {name: _map_array(folder / f"{name}.npy") for name in _WHOLE}
    for name in _TABLES:
        values[name] = pl.concat([_map_table(folder / f"{number}.{name}.arrow") for number in numbers])
    for name in _ARRAYS:
        values[name] = _join_arrays([_map_array(folder / f"{number}.{name}.npy") for number in numbers])
    proposed = _join_arrays([_map_array(folder / f"{number}.pairs.proposed.npy") for number in numbers])
    if len(values["changed"]):
        proposed = proposed.copy()
        proposed[values["changed"]] = _map_array(folder / "changed.proposed.npy")
    pairs = tuple(Pairs(*_map_columns(folder, f"{number}.pairs", _PAIRS)) for number in numbers)
    number = _map_array(folder / "open.npy")
    held = take_pairs(pairs, number)
    target, since = np.full(len(values["is_live"]), -1, dtype=np.int32), np.zeros(len(values["is_live"]), dtype=np.int64)
    over, target_of, since_of = _map_array(folder / "over.npy")
    target[over], since[over] = target_of, since_of
    lineage, value = folder / "lineage.arrow", folder / "value.npy"
    state = State(
        **values,
        parts=tuple(_map_parts(folder, number, note["fields"]) for number in numbers),
        blocks=tuple(Blocks(*_map_columns(folder, f"{number}.blocks", _BLOCKS)) for number in numbers),
        pairs=pairs,
        proposed=proposed,
        open=Open(number, held.left, held.right, held.vector),
        target=target,
        since=since,
        next_no=note["next_no"],
        tally=Tally(np.array(note["keys"], dtype=np.int64).reshape(-1, 3), _map_array(folder / "tally.npy"), note["barred"]),
        lineage=_map_table(lineage) if lineage.exists() else None,
        value=_map_array(value) if value.exists() else None,
    )
    _refuse_torn(state, sizes, folder)
    return state


def _refuse_torn(state: State, sizes: list[dict[str, int]], folder: Path) -> None:
    rows = {len(state.alive), len(state.owner), len(state.hashes), state.guards.shape[-1], sum(parts.n for parts in state.parts)}
    rows |= set() if state.value is None else {len(state.value)}
    ids = {len(state.target), len(state.since), len(state.is_live)}
    pairs = [{len(getattr(own, column)) for column in _PAIRS} for own in state.pairs]
    is_whole = rows == {state.records.height} and ids == {state.issued.height}
    is_whole &= pairs == [{size["pairs"]} for size in sizes] and len(state.proposed) == sum(size["pairs"] for size in sizes)
    is_whole &= all(getattr(state, name).height == sum(size[name] for size in sizes) for name in _TABLES)
    if not is_whole:
        raise ValueError(f"{folder}: not a whole state")


def _read_note(folder: Path) -> dict[str, Any]:
    note: dict[str, Any] = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
    if note["format"] != _FORMAT:
        raise ValueError(f"{folder}: written in format {note['format']}, not {_FORMAT}")
    return note


def _join_arrays(pieces: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=-1)


def _map_parts(folder: Path, number: int, fields: list[str]) -> Parts:
    ids = _map_array(folder / f"{number}.parts.npy")
    tables = [_map_table(folder / f"{number}.parts.{place}.arrow") for place in range(len(fields))]
    return Parts(ids.shape[1], {name: Table(rows, own) for name, rows, own in zip(fields, tables, ids, strict=True)})


def _map_columns(folder: Path, name: str, columns: tuple[str, ...]) -> list[npt.NDArray[Any]]:
    return [_map_array(folder / f"{name}.{column}.npy") for column in columns]


def _map_table(path: Path) -> pl.DataFrame:
    """A table whose values are mapped; polars would read a million records in 0.5 s."""
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        read = reader.read_all()
    table = pl.from_arrow(read)
    assert isinstance(table, pl.DataFrame)
    # polars gives a column without a name one
    table.columns = read.column_names
    return table


def _map_array(path: Path) -> npt.NDArray[Any]:
    """An array whose values are mapped; as a plain one, for each part of a memmap is a memmap again."""
    return np.asarray(np.load(path, mmap_mode="r"))
