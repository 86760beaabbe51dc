"""Identity resolution behind one door: frames in, one frozen result out. Public door.

resolve() is a pure function of the records, the identity log, the rules and the model. The partition depends on the records, the
rules and the model alone (I-1); ids come from the log (I-2, I-3).
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.candidates.pairs import Candidates, find_candidates, scale_cap
from hub.clustering.bonds import bind, count_states, find_labels, report_decisions
from hub.columns.clock import Clock
from hub.columns.hashing import Hashes, hash_rows
from hub.columns.memory import give_back
from hub.columns.parts import Ids, Parts
from hub.columns.prepare import prepare
from hub.ids.identify import Run, align_events, identify, place_records, read_past
from hub.model import Model
from hub.results.edges import TakeEdges, build_edges, tell_edges
from hub.results.golden import Members, build_golden, choose_winners, list_golden_parts, trace_lineage
from hub.results.queue import build_review
from hub.results.report import summarise
from hub.rules.model import Rules
from hub.scoring.compare import Comparer, find_distinct_vectors
from hub.scoring.frequency import find_buckets
from hub.scoring.weigh import Weighed, weigh
from hub.training.learn import train_model

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
    bonds = bind(aligned, parts, decisions, rules)
    hashes = hash_rows(aligned, ("source", "source_key"))
    compared = _compare(parts, rules, hashes, model, find_labels(aligned, decisions, rules.entity), clock)
    candidates, place, weighed, model = compared.candidates, compared.place, compared.weighed, compared.model
    codes = [parts.codes(part) for part in rules.separators]
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
        # nobody is asked about a pair that a veto keeps apart whatever is answered
        weight = np.where(weighed.is_vetoed, np.iinfo(np.int32).min, weighed.total).astype(np.int32)[place]
        asked = pool.submit(build_review, aligned, candidates, weight, labels, codes, value, rules, bonds)
        log, next_no = align_events(history, rules.id_prefix)
        past = read_past(log, next_no, bonds.undone)
        placed = place_records(aligned, labels, past, rules.id_prefix)
        logged = pool.submit(identify, aligned, log, past, placed, Run(run_id, at, rules.version, bonds.merged))
        barred = pool.submit(count_clashes, codes, candidates, weighed.is_vetoed[place])
        clock.lap("identify")
        give_back()
        members = placed.members
        winners = choose_winners(parts, aligned, members, rules)
        golden = build_golden(parts, aligned, members, winners, rules)
        clock.lap("survive")
        edges, n_edges = told.result()
        review, n_grey = asked.result()
        identified = logged.result()
        n_barred = barred.result()
    decided = report_decisions(decisions, bonds, rules.entity)
    report = summarise(labels, candidates, place, weighed, identified.events, past.members.height)
    report |= {"vetoes": n_barred, "model_version": model.version, "rule_version": rules.version, "training": dict(model.report)}
    report |= {"edges": n_edges, "review_found": n_grey, "review_kept": review.height}
    report |= {"decisions": count_states(decided)}
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
        sources=Sources(parts, aligned, members, winners, candidates, place, compared.vectors, weighed),
    )


@dataclass(frozen=True)
class _Compared:
    """Candidate pairs as they compare: the distinct vectors, the place of each pair's, and what each weighs by the model."""

    candidates: Candidates
    vectors: Longs
    place: Ids
    weighed: Weighed
    model: Model


def _compare(
    parts: Parts,
    rules: Rules,
    hashes: Hashes,
    model: Model | None,
    decided: tuple[Ids, Ids, npt.NDArray[np.bool_]],
    clock: Clock,
) -> _Compared:
    """Find, compare and weigh the candidates, by a model that is trained on them where none is given."""
    caps = dict(model.caps) if model else {key.name: scale_cap(key, parts.n) for key in rules.block_keys}
    candidates = find_candidates(parts, rules, hashes, caps)
    clock.lap("block")
    buckets = find_buckets(parts, rules, model.frequencies if model else None)
    comparer = Comparer(parts, rules, buckets)
    vectors, place, counts = find_distinct_vectors(comparer.compare(candidates.left, candidates.right))
    clock.lap("compare")
    model = model or train_model(comparer, vectors, counts, candidates, place, parts, caps, buckets, decided)
    weighed = weigh(vectors, comparer.layout, model.weights, rules)
    clock.lap("train")
    return _Compared(candidates, vectors, place, weighed, model)


def count_clashes(codes: list[Ids], candidates: Candidates, vetoed: npt.NDArray[np.bool_]) -> int:
    """Candidates that may not be joined, whatever they weigh. codes: of the guards and barriers, per record."""
    for code in codes:
        a, b = code[candidates.left], code[candidates.right]
        vetoed = vetoed | ((a >= 0) & (b >= 0) & (a != b))
    return int(vetoed.sum())


def read_value(records: pl.DataFrame, aligned: pl.DataFrame) -> npt.NDArray[np.float64]:
    """What each record is worth: its `value`, 0 where that is null or no number; 1 for all where there is no such column."""
    if "value" not in records.columns:
        return np.ones(aligned.height)
    keys = [pl.col("source").cast(pl.String), pl.col("source_key").cast(pl.String)]
    own = records.select(*keys, pl.col("value").cast(pl.Float64, strict=False))
    joined = aligned.select("source", "source_key").join(own, on=["source", "source_key"], how="left", maintain_order="left")
    return joined["value"].fill_null(0.0).fill_nan(0.0).to_numpy()
