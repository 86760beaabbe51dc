"""Weights of distinct vectors in whole tenths of a bit, with what each field adds: sums are exact in any order (I-6)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.cluster import FORBIDDEN
from hub.compare import Layout
from hub.rules.model import Rules
from hub.weights import weigh_interactions, weigh_levels

Longs = npt.NDArray[np.int64]

UNITS_PER_BIT = 10


@dataclass(frozen=True)
class Weighed:
    """Per distinct vector: `total` and `parts` (a column per name, the prior first) in tenths of a bit, `is_vetoed`."""

    total: Longs
    parts: npt.NDArray[np.int32]
    names: tuple[str, ...]
    is_vetoed: npt.NDArray[np.bool_]

    def take(self, vectors: npt.NDArray[np.integer[Any]]) -> "Weighed":
        """Some of the vectors."""
        return Weighed(self.total[vectors], self.parts[vectors], self.names, self.is_vetoed[vectors])

    def weigh_for_clusters(self, rules: Rules) -> Longs:
        """What a pair of each vector adds to the sum between two clusters.

        A match adds its weight. Another pair adds the evidence that speaks against it and a little for its silence: the prior
        odds against two clusters are paid once, by the match that proposes them, and not again by every pair of their records.
        """
        against = np.minimum(self.parts[:, 1:], 0).sum(axis=1, dtype=np.int64) - round(rules.silence_bits * UNITS_PER_BIT)
        shifted = self.total - round(rules.match_bits * UNITS_PER_BIT)
        counted = np.where(shifted < 0, np.maximum(shifted, np.minimum(against, -1)), shifted)
        return np.where(self.is_vetoed, FORBIDDEN, counted)

    def write_evidence(self) -> pl.Series:
        """JSON per vector: bits by comparison and interaction, the prior first, nothing that adds nothing."""
        said = [_say(name, self.parts[:, place]) for place, name in enumerate(self.names)]
        listed = pl.concat_str(*(column.alias(str(place)) for place, column in enumerate(said)), separator=",", ignore_nulls=True)
        return pl.select(evidence=pl.concat_str(pl.lit("{"), listed, pl.lit("}"))).to_series()


def _say(name: str, units: npt.NDArray[np.int32]) -> pl.Series:
    """`"name":bits` per vector, null where nothing is added; the prior is always said. A column has few different weights."""
    known, place = np.unique(units, return_inverse=True)
    texts = [
        f"{json.dumps(name, ensure_ascii=False)}:{bits / UNITS_PER_BIT}" if bits or name == "prior" else None
        for bits in known.tolist()
    ]
    return pl.Series(texts, dtype=pl.String).gather(pl.Series(place))


def weigh(vectors: Longs, layout: Layout, weights: Mapping[str, float], rules: Rules) -> Weighed:
    """The weights of packed vectors under a model's weights."""
    matrix = layout.unpack(vectors)
    levels = weigh_levels(matrix, weights, rules, layout.names)
    together = weigh_interactions(matrix, weights, rules, layout.names)
    prior = np.full((len(matrix), 1), weights.get("prior", 0.0))
    bits = np.concatenate([prior, levels, *(column[:, None] for column in together.values())], axis=1)
    parts = np.rint(bits * UNITS_PER_BIT).astype(np.int32)
    names = ("prior", *layout.comparisons, *together)
    return Weighed(parts.sum(axis=1, dtype=np.int64), parts, names, mark_levels(matrix, layout, rules.vetoes))


def mark_levels(matrix: npt.NDArray[np.uint8], layout: Layout, patterns: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """Vectors that have any of the levels `comparison.level` (`*` allowed); `missing` is never meant."""
    marked = np.zeros(len(matrix), dtype=bool)
    for pattern in patterns:
        comparison, _, level = pattern.partition(".")
        place = layout.comparisons.index(comparison)
        fitting = [number > 0 and fnmatchcase(name, level) for number, name in enumerate(layout.names[place])]
        marked |= np.array(fitting)[matrix[:, place]]
    return marked
