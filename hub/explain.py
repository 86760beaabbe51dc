"""Why two records are, or are not, one entity (I-6). Public door."""

from collections import deque
from typing import Any

import numpy as np
import polars as pl

from hub.columns.parts import Parts
from hub.columns.prepare import prepare
from hub.decide import describe_decisions
from hub.model import Model
from hub.resolve import Resolution
from hub.results.reasons import name_clash, name_vetoes
from hub.rules.model import Rules
from hub.scoring.compare import Comparer
from hub.scoring.frequency import find_buckets
from hub.scoring.weigh import UNITS_PER_BIT, weigh

RecordRef = tuple[str, str]


def explain_pair(
    records: pl.DataFrame,
    a: RecordRef,
    b: RecordRef,
    rules: Rules,
    model: Model | None = None,
    decisions: pl.DataFrame | None = None,
) -> dict[str, Any]:
    """The fresh score of two records, given as (source, source_key).

    Without a model the weights are those of the rules, and values are as common as `records` have them; with one, only the two
    records need be among them.

    Returns: a, b, weight, match_bits, review_bits, prior (bits); verdict: match, grey, no match or veto; vetoes: the guards and
    vetoes that keep the two apart, named; fields: per comparison
    its `bits`, `level` and the two values that it compared; together: bits of levels that weigh otherwise together;
    proposed_by: the candidate keys that the two share; decision: what people said about the two, which outranks the verdict.

    Raises:
        KeyError: a record is not among the records.
    """
    refs = sorted((a, b))
    chosen = pl.any_horizontal((pl.col("source") == source) & (pl.col("source_key") == key) for source, key in refs)
    aligned, parts = prepare(records.filter(chosen) if model else records, rules)
    ranks = [_find(aligned, ref) for ref in refs]
    comparer = Comparer(parts, rules, find_buckets(parts, rules, model.frequencies if model else None))
    left, right = (np.array([rank], dtype=np.int32) for rank in ranks)
    vector = comparer.compare(left, right)
    weighed = weigh(vector, comparer.layout, model.weights if model else rules.weights, rules)
    levels = comparer.layout.unpack(vector)[0]
    vetoes = [*_name_clashes(parts, ranks, rules), *name_vetoes(levels, comparer.layout, rules)]
    bits = dict(zip(weighed.names, (weighed.parts[0] / UNITS_PER_BIT).tolist(), strict=True))
    weight = float(weighed.total[0]) / UNITS_PER_BIT
    return {
        "a": refs[0],
        "b": refs[1],
        "weight": weight,
        "match_bits": rules.match_bits,
        "review_bits": rules.review_bits,
        "verdict": _judge(weight, vetoes, rules),
        "vetoes": vetoes,
        "prior": bits["prior"],
        "fields": [
            {
                "field": comparison.name,
                "bits": bits[comparison.name],
                "level": names[level],
                "a": _show(parts, comparison.field, ranks[0]),
                "b": _show(parts, comparison.field, ranks[1]),
            }
            for comparison, names, level in zip(rules.comparisons, comparer.layout.names, levels.tolist(), strict=True)
        ],
        "together": {name: bits[name] for name in weighed.names[1 + len(rules.comparisons) :] if bits[name]},
        "decision": describe_decisions(decisions, refs[0], refs[1], rules.entity),
        "proposed_by": [key.name for key in rules.block_keys if _share(parts, key.parts, ranks)],
    }


def _find(aligned: pl.DataFrame, ref: RecordRef) -> int:
    found = aligned.select(((pl.col("source") == ref[0]) & (pl.col("source_key") == ref[1])).arg_true()).to_series()
    if not len(found):
        raise KeyError(f"no record {ref[1]} of source {ref[0]}: check both with the crosswalk")
    return int(found[0])


def _name_clashes(parts: Parts, ranks: list[int], rules: Rules) -> list[str]:
    values = {part: {value for rank in ranks if (value := _show(parts, part, rank)) is not None} for part in rules.guards}
    return [name_clash(part, two) for part, two in values.items() if len(two) > 1]


