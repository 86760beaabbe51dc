"""Weights of distinct vectors in whole tenths of a bit, with what each field adds: sums are exact in any order (I-6)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.clustering.cluster import FORBIDDEN
from hub.rules.model import UNLESS, Rules
from hub.scoring.compare import Layout
from hub.scoring.weights import weigh_interactions, weigh_levels

Longs = npt.NDArray[np.int64]

UNITS_PER_BIT = 10
#: vectors whose evidence is written at once: a text per weight is held until they are joined
_SLICE = 32_768


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
        written = [self._write_slice(slice(start, start + _SLICE)) for start in range(0, max(len(self.total), 1), _SLICE)]
        return pl.concat(written)

    def _write_slice(self, rows: slice) -> pl.Series:
        said = [_say(name, self.parts[rows, place]) for place, name in enumerate(self.names)]
        listed = pl.concat_str(*(column.alias(str(place)) for place, column in enumerate(said)), separator=",", ignore_nulls=True)
        return pl.select(evidence=pl.concat_str(pl.lit("{"), listed, pl.lit("}"))).to_series()


def _say(name: str, units: npt.NDArray[np.int32]) -> pl.Series:
    """`"name":bits` per vector, null where nothing is added; the prior is always said. A column has few different weights."""
    low, label = int(units.min(initial=0)), json.dumps(name, ensure_ascii=False)
    texts = [
        f"{label}:{bits / UNITS_PER_BIT}" if bits or name == "prior" else None
        for bits in range(low, int(units.max(initial=0)) + 1)
    ]
    return pl.Series(texts, dtype=pl.String).gather(pl.Series(units - low))


def weigh(vectors: Longs, layout: Layout, weights: Mapping[str, float], rules: Rules) -> Weighed:
    """The weights of packed vectors under a model's weights."""
    matrix = layout.unpack(vectors)
    levels = weigh_levels(matrix, weights, rules, layout.names)
    together = weigh_interactions(matrix, weights, rules, layout.names)
    columns = [np.full(len(matrix), weights.get("prior", 0.0)), *levels.T, *together.values()]
    parts = np.empty((len(matrix), len(columns)), dtype=np.int32, order="F")
    for place, bits in enumerate(columns):
        parts[:, place] = np.rint(bits * UNITS_PER_BIT)
    names = ("prior", *layout.comparisons, *together)
    return Weighed(parts.sum(axis=1, dtype=np.int64), parts, names, mark_levels(matrix, layout, rules.vetoes))


def mark_levels(matrix: npt.NDArray[np.uint8], layout: Layout, patterns: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """Vectors that have any of the levels `comparison.level` (`*` allowed); `missing` is never meant.

    `comparison.level unless comparison.level`: but for vectors that have the second one.
    """
    marked = np.zeros(len(matrix), dtype=bool)
    for pattern in patterns:
        level, _, exception = pattern.partition(UNLESS)
        found = _mark_level(matrix, layout, level)
        marked |= found & ~_mark_level(matrix, layout, exception) if exception else found
    return marked


def _mark_level(matrix: npt.NDArray[np.uint8], layout: Layout, pattern: str) -> npt.NDArray[np.bool_]:
    comparison, _, level = pattern.partition(".")
    place = layout.comparisons.index(comparison)
    fitting = [number > 0 and fnmatchcase(name, level) for number, name in enumerate(layout.names[place])]
    return np.array(fitting)[matrix[:, place]]
