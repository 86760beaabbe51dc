"""Identity resolution behind one door: frames in, one frozen result out. Public door.

resolve() is a pure function of the records, the identity log, the rules and the model. The partition depends on the records, the
rules and the model alone (I-1); ids come from the log (I-2, I-3).
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.candidates.pairs import Candidates, find_candidates, scale_cap
from hub.candidates.sample import sample_others
from hub.clustering.bonds import bind, find_labels, report_decisions
from hub.columns.clock import Clock
from hub.columns.hashing import hash_rows
from hub.columns.memory import give_back
from hub.columns.parts import Ids, Parts
from hub.columns.prepare import prepare
from hub.ids.identify import Run, align_events, identify, place_records, read_past
from hub.model import Model
from hub.results.edges import TakeEdges, build_edges, tell_edges
from hub.results.golden import Members, build_golden, choose_winners, list_golden_parts, trace_lineage
from hub.results.report import build_review, summarise
from hub.rules.model import Rules
from hub.scoring.compare import Comparer, find_distinct_vectors
from hub.scoring.frequency import Buckets, find_buckets, freeze_frequencies
from hub.scoring.weigh import Weighed, mark_levels, weigh
from hub.training.train import LEAST_LABELS, LEAST_OF_EACH, Trained, train
from hub.training.twins import find_repeats

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Resolution:
    """The result of one resolution. Frames are sorted, and equal for equal input whatever its order.

    crosswalk: source, source_key, gid, valid_from, valid_to, is_current - every attachment there ever was
    golden: one row per live id: gid, the golden attributes, n_records, n_sources, first_seen_at, updated_at
    edges: source_a, source_key_a, source_b, source_key_b, weight (bits), evidence (JSON, bits by comparison), decision;
        pairs at or above the review threshold, and those that a person merged (weight null where the matcher has none)
    review: pair_id, the two records, weight, reason, value_at_stake - most valuable first
    events: this run's new identity events (hub.ids.identify names the kinds); redirects: gid, target_gid, since
    decisions: hub.decide.list_decisions with `state` (holds, waits, undone) and `waits_for`
    report: counts, candidates by key, clusters, seconds by stage
    """

    rules: Rules
    model: Model
    crosswalk: pl.DataFrame
    golden: pl.DataFrame
    edges: pl.DataFrame
    review: pl.DataFrame
    events: pl.DataFrame
    redirects: pl.DataFrame
    decisions: pl.DataFrame
    report: dict[str, Any]
    sources: "Sources" = field(repr=False)

    @cached_property
    def lineage(self) -> pl.DataFrame:
        """gid, attribute, value, source, source_key, rule, is_winner: every value that was offered, and which won."""
        own = self.sources
        return trace_lineage(own.parts, own.aligned, own.members, own.winners, self.rules)


@dataclass(frozen=True)
class Sources:
    """What a resolution was made of, in the order of source and key: for lineage, explanations and the persisted hub."""

    parts: Parts
    aligned: pl.DataFrame
    members: Members
    winners: dict[str, Ids]
    candidates: Candidates
    place: Ids
    vectors: Longs
    weighed: Weighed


def resolve(
    records: pl.DataFrame,
    *,
    rules: Rules,
    history: pl.DataFrame | None,
    run_id: str,
    at: datetime,
    model: Model | None = None,
    decisions: pl.DataFrame | None = None,
    take_edges: TakeEdges | None = None,
    keeps_parts: bool = True,
) -> Resolution:
    """Resolve records into entities with lasting ids.

    Args:
        records: one row per (source, source_key), with the columns of the rules, missing ones allowed. All records that exist
            now: one that the log knows and that is missing here counts as deleted. `value`, where there is such a column,
            is what a record is worth to whoever reviews; each is worth 1 where there is none.
        rules: what to compare and how; load_rules("organisation"), load_rules("person") or a file's.
        history: the identity log of all runs; None for a first run.
        at: the run's time, zone-aware; stamps events and crosswalk.
        model: weights and caps to use; trained on the records where None.
        decisions: what people decided (hub.decide); holds whatever the rules and the model say.
        take_edges: is given the edges, in pieces, while the rest is being found, from a thread of its own; the resolution then
            holds none of them: at a million records they are 200 MB.
        keeps_parts: whether the parts that only comparing reads stay, of which the state of a hub is made.

    Raises:
        RecordsError: keys missing, null or repeated.
        DecisionError: the decisions contradict each other.
        ValueError: `at` without a zone.
    """
    if at.tzinfo is None:
        raise ValueError("at has no time zone: pass an aware datetime")
    clock = Clock()
    aligned, parts = prepare(records, rules)
    value = read_value(records, aligned)
    # what the caller has let go of is not held to the end: at a million records 270 MB
    del records
    clock.lap("normalise")
    hashes = hash_rows(aligned, ("source", "source_key"))
    caps = dict(model.caps) if model else {key.name: scale_cap(key, parts.n) for key in rules.block_keys}
    candidates = find_candidates(parts, rules, hashes, caps)
    clock.lap("block")
    buckets = find_buckets(parts, rules, model.frequencies if model else None)
    comparer = Comparer(parts, rules, buckets)
    vectors, place, counts = find_distinct_vectors(comparer.compare(candidates.left, candidates.right))
    clock.lap("compare")
    bonds = bind(aligned, parts, decisions, rules)
    taught = find_labels(aligned, decisions, rules.entity)
    model = model or train_model(comparer, vectors, counts, candidates, place, parts, caps, buckets, taught)
    weighed = weigh(vectors, comparer.layout, model.weights, rules)
    clock.lap("train")
    codes = [parts.codes(part) for part in rules.separators]
    del comparer
    parts.forget_codes({*rules.separators, *list_golden_parts(rules)})
    if not keeps_parts:
        parts.forget_rows({*rules.separators, *list_golden_parts(rules)})
    give_back()
    with ThreadPoolExecutor(1) as pool:
        # edges and review need no ids: they are written down while clusters, ids and golden records are found
        pieces = build_edges(aligned, candidates, place, weighed, rules)
        told = pool.submit(tell_edges, pieces, aligned, bonds, take_edges)
        counted = weighed.weigh_for_clusters(rules)[place]
        labels = bonds.cluster(parts.n, candidates.left, candidates.right, counted, codes, hashes)
        del counted
        clock.lap("cluster")
        apart_now = bonds.find_apart(labels)
        # nobody is asked about a pair that a veto keeps apart whatever is answered
        weight = np.where(weighed.is_vetoed, np.iinfo(np.int32).min, weighed.total).astype(np.int32)[place]
        asked = pool.submit(build_review, aligned, candidates, weight, labels, codes, value, rules, apart_now)
        log, next_no = align_events(history, rules.id_prefix)
        past = read_past(log, next_no, bonds.undone)
        placed = place_records(aligned, labels, past, rules.id_prefix)
        logged = pool.submit(identify, aligned, log, past, placed, Run(run_id, at, rules.version, bonds.merged))
        clock.lap("identify")
        give_back()
        members = placed.members
        winners = choose_winners(parts, aligned, members, rules)
        golden = build_golden(parts, aligned, members, winners, rules)
        clock.lap("survive")
        edges, n_edges = told.result()
        review, n_grey = asked.result()
        identified = logged.result()
    decided = report_decisions(decisions, bonds, rules.entity)
    apart = count_clashes(parts, candidates, weighed.is_vetoed[place], rules)
    report = summarise(labels, candidates, place, weighed, identified.events, past.members.height) | {"vetoes": apart}
    report |= {"model_version": model.version, "rule_version": rules.version, "training": dict(model.report)}
    report |= {"edges": n_edges, "review_found": n_grey, "review_kept": review.height}
    report |= {"decisions": dict(decided.group_by("state").len().sort("state").iter_rows())}
    clock.lap("report")
    report |= {"seconds": clock.seconds, "peak_mb": clock.peak_mb}
    return Resolution(
        rules=rules,
        model=model,
        crosswalk=identified.crosswalk,
        golden=golden,
        edges=edges,
        review=review,
        events=identified.events,
        redirects=identified.redirects,
        decisions=decided,
        report=report,
        sources=Sources(parts, aligned, members, winners, candidates, place, vectors, weighed),
    )


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


def count_clashes(parts: Parts, candidates: Candidates, vetoed: npt.NDArray[np.bool_], rules: Rules) -> int:
    """Candidates that may not be joined, whatever they weigh."""
    for part in rules.separators:
        codes = parts.codes(part)
        a, b = codes[candidates.left], codes[candidates.right]
        vetoed = vetoed | ((a >= 0) & (b >= 0) & (a != b))
    return int(vetoed.sum())


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


def read_value(records: pl.DataFrame, aligned: pl.DataFrame) -> npt.NDArray[np.float64]:
    """What each record is worth: its `value`, 0 where that is null or no number; 1 for all where there is no such column."""
    if "value" not in records.columns:
        return np.ones(aligned.height)
    keys = [pl.col("source").cast(pl.String), pl.col("source_key").cast(pl.String)]
    own = records.select(*keys, pl.col("value").cast(pl.Float64, strict=False))
    joined = aligned.select("source", "source_key").join(own, on=["source", "source_key"], how="left", maintain_order="left")
    return joined["value"].fill_null(0.0).fill_nan(0.0).to_numpy()


def sample_background(comparer: Comparer, n: int, candidates: Candidates) -> tuple[npt.NDArray[np.uint8], Longs]:
    """Vectors and counts of random pairs of records that are no candidates: chance agreement is that of any two."""
    left, right = sample_others(n, candidates.left, candidates.right)
    vectors, _, counts = find_distinct_vectors(comparer.compare(left.astype(np.int32), right.astype(np.int32)))
    return comparer.layout.unpack(vectors), counts
