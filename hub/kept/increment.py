"""Adding to a hub: new, changed and deleted records touch only the components that they reach, with the outcome of a full run."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from hub.candidates.keys import find_rows, hash_blocks, hash_guards, hash_records, number_hashes
from hub.clustering.bonds import Bonds, bind
from hub.columns.hashing import Hashes
from hub.columns.parts import Ids
from hub.columns.places import find_places
from hub.columns.prepare import align_records, derive_parts, sort_records
from hub.decisions import align_log, list_named, list_undone
from hub.ids.identify import Past, Placed, Run, align_events, place_records, write_events
from hub.ids.restore import GivenUp, read_given_up
from hub.kept.blocks import pair_again, rank_rows
from hub.kept.owners import own_records
from hub.kept.pieces import Longs, index_blocks, select_parts
from hub.kept.state import Mask, State
from hub.model import Model
from hub.results.report import count_moved
from hub.rules.model import Rules

_RECORD = ["source", "source_key"]


@dataclass(frozen=True)
class Addition:
    """What an addition did: the state after it, this run's identity events, and counts.

    bonds: the decisions of people over the reached `rows` of the state, among which is every record that a decision names.
    rank: rows stand to each other as their records do by source and key.
    """

    state: State
    events: pl.DataFrame
    bonds: Bonds
    rows: Ids
    rank: Ids
    report: dict[str, Any]


def add_records(
    state: State,
    changes: pl.DataFrame,
    deleted: pl.DataFrame | None,
    rules: Rules,
    model: Model,
    run_id: str,
    at: datetime,
    decisions: pl.DataFrame | None = None,
    read_log: Callable[[], pl.DataFrame] | None = None,
    begin: Callable[[State, Ids, Bonds], None] | None = None,
) -> Addition:
    """Resolve new and changed records, and those deleted (source, source_key), into a hub.

    The partition, the ids and the golden records are those of a full run over all records with the same model, log and
    decisions. read_log: the identity log, which is asked for where people took decisions back. begin: is given the state with all
    of its pairs, the reached rows and their bonds, before their clusters are found.
    """
    known = len(state.order)
    fresh, changed, gone = _find_changes(state, align_records(changes, rules)[0], deleted)
    state, touched, keys = _append(state, fresh, gone, rules)
    rank = rank_rows(state)
    state, moved = pair_again(state, rank, touched, keys, rules, model)
    if len(gone):
        state = replace(state, order=state.order[state.alive[state.order]])
    given_up = _find_given_up(state, decisions, rules, read_log)
    decided = _mark_decided(state, decisions, given_up, rules)
    reached = _reach(state, moved | touched | decided)
    rows = state.order[reached[state.order]]
    named = rows if decided.any() else rows[:0]
    bonds = bind(_take_records(state, named), select_parts(state.parts, named, rules.guards), decisions, rules)
    if begin is not None:
        begin(state, rows, bonds)
    inside = state.find_within(rows)
    labels = _cluster(state, rows, inside, bonds)
    dead = gone[state.owner[gone] >= 0]
    placed, events, own = _identify(state, rows, labels, dead, bonds, given_up, rules, Run(run_id, at, rules.version))
    state = own_records(state, rows[own], dead, inside, placed.members, events, rules)
    report = {
        "added": fresh.height - changed,
        "changed": changed,
        "deleted": len(gone) - changed,
        "records_reached": len(rows),
        "share_ids_changed": round(count_moved(events) / known, 6) if known else 0.0,
    }
    return Addition(state, events, bonds, rows, rank, report)


def _find_changes(state: State, aligned: pl.DataFrame, deleted: pl.DataFrame | None) -> tuple[pl.DataFrame, int, Ids]:
    """The records that are new or differ from what the hub holds, how many differ, and the rows that they and deletions end."""
    columns = [column for column in state.records.columns if column not in _RECORD]
    rows = aligned.with_row_index("place").join(find_present(state, aligned.select(_RECORD)), on=_RECORD, how="inner")
    before = state.records.select(pl.col(columns).gather(rows["row"]))
    same = pl.select(pl.all_horizontal(pl.lit(before[column]).eq_missing(pl.lit(rows[column])) for column in columns)).to_series()
    fresh = aligned.filter(~pl.int_range(pl.len()).is_in(rows.filter(same)["place"].implode()))
    gone = rows.filter(~same)["row"]
    ended = gone if deleted is None else pl.concat([gone, find_present(state, deleted)["row"]])
    return fresh, len(gone), ended.unique().sort().to_numpy()


def find_present(state: State, named: pl.DataFrame) -> pl.DataFrame:
    """source, source_key, row of those of some records that the hub holds now."""
    rows = find_rows(state.hashes, hash_records(named))
    present = pl.Series("row", rows[state.alive[rows]])
    held = state.records.select(pl.col(_RECORD).gather(present)).with_columns(present)
    return held.join(named.select(_RECORD).unique(), on=_RECORD, how="semi")


def list_missing(state: State, records: pl.DataFrame) -> pl.DataFrame:
    """source, source_key of what the hub holds and is not among all records that there are."""
    held = state.records.select(_RECORD).filter(pl.Series(np.asarray(state.alive)))
    return held.join(records.select(pl.col(_RECORD).cast(pl.String)), on=_RECORD, how="anti")


def _append(state: State, fresh: pl.DataFrame, gone: Ids, rules: Rules) -> tuple[State, Mask, list[Hashes]]:
    """The state with the new rows at its end, in the order too, and the ended ones dead; which rows are either, and the hashes
    of the block keys of these."""
    with ThreadPoolExecutor(1) as pool:
        # where the rows belong needs no parts
        lengthened = pool.submit(_lengthen, state, fresh, gone)
        parts = derive_parts(fresh, rules)
        keys = hash_blocks(parts, rules)
    if len(gone):
        asked = {part for key in rules.block_keys for part in key.parts}
        ended = hash_blocks(select_parts(state.parts, gone, asked), rules)
        keys = [np.concatenate(both) for both in zip(keys, ended, strict=True)]
    n, k = state.records.height, fresh.height
    numbers = np.arange(n, n + k, dtype=np.int32)
    touched = np.zeros(n + k, dtype=bool)
    touched[gone] = touched[n:] = True
    appended = replace(
        lengthened.result(),
        guards=np.concatenate([state.guards, hash_guards(parts, rules)], axis=1),
        parts=(*state.parts, parts),
        blocks=(*state.blocks, index_blocks([(key[:k], numbers) for key in keys])),
    )
    return appended, touched, keys


def _lengthen(state: State, fresh: pl.DataFrame, gone: Ids) -> State:
    """The state with the new rows but for what is told of their values."""
    n, k = state.records.height, fresh.height
    alive = np.append(state.alive, np.ones(k, dtype=bool))
    alive[gone] = False
    own = sort_records(fresh)
    at = _find_places(state, fresh.select(pl.col(_RECORD).gather(pl.Series(own))))
    return replace(
        state,
        records=pl.concat([state.records, fresh.select(state.records.columns)]),
        alive=alive,
        order=np.insert(state.order, at, np.arange(n, n + k, dtype=np.int32)[own]),
        hashes=np.append(state.hashes, hash_records(fresh)),
        owner=np.append(state.owner, np.full(k, -1, dtype=np.int32)),
    )


def _find_places(state: State, named: pl.DataFrame) -> Longs:
    """Where in the order of a state's records others belong."""

    def is_before(at: Longs) -> Mask:
        held = state.records.select(pl.col(_RECORD).gather(pl.Series(state.order[at])))
        less = (held["source"] < named["source"]) | (
            (held["source"] == named["source"]) & (held["source_key"] < named["source_key"])
        )
        return less.to_numpy()

    return find_places(named.height, len(state.order), is_before)


