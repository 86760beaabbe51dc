"""What made two records one entity though they need not match themselves, or keeps them two though they do (I-6)."""

import heapq
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.clustering.bonds import read_guards
from hub.clustering.standing import Decision, RecordRef
from hub.decide import name_record
from hub.decisions import list_standing
from hub.rules.model import Rules
from hub.scoring.compare import Layout
from hub.scoring.weigh import mark_levels

_RECORD = ["source", "source_key"]
_ENDS = ["source_a", "source_key_a", "source_b", "source_key_b"]
#: pairs that are named for and against; the sum is of all
_SHOWN = 3

Step = dict[str, Any]
Links = dict[RecordRef, list[tuple[RecordRef, Step]]]


def name_vetoes(levels: npt.NDArray[np.uint8], layout: Layout, rules: Rules) -> list[str]:
    """The vetoes that keep a pair apart, each with the levels that speak; `levels`: the pair's level numbers."""
    named = []
    for veto in rules.vetoes:
        if mark_levels(levels[None, :], layout, (veto,))[0]:
            comparison = veto.partition(".")[0]
            place = layout.comparisons.index(comparison)
            named.append(f"veto {veto}: {comparison} is {layout.names[place][levels[place]]}")
    return named


def name_clash(part: str, values: Iterable[str], kind: str = "guard") -> str:
    """Two values of a guard, or of a barrier."""
    return f"{kind} {part}: {' and '.join(sorted(values))} are two"


def list_holding(decisions: pl.DataFrame, entity: str) -> list[Decision]:
    """The decisions that were obeyed, of hub.resolve.Resolution.decisions."""
    standing = decisions.filter(pl.col("state") != "undone").with_columns(undoes=pl.lit(None, dtype=pl.String))
    holding = set(standing.filter(state="holds")["decision_id"])
    return [decision for decision in list_standing(standing, entity) if decision.decision_id in holding]


def find_path(pairs: pl.DataFrame, decisions: Sequence[Decision], match_bits: float, a: RecordRef, b: RecordRef) -> list[Step]:
    """The fewest matches and merges that lead from one record to another; of equally many, those whose weakest is strongest.

    pairs: as of find_obstacles, of one entity's records. Empty where nothing joins the two.
    """
    joined, held = _list_steps(pairs, decisions, match_bits)
    return _walk(_link(joined), a, b) or _walk(_link([*joined, *held]), a, b)


def _walk(steps: Links, a: RecordRef, b: RecordRef) -> list[Step]:
    came: dict[RecordRef, tuple[RecordRef, Step] | None] = {a: None}
    reached = {a: float("inf")}
    while reached and b not in came:
        found: dict[RecordRef, tuple[float, RecordRef, Step]] = {}
        for here, strength in reached.items():
            for there, step in steps.get(here, []):
                through = strength if step["weight"] is None else min(strength, step["weight"])
                if there not in came and (there not in found or through > found[there][0]):
                    found[there] = (through, here, step)
        came |= {there: (here, step) for there, (_, here, step) in found.items()}
        reached = {there: strength for there, (strength, _, _) in sorted(found.items())}
    path: list[Step] = []
    back = came.get(b)
    while back is not None:
        path.append(back[1])
        back = came[back[0]]
    return path[::-1]


def grow_tree(pairs: pl.DataFrame, decisions: Sequence[Decision], match_bits: float, records: Sequence[RecordRef]) -> list[Step]:
    """How the records of an entity hang together: from the first on, each by the merge or the strongest match that reaches it.

    The steps lead from `a`, which is reached already, to `b`; `depth` counts them from the start. A record that nothing reaches
    has a step without `a`.
    """
    joined, held = _list_steps(pairs, decisions, match_bits)
    steps, last_resort, left = _link(joined), _link(held), dict.fromkeys(sorted(records))
    tree: list[Step] = []
    # two merges may join the same two records: what was found first decides
    waiting: list[tuple[float, RecordRef, RecordRef, int, int, Step]] = []
    numbers = itertools.count()
    while left:
        if waiting:
            _, here, there, depth, _, step = heapq.heappop(waiting)
            if there not in left:
                continue
            tree.append({**step, "a": here, "b": there, "depth": depth})
        else:
            there, depth = next(iter(left)), 0
            tree.append({"a": None, "b": there, "weight": None, "decision": None, "depth": depth})
        del left[there]
        for other, step in steps.get(there, []):
            if other in left:
                strength = float("inf") if step["weight"] is None else step["weight"]
                heapq.heappush(waiting, (-strength, there, other, depth + 1, next(numbers), step))
        for other, step in last_resort.get(there, []):
            if other in left:
                heapq.heappush(waiting, (float("inf"), there, other, depth + 1, next(numbers), step))
    return tree


