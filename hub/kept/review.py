"""The review queue of a kept hub after an addition, from its open pairs, and what its records are worth."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.clustering.cluster import FORBIDDEN
from hub.columns.parts import Ids
from hub.kept.increment import Addition, find_present
from hub.kept.pieces import Longs, Open, Pairs, find_from
from hub.kept.state import State
from hub.resolve import read_value
from hub.results.queue import are_free, choose_review, write_review
from hub.results.strays import Scene, Scored, read_whole
from hub.rules.model import Rules
from hub.scoring.weigh import UNITS_PER_BIT

_RECORD = ["source", "source_key"]
#: below any weight: of a pair that a veto keeps apart
_LEAST = np.iinfo(np.int32).min


def list_review(addition: Addition, rules: Rules) -> tuple[pl.DataFrame, int]:
    """The review queue of the whole hub, and from how many questions it was cut (hub.results.queue)."""
    state = addition.state
    scene = Scene(state.owner, _value_ids(state), list(state.guards), *_read_bonds(addition), addition.rank)
    pairs = _weigh(state, state.open)
    # nobody is asked about a pair that a veto keeps apart whatever is answered
    near, clashing = np.flatnonzero(pairs.weight >= round(rules.review_bits * UNITS_PER_BIT)), []
    first, second = state.owner[pairs.left], state.owner[pairs.right]
    for code in scene.codes:
        # nor about two entities with a code each; they are most pairs
        rows = np.flatnonzero(scene.mark(first[near], second[near]) & (code != 0))
        is_free = are_free(read_whole(scene, code, rows), first[near], second[near])
        clashing.append(pairs[near[~is_free]])
        near = near[is_free]
    asked, found = choose_review(pairs[near], clashing, scene, rules, lambda rows: _list_inside(state, rows))
    return write_review(state.records, asked, scene, rules), found


def _weigh(state: State, pairs: Pairs | Open) -> Scored:
    weight, counted = state.vectors["total"].to_numpy(), state.vectors["counted"].to_numpy()
    return Scored(pairs.left, pairs.right, np.where(counted[pairs.vector] == FORBIDDEN, _LEAST, weight[pairs.vector]))


def _list_inside(state: State, rows: Longs) -> Scored:
    """The pairs within the ids whose records some rows are."""
    at = find_from(state.pairs, rows.astype(np.int32))
    pairs = state.take(at)
    own = np.flatnonzero((state.owner[pairs.left] == state.owner[pairs.right]) & (state.proposed[at] != 0))
    return _weigh(state, Pairs(pairs.left[own], pairs.right[own], pairs.vector[own]))


def _read_bonds(addition: Addition) -> tuple[tuple[Ids, Ids], Ids]:
    """The pairs of rows that people keep apart, and the rows that they made one with others."""
    rows, (left, right) = addition.rows, addition.bonds.apart
    merged = np.array([rank for _, ranks in addition.bonds.merged for rank in ranks], dtype=np.int64)
    return (rows[left], rows[right]), rows[merged]


def _value_ids(state: State) -> npt.NDArray[np.float64]:
    """What the records of each id are worth to whoever reviews; each 1 where nothing said so."""
    if state.value is None:
        return np.bincount(state.owner + 1, minlength=state.issued.height + 1)[1:].astype(np.float64)
    # sums are those of a full run where they are made in its order
    owner, value = state.owner[state.order], state.value[state.order]
    return np.bincount(owner, weights=value, minlength=state.issued.height).astype(np.float64)


def keep_value(before: State, addition: Addition, records: pl.DataFrame) -> Addition:
    """The addition with what its rows are worth: as the added records have it in `value`, and where these have no such column,
    as it was."""
    if before.value is None and "value" not in records.columns:
        return addition
    state = addition.state
    value = np.zeros(len(state.alive))
    if before.value is not None:
        value[: len(before.value)] = before.value
    keys = records.select(pl.col(_RECORD).cast(pl.String))
    now = find_present(state, keys)
    if "value" in records.columns:
        value[now["row"].to_numpy()] = read_value(records, now)
    else:
        same = now.join(find_present(before, keys), on=_RECORD, suffix="_before")
        value[same["row"].to_numpy()] = value[same["row_before"].to_numpy()]
    return replace(addition, state=replace(state, value=value))