def _find_given_up(
    state: State, decisions: pl.DataFrame | None, rules: Rules, read_log: Callable[[], pl.DataFrame] | None
) -> GivenUp | None:
    undone = list_undone(align_log(decisions), rules.entity)
    if not undone or read_log is None:
        return None
    log, _ = align_events(read_log(), rules.id_prefix)
    return read_given_up(log, state.ids.filter(pl.col("target_gid").is_not_null()).select("gid", "target_gid"), undone)


def _mark_decided(state: State, decisions: pl.DataFrame | None, given_up: GivenUp | None, rules: Rules) -> Mask:
    """The rows of records that any decision names, and of the ids to which a decision that was undone led."""
    marked = np.zeros(len(state.alive), dtype=bool)
    if decisions is None or not decisions.height:
        return marked
    marked[find_present(state, list_named(decisions, rules.entity))["row"].to_numpy()] = True
    if given_up is not None:
        led = np.append(state.issued["gid"].is_in(given_up.ids["target"].implode()).to_numpy(), False)
        marked |= led[state.owner]
    return marked


def _reach(state: State, start: Mask) -> Mask:
    """Every row that a chain of matches joins to a started one, or that shares an id with one."""
    n_ids = state.issued.height
    new, old = state.pairs[-1], state.open
    counted = state.vectors["counted"].to_numpy()
    was = np.flatnonzero((counted[old.vector] >= 0) & (state.proposed[old.number] != 0))
    now = np.flatnonzero(counted[new.vector] >= 0)

    def find_nodes(rows: Ids) -> Ids:
        # the rows of an id are reached together, so only matches between ids, which are few, are gone along
        return np.where(state.owner[rows] >= 0, state.owner[rows], rows + np.int32(n_ids))

    left = find_nodes(np.concatenate([old.left[was], new.left[now]]))
    right = find_nodes(np.concatenate([old.right[was], new.right[now]]))
    reached = np.zeros(n_ids + len(start), dtype=bool)
    reached[find_nodes(np.flatnonzero(start).astype(np.int32))] = True
    while (crossing := reached[left] != reached[right]).any():
        reached[left[crossing]] = reached[right[crossing]] = True
    mask: Mask = np.where(state.owner >= 0, np.append(reached[:n_ids], False)[state.owner], reached[n_ids:])
    return mask


