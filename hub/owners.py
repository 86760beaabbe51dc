"""Whose the reached records of a hub are after an addition: owners, ids, open pairs, golden records."""

from dataclasses import replace

import numpy as np
import polars as pl

from hub.golden import Members, build_golden, choose_winners, group_members, trace_lineage
from hub.hierarchy import read_name_keys
from hub.parts import Ids
from hub.pieces import Longs, select_parts
from hub.places import find_places
from hub.rules.model import Rules
from hub.state import State, mark_open


def own_records(
    state: State,
    rows: Ids,
    dead: Ids,
    inside: Longs,
    aligned: pl.DataFrame,
    members: Members,
    events: pl.DataFrame,
    rules: Rules,
) -> State:
    """The state with the owners of the reached rows, the new ids, and the golden records of ids that gained or lost a row.

    inside: the pairs between reached rows; aligned, members: these rows' records, and whose they are.
    """
    state = _log_ids(state, events)
    place = _find_ids(state, members.gids)
    before, now = state.owner[rows], place[members.owner]
    over = np.unique(np.concatenate([before[before != now], now[before != now], state.owner[dead]]))
    over = over[over >= 0]
    owner = state.owner.copy()
    owner[rows] = now
    owner[dead] = -1
    state = _open_pairs(replace(state, owner=owner), inside, rules)
    if not len(over):
        return state
    is_over = np.isin(place, over)
    own = np.flatnonzero(is_over[members.owner])
    members = group_members((np.cumsum(is_over, dtype=np.int32) - 1)[members.owner[own]], members.gids.filter(pl.Series(is_over)))
    aligned = aligned.select(pl.all().gather(pl.Series(own)))
    parts = select_parts(state.parts, rows[own])
    winners = choose_winners(parts, aligned, members, rules)
    golden = build_golden(parts, aligned, members, winners, rules).with_columns(read_name_keys(parts, winners, rules))
    gids = state.issued["gid"].gather(pl.Series(over))
    if state.lineage is not None:
        traced = trace_lineage(parts, aligned, members, winners, rules)
        kept = state.lineage.filter(~pl.col("gid").is_in(gids.implode()))
        state = replace(state, lineage=pl.concat([kept, traced]).sort("gid", maintain_order=True))
    return _show(state, golden, gids)


def _open_pairs(state: State, inside: Longs, rules: Rules) -> State:
    """The state whose open pairs are those of its owners."""
    asked = np.zeros(len(state.proposed), dtype=bool)
    asked[state.open] = asked[inside] = True
    at = np.flatnonzero(asked & (state.proposed != 0))
    pairs = state.take(at)
    is_open = mark_open(state.vectors, rules)[pairs.vector] & (state.owner[pairs.left] != state.owner[pairs.right])
    return replace(state, open=at[is_open])


def _log_ids(state: State, events: pl.DataFrame) -> State:
    """The state with the ids that events issue, end, lead elsewhere or bring back."""
    new = events.filter(pl.col("kind") == "issued").select("gid", issued_no="event_no")
    k = new.height
    state = replace(
        state,
        issued=pl.concat([state.issued, new]),
        target=np.append(state.target, np.full(k, -1, dtype=np.int32)),
        since=np.append(state.since, np.zeros(k, dtype=np.int64)),
        is_live=np.append(state.is_live, np.ones(k, dtype=bool)),
        next_no=state.next_no + events.height,
    )
    moves = events.filter(pl.col("kind").is_in(["merged", "redirected"]))
    moved, led = _find_ids(state, moves["gid"]), _find_ids(state, moves["other_gid"])
    state.target[moved], state.since[moved] = led, moves["at"].dt.epoch("us").to_numpy()
    state.is_live[_find_ids(state, events.filter(pl.col("kind").is_in(["merged", "retired"]))["gid"])] = False
    back = _find_ids(state, events.filter(pl.col("kind") == "restored")["gid"])
    state.target[back], state.since[back], state.is_live[back] = -1, 0, True
    return state


def _find_ids(state: State, gids: pl.Series) -> Ids:
    """The place of each of some ids among those that were issued."""
    known = state.issued["gid"]
    places = known.is_in(gids.unique().implode()).arg_true()
    found = pl.DataFrame({"gid": known.gather(places), "place": places.cast(pl.Int32)})
    return gids.to_frame("gid").join(found, on="gid", how="left", maintain_order="left")["place"].to_numpy()


def _show(state: State, golden: pl.DataFrame, over: pl.Series) -> State:
    """The state with new golden records, and without those of ids that are over."""
    over = over.sort()
    places = _find_shown(state, over)
    known = places < len(state.shown)
    places, over = places[known], over.filter(pl.Series(known))
    held = state.portraits["gid"].gather(pl.Series(state.shown[places]))
    state = replace(state, shown=np.delete(state.shown, places[(held == over).to_numpy()]))
    new = np.arange(golden.height, dtype=np.int32) + np.int32(state.portraits.height)
    shown = np.insert(state.shown, _find_shown(state, golden["gid"]), new)
    return replace(state, portraits=pl.concat([state.portraits, golden]), shown=shown)


def _find_shown(state: State, gids: pl.Series) -> Longs:
    """Where among the golden records that hold those of some ids are or belong."""
    held = state.portraits["gid"]
    return find_places(len(gids), len(state.shown), lambda at: (held.gather(pl.Series(state.shown[at])) < gids).to_numpy())
