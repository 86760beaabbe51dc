"""Why two records are, or are not, one entity (I-6). Public door."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from hub.clustering.cluster import FORBIDDEN
from hub.columns.parts import Parts
from hub.columns.prepare import prepare
from hub.decisions import describe_decisions
from hub.kept.increment import find_present
from hub.kept.state import State
from hub.model import Model
from hub.results.reasons import find_obstacles, find_path, list_holding, name_clash, name_vetoes
from hub.rules.model import Rules
from hub.scoring.compare import Comparer, lay_out
from hub.scoring.frequency import find_buckets
from hub.scoring.weigh import UNITS_PER_BIT, weigh

RecordRef = tuple[str, str]
_ENDS = ["source_a", "source_key_a", "source_b", "source_key_b"]


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


def read_pairs(state: State, records: Sequence[RecordRef], rules: Rules) -> pl.DataFrame:
    """The compared pairs of some present records of a hub.

    Returns: source_a, source_key_a, source_b, source_key_b, weight (bits), veto (why the two are never one; null: nothing),
    counted (bits that the pair adds to the sum between two entities).
    """
    rows = find_present(state, _frame(records))["row"].to_numpy()
    inside = state.take(state.find_within(rows.astype(np.int32)))
    keys = state.records.select("source", "source_key")
    ends = [keys[side].rows() for side in (inside.left, inside.right)]
    named = [(*min(pair), *max(pair)) for pair in zip(*ends, strict=True)]
    held = state.vectors.select("vector", "total", "counted")[inside.vector]
    layout, counted = lay_out(rules), held["counted"].to_numpy()
    vetoes = [
        "; ".join(name_vetoes(levels, layout, rules)) if bits == FORBIDDEN else None
        for levels, bits in zip(layout.unpack(held["vector"].to_numpy()), counted, strict=True)
    ]
    return pl.DataFrame(named, schema=dict.fromkeys(_ENDS, pl.String), orient="row").with_columns(
        weight=held["total"] / UNITS_PER_BIT, veto=pl.Series(vetoes, dtype=pl.String), counted=held["counted"] / UNITS_PER_BIT
    )


def read_told(edges: pl.DataFrame) -> pl.DataFrame:
    """Edges as add_reasons takes pairs: there are no vetoed ones among them, nor any below review."""
    unknown = {"counted": pl.lit(None, dtype=pl.Float64), "veto": pl.lit(None, dtype=pl.String)}
    return edges.drop_nulls("weight").select(*_ENDS, "weight").with_columns(**unknown)


def add_reasons(
    score: dict[str, Any],
    sides: Mapping[str, Sequence[RecordRef]],
    pairs: pl.DataFrame,
    decisions: pl.DataFrame,
    holders: Mapping[str, pl.DataFrame],
    rules: Rules,
    elsewhere: str = "",
) -> dict[str, Any]:
    """What explain_pair says of two records, with their entities, the path that joins these or what keeps those apart.

    sides: per entity its records. pairs: theirs, as of read_pairs; where `counted` is null for want of knowing, `elsewhere` says
    who knows. decisions: of hub.resolve.Resolution. holders: per entity rows with its guarded values.
    """
    first = next(gid for gid, side in sides.items() if score["a"] in side)
    second = next(gid for gid, side in sides.items() if score["b"] in side)
    are_one, holding = first == second, list_holding(decisions, rules.entity)
    held_back: list[dict[str, Any]] = []
    if not are_one:
        inside = {record: gid for gid, side in sides.items() for record in side}
        across = [inside[row[:2]] != inside[row[2:]] for row in pairs.select(_ENDS).iter_rows()]
        groups = [set(sides[gid]) for gid in (first, second)]
        between = pairs.filter(pl.Series(across, dtype=pl.Boolean))
        held_back = find_obstacles(between, holding, [holders[first], holders[second]], groups, rules, elsewhere)
        if held_back[0]["kind"] == "no match" and score["verdict"] == "match":
            held_back = [_tell_uncompared(score)]
    return {
        **score,
        "customers": [first, second],
        "are_one_customer": are_one,
        "path": find_path(pairs, holding, rules.match_bits, score["a"], score["b"]) if are_one else [],
        "held_back": held_back,
    }


def _tell_uncompared(score: dict[str, Any]) -> dict[str, Any]:
    """A match that the hub has not among its pairs."""
    keys = ", ".join(score["proposed_by"])
    why = f"the blocks of {keys} were too large" if keys else "no key proposes them"
    return {"kind": "not compared", "text": f"the two were never compared, for {why}; if they are one, merge them", "pairs": []}


def _frame(records: Sequence[RecordRef]) -> pl.DataFrame:
    return pl.DataFrame(list(records), schema=dict.fromkeys(("source", "source_key"), pl.String), orient="row")
