"""Adding to a hub: new, changed and deleted records touch only the components that they reach, with the outcome of a full run."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl

from hub.blocks import bisect, find_rows, pair_again
from hub.bonds import Bonds, bind
from hub.decide import align_log, list_named, list_undone
from hub.golden import Members, build_golden, choose_winners, group_members, trace_lineage
from hub.hierarchy import read_name_keys
from hub.identify import Past, Run, align_events, place_records, write_events
from hub.model import Model
from hub.parts import Parts, Table
from hub.prepare import align_records, derive_parts, sort_records
from hub.report import count_moved
from hub.restore import GivenUp, read_given_up
from hub.rules.model import Rules
from hub.state import Ids, Longs, Mask, State, hash_all_keys, hash_records, number_hashes

_RECORD = ["source", "source_key"]


@dataclass(frozen=True)
class Addition:
    """What an addition did: the state after it, this run's identity events, and counts.

    bonds: the decisions of people over the reached `rows` of the state, among which is every record that a decision names.
    """

    state: State
    events: pl.DataFrame
    bonds: Bonds
    rows: Ids
    report: dict[str, int | float]


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
) -> Addition:
    """Resolve new and changed records, and those deleted (source, source_key), into a hub.

    The partition, the ids and the golden records are those of a full run over all records with the same model, log and
    decisions. read_log: the identity log, which is asked for where people took decisions back.
    """
    known = len(state.order)
    fresh, changed, gone = _find_changes(state, align_records(changes, rules)[0], deleted)
    state, touched = _append(state, fresh, gone, rules)
    state, moved = pair_again(state, touched, rules, model)
    state = replace(state, order=state.order[state.alive[state.order]])
    given_up = _find_given_up(state, decisions, rules, read_log)
    decided = _mark_decided(state, decisions, given_up, rules)
    reached = _reach(state, moved | touched | decided)
    rows = state.order[reached[state.order]]
    aligned = state.records[rows]
    parts = _derive_some(aligned, decided[rows], rules) if decided.any() else Parts(aligned.height, {})
    bonds = bind(aligned, parts, decisions, rules)
    labels = _cluster(state, rows, bonds)
    dead = np.flatnonzero(touched & ~state.alive & (state.owner >= 0)).astype(np.int32)
    past = _recall(state, rows, dead, given_up)
    placed = place_records(aligned, labels, past, rules.id_prefix)
    events = write_events(placed, past, Run(run_id, at, rules.version, bonds.merged))
    state = _own(state, rows, dead, aligned, placed.members, events, rules)
    report = {
        "added": fresh.height - changed,
        "changed": changed,
        "deleted": len(gone) - changed,
        "records_reached": len(rows),
        "share_ids_changed": round(count_moved(events) / known, 6) if known else 0.0,
    }
    return Addition(state, events, bonds, rows, report)


def _derive_some(aligned: pl.DataFrame, wanted: Mask, rules: Rules) -> Parts:
    """The parts of some records; of the others nothing is known."""
    own = derive_parts(aligned.filter(pl.Series(wanted)), rules)
    tables = {}
    for name, table in own.tables.items():
        ids = np.full(aligned.height, -1, dtype=np.int32)
        ids[wanted] = table.ids
        tables[name] = Table(table.rows, ids)
    return Parts(aligned.height, tables)


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


def _append(state: State, fresh: pl.DataFrame, gone: Ids, rules: Rules) -> tuple[State, Mask]:
    """The state with the new rows at its end, in the order too, and the ended ones dead; and which rows are either."""
    keys, guards = hash_all_keys(derive_parts(fresh, rules), rules)
    n, k = state.records.height, fresh.height
    alive = np.append(state.alive, np.ones(k, dtype=bool))
    alive[gone] = False
    touched = np.append(np.zeros(n, dtype=bool), np.ones(k, dtype=bool))
    touched[gone] = True
    own = sort_records(fresh)
    at = _find_places(state, fresh.select(pl.col(_RECORD).gather(pl.Series(own))))
    appended = replace(
        state,
        records=pl.concat([state.records, fresh.select(state.records.columns)]),
        alive=alive,
        order=np.insert(state.order, at, own + np.int32(n)),
        hashes=np.append(state.hashes, hash_records(fresh)),
        keys=(*state.keys, keys),
        guards=np.concatenate([state.guards, guards], axis=1),
        owner=np.append(state.owner, np.full(k, -1, dtype=np.int32)),
    )
    return appended, touched


def _find_places(state: State, named: pl.DataFrame) -> Longs:
    """Where in the order of a state's records others belong."""

    def is_before(at: Longs) -> Mask:
        held = state.records.select(pl.col(_RECORD).gather(pl.Series(state.order[at])))
        less = (held["source"] < named["source"]) | (
            (held["source"] == named["source"]) & (held["source_key"] < named["source_key"])
        )
        return less.to_numpy()

    return bisect(named.height, len(state.order), is_before)


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
        led = np.append(state.ids["gid"].is_in(given_up.ids["target"].implode()).to_numpy(), False)
        marked |= led[state.owner]
    return marked


