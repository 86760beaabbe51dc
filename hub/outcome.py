"""What a kept hub says after an addition: the frames and counts that a full resolution of all its records would give."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from hub.bonds import report_decisions, show_decisions
from hub.cluster import FORBIDDEN
from hub.compare import find_distinct_vectors, lay_out
from hub.hierarchy import add_hierarchy, link_parents
from hub.identify import align_events, build_crosswalk, find_redirects
from hub.increment import Addition, find_present
from hub.model import Model
from hub.pairs import Candidates
from hub.prepare import sort_records
from hub.report import build_review, name_ends, write_edges
from hub.resolve import Resolution, read_value
from hub.rules.model import Rules
from hub.state import Ids, Longs, State, number_hashes
from hub.weigh import UNITS_PER_BIT, weigh

_RECORD = ["source", "source_key"]


@dataclass(frozen=True)
class Outcome:
    """The hub after an addition: crosswalk (source, source_key, gid), golden, edges, review, decisions; the addition's events."""

    crosswalk: pl.DataFrame
    golden: pl.DataFrame
    edges: pl.DataFrame
    review: pl.DataFrame
    decisions: pl.DataFrame
    events: pl.DataFrame
    model: Model
    report: dict[str, Any]


def tell_first(first: Resolution) -> Outcome:
    """A full resolution, with its golden records linked."""
    current = first.crosswalk.filter("is_current").select(*_RECORD, "gid")
    golden = add_hierarchy(first)
    return Outcome(current, golden, first.edges, first.review, first.decisions, first.events, first.model, first.report)


@dataclass(frozen=True)
class Whole:
    """What all runs together found of an entity, whether the last resolved everything or an addition: the frames of
    hub.resolve.Resolution, its golden records linked. list_pairs: the records of all pairs that were compared."""

    rules: Rules
    model: Model
    crosswalk: pl.DataFrame
    golden: pl.DataFrame
    lineage: pl.DataFrame
    edges: pl.DataFrame
    review: pl.DataFrame
    events: pl.DataFrame
    redirects: pl.DataFrame
    decisions: pl.DataFrame
    report: dict[str, Any]
    list_pairs: Callable[[], pl.DataFrame]


def sum_up(found: Resolution) -> Whole:
    """A full resolution."""
    names = ("rules", "model", "crosswalk", "lineage", "edges", "review", "events", "redirects", "decisions", "report")
    pairs, aligned = found.sources.candidates, found.sources.aligned
    frames = {name: getattr(found, name) for name in names}
    return Whole(**frames, golden=add_hierarchy(found), list_pairs=lambda: name_ends(aligned, pairs.left, pairs.right))


def sum_up_addition(addition: Addition, outcome: Outcome, log: pl.DataFrame, rules: Rules) -> Whole:
    """An addition to a state that keeps its lineage. log: the identity log before it."""
    state, model = addition.state, outcome.model
    if state.lineage is None:
        raise ValueError("the state keeps no lineage: build it with keeps_lineage")
    whole = pl.concat([align_events(log, rules.id_prefix)[0], outcome.events])
    return Whole(
        rules=rules,
        model=model,
        crosswalk=build_crosswalk(whole),
        golden=outcome.golden,
        lineage=state.lineage,
        edges=outcome.edges,
        review=outcome.review,
        events=outcome.events,
        redirects=find_redirects(whole),
        decisions=outcome.decisions,
        report=outcome.report | describe_pairs(state, rules, model.caps),
        list_pairs=lambda: name_candidates(state),
    )


@dataclass(frozen=True)
class Present:
    """The rows of the present records in the order of source and key, the place of each row in it, and their keys."""

    rows: Ids
    rank: Ids
    keys: pl.DataFrame


