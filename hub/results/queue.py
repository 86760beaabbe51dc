"""The review queue: what people are asked, the most urgent first (I-8)."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.candidates.pairs import Candidates
from hub.clustering.bonds import Bonds
from hub.columns.parts import Ids
from hub.columns.sorting import order_numbers
from hub.results.edges import ENDS, name_ends
from hub.results.strays import (
    LEFT,
    NEITHER,
    RIGHT,
    Codes,
    Questions,
    Scene,
    Scored,
    Stakes,
    find_strays,
    join_questions,
    read_whole,
)
from hub.rules.model import Rules
from hub.scoring.weigh import UNITS_PER_BIT

Longs = npt.NDArray[np.int64]

#: why a pair is in the queue: its two entities might be one
GREY, HELD_BACK = "grey band", "match held back by other evidence"
#: ... or a record might belong to the other's entity, which is never one with its own
STRAYS = {LEFT: "record a fits both: is it of b's customer?", RIGHT: "record b fits both: is it of a's customer?"}


def build_review(
    aligned: pl.DataFrame,
    candidates: Candidates,
    weight: Longs | Ids,
    labels: Longs,
    codes: list[Ids],
    value: npt.NDArray[np.float64],
    rules: Rules,
    bonds: Bonds,
) -> tuple[pl.DataFrame, int]:
    """The review queue, and from how many questions it was cut: those about records as far as they are urgent enough for it.

    One pair per two entities that were not joined, though a pair of their records is in the grey band or above it; where two
    values keep the entities apart, one per record that fits both (hub.results.strays). `value` is what each record is worth;
    value at stake is that of the two entities; the order is value x uncertainty (1 at even odds).
    """
    stake = np.bincount(labels, weights=value, minlength=len(labels)).astype(np.float64)
    merged = np.array([rank for _, ranks in bonds.merged for rank in ranks], dtype=np.int64)
    known = [code + 1 for code in codes]
    scene = Scene(labels, stake, known, bonds.apart, merged, np.arange(len(labels)))
    is_near = weight >= round(rules.review_bits * UNITS_PER_BIT)

    def list_inside(rows: Longs) -> Scored:
        is_in = np.zeros(len(labels), dtype=bool)
        is_in[rows] = True
        at = np.flatnonzero(is_in[candidates.left])
        at = at[labels[candidates.left[at]] == labels[candidates.right[at]]]
        return Scored(candidates.left[at], candidates.right[at], weight[at])

    near = np.flatnonzero(is_near)
    near = near[labels[candidates.left[near]] != labels[candidates.right[near]]]
    pairs, clashing = Scored(candidates.left[near], candidates.right[near], weight[near]), []
    for code in known:
        whole = read_whole(scene, code, np.flatnonzero(code))
        is_free = are_free(whole, labels[pairs.left], labels[pairs.right])
        clashing.append(pairs[np.flatnonzero(~is_free)])
        pairs = pairs[np.flatnonzero(is_free)]
    asked, found = choose_review(pairs, clashing, scene, rules, list_inside)
    return write_review(aligned, asked, scene, rules), found


def are_free(whole: Codes, first: Longs | Ids, second: Longs | Ids) -> npt.NDArray[np.bool_]:
    """Whether two entities have no two values. whole: as of hub.results.strays.read_whole."""
    one, two = whole[first], whole[second]
    free: npt.NDArray[np.bool_] = (one == 0) | (two == 0) | (one == two)
    return free


def choose_review(
    pairs: Scored, clashing: Sequence[Scored], scene: Scene, rules: Rules, list_inside: Callable[[Longs], Scored]
) -> tuple[Questions, int]:
    """What people are asked, the most urgent first, and from how many questions that was chosen. pairs: those that are near,
    between entities that may be one; clashing: per separator those between entities that are not.
    """
    asked, found = _ask_of_entities(pairs, scene, rules)
    if not any(len(own.left) for own in clashing):
        return asked, found
    strays = find_strays(clashing, _find_bar(asked.urgency, rules), scene, rules, list_inside)
    return _take_urgent(join_questions([asked, strays]), scene, rules), found + len(strays.doubt)


def _ask_of_entities(pairs: Scored, scene: Scene, rules: Rules) -> tuple[Questions, int]:
    """The best pairs of two entities of which people said nothing, the most urgent first, and how many there are in all."""
    ends = (scene.owner[side] for side in (pairs.left, pairs.right, *scene.apart))
    first, second, *apart = (side.astype(np.int64) for side in ends)
    key, known = (np.minimum(*two) * len(scene.stake) + np.maximum(*two) for two in ((first, second), apart))
    rows = np.flatnonzero(~np.isin(key, known))
    order = rows[order_numbers(key[rows])]
    key, weight = key[order], pairs.weight[order]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    highest = np.maximum.reduceat(weight, starts) if len(starts) else weight
    doubt = 2 / (1 + np.exp2(np.minimum(np.abs(highest / UNITS_PER_BIT - rules.match_bits), 60)))
    heads = order[starts]
    urgency = (scene.stake[first[heads]] + scene.stake[second[heads]]) * doubt
    group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(order)))
    best = np.flatnonzero((urgency >= _find_bar(urgency, rules))[group] & (weight == highest[group]))
    best = best[np.lexsort((scene.order(pairs[order[best]]), group[best]))]
    best = best[np.flatnonzero(np.diff(group[best], prepend=-1))]
    chosen, own = pairs[order[best]], group[best]
    asked = Questions(chosen, np.full(len(best), NEITHER, dtype=np.int8), doubt[own], urgency[own])
    return _take_urgent(asked, scene, rules), len(starts)


def _find_bar(urgency: Stakes, rules: Rules) -> float:
    """The urgency below which nobody is asked: there is no room in the queue."""
    limit = rules.review_limit
    if len(urgency) < limit:
        return -np.inf
    return float(np.partition(urgency, -limit)[-limit]) if limit else np.inf


def _take_urgent(asked: Questions, scene: Scene, rules: Rules) -> Questions:
    """As many as the queue holds, the most urgent first."""
    asked = asked[np.flatnonzero(asked.urgency >= _find_bar(asked.urgency, rules))]
    ranked = np.lexsort((scene.order(asked.pairs), -asked.doubt, -asked.urgency))
    return asked[ranked[: rules.review_limit]]


def write_review(records: pl.DataFrame, asked: Questions, scene: Scene, rules: Rules) -> pl.DataFrame:
    """The queue of what people are asked."""
    left, right, weight = asked.pairs.left, asked.pairs.right, asked.pairs.weight
    is_match = weight >= round(rules.match_bits * UNITS_PER_BIT)
    reasons = [HELD_BACK if match else GREY for match in is_match]
    queue = name_ends(records, left, right).with_columns(
        pair_id=pl.concat_str("source_a", pl.lit(":"), "source_key_a", pl.lit("|"), "source_b", pl.lit(":"), "source_key_b"),
        weight=pl.Series(weight / UNITS_PER_BIT),
        reason=pl.Series([STRAYS.get(side, reason) for side, reason in zip(asked.stray, reasons, strict=True)], dtype=pl.String),
        value_at_stake=pl.Series(scene.add_stakes(asked.pairs)),
    )
    return queue.select("pair_id", *ENDS, "weight", "reason", "value_at_stake")
