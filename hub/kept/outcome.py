"""What a kept hub says after an addition: the frames and counts that a full resolution of all its records would give."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from hub.clustering.bonds import Bonds, count_states, report_decisions
from hub.clustering.cluster import FORBIDDEN
from hub.columns.parts import Ids
from hub.ids.identify import align_events, build_crosswalk, find_redirects
from hub.kept.blocks import rank_rows
from hub.kept.increment import Addition, find_present
from hub.kept.review import list_review
from hub.kept.state import Mask, State
from hub.model import Model
from hub.resolve import Resolution
from hub.results.edges import Pieces, TakeEdges, cut_pieces, name_ends, tell_edges, write_pairs
from hub.results.hierarchy import add_hierarchy, link_parents
from hub.rules.model import Rules
from hub.scoring.compare import lay_out
from hub.scoring.weigh import UNITS_PER_BIT, weigh

_RECORD = ["source", "source_key"]


@dataclass(frozen=True)
class Added:
    """What an addition found: its events; the review queue and the decisions of the whole hub; counts."""

    review: pl.DataFrame
    decisions: pl.DataFrame
    events: pl.DataFrame
    model: Model
    report: dict[str, Any]


@dataclass(frozen=True)
class Outcome(Added):
    """The hub after an addition, all of it: crosswalk (source, source_key, gid), golden, edges, redirects (gid, target_gid,
    since: every id that was given up, and every retired one, which leads to none)."""

    crosswalk: pl.DataFrame
    golden: pl.DataFrame
    edges: pl.DataFrame
    redirects: pl.DataFrame


def tell_first(first: Resolution) -> Outcome:
    """A full resolution of a first run, with its golden records linked."""
    current = first.crosswalk.filter("is_current").select(*_RECORD, "gid")
    said = (first.review, first.decisions, first.events, first.model, first.report)
    return Outcome(*said, current, add_hierarchy(first), first.edges, first.redirects)


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
        report=outcome.report,
        list_pairs=lambda: name_candidates(state),
    )


@dataclass(frozen=True)
class Present:
    """The rows of the present records in the order of source and key, the place of each row in it, and their keys."""

    rows: Ids
    rank: Ids
    keys: pl.DataFrame


@dataclass(frozen=True)
class Telling:
    """Edges that are being told of while the rest of an addition is found, and the records that they are between."""

    present: "Future[Present]"
    edges: "Future[tuple[pl.DataFrame, int]]"


def begin_telling(
    pool: ThreadPoolExecutor, state: State, rows: Ids, bonds: Bonds, rules: Rules, take_edges: TakeEdges | None
) -> Telling:
    """Begin with the edges of a state, which need no ids. rows, bonds: as of Addition; take_edges: as of hub.resolve."""
    present = pool.submit(order_present, state)

    def tell_all() -> tuple[pl.DataFrame, int]:
        reached = state.records.select(pl.col(_RECORD).gather(pl.Series(rows)))
        return tell_edges(list_edges(state, present.result(), rules), reached, bonds, take_edges)

    return Telling(present, pool.submit(tell_all))


def tell(
    addition: Addition,
    decisions: pl.DataFrame | None,
    rules: Rules,
    model: Model,
    telling: Telling | None = None,
    take_rest: Callable[[Outcome], None] | None = None,
) -> Outcome:
    """The whole hub after an addition. decisions: the log; telling: where it was begun with; take_rest: is given all but the
    edges while these are still told of."""
    state = addition.state
    with ThreadPoolExecutor(1) as pool:
        telling = telling or begin_telling(pool, state, addition.rows, addition.bonds, rules, None)
        added = tell_added(addition, decisions, rules, model)
        crosswalk = list_crosswalk(state, telling.present.result())
        golden = link_parents(state.golden, crosswalk)
        said = (added.review, added.decisions, added.events, added.model, added.report)
        outcome = Outcome(*said, crosswalk, golden, pl.DataFrame(), state.list_given_up())
        if take_rest is not None:
            take_rest(outcome)
        edges, n_edges = telling.edges.result()
    return replace(outcome, edges=edges, report={**added.report, "edges": n_edges})


def tell_added(addition: Addition, decisions: pl.DataFrame | None, rules: Rules, model: Model) -> Added:
    """What a hub keeps of an addition beside its state."""
    state = addition.state
    review, found = list_review(addition, rules)
    decided = report_decisions(decisions, addition.bonds, rules.entity)
    sizes = state.portraits["n_records"].gather(pl.Series(state.shown))
    counts = {
        "records": len(state.order),
        "clusters": len(state.shown),
        "largest_cluster": int(sizes.max() or 0),  # type: ignore[arg-type]
        "candidates": int(np.count_nonzero(state.proposed)),
        "events": dict(addition.events.group_by("kind").len().sort("kind").iter_rows()),
        "model_version": model.version,
        "rule_version": rules.version,
        "training": dict(model.report),
        "review_found": found,
        "review_kept": review.height,
        "decisions": count_states(decided),
        **state.tally.describe(rules, model.caps, state.vectors["total"].to_numpy()),
    }
    return Added(review, decided, addition.events, model, {**counts, **addition.report})


def order_present(state: State) -> Present:
    """The present records of a state in their order."""
    return Present(state.order, rank_rows(state), state.records.select(pl.col(_RECORD).gather(pl.Series(state.order))))


def list_crosswalk(state: State, present: Present) -> pl.DataFrame:
    """source, source_key, gid of the present records, in their order."""
    # from one chunk polars gathers thirty times as fast as from two
    gids = state.issued["gid"].rechunk()
    return present.keys.with_columns(gid=gids.gather(pl.Series(state.owner[present.rows])))


def list_edges(state: State, present: Present, rules: Rules) -> Pieces:
    """The pairs at or above the review threshold, in the order of their records, with weight and evidence."""
    total, counted = state.vectors["total"].to_numpy(), state.vectors["counted"].to_numpy()
    is_told = (total >= round(rules.review_bits * UNITS_PER_BIT)) & (counted != FORBIDDEN)
    left, right, vector = _order_pairs(state, present, is_told)
    pieces = ((left[piece], right[piece], vector[piece]) for piece in cut_pieces(len(left)))
    return write_pairs(present.keys, pieces, total, state.vectors["evidence"].rechunk())


def _order_pairs(state: State, present: Present, is_told: Mask) -> tuple[Ids, Ids, Ids]:
    """The pairs of some vectors in the order of their records: the ranks of both, and the vector."""
    told, start = [], 0
    for piece in state.pairs:
        holds = state.proposed[start : start + len(piece.left)] != 0
        rows = np.flatnonzero(is_told[piece.vector] & holds)
        told.append((present.rank[piece.left[rows]], present.rank[piece.right[rows]], piece.vector[rows]))
        start += len(piece.left)
    left, right, vector = (np.concatenate(column) for column in zip(*told, strict=True))
    # what was found at once is in order mostly, and a stable sort takes runs as they are
    order = np.argsort(left.astype(np.int64) * len(state.order) + right, kind="stable")
    return left[order], right[order], vector[order]


def name_candidates(state: State) -> pl.DataFrame:
    """The records of all pairs that were compared."""
    present = order_present(state)
    left, right, _ = _order_pairs(state, present, np.ones(state.vectors.height, dtype=bool))
    return name_ends(present.keys, left, right)


def write_pair_evidence(state: State, pairs: pl.DataFrame, rules: Rules, model: Model) -> pl.Series:
    """The evidence of some compared pairs of present records (source_a, source_key_a, source_b, source_key_b)."""
    place = {(source, key): row for source, key, row in find_present(state, _list_ends(pairs)).iter_rows()}
    ends = [[place[record] for record in pairs.select(f"source_{s}", f"source_key_{s}").iter_rows()] for s in "ab"]
    wanted = [(min(pair), max(pair)) for pair in zip(*ends, strict=True)]
    held = state.take(state.find_within(np.unique(np.array(ends, dtype=np.int32))))
    vectors = state.vectors["vector"].to_numpy()[held.vector]
    evidence = weigh(vectors, lay_out(rules), model.weights, rules).write_evidence()
    known = {
        (min(pair), max(pair)): text
        for *pair, text in zip(held.left.tolist(), held.right.tolist(), evidence.to_list(), strict=True)
    }
    return pl.Series("evidence", [known[pair] for pair in wanted], dtype=pl.String)


def _list_ends(pairs: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([pairs.select(source=f"source_{side}", source_key=f"source_key_{side}") for side in "ab"])