def tell(addition: Addition, records: pl.DataFrame, decisions: pl.DataFrame | None, rules: Rules, model: Model) -> Outcome:
    """The whole hub after an addition. records: whatever has a `value` is worth it to whoever reviews; decisions: the log."""
    state = addition.state
    present = order_present(state)
    edges = show_decisions(list_edges(state, present, rules, model), state.records[addition.rows].select(_RECORD), addition.bonds)
    review, found = list_review(addition, records, rules)
    decided = report_decisions(decisions, addition.bonds, rules.entity)
    golden = link_parents(state.golden)
    counts = {
        "records": present.keys.height,
        "clusters": golden.height,
        "largest_cluster": int(golden["n_records"].max() or 0),  # type: ignore[arg-type]
        "candidates": len(state.left),
        "events": dict(addition.events.group_by("kind").len().sort("kind").iter_rows()),
        "model_version": model.version,
        "rule_version": rules.version,
        "training": dict(model.report),
        "edges": edges.height,
        "review_found": found,
        "review_kept": review.height,
        "decisions": dict(decided.group_by("state").len().sort("state").iter_rows()),
    }
    crosswalk = present.keys.with_columns(gid=state.ids["gid"].gather(pl.Series(state.owner[present.rows])))
    return Outcome(crosswalk, golden, edges, review, decided, addition.events, model, {**counts, **addition.report})


def order_present(state: State) -> Present:
    """The present records of a state in their order."""
    rows = np.flatnonzero(state.alive).astype(np.int32)
    keys = state.records.select(pl.col(_RECORD).gather(pl.Series(rows)))
    order = sort_records(keys)
    rank = np.full(len(state.alive), -1, dtype=np.int32)
    rank[rows[order]] = np.arange(len(rows), dtype=np.int32)
    return Present(rows[order], rank, keys.select(pl.all().gather(pl.Series(order))))


def list_edges(state: State, present: Present, rules: Rules, model: Model) -> pl.DataFrame:
    """The pairs at or above the review threshold, in the order of their records, with weight and evidence."""
    shown = np.flatnonzero((state.total >= round(rules.review_bits * UNITS_PER_BIT)) & (state.counted != FORBIDDEN))
    low, high, sequence = _sort_pairs(state, shown, present.rank)
    vectors, place, _ = find_distinct_vectors(state.vector[shown][sequence])
    weighed = weigh(vectors, lay_out(rules), model.weights, rules)
    return write_edges(present.keys, low, high, place, weighed)


def _sort_pairs(state: State, pairs: Longs, rank: Ids) -> tuple[Ids, Ids, Longs]:
    """Both ends of some pairs as ranks, the smaller first, sorted; and their order."""
    one, two = rank[state.left[pairs]], rank[state.right[pairs]]
    low, high = np.minimum(one, two), np.maximum(one, two)
    sequence = np.argsort(low.astype(np.int64) * len(rank) + high)
    return low[sequence], high[sequence], sequence


def name_candidates(state: State) -> pl.DataFrame:
    """The records of all pairs that were compared."""
    present = order_present(state)
    low, high, _ = _sort_pairs(state, np.arange(len(state.left)), present.rank)
    return name_ends(present.keys, low, high)


def write_pair_evidence(state: State, pairs: pl.DataFrame, rules: Rules, model: Model) -> pl.Series:
    """The evidence of some compared pairs of present records (source_a, source_key_a, source_b, source_key_b)."""
    place = {(source, key): row for source, key, row in find_present(state, _list_ends(pairs)).iter_rows()}
    ends = [[place[record] for record in pairs.select(f"source_{s}", f"source_key_{s}").iter_rows()] for s in "ab"]
    n = len(state.alive)
    wanted = np.min(ends, axis=0).astype(np.int64) * n + np.max(ends, axis=0)
    found = np.flatnonzero(np.isin(state.left.astype(np.int64) * n + state.right, wanted))
    evidence = weigh(state.vector[found], lay_out(rules), model.weights, rules).write_evidence()
    known = dict(zip((state.left[found].astype(np.int64) * n + state.right[found]).tolist(), evidence, strict=True))
    return pl.Series("evidence", [known[pair] for pair in wanted.tolist()], dtype=pl.String)


