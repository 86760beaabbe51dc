"""The review queue of a kept hub after an addition, from its open pairs, and what its records are worth."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.clustering.cluster import FORBIDDEN
from hub.columns.hashing import Hashes
from hub.columns.parts import Ids
from hub.kept.increment import Addition, find_present
from hub.kept.state import State
from hub.resolve import read_value
from hub.results.report import choose_review, write_review
from hub.rules.model import Rules
from hub.scoring.weigh import UNITS_PER_BIT

_RECORD = ["source", "source_key"]


def list_review(addition: Addition, rules: Rules) -> tuple[pl.DataFrame, int]:
    """The review queue of the whole hub, and how many pairs of entities it was cut from: only those take part that have one."""
    state, pairs = addition.state, addition.state.open
    weight = state.vectors["total"].to_numpy()[pairs.vector]
    first, second = state.owner[pairs.left], state.owner[pairs.right]
    # nobody is asked about a pair that a veto keeps apart whatever is answered
    barred = state.vectors["counted"].to_numpy()[pairs.vector] == FORBIDDEN
    near = np.flatnonzero((weight >= round(rules.review_bits * UNITS_PER_BIT)) & ~barred)
    for hashes in state.guards:
        # nobody is asked about two entities with a code each; they are most pairs
        code = _read_codes(state, hashes, first[near], second[near])
        one, two = code[first[near]], code[second[near]]
        near = near[(one == 0) | (two == 0) | (one == two)]
    rank = addition.rank
    # in the order of their records, as a full run has them: it decides between pairs that are asked about alike
    near = near[np.argsort(rank[pairs.left[near]].astype(np.int64) * len(rank) + rank[pairs.right[near]], kind="stable")]
    stake = _value_ids(state)
    left, right = (state.owner[addition.rows[side]].astype(np.int64) for side in addition.bonds.apart)
    apart = np.unique(np.minimum(left, right) * len(stake) + np.maximum(left, right))
    chosen, found = choose_review(first[near], second[near], weight[near], stake, rules, apart)
    rows = near[chosen]
    at_stake = stake[first[rows]] + stake[second[rows]]
    return write_review(state.records, pairs.left[rows], pairs.right[rows], weight[rows], at_stake, rules), found


def _read_codes(state: State, hashes: Hashes, *ids: Ids) -> Hashes:
    """The one value of a guard or barrier that the records of some ids have; 0 where they have none, or people made two one."""
    # what is there no more has no id and falls behind the last one
    asked = np.zeros(state.issued.height + 1, dtype=bool)
    for some in ids:
        asked[some] = True
    rows = np.flatnonzero(asked[state.owner] & (hashes != 0))
    code = np.zeros(len(asked), dtype=np.uint64)
    owner, own = state.owner[rows], hashes[rows]
    code[owner] = own
    code[owner[code[owner] != own]] = 0
    return code


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
