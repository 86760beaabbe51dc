"""Edges: pairs of records at or above the review threshold, with their weight and evidence, in pieces."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from hub.candidates.pairs import Candidates
from hub.clustering.bonds import Bonds, show_decisions
from hub.columns.parts import Ids, number
from hub.rules.model import Rules
from hub.scoring.weigh import UNITS_PER_BIT, Weighed

ENDS = ["source_a", "source_key_a", "source_b", "source_key_b"]
#: pairs in a piece
_PIECE = 131_072

#: tables whose texts that repeat are dictionaries: a piece's evidence would else be 15 MB, most of it many times
Pieces = Iterator[pa.Table]
TakeEdges = Callable[[Pieces], None]
Longs = npt.NDArray[np.int64]


def name_ends(aligned: pl.DataFrame, left: Ids | Longs, right: Ids | Longs) -> pl.DataFrame:
    """source_a, source_key_a, source_b, source_key_b of pairs of ranks."""
    columns = [
        aligned[column].gather(pl.Series(ranks)).alias(f"{column}_{side}")
        for side, ranks in (("a", left), ("b", right))
        for column in ("source", "source_key")
    ]
    return pl.DataFrame(columns).select(ENDS)


def cut_pieces(n: int) -> Iterator[slice]:
    """Slices of `n` pairs; one where there is none."""
    return (slice(start, start + _PIECE) for start in range(0, max(n, 1), _PIECE))


def build_edges(aligned: pl.DataFrame, candidates: Candidates, place: Ids, weighed: Weighed, rules: Rules) -> Pieces:
    """Pairs at or above the review threshold, in the order of their records, with weight in bits and evidence (JSON, bits)."""
    shown = (weighed.total >= round(rules.review_bits * UNITS_PER_BIT)) & ~weighed.is_vetoed
    pairs = np.flatnonzero(shown[place])
    used = np.zeros(len(weighed.total), dtype=bool)
    used[place[pairs]] = True
    told = weighed.take(np.flatnonzero(used))
    position = np.cumsum(used) - 1
    rows = (pairs[piece] for piece in cut_pieces(len(pairs)))
    taken = ((candidates.left[own], candidates.right[own], position[place[own]]) for own in rows)
    return write_pairs(aligned, taken, told.total, told.write_evidence())


def write_pairs(
    aligned: pl.DataFrame, pieces: Iterator[tuple[Ids, Ids, Ids | Longs]], total: Longs | Ids, evidence: pl.Series
) -> Pieces:
    """Edges of pieces of pairs, each of which has the ranks on both sides and the vectors of its pairs. total (tenths of a bit),
    evidence: per vector."""
    sources = aligned["source"].unique(maintain_order=True)
    codes = aligned["source"].cast(pl.Enum(sources)).to_physical().cast(pl.Int32).to_numpy()
    for left, right, vectors in pieces:
        columns = {}
        for side, ranks in (("a", left), ("b", right)):
            columns[f"source_{side}"] = _repeat(sources, codes[ranks])
            columns[f"source_key_{side}"] = _to_arrow(aligned["source_key"].gather(pl.Series(ranks)))
        columns["weight"] = _to_arrow(pl.Series(total[vectors] / UNITS_PER_BIT))
        columns["evidence"] = _take_repeating(evidence, vectors)
        yield pa.table(columns)


def _take_repeating(texts: pl.Series, places: Ids | Longs) -> pa.DictionaryArray:
    """The texts at some places, each that is there once."""
    is_there = np.zeros(len(texts), dtype=bool)
    is_there[places] = True
    own = texts.gather(np.flatnonzero(is_there))
    codes, first = number(own)
    return _repeat(own.gather(first), codes[(np.cumsum(is_there) - 1)[places]])


def _repeat(texts: pl.Series, codes: Ids) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(_to_arrow(pl.Series(codes)), _to_arrow(texts))


def _to_arrow(values: pl.Series) -> pa.Array:
    # arrays of numpy's would make pyarrow import pandas where it is installed: 0.3 s
    return values.to_arrow(compat_level=pl.CompatLevel.oldest())


def read_pieces(pieces: Pieces) -> pl.DataFrame:
    """Pieces of edges as one frame."""
    frames = (pl.from_arrow(piece) for piece in pieces)
    return pl.concat([frame.cast({pl.Categorical: pl.String}) for frame in frames if isinstance(frame, pl.DataFrame)])


def tell_edges(pieces: Pieces, aligned: pl.DataFrame, bonds: Bonds, take: TakeEdges | None) -> tuple[pl.DataFrame, int]:
    """The edges with what people decided about them, none where they are taken, and how many there are."""
    if bonds.sides or take is None:
        # a decision may add an edge anywhere
        edges = show_decisions(read_pieces(pieces), aligned, bonds)
        if take is None:
            return edges, edges.height
        take(iter([edges.to_arrow(compat_level=pl.CompatLevel.oldest())]))
        return edges.clear(), edges.height
    heights, empty = [], pl.DataFrame()

    def count() -> Pieces:
        nonlocal empty
        for piece in pieces:
            heights.append(piece.num_rows)
            told = piece.append_column("decision", pa.nulls(piece.num_rows, pa.large_string()))
            empty = read_pieces(iter([told.slice(0, 0)]))
            yield told

    take(count())
    return empty, sum(heights)