def _list_ends(pairs: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([pairs.select(source=f"source_{side}", source_key=f"source_key_{side}") for side in "ab"])


def list_review(addition: Addition, records: pl.DataFrame, rules: Rules) -> tuple[pl.DataFrame, int]:
    """The review queue of the whole hub, and how many pairs of entities it was cut from: only those take part that have one."""
    state = addition.state
    near = np.flatnonzero(state.total >= round(rules.review_bits * UNITS_PER_BIT))
    near = near[state.owner[state.left[near]] != state.owner[state.right[near]]]
    asked = np.zeros(state.ids.height + 1, dtype=bool)
    asked[state.owner[state.left[near]]] = asked[state.owner[state.right[near]]] = True
    asked[-1] = False
    rows = np.flatnonzero(asked[state.owner] & state.alive).astype(np.int32)
    aligned = state.records.select(pl.col(_RECORD).gather(pl.Series(rows)))
    order = sort_records(aligned)
    rows, aligned = rows[order], aligned.select(pl.all().gather(pl.Series(order)))
    rank = np.full(len(state.alive), -1, dtype=np.int32)
    rank[rows] = np.arange(len(rows), dtype=np.int32)
    labels = np.unique(state.owner[rows], return_inverse=True)[1].astype(np.int64)
    codes = [number_hashes(hashes[rows]) for hashes in state.guards]
    one, two = (rank[addition.rows[side]] for side in addition.bonds.apart)
    known = (one >= 0) & (two >= 0)
    first, second = labels[one[known]], labels[two[known]]
    apart = np.unique(np.minimum(first, second) * max(len(labels), 1) + np.maximum(first, second))
    low, high, sequence = _sort_pairs(state, near, rank)
    candidates = Candidates(low, high, state.proposed[near][sequence], [])
    weight = state.total[near][sequence].astype(np.int64)
    return build_review(aligned, candidates, weight, labels, codes, read_value(records, aligned), rules, apart)


def _count_clashes(state: State) -> int:
    """Pairs that may not be joined, whatever they weigh."""
    barred = state.counted == FORBIDDEN
    for hashes in state.guards:
        one, two = hashes[state.left], hashes[state.right]
        barred |= (one != 0) & (two != 0) & (one != two)
    return int(barred.sum())


def _draw_histogram(total: Ids) -> dict[str, list[int]]:
    """As hub.report has it: 20 steps of 4 bits from -40, what is beyond in the outermost."""
    steps = (np.clip(total, -400, 399) + 400) // 40
    return {"from_bits": list(range(-40, 40, 4)), "pairs": np.bincount(steps, minlength=20).tolist()}


def describe_pairs(state: State, rules: Rules, caps: Mapping[str, int]) -> dict[str, Any]:
    """What a full resolution counts over all pairs: by key what it proposes and what its cap leaves out, vetoes, weights."""
    rows = []
    for place, key in enumerate(rules.block_keys):
        hashes = state.keys[place][state.alive]
        sizes = np.unique(hashes[hashes != 0], return_counts=True)[1]
        pairs = int(((state.proposed >> np.uint32(place)) & np.uint32(1)).sum())
        row = {"key": key.name, "cap": caps[key.name], "pairs": pairs, "largest_block": int(sizes.max(initial=0))}
        row |= {"capped_blocks": int((sizes > caps[key.name]).sum())}
        rows.append(row | {"pairs_left_out": int((sizes * (sizes - 1) // 2).sum()) - pairs})
    return {
        "candidate_keys": rows,
        "blocks_capped": sum(row["capped_blocks"] for row in rows),
        "pairs_left_out": sum(row["pairs_left_out"] for row in rows),
        "distinct_vectors": len(np.unique(state.vector)),
        "vetoes": _count_clashes(state),
        "weight_histogram": _draw_histogram(state.total),
    }