def _share(parts: Parts, key: tuple[str, ...], ranks: list[int]) -> bool:
    codes = parts.combine(key)
    return bool(codes[ranks[0]] >= 0 and codes[ranks[0]] == codes[ranks[1]])


def _judge(weight: float, vetoes: list[str], rules: Rules) -> str:
    if vetoes:
        return "veto"
    if weight >= rules.match_bits:
        return "match"
    return "grey" if weight >= rules.review_bits else "no match"


def _show(parts: Parts, part: str, rank: int) -> str | None:
    value = parts.values(part)[rank]
    return None if value is None else str(value)


def explain_customer(resolution: Resolution, gid: str) -> dict[str, Any]:
    """Why a customer is what it is: its records, the edges among them, its golden values' sources, its events of this run.

    An id that was given up is followed to the one it resolves to (`asked` keeps the id that was asked for).

    Raises:
        KeyError: the id was never issued, or its customer is retired.
    """
    redirect = resolution.redirects.filter(pl.col("gid") == gid)
    live = redirect["target_gid"].item() if redirect.height else gid
    golden = resolution.golden.filter(pl.col("gid") == live)
    if not golden.height:
        raise KeyError(f"{gid} is not a live id: it was never issued, or its records are all gone (see the identity events)")
    history = resolution.crosswalk.filter(pl.col("gid") == live)
    current = history.filter("is_current").select("source", "source_key")
    return {
        "asked": gid,
        "gid": live,
        "golden": golden.row(0, named=True),
        "records": current.rows(),
        "left": history.filter(~pl.col("is_current")).select("source", "source_key", "valid_to").rows(),
        "edges": _edges_within(resolution, current).to_dicts(),
        "lineage": resolution.lineage.filter(pl.col("gid") == live).to_dicts(),
        "events": resolution.events.filter((pl.col("gid") == live) | (pl.col("other_gid") == live)).to_dicts(),
        "given_up_ids": resolution.redirects.filter(pl.col("target_gid") == live)["gid"].to_list(),
    }


def find_path(resolution: Resolution, a: RecordRef, b: RecordRef) -> list[dict[str, Any]]:
    """The fewest stored edges that lead from one record of a customer to another; empty where nothing joins them."""
    current = resolution.crosswalk.filter("is_current")
    owner = {(source, key): gid for source, key, gid in current.select("source", "source_key", "gid").iter_rows()}
    if a not in owner or b not in owner or owner[a] != owner[b]:
        return []
    members = current.filter(pl.col("gid") == owner[a]).select("source", "source_key")
    steps: dict[RecordRef, list[tuple[RecordRef, dict[str, Any]]]] = {}
    for edge in _edges_within(resolution, members).iter_rows(named=True):
        one, two = (edge["source_a"], edge["source_key_a"]), (edge["source_b"], edge["source_key_b"])
        steps.setdefault(one, []).append((two, edge))
        steps.setdefault(two, []).append((one, edge))
    came: dict[RecordRef, tuple[RecordRef, dict[str, Any]] | None] = {a: None}
    waiting = deque([a])
    while waiting and b not in came:
        here = waiting.popleft()
        for there, edge in steps.get(here, []):
            if there not in came:
                came[there] = (here, edge)
                waiting.append(there)
    path: list[dict[str, Any]] = []
    step = came.get(b)
    while step is not None:
        path.append(step[1])
        step = came[step[0]]
    return path[::-1]


def _edges_within(resolution: Resolution, members: pl.DataFrame) -> pl.DataFrame:
    edges = resolution.edges
    for side in ("a", "b"):
        names = {"source": f"source_{side}", "source_key": f"source_key_{side}"}
        edges = edges.join(members.rename(names), on=list(names.values()), how="semi")
    return edges.sort(
        "weight", "source_a", "source_key_a", "source_b", "source_key_b", descending=[True, False, False, False, False]
    )