def _reach(state: State, start: Mask) -> Mask:
    """Every row that a chain of matches joins to a started one, or that shares an id with one."""
    matches = np.flatnonzero((state.vectors["counted"].to_numpy() >= 0)[state.vector])
    # the rows of an id are reached together, so only matches between ids, which are few, are gone along
    n_ids = state.ids.height
    node = np.where(state.owner >= 0, state.owner, n_ids + np.arange(len(state.owner), dtype=np.int32))
    left, right = node[state.left[matches]], node[state.right[matches]]
    left, right = left[left != right], right[left != right]
    reached = np.zeros(n_ids + len(node), dtype=bool)
    reached[node[start]] = True
    while (crossing := reached[left] != reached[right]).any():
        reached[left[crossing]] = reached[right[crossing]] = True
    mask: Mask = reached[node]
    return mask


def _cluster(state: State, rows: Ids, bonds: Bonds) -> Longs:
    place = np.full(len(state.alive), -1, dtype=np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    is_in = place >= 0
    inside = np.flatnonzero(is_in[state.left] & is_in[state.right])
    guards = [number_hashes(hashes[rows]) for hashes in state.guards]
    one, two = place[state.left[inside]], place[state.right[inside]]
    counted = state.vectors["counted"].to_numpy()[state.vector[inside]]
    return bonds.cluster(len(rows), one, two, counted, guards, state.hashes[rows])


def _recall(state: State, rows: Ids, dead: Ids, given_up: GivenUp | None) -> Past:
    """What the hub knows of these rows; a changed record is the same record, its earlier row is not asked for."""
    own = np.concatenate([rows, dead])
    known = own[state.owner[own] >= 0]
    gids = state.ids["gid"].gather(pl.Series(state.owner[known]))
    members = state.records.select(pl.col(_RECORD).gather(pl.Series(known))).with_columns(old_gid=gids)
    involved = state.ids.filter(pl.col("gid").is_in(gids.unique().implode()) & pl.col("is_live"))
    redirects = state.ids.filter(pl.col("target_gid").is_in(gids.unique().implode())).select("gid", "target_gid", "since")
    ages = involved.select(old_gid="gid", issued_no="issued_no")
    return Past(members, ages, redirects, state.ids["gid"], state.next_no, given_up)


def _own(
    state: State, rows: Ids, dead: Ids, aligned: pl.DataFrame, members: Members, events: pl.DataFrame, rules: Rules
) -> State:
    """The state with the owners of the reached rows, the new ids, and the golden records of ids that gained or lost a row."""
    ids = _update_ids(state.ids, events)
    places = ids.select("gid", place=pl.int_range(pl.len(), dtype=pl.Int32))
    place = members.gids.to_frame("gid").join(places, on="gid", how="left", maintain_order="left")["place"].to_numpy()
    before, now = state.owner[rows], place[members.owner]
    over = np.unique(np.concatenate([before[before != now], now[before != now], state.owner[dead]]))
    over = over[over >= 0]
    owner = state.owner.copy()
    owner[rows] = now
    owner[dead] = -1
    state = replace(state, owner=owner, ids=ids, next_no=state.next_no + events.height)
    if not len(over):
        return state
    is_over = np.isin(place, over)
    own = np.flatnonzero(is_over[members.owner])
    members = group_members((np.cumsum(is_over, dtype=np.int32) - 1)[members.owner[own]], members.gids.filter(pl.Series(is_over)))
    aligned = aligned[own]
    parts = derive_parts(aligned, rules)
    winners = choose_winners(parts, aligned, members, rules)
    golden = build_golden(parts, aligned, members, winners, rules).with_columns(read_name_keys(parts, winners, rules))
    if state.lineage is not None:
        traced = trace_lineage(parts, aligned, members, winners, rules)
        kept = state.lineage.filter(~pl.col("gid").is_in(ids["gid"].gather(pl.Series(over)).implode()))
        state = replace(state, lineage=pl.concat([kept, traced]).sort("gid", maintain_order=True))
    return _show(state, golden, ids["gid"].gather(pl.Series(over)))


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
    return bisect(len(gids), len(state.shown), lambda at: (held.gather(pl.Series(state.shown[at])) < gids).to_numpy())


def _update_ids(ids: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    issued = events.filter(pl.col("kind") == "issued").select(
        "gid",
        issued_no="event_no",
        target_gid=pl.lit(None, dtype=pl.String),
        since=pl.lit(None, dtype=pl.Datetime("us", "UTC")),
        is_live=pl.lit(value=True),
    )
    ids = pl.concat([ids, issued])
    moves = events.filter(pl.col("kind").is_in(["merged", "redirected", "restored"]))
    moves = moves.select("gid", new="other_gid", moved_at="at", kind="kind")
    ends = events.filter(pl.col("kind").is_in(["merged", "retired"]))["gid"]
    joined = ids.join(moves, on="gid", how="left", maintain_order="left")
    is_back, is_moved = pl.col("kind") == "restored", pl.col("kind").is_not_null()
    return joined.select(
        "gid",
        "issued_no",
        target_gid=pl.when(is_back).then(None).when(is_moved).then("new").otherwise("target_gid"),
        since=pl.when(is_back).then(None).when(is_moved).then("moved_at").otherwise("since"),
        is_live=is_back.fill_null(value=False) | (pl.col("is_live") & ~pl.col("gid").is_in(ends.implode())),
    )
