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
from hub.scoring.weights import weigh_vectors
from hub.training.names import bound_chances
from hub.training.rivals import Rivals, find_sources
from hub.training.shared import raise_shared
from hub.training.train import LEAST_LABELS, LEAST_OF_EACH, Trained, train
from hub.training.twins import find_repeats

Longs = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]

#: bits by the rules' own weights from which a match lends its certain key: of labels found so 0 to 5 in 1,000 are wrong; 6, 8 and
#: 12 bits learn as well. Without them the prior hung on a handful of labelled pairs: F1 of the sandbox company .939 to .965, of
#: 10,000, 100,000 and 1,000,000 records .957 to .961, .951 to .954, .934 to .940; of 47 tables 4 were worse, by up to .002
_SURE = 10.0


def train_model(
    comparer: Comparer,
    vectors: Longs,
    counts: Longs,
    candidates: Candidates,
    place: Ids,
    parts: Parts,
    caps: dict[str, int],
    buckets: dict[str, Buckets],
    decided: tuple[Ids, Ids, Marks] | None = None,
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
    decided: tuple[Ids, Ids, Marks] | None,
) -> Trained:
    """The weights of a model and how they came about, see train_model."""
    rules, layout = comparer.rules, comparer.layout
    matrix = layout.unpack(vectors)
    same = conflict = background = None
    told, denied = count_decided(candidates, place, len(vectors), parts.n, decided)
    if rules.training == "em" and min(told.sum(), denied.sum()) >= LEAST_OF_EACH and told.sum() + denied.sum() >= LEAST_LABELS:
        rules = replace(rules, training="certain")
    if rules.training == "certain":
        taught = ~mark_levels(matrix, layout, rules.uncertain)
        sure = taught & (weigh_vectors(matrix, rules.weights, rules, layout.names) >= _SURE) & ("prior" in rules.weights)
        agree, differ = count_labels(parts, candidates, place, sure, rules)
        same, conflict = agree * taught + told, differ * taught + denied
    if rules.training == "em":
        background = sample_background(comparer, parts.n, candidates)
    repeats = find_repeats(parts, rules) if rules.training == "em" else None
    chances = bound_chances(rules, parts) if rules.training == "em" else None
    rivals = Rivals(candidates.left, candidates.right, place, find_sources(parts, rules)) if rules.training == "em" else None
    trained = train(matrix, counts, same, conflict, layout.names, rules, parts.n, background, repeats, chances, rivals)
    if rules.training == "em" and rules.interactions:
        raised = raise_shared(trained.weights, rules, layout.names, matrix, counts, candidates, place, parts)
        trained = Trained({**trained.weights, **raised}, {**trained.report, "raised": raised})
    return trained


def count_labels(parts: Parts, candidates: Candidates, place: Ids, sure: Marks, rules: Rules) -> tuple[Longs, Longs]:
    """Per distinct vector how many of its pairs have certain parts that agree, and that conflict.

    sure: vectors of matches that lend these parts to records without. Records with their own are registered names with addresses:
    alone they teach little of what a short name is worth. What was lent teaches nothing of sure pairs.
    """
    agree, differ = np.zeros(len(sure), dtype=np.int64), np.zeros(len(sure), dtype=np.int64)
    left, right, is_sure = candidates.left, candidates.right, sure[place]
    for part in rules.certain:
        codes = parts.codes(part)
        reached = lend_codes(codes, left[is_sure], right[is_sure])
        a, b = reached[left], reached[right]
        known = (a >= 0) & (b >= 0) & (~is_sure | (codes[left] >= 0) & (codes[right] >= 0))
        agree += np.bincount(place[known & (a == b)], minlength=len(sure))
        differ += np.bincount(place[known & (a != b)], minlength=len(sure))
    return agree, differ


def lend_codes(codes: Ids, left: Ids, right: Ids) -> Ids:
    """The codes of records; of one without (-1) that of the records it is paired with, if they have but one."""
    borrower, lender = np.concatenate([left, right]), np.concatenate([right, left])
    lent = (codes[borrower] < 0) & (codes[lender] >= 0)
    borrower, found = borrower[lent], codes[lender[lent]]
    reached = codes.copy()
    reached[borrower] = found
    reached[borrower[reached[borrower] != found]] = -1
    return reached


def count_decided(
    candidates: Candidates, place: Ids, n_vectors: int, n: int, decided: tuple[Ids, Ids, Marks] | None
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
