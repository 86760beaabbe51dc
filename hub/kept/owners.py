"""Whose the reached records of a hub are after an addition: owners, ids, open pairs, golden records."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import polars as pl

from hub.columns.parts import Ids
from hub.columns.places import find_places
from hub.kept.pieces import Longs, Open, Pairs, select_parts
from hub.kept.state import State, mark_open
from hub.results.golden import Members, build_golden, choose_winners, group_members, list_golden_parts, trace_lineage
from hub.results.hierarchy import read_name_keys
from hub.rules.model import Rules


def own_records(
    state: State,
    rows: Ids,
    dead: Ids,
    inside: Longs,
    members: Members,
    events: pl.DataFrame,
    rules: Rules,
) -> State:
    """The state with the owners of some rows and without one of dead ones, the new ids, and the golden records of ids that gained
    or lost a row.

    inside: all pairs between rows that may have another owner; members: whose the rows are.
    """
    state, place = _log_ids(state, events, members.gids)
    before, now = state.owner[rows], place[members.owner]
    over = np.unique(np.concatenate([before[before != now], now[before != now], state.owner[dead]]))
    over = over[over >= 0]
    owner = state.owner.copy()
    owner[rows] = now
    owner[dead] = -1
    state = replace(state, owner=owner)
    with ThreadPoolExecutor(1) as pool:
        # golden records ask for no pairs
        opened = pool.submit(_open_pairs, state, inside, rules)
        if len(over):
            state = _renew_golden(state, rows, place, members, over, rules)
        return replace(state, open=opened.result())


def _renew_golden(state: State, rows: Ids, place: Ids, members: Members, over: Ids, rules: Rules) -> State:
    """The state with the golden records, and their lineage, of the ids that are over as they are now; place: where members'
    ids are."""
    is_over = np.isin(place, over)
    own = np.flatnonzero(is_over[members.owner])
    members = group_members((np.cumsum(is_over, dtype=np.int32) - 1)[members.owner[own]], members.gids.filter(pl.Series(is_over)))
    aligned = state.records.select(pl.all().gather(pl.Series(rows[own])))
    parts = select_parts(state.parts, rows[own], list_golden_parts(rules))
    winners = choose_winners(parts, aligned, members, rules)
    keys = read_name_keys(parts, aligned, winners, rules)
    golden = build_golden(parts, aligned, members, winners, rules).with_columns(keys)
    gids = state.issued["gid"].gather(pl.Series(over))
    if state.lineage is not None:
        traced = trace_lineage(parts, aligned, members, winners, rules)
        kept = state.lineage.filter(~pl.col("gid").is_in(gids.implode()))
        state = replace(state, lineage=pl.concat([kept, traced]).sort("gid", maintain_order=True))
    return _show(state, golden, gids)


def _open_pairs(state: State, inside: Longs, rules: Rules) -> Open:
    """The open pairs under the state's owners."""
    is_inside = np.zeros(len(state.proposed), dtype=bool)
    is_inside[inside] = True
    before = state.open
    pairs = state.take(inside)
    is_open = mark_open(state.vectors, rules)[pairs.vector] & (state.owner[pairs.left] != state.owner[pairs.right])
    more = Pairs(pairs.left[is_open], pairs.right[is_open], pairs.vector[is_open])
    kept = ~is_inside[before.number] & (state.proposed[before.number] != 0)
    return before.join(kept, inside[is_open], more)


def _log_ids(state: State, events: pl.DataFrame, held: pl.Series) -> tuple[State, Ids]:
    """The state with the ids that events issue, end, lead elsewhere or bring back; and the places of the ids that are held."""
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
    steps = events.filter(pl.col("kind").is_in(["merged", "redirected", "retired", "restored"]))
    asked = [held, steps["gid"], steps["other_gid"]]
    holders, gids, others = np.split(_find_ids(state, pl.concat(asked)), np.cumsum([len(ids) for ids in asked])[:-1])
    kinds = steps["kind"].to_numpy()
    moved, back = np.isin(kinds, ["merged", "redirected"]), kinds == "restored"
    state.target[gids[moved]], state.since[gids] = others[moved], steps["at"].dt.epoch("us").to_numpy()
    state.is_live[gids[np.isin(kinds, ["merged", "retired"])]] = False
    state.target[gids[back]], state.since[gids[back]], state.is_live[gids[back]] = -1, 0, True
    return state, holders


def _find_ids(state: State, gids: pl.Series) -> Ids:
    """The place of each of some ids among those that were issued; -1 for none."""
    known = state.issued["gid"]
    places = known.is_in(gids.unique().implode()).arg_true()
    found = pl.DataFrame({"gid": known.gather(places), "place": places.cast(pl.Int32)})
    joined = gids.alias("gid").to_frame().join(found, on="gid", how="left", maintain_order="left")
    return joined["place"].fill_null(-1).to_numpy()


def _show(state: State, golden: pl.DataFrame, over: pl.Series) -> State:
    """The state with new golden records, and without those of ids that are over, among which are all of the new ones."""
    over = over.sort()
    held = state.portraits["gid"]
    at = find_places(len(over), len(state.shown), lambda at: (held.gather(pl.Series(state.shown[at])) < over).to_numpy())
    known = np.flatnonzero(at < len(state.shown))
    before = held.gather(pl.Series(state.shown[at[known]]))
    ended = at[known[(before == over.gather(pl.Series(known))).to_numpy()]]
    new = np.arange(golden.height, dtype=np.int32) + np.int32(state.portraits.height)
    # both are in the order of ids, so those that have a golden record are as many as there are
    into = at[over.is_in(golden["gid"].implode()).to_numpy()]
    shown = np.insert(np.delete(state.shown, ended), into - np.searchsorted(ended, into), new)
    return replace(state, portraits=pl.concat([state.portraits, golden]), shown=shown)