def _cluster(state: State, rows: Ids, inside: Longs, bonds: Bonds) -> Longs:
    place = np.full(len(state.alive), -1, dtype=np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    guards = [number_hashes(hashes[rows]) for hashes in state.guards]
    pairs = state.take(inside)
    counted = state.vectors["counted"].to_numpy()[pairs.vector]
    return bonds.cluster(len(rows), place[pairs.left], place[pairs.right], counted, guards, state.hashes[rows])


def _identify(
    state: State, rows: Ids, labels: Longs, dead: Ids, bonds: Bonds, given_up: GivenUp | None, rules: Rules, run: Run
) -> tuple[Placed, pl.DataFrame, Longs]:
    """Lasting ids of those reached rows of which an id or a cluster may be another now, the events, and where these rows are."""
    moved = _find_moved(state, rows, labels, dead, bonds, given_up)
    own = np.flatnonzero(moved)
    place = np.cumsum(moved) - 1
    decided = [(name, place[ranks].tolist()) for name, ranks in bonds.merged]
    past = _recall(state, rows[own], dead, given_up)
    small = np.unique(labels[own], return_inverse=True)[1].astype(np.int64)
    placed = place_records(_take_records(state, rows[own]), small, past, rules.id_prefix)
    return placed, write_events(placed, past, replace(run, decided=decided)), own


def _find_moved(state: State, rows: Ids, labels: Longs, dead: Ids, bonds: Bonds, given_up: GivenUp | None) -> Mask:
    """The reached rows but for those of clusters that are just what an id holds; all where an id may come back."""
    owner = state.owner[rows]
    if given_up is not None:
        return np.ones(len(rows), dtype=bool)
    size = len(state.target) + 1
    low, high = np.full(len(rows), size), np.full(len(rows), -1)
    np.minimum.at(low, labels, owner)
    np.maximum.at(high, labels, owner)
    first, last = np.full(size, len(rows)), np.full(size, -1)
    np.minimum.at(first, owner, labels)
    np.maximum.at(last, owner, labels)
    is_over = np.zeros(size, dtype=bool)
    is_over[state.owner[dead]] = is_over[-1] = True
    # a cluster of one id, and an id of one cluster that lost no record
    moved: Mask = (low[labels] != high[labels]) | (first[owner] != last[owner]) | is_over[owner]
    for _, ranks in bonds.merged:
        moved[ranks] = True
    # ids and clusters are taken whole
    clusters = np.zeros(len(rows), dtype=bool)
    clusters[labels[moved]] = True
    whole: Mask = clusters[labels]
    return whole


def _take_records(state: State, rows: Ids) -> pl.DataFrame:
    return state.records.select(pl.all().gather(pl.Series(rows)))


def _recall(state: State, rows: Ids, dead: Ids, given_up: GivenUp | None) -> Past:
    """What the hub knows of these rows; a changed record is the same record, its earlier row is not asked for."""
    own = np.concatenate([rows, dead])
    known = own[state.owner[own] >= 0]
    gids = state.issued["gid"]
    old = gids.gather(pl.Series(state.owner[known]))
    members = state.records.select(pl.col(_RECORD).gather(pl.Series(known))).with_columns(old_gid=old)
    involved = np.zeros(len(state.target) + 1, dtype=bool)
    involved[state.owner[known]] = True
    live = state.read_ids(np.flatnonzero(involved[:-1] & state.is_live))
    redirects = state.read_ids(np.flatnonzero(involved[state.target])).select("gid", "target_gid", "since")
    return Past(members, live.select(old_gid="gid", issued_no="issued_no"), redirects, gids, state.next_no, given_up)
