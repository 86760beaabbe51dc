"""Decisions over the records that exist now: who is one before anything else is asked, and who may never be (I-4)."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.clustering.cluster import FORBIDDEN, Hashes, Ints, Ranks, cluster_pairs
from hub.clustering.standing import Decision
from hub.columns.parts import Ids, Parts
from hub.columns.prepare import prepare
from hub.decide import refuse_contradictions
from hub.decisions import align_log, list_decisions, list_standing, list_undone, to_labels
from hub.rules.model import Rules

_RECORD = ["source", "source_key"]


@dataclass(frozen=True)
class Bonds:
    """together: per rank the smallest rank that decisions make one with it, or None where there is no merge;
    apart: pairs of such ranks that may never be one; merged: (decision_id, ranks) of each merge that holds;
    sides: per decision that holds its ranks on both sides; waiting: why a standing decision does not hold now.
    """

    together: Ints | None
    apart: tuple[Ints, Ints]
    merged: list[tuple[str, list[int]]] = field(default_factory=list)
    sides: list[tuple[Decision, list[int], list[int]]] = field(default_factory=list)
    waiting: Mapping[str, str] = field(default_factory=dict)
    undone: frozenset[str] = frozenset()

    def cluster(self, n: int, left: Ranks, right: Ranks, weight: Ints, guards: Sequence[Ranks], ties: Hashes) -> Ints:
        """Labels as cluster_pairs gives them; merges are contracted first, what may never be one is a pair that forbids it."""
        if self.together is None and not len(self.apart[0]):
            return cluster_pairs(n, left, right, weight, guards, ties)
        if self.together is not None:
            left, right = self.together[left], self.together[right]
            open_pairs = left != right
            left, right, weight = left[open_pairs], right[open_pairs], weight[open_pairs]
            guards = [_spread(codes, self.together) for codes in guards]
        left, right = np.concatenate([left, self.apart[0]]), np.concatenate([right, self.apart[1]])
        weight = np.concatenate([weight, np.full(len(self.apart[0]), FORBIDDEN)])
        labels = cluster_pairs(n, left, right, weight, guards, ties)
        return labels if self.together is None else labels[self.together]

    @cached_property
    def _places(self) -> dict[int, list[int]]:
        places: dict[int, list[int]] = {}
        for number, (_, a, b) in enumerate(self.sides):
            for rank in {*a, *b}:
                places.setdefault(rank, []).append(number)
        return places

    def describe_pair(self, left: int, right: int) -> str | None:
        """What was decided about two records, oldest first; None where nothing was."""
        words = []
        for number in sorted(set(self._places.get(left, [])).intersection(self._places.get(right, []))):
            decision, a, b = self.sides[number]
            across = (left in a and right in b) or (left in b and right in a)
            if across or decision.kind == "merge":
                words.append(decision.describe())
        return "; ".join(words) or None


def _spread(codes: Ranks, together: Ints) -> Ranks:
    """Each group's code at its smallest rank; none where people made two values of a barrier one."""
    whole = codes.copy()
    np.maximum.at(whole, together, codes)
    whole[together[(codes >= 0) & (codes != whole[together])]] = -1
    return whole


def bind(aligned: pl.DataFrame, parts: Parts, log: pl.DataFrame | None, rules: Rules) -> Bonds:
    """The bonds of `aligned` records, in the order of their ranks.

    A decision waits while its records are gone, and a merge while they hold two values of a guard. Raises DecisionError where the
    log contradicts itself.
    """
    nothing = np.zeros(0, dtype=np.int64)
    log = align_log(log)
    decisions = list_standing(log, rules.entity)
    undone = list_undone(log, rules.entity)
    if not decisions:
        return Bonds(None, (nothing, nothing), undone=undone)
    refuse_contradictions(decisions)
    ranks = _find_ranks(aligned, decisions)
    waiting: dict[str, str] = {}
    present = []
    for decision in decisions:
        a, b = ([ranks[record] for record in group if record in ranks] for group in (decision.group_a, decision.group_b))
        is_gone = len({*a, *b}) < 2 if decision.kind == "merge" else not (a and b)
        if is_gone and decision.is_move and decision.kind == "split":
            continue  # nobody is left whom they left behind
        if is_gone:
            waiting[decision.decision_id] = "its records are gone"
        else:
            present.append((decision, a, b))
    together, clashing = _unite(present, parts, rules)
    waiting |= clashing
    holding = [row for row in present if row[0].decision_id not in waiting]
    merged = [(row[0].decision_id, sorted({*row[1], *row[2]})) for row in holding if row[0].kind == "merge"]
    own = np.arange(aligned.height, dtype=np.int64)
    for rank, root in together.items():
        own[rank] = root
    pairs = {
        (min(x, y), max(x, y))
        for decision, a, b in holding
        if decision.kind != "merge"
        for x in {int(own[rank]) for rank in a}
        for y in {int(own[rank]) for rank in b}
    }
    apart = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    return Bonds(own if together else None, (apart[:, 0], apart[:, 1]), merged, holding, waiting, undone)


