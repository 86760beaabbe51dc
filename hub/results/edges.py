"""Edges: pairs of records at or above the review threshold, with their weight and evidence, in pieces."""

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from hub.candidates.pairs import Candidates
from hub.clustering.bonds import Bonds, show_decisions
from hub.columns.parts import Ids
from hub.rules.model import Rules
from hub.scoring.weigh import UNITS_PER_BIT, Weighed

ENDS = ["source_a", "source_key_a", "source_b", "source_key_b"]
#: pairs in a piece: with their evidence 40 MB
_PIECE = 131_072

Pieces = Iterator[pl.DataFrame]
TakeEdges = Callable[[Pieces], None]


def name_ends(aligned: pl.DataFrame, left: Ids, right: Ids) -> pl.DataFrame:
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
    evidence = weighed.take(np.flatnonzero(used)).write_evidence()
    position = np.cumsum(used) - 1
    for piece in cut_pieces(len(pairs)):
        rows = pairs[piece]
        yield name_ends(aligned, candidates.left[rows], candidates.right[rows]).with_columns(
            weight=pl.Series(weighed.total[place[rows]] / UNITS_PER_BIT),
            evidence=evidence.gather(pl.Series(position[place[rows]])),
        )


def tell_edges(pieces: Pieces, aligned: pl.DataFrame, bonds: Bonds, take: TakeEdges | None) -> tuple[pl.DataFrame, int]:
    """The edges with what people decided about them, none where they are taken, and how many there are."""
    if bonds.sides:
        # a decision may add an edge anywhere
        pieces = iter([pl.concat(pieces)])
    told = (show_decisions(piece, aligned, bonds) for piece in pieces)
    if take is None:
        edges = pl.concat(told)
        return edges, edges.height
    heights, empty = [], pl.DataFrame()

    def count() -> Pieces:
        nonlocal empty
        for piece in told:
            heights.append(piece.height)
            empty = piece.clear()
            yield piece

    take(count())
    return empty, sum(heights)
