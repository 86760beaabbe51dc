"""What a hub keeps in pieces, one of each addition, so that an addition writes and reads what it reaches and not what there is:
parts of records, an index of their block keys, compared pairs."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.columns.hashing import Hashes
from hub.columns.parallel import map_threads
from hub.columns.parts import Ids, Parts, Table
from hub.columns.sorting import order_numbers

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Blocks:
    """The rows that have block key k, by its hash: places starts[k] to starts[k + 1] of `hashes`, ascending there, and `rows`."""

    starts: Longs
    hashes: Hashes
    rows: Ids

    def take_key(self, place: int) -> tuple[Hashes, Ids]:
        """The hashes of one key, ascending, and the row of each."""
        own = slice(int(self.starts[place]), int(self.starts[place + 1]))
        return self.hashes[own], self.rows[own]


@dataclass(frozen=True)
class Pairs:
    """Compared pairs by left row, then right. Left is the first by source and key; vector: row of State.vectors."""

    left: Ids
    right: Ids
    vector: Ids


@dataclass(frozen=True)
class Open:
    """Pairs that match or are to be reviewed and whose records are of two ids: their numbers, and what Pairs says of each."""

    number: Longs
    left: Ids
    right: Ids
    vector: Ids

    def join(self, kept: npt.NDArray[np.bool_], number: Longs, more: Pairs) -> "Open":
        """Those of them that are kept, and more."""
        return Open(
            np.concatenate([self.number[kept], number]),
            np.concatenate([self.left[kept], more.left]),
            np.concatenate([self.right[kept], more.right]),
            np.concatenate([self.vector[kept], more.vector]),
        )


def index_blocks(keys: Sequence[tuple[Hashes, Ids]]) -> Blocks:
    """Per key the hashes, 0 where it is unknown, and the row of each."""
    hashes, rows = [np.zeros(0, dtype=np.uint64)], [np.zeros(0, dtype=np.int32)]
    for own, numbers in keys:
        known = np.flatnonzero(own)
        order = known[order_numbers(own[known])]
        hashes.append(own[order])
        rows.append(numbers[order])
    starts = np.cumsum([len(own) for own in hashes], dtype=np.int64)
    return Blocks(starts, np.concatenate(hashes), np.concatenate(rows))


def read_block(pieces: Sequence[Blocks], place: int) -> tuple[Hashes, Ids]:
    """The hashes of one key in all pieces, and their rows."""
    hashes, rows = zip(*(piece.take_key(place) for piece in pieces), strict=True)
    return np.concatenate(hashes), np.concatenate(rows)


def find_members(pieces: Sequence[Blocks], place: int, asked: Hashes) -> tuple[Longs, Ids]:
    """The rows whose hash of one key is asked for, which are distinct, and the place of that hash among them."""
    blocks, rows = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int32)]
    for piece in pieces:
        own, numbers = piece.take_key(place)
        low, high = np.searchsorted(own, asked), np.searchsorted(own, asked, side="right")
        blocks.append(np.repeat(np.arange(len(asked)), high - low))
        rows.append(numbers[list_ranges(low, high)])
    return np.concatenate(blocks), np.concatenate(rows)


def sort_pairs(left: Ids, right: Ids, vector: Ids) -> tuple[Pairs, Ids]:
    """Pairs in the order in which they are kept, and where each comes from."""
    order = order_numbers(left.astype(np.int64) * (int(right.max(initial=0)) + 1) + right)
    return Pairs(left[order], right[order], vector[order]), order


def take_pairs(pieces: Sequence[Pairs], at: Longs) -> Pairs:
    """Some pairs by their numbers, which go on from piece to piece."""
    first, size = pieces[0], len(pieces[0].left)
    beyond = np.flatnonzero(at >= size)
    if not len(beyond):
        return Pairs(first.left[at], first.right[at], first.vector[at])
    columns = [np.empty(len(at), dtype=np.int32) for _ in range(3)]
    for start, piece in number_pieces(pieces):
        # most are of the first piece, which is the large one
        own = beyond[(at[beyond] >= start) & (at[beyond] < start + len(piece.left))]
        own = np.flatnonzero(at < size) if piece is first else own
        for column, held in zip(columns, (piece.left, piece.right, piece.vector), strict=True):
            column[own] = held[at[own] - start]
    return Pairs(*columns)


def find_from(pieces: Sequence[Pairs], rows: Ids) -> Longs:
    """The numbers of the pairs whose left row is one of some distinct rows."""
    found = [np.zeros(0, dtype=np.int64)]
    for start, piece in number_pieces(pieces):
        found.append(list_ranges(np.searchsorted(piece.left, rows), np.searchsorted(piece.left, rows, side="right")) + start)
    return np.concatenate(found)


def number_pieces(pieces: Sequence[Pairs]) -> Iterator[tuple[int, Pairs]]:
    """Each piece with the number of its first pair."""
    start = 0
    for piece in pieces:
        yield start, piece
        start += len(piece.left)


def list_ranges(low: Longs, high: Longs) -> Longs:
    """low, low + 1 .. high - 1 of each range, one after the other."""
    sizes = high - low
    return np.repeat(low - np.cumsum(sizes) + sizes, sizes) + np.arange(int(sizes.sum()), dtype=np.int64)


def select_parts(pieces: Sequence[Parts], rows: Ids | Longs, asked: Collection[str]) -> Parts:
    """Those parts that are asked for, as far as there are any, of some records, in the order of `rows`."""
    starts = np.cumsum([0, *(piece.n for piece in pieces)])
    piece_of = np.searchsorted(starts[1:], rows, side="right")
    places = [np.flatnonzero(piece_of == number) for number in range(len(pieces))]

    columns = {name: pieces[0].list_columns(name, asked) for name in pieces[0].tables}

    def select(name: str) -> Table:
        ids = np.full(len(rows), -1, dtype=np.int32)
        found, size = [pieces[0].tables[name].rows.select(columns[name]).clear()], 0
        for piece, start, own in zip(pieces, starts[:-1], places, strict=True):
            table = piece.tables[name]
            held = table.ids[rows[own] - start]
            known = np.flatnonzero(held >= 0)
            if len(known):
                ids[own[known]] = np.arange(size, size + len(known), dtype=np.int32)
                found.append(table.rows.select(pl.col(columns[name]).gather(pl.Series(held[known]))))
                size += len(known)
        return Table(pl.concat(found, rechunk=True), ids)

    names = [name for name, own in columns.items() if own]
    return Parts(len(rows), dict(zip(names, map_threads(select, names, len(rows)), strict=True)))


def join_parts(pieces: Sequence[Parts]) -> Parts:
    """The parts of all records as one piece."""
    tables = {}
    for name in pieces[0].tables:
        own = [piece.tables[name] for piece in pieces]
        starts = np.cumsum([0, *(table.rows.height for table in own)])
        ids = [np.where(table.ids < 0, -1, table.ids + start) for table, start in zip(own, starts[:-1], strict=True)]
        tables[name] = Table(pl.concat([table.rows for table in own], rechunk=True), np.concatenate(ids).astype(np.int32))
    return Parts(sum(piece.n for piece in pieces), tables)