def _find_ranks(aligned: pl.DataFrame, decisions: Sequence[Decision]) -> dict[tuple[str, str], int]:
    named = sorted({record for decision in decisions for record in (*decision.group_a, *decision.group_b)})
    wanted = pl.DataFrame(named, schema=dict.fromkeys(_RECORD, pl.String), orient="row")
    found = aligned.select(_RECORD).with_row_index("rank").join(wanted, on=_RECORD, how="semi")
    return {(source, key): rank for rank, source, key in found.iter_rows()}


def _unite(
    present: Sequence[tuple[Decision, list[int], list[int]]], parts: Parts, rules: Rules
) -> tuple[dict[int, int], dict[str, str]]:
    """Smallest rank of each rank's group, merge by merge as they were made; and the merges that would unite two guard values."""
    guards = {part: parts.codes(part) for part in rules.guards} if present else {}
    members: dict[int, list[int]] = {}
    root: dict[int, int] = {}
    waiting: dict[str, str] = {}
    for decision, a, b in present:
        if decision.kind != "merge":
            continue
        roots = sorted({root.get(rank, rank) for rank in (*a, *b)})
        whole = sorted(rank for one in roots for rank in members.get(one, [one]))
        clash = next((part for part, codes in guards.items() if len(set(codes[whole][codes[whole] >= 0].tolist())) > 1), None)
        if clash:
            waiting[decision.decision_id] = (
                f"its records hold two values of {clash}: {_name_values(parts, clash, guards[clash], whole)}"
            )
            continue
        for one in roots:
            members.pop(one, None)
        members[whole[0]] = whole
        for rank in whole:
            root[rank] = whole[0]
    return root, waiting


def _name_values(parts: Parts, part: str, codes: Ids, ranks: Sequence[int]) -> str:
    known = sorted({int(code) for code in codes[list(ranks)] if code >= 0})
    return " and ".join(sorted(str(parts.list_values(part)[code]) for code in known))


