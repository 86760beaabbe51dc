"""A model from the candidates of a resolution: what they teach is counted, weights are learnt from the counts."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hub.candidates.pairs import Candidates
from hub.candidates.sample import sample_others
from hub.columns.parts import Ids, Parts
from hub.model import Model
from hub.rules.model import Rules
from hub.scoring.compare import Comparer, find_distinct_vectors
from hub.scoring.frequency import Buckets, freeze_frequencies
from hub.scoring.weigh import mark_levels
from hub.training.train import LEAST_LABELS, LEAST_OF_EACH, Trained, train
from hub.training.twins import find_repeats

Longs = npt.NDArray[np.int64]


def train_model(
    comparer: Comparer,
    vectors: Longs,
    counts: Longs,
    candidates: Candidates,
    place: Ids,
    parts: Parts,
    caps: dict[str, int],
    buckets: dict[str, Buckets],
    decided: tuple[Ids, Ids, npt.NDArray[np.bool_]] | None = None,
) -> Model:
    """Weights from these records: from certain keys where the rules name some, else without labels.

    `decided`: pairs that people decided (hub.clustering.bonds.find_labels). They join the certain ones; where nothing is certain
    they are learnt from as soon as they are enough.
    """
    with ThreadPoolExecutor(1) as pool:
        # hashes of texts need no weights: they are made while these are learnt
        freezing = pool.submit(freeze_frequencies, parts, buckets)
        trained = learn_weights(comparer, vectors, counts, candidates, place, parts, decided)
    weights = {name: round(bits, 3) for name, bits in trained.weights.items()}
    return Model(comparer.rules.evidence_version, weights, caps, freezing.result(), parts.n, trained.report)


def learn_weights(
    comparer: Comparer,
    vectors: Longs,
    counts: Longs,
    candidates: Candidates,
    place: Ids,
    parts: Parts,
    decided: tuple[Ids, Ids, npt.NDArray[np.bool_]] | None,
) -> Trained:
    """The weights of a model and how they came about, see train_model."""
    rules, layout = comparer.rules, comparer.layout
    matrix = layout.unpack(vectors)
    same = conflict = background = None
    told, denied = count_decided(candidates, place, len(vectors), parts.n, decided)
    if rules.training == "em" and min(told.sum(), denied.sum()) >= LEAST_OF_EACH and told.sum() + denied.sum() >= LEAST_LABELS:
        rules = replace(rules, training="certain")
    if rules.training == "certain":
        agree, differ = count_labels(parts, candidates, place, len(vectors), rules)
        taught = ~mark_levels(matrix, layout, rules.uncertain)
        same, conflict = agree * taught + told, differ * taught + denied
    if rules.training == "em":
        background = sample_background(comparer, parts.n, candidates)
    repeats = find_repeats(parts, rules) if rules.training == "em" else None
    return train(matrix, counts, same, conflict, layout.names, rules, parts.n, background, repeats)


def count_labels(parts: Parts, candidates: Candidates, place: Ids, n: int, rules: Rules) -> tuple[Longs, Longs]:
    """Per distinct vector how many of its pairs have certain parts that agree, and that conflict."""
    agree, differ = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for part in rules.certain:
        codes = parts.codes(part)
        a, b = codes[candidates.left], codes[candidates.right]
        known = (a >= 0) & (b >= 0)
        agree += np.bincount(place[known & (a == b)], minlength=n)
        differ += np.bincount(place[known & (a != b)], minlength=n)
    return agree, differ


def count_decided(
    candidates: Candidates, place: Ids, n_vectors: int, n: int, decided: tuple[Ids, Ids, npt.NDArray[np.bool_]] | None
) -> tuple[Longs, Longs]:
    """Per distinct vector how many of its pairs people said are one entity, and are two."""
    counts = np.zeros((2, n_vectors), dtype=np.int64)
    if decided is not None and len(decided[0]) and len(candidates.left):
        pairs = candidates.left.astype(np.int64) * n + candidates.right
        wanted = decided[0].astype(np.int64) * n + decided[1]
        at = np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)
        known = pairs[at] == wanted
        np.add.at(counts, ((~decided[2][known]).astype(np.int64), place[at[known]]), 1)
    return counts[0], counts[1]


def sample_background(comparer: Comparer, n: int, candidates: Candidates) -> tuple[npt.NDArray[np.uint8], Longs]:
    """Vectors and counts of random pairs of records that are no candidates: chance agreement is that of any two."""
    left, right = sample_others(n, candidates.left, candidates.right)
    vectors, _, counts = find_distinct_vectors(comparer.compare(left.astype(np.int32), right.astype(np.int32)))
    return comparer.layout.unpack(vectors), counts