def _list_steps(pairs: pl.DataFrame, decisions: Sequence[Decision], match_bits: float) -> tuple[list[Step], list[Step]]:
    """What joins records: merges of two sides, and matches; and what holds the records of a side together where no match does."""
    joined: list[Step] = []
    held: list[Step] = []
    for decision in decisions:
        if decision.kind == "merge":
            sides = [sorted(decision.group_a), sorted(decision.group_b)]
            told = {"weight": None, "decision": decision.describe()}
            joined.append({"a": sides[0][0], "b": sides[1][0], **told})
            held += [{"a": first, "b": other, **told} for first, *others in sides for other in others]
    matches = pairs.filter((pl.col("weight") >= match_bits) & pl.col("veto").is_null())
    for *ends, weight in (
        matches.sort("weight", *_ENDS, descending=[True, *(False for _ in _ENDS)]).select(*_ENDS, "weight").iter_rows()
    ):
        joined.append({"a": tuple(ends[:2]), "b": tuple(ends[2:]), "weight": weight, "decision": None})
    return joined, held


def _link(joined: Sequence[Step]) -> Links:
    steps: Links = {}
    for step in joined:
        steps.setdefault(step["a"], []).append((step["b"], step))
        steps.setdefault(step["b"], []).append((step["a"], step))
    return steps


def find_obstacles(
    pairs: pl.DataFrame,
    decisions: Sequence[Decision],
    holders: Sequence[pl.DataFrame],
    sides: Sequence[set[RecordRef]],
    rules: Rules,
    elsewhere: str,
) -> list[dict[str, Any]]:
    """What keeps two entities apart: kind, text, and the pairs that it is about.

    kind: decision, guard, barrier, veto; where none of these forbids it, outweighed, no match, or not kept.
    pairs: between the two, with `weight`, `veto` (null: none) and `counted`: the bits that a pair adds to the sum between two
    entities, null where only some pairs are known; elsewhere: who then knows the others, in words. holders: per entity rows with
    the columns of the rules, that have its guarded values; sides: per entity its records.
    """
    found: list[dict[str, Any]] = [
        {"kind": "decision", "text": decision.describe(), "decision_id": decision.decision_id}
        for decision in decisions
        if decision.kind != "merge" and _is_across(decision, sides)
    ]
    found += _list_clashes(holders, rules)
    vetoed = pairs.filter(pl.col("veto").is_not_null())
    for veto, own in vetoed.sort(_ENDS).group_by("veto", maintain_order=True):
        shown = _show(own)
        others = f" and {own.height - 1} more" if own.height > 1 else ""
        found.append({"kind": "veto", "text": f"{veto[0]} ({_name_pair(shown[0])}{others})", "pairs": shown})
    return found or [_weigh_up(pairs, rules, elsewhere)]


def _is_across(decision: Decision, sides: Sequence[set[RecordRef]]) -> bool:
    a, b = (set(group) for group in (decision.group_a, decision.group_b))
    one, two = sides
    return bool((a & one and b & two) or (a & two and b & one))


def _list_clashes(holders: Sequence[pl.DataFrame], rules: Rules) -> list[dict[str, Any]]:
    if not rules.separators:
        return []
    values = [read_guards(rows, replace(rules, guards=rules.separators)) for rows in holders]
    known = {part: [set(own[part].drop_nulls().cast(pl.String).to_list()) for own in values] for part in rules.separators}
    clashes = {part: one | two for part, (one, two) in known.items() if one and two and one != two}
    kinds = {part: "barrier" if part in rules.barriers else "guard" for part in clashes}
    return [{"kind": kinds[part], "text": name_clash(part, values, kinds[part])} for part, values in clashes.items()]


def _weigh_up(pairs: pl.DataFrame, rules: Rules, elsewhere: str) -> dict[str, Any]:
    """The evidence between two entities that nothing forbids to be one."""
    heaviest = pairs.sort("weight", *_ENDS, descending=[True, *(False for _ in _ENDS)])
    if not pairs.filter(pl.col("weight") >= rules.match_bits).height:
        best = f"; the nearest are {_name_pair(_show(heaviest)[0])}" if pairs.height else ""
        return {"kind": "no match", "text": f"no record of the one matches a record of the other{best}", "pairs": _show(heaviest)}
    speaking = heaviest.filter(pl.col("weight") >= rules.match_bits)
    if pairs["counted"].null_count():
        text = f"{_name_pair(_show(heaviest)[0])} is a match; what holds it back is not kept here: {elsewhere}"
        return {"kind": "not kept", "text": text, "pairs": _show(heaviest)}
    against = pairs.filter(pl.col("counted") < 0).sort("counted", *_ENDS)
    total = round(float(pairs["counted"].sum()), 1)
    most = ", ".join(_name_pair(pair, "counted") for pair in _show(against))
    text = (
        f"{_count(speaking.height, 'match', 'matches')} and {_count(against.height, 'pair', 'pairs')} against come to "
        f"{total:+.1f} bits between the two, and below 0 they stay two; most against: {most}"
    )
    return {"kind": "outweighed", "text": text, "sum": total, "for": _show(speaking), "against": _show(against)}


def _show(pairs: pl.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            "a": (row["source_a"], row["source_key_a"]),
            "b": (row["source_b"], row["source_key_b"]),
            "weight": row["weight"],
            "counted": row["counted"],
        }
        for row in pairs.head(_SHOWN).iter_rows(named=True)
    ]


def _name_pair(pair: dict[str, Any], bits: str = "weight") -> str:
    return f"{name_record(pair['a'])} and {name_record(pair['b'])} {pair[bits]:+.1f}"


def _count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"