def read_guards(records: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """source, source_key and a column per guarded part, of the records."""
    names = {part.partition(".")[0] for part in rules.guards}
    fields = tuple(field for field in rules.fields if field.name in names)
    aligned, parts = prepare(records, replace(rules, fields=fields, survivors=()))
    return aligned.select(_RECORD).with_columns(parts.values(part).alias(part) for part in rules.guards)


def find_labels(aligned: pl.DataFrame, log: pl.DataFrame | None, entity: str) -> tuple[Ids, Ids, npt.NDArray[np.bool_]]:
    """The ranks of the pairs of present records that decisions label, smaller first, and whether each is one entity."""
    labels = to_labels(log, entity)
    if not labels.height:
        nothing = np.zeros(0, dtype=np.int32)
        return nothing, nothing, np.zeros(0, dtype=bool)
    ranks = aligned.select(_RECORD).with_row_index("rank")
    for side in ("a", "b"):
        labels = labels.join(
            ranks.rename({"rank": f"rank_{side}", "source": f"source_{side}", "source_key": f"source_key_{side}"}),
            on=[f"source_{side}", f"source_key_{side}"],
        )
    a, b = (labels[f"rank_{side}"].to_numpy().astype(np.int32) for side in ("a", "b"))
    return np.minimum(a, b), np.maximum(a, b), labels["is_same"].to_numpy()


def show_decisions(edges: pl.DataFrame, aligned: pl.DataFrame, bonds: Bonds) -> pl.DataFrame:
    """Edges with a column `decision`: what people said about the pair. Records that a merge makes one have an edge, be it without
    a weight of the matcher's own."""
    ends = ["source_a", "source_key_a", "source_b", "source_key_b"]
    if not bonds.sides:
        return edges.with_columns(decision=pl.lit(None, dtype=pl.String))
    ranks = {(source, key): rank for rank, source, key in _list_named(aligned, bonds)}
    names = {rank: record for record, rank in ranks.items()}
    pairs = {(min(ranked), max(ranked)) for _, ranked in _list_stars(bonds)}
    named = pl.DataFrame(list(ranks), schema=dict.fromkeys(_RECORD, pl.String), orient="row")
    known = edges.select(ends).with_row_index("row")
    for side in ("a", "b"):
        known = known.join(named, left_on=[f"source_{side}", f"source_key_{side}"], right_on=_RECORD, how="semi")
    places = {(ranks[row[1:3]], ranks[row[3:]]): row[0] for row in known.iter_rows()}
    words = {pair: text for pair in sorted(pairs | places.keys()) if (text := bonds.describe_pair(*pair))}
    spoken = {places[pair]: text for pair, text in words.items() if pair in places}
    column = pl.Series("decision", [None], dtype=pl.String).new_from_index(0, edges.height)
    edges = edges.with_columns(column.scatter(list(spoken), list(spoken.values())) if spoken else column)
    missing = [(*names[pair[0]], *names[pair[1]], text) for pair, text in words.items() if pair not in places]
    return _insert(edges, pl.DataFrame(missing, schema=dict.fromkeys([*ends, "decision"], pl.String), orient="row"), ends)


def _insert(edges: pl.DataFrame, missing: pl.DataFrame, ends: list[str]) -> pl.DataFrame:
    """Rows of edges that there are none of, each in its place; sorting a million edges anew takes 3 s."""
    keys = edges.select(ends)
    places = [bisect_left(range(edges.height), row, key=keys.row) for row in missing.select(ends).iter_rows()]
    order = np.argsort(np.concatenate([np.arange(edges.height), np.array(places) - 0.5]), kind="stable")
    whole = pl.concat([edges, missing], how="diagonal")
    return whole.select(pl.all().gather(pl.Series(order))) if places else edges


def _list_named(aligned: pl.DataFrame, bonds: Bonds) -> list[tuple[int, str, str]]:
    ranks = sorted(bonds._places)
    rows = aligned.select(_RECORD).gather(pl.Series(ranks, dtype=pl.UInt32)) if ranks else aligned.select(_RECORD).clear()
    return [(rank, source, key) for rank, (source, key) in zip(ranks, rows.iter_rows(), strict=True)]


def _list_stars(bonds: Bonds) -> list[tuple[str, tuple[int, int]]]:
    """Per merge its smallest record with each of the others."""
    return [(name, (ranks[0], rank)) for name, ranks in bonds.merged for rank in ranks[1:]]


def report_decisions(log: pl.DataFrame | None, bonds: Bonds, entity: str) -> pl.DataFrame:
    """The decisions of an entity with `state` (holds, waits, undone) and `waits_for`."""
    rows = list_decisions(log, entity)
    waits: dict[str, Any] = dict(bonds.waiting)
    return rows.with_columns(
        state=pl.when(pl.col("undone_by").is_not_null())
        .then(pl.lit("undone"))
        .when(pl.col("decision_id").is_in(list(waits)))
        .then(pl.lit("waits"))
        .otherwise(pl.lit("holds")),
        waits_for=pl.col("decision_id").replace_strict(waits, default=None, return_dtype=pl.String),
    )


def count_states(decided: pl.DataFrame) -> dict[str, int]:
    """How many decisions hold, wait and were undone."""
    return dict(decided.unique("decision_id").group_by("state").len().sort("state").iter_rows())
