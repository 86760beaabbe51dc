"""Adding to a hub: new, changed and deleted records touch only the components that they reach, with the outcome of a full run."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from hub.cluster import cluster_pairs
from hub.compare import Comparer
from hub.frequency import find_buckets
from hub.golden import build_golden, choose_winners, group_members
from hub.identify import Past, identify_records
from hub.model import Model
from hub.pairs import pair_block
from hub.parts import number
from hub.prepare import align_records, derive_parts, sort_records
from hub.rules.model import Rules
from hub.state import Ids, Longs, Mask, State, hash_all_keys, hash_records
from hub.weigh import weigh

_RECORD = ["source", "source_key"]


@dataclass(frozen=True)
class Addition:
    """What an addition did: the state after it, this run's identity events, and counts."""

    state: State
    events: pl.DataFrame
    report: dict[str, int]


def add_records(
    state: State, changes: pl.DataFrame, deleted: pl.DataFrame | None, rules: Rules, model: Model, run_id: str, at: datetime
) -> Addition:
    """Resolve new and changed records, and those deleted (source, source_key), into a hub.

    The partition, the ids and the golden records are those of a full run over all records with the same model and log.
    """
    fresh, gone = _find_changes(state, align_records(changes, rules)[0], deleted)
    state, touched = _append(state, fresh, gone, rules)
    state, moved = _pair_again(state, touched, rules, model)
    reached = _reach(state, moved | touched)
    present = np.flatnonzero(reached & state.alive).astype(np.int32)
    rows: Ids = present[sort_records(state.records.select(pl.col(_RECORD).gather(pl.Series(present))))]
    labels = _cluster(state, rows)
    dead = np.flatnonzero(touched & ~state.alive & (state.owner >= 0)).astype(np.int32)
    state, events = _identify(state, rows, dead, labels, rules, run_id, at)
    report = {
        "added": fresh.height,
        "deleted": len(gone),
        "records": int(state.alive.sum()),
        "records_reached": len(rows),
        "pairs": len(state.left),
    }
    return Addition(state, events, report)


def _find_changes(state: State, aligned: pl.DataFrame, deleted: pl.DataFrame | None) -> tuple[pl.DataFrame, Ids]:
    """The records that are new or differ from what the hub holds, and the rows that they and the deletions end."""
    present = pl.Series(np.flatnonzero(state.alive))
    asked = aligned.select(_RECORD) if deleted is None else pl.concat([aligned.select(_RECORD), deleted.select(_RECORD)])
    held = state.records.select(pl.col(_RECORD).gather(present)).with_columns(row=present)
    held = held.join(asked.unique(), on=_RECORD, how="semi")
    columns = [column for column in state.records.columns if column not in _RECORD]
    rows = aligned.with_row_index("place").join(held, on=_RECORD, how="inner")
    before = state.records.select(pl.col(columns).gather(rows["row"]))
    same = pl.select(pl.all_horizontal(pl.lit(before[column]).eq_missing(pl.lit(rows[column])) for column in columns)).to_series()
    unchanged = rows.filter(same)
    fresh = aligned.filter(~pl.int_range(pl.len()).is_in(unchanged["place"].implode()))
    gone = held.filter(~pl.col("row").is_in(unchanged["row"].implode()))["row"]
    if deleted is not None:
        lost = held.join(deleted.select(_RECORD), on=_RECORD, how="semi")["row"]
        gone = pl.concat([gone, lost]).unique().sort()
    return fresh, gone.cast(pl.Int32).to_numpy()


def _append(state: State, fresh: pl.DataFrame, gone: Ids, rules: Rules) -> tuple[State, Mask]:
    """The state with the new rows at its end and the ended ones dead; and which rows are either."""
    parts = derive_parts(fresh, rules)
    keys, guards = hash_all_keys(parts, rules)
    n, k = state.records.height, fresh.height
    alive = np.append(state.alive, np.ones(k, dtype=bool))
    alive[gone] = False
    touched = np.append(np.zeros(n, dtype=bool), np.ones(k, dtype=bool))
    touched[gone] = True
    appended = State(
        records=pl.concat([state.records, fresh.select(state.records.columns)]),
        alive=alive,
        hashes=np.append(state.hashes, hash_records(fresh)),
        keys=np.concatenate([state.keys, keys], axis=1),
        guards=np.concatenate([state.guards, guards], axis=1),
        left=state.left,
        right=state.right,
        proposed=state.proposed,
        vector=state.vector,
        total=state.total,
        counted=state.counted,
        owner=np.append(state.owner, np.full(k, -1, dtype=np.int32)),
        ids=state.ids,
        golden=state.golden,
        next_no=state.next_no,
    )
    return appended, touched


def _pair_again(state: State, touched: Mask, rules: Rules, model: Model) -> tuple[State, Mask]:
    """The blocks of touched records are paired anew, under the same caps; returns also which rows gained or lost a pair."""
    n = len(state.alive)
    found: list[Longs] = []
    near = np.zeros(n, dtype=bool)
    members_of = np.zeros((len(rules.block_keys), n), dtype=bool)
    shift = max(len(rules.block_keys) - 1, 1).bit_length()
    for place, key in enumerate(rules.block_keys):
        members = _find_members(state.keys[place], touched)
        members_of[place, members] = True
        near[members] = True
        present = members[state.alive[members]]
        codes, _ = number(pl.Series(state.keys[place][present]))
        left, right = pair_block(codes, key, model.caps[key.name], state.hashes[present])
        one, two = present[left].astype(np.int64), present[right].astype(np.int64)
        found.append(((np.minimum(one, two) * n + np.maximum(one, two)) << shift) + place)
    # what stood in these blocks is paired anew; pairs that other keys propose keep those
    old = np.flatnonzero(near[state.left] & near[state.right])
    bits = state.proposed[old].copy()
    for place in range(len(rules.block_keys)):
        bits[members_of[place][state.left[old]] & members_of[place][state.right[old]]] &= ~np.uint32(1 << place)
    fresh, proposed = _merge_bits(np.concatenate([np.zeros(0, dtype=np.int64), *found]), shift)
    before = state.left[old].astype(np.int64) * n + state.right[old]
    pairs, places = np.unique(np.concatenate([before, fresh]), return_inverse=True)
    both = np.zeros(len(pairs), dtype=np.uint32)
    np.bitwise_or.at(both, places[: len(old)], bits)
    np.bitwise_or.at(both, places[len(old) :], proposed)
    row_of = np.full(len(pairs), -1, dtype=np.int64)
    row_of[places[: len(old)]] = old
    kept = both != 0
    lost = row_of[~kept & (row_of >= 0)]
    new = kept & (row_of < 0)
    moved = np.zeros(n, dtype=bool)
    moved[state.left[lost]] = moved[state.right[lost]] = True
    state.proposed = state.proposed.copy()
    stays = kept & (row_of >= 0)
    state.proposed[row_of[stays]] = both[stays]
    left, right = (pairs[new] // n).astype(np.int32), (pairs[new] % n).astype(np.int32)
    moved[left] = moved[right] = True
    return _score(state, lost, left, right, both[new], rules, model), moved


def _find_members(keys: np.ndarray, touched: Mask) -> Ids:
    """All rows, dead ones too, that share a key with a touched row. A table of 2**16 bits spares looking at most rows."""
    asked = np.unique(keys[touched])
    asked = asked[asked != 0]
    table = np.zeros(1 << 16, dtype=bool)
    table[(asked >> np.uint64(40)).astype(np.uint16)] = True
    rows = np.flatnonzero(table[(keys >> np.uint64(40)).astype(np.uint16)])
    place = np.minimum(np.searchsorted(asked, keys[rows]), max(len(asked) - 1, 0))
    return rows[asked[place] == keys[rows]].astype(np.int32) if len(asked) else np.zeros(0, dtype=np.int32)


def _merge_bits(pairs: Longs, shift: int) -> tuple[Longs, np.ndarray]:
    pairs = np.sort(pairs)
    bits = np.uint32(1) << (pairs & ((1 << shift) - 1)).astype(np.uint32)
    pairs >>= shift
    starts = np.flatnonzero(np.r_[True, pairs[1:] != pairs[:-1]]) if len(pairs) else np.zeros(0, dtype=np.int64)
    return pairs[starts], np.bitwise_or.reduceat(bits, starts) if len(starts) else bits


def _score(state: State, lost: Longs, left: Ids, right: Ids, proposed: np.ndarray, rules: Rules, model: Model) -> State:
    """The state without the lost pairs and with the new ones, compared under the model's frequencies and weights."""
    rows = np.unique(np.concatenate([left, right]))
    parts = derive_parts(state.records[rows], rules)
    comparer = Comparer(parts, rules, find_buckets(parts, rules, model.frequencies))
    one, two = np.searchsorted(rows, left).astype(np.int32), np.searchsorted(rows, right).astype(np.int32)
    vector = comparer.compare(one, two)
    distinct, place = np.unique(vector, return_inverse=True)
    weighed = weigh(distinct, comparer.layout, model.weights, rules)
    stays = np.ones(len(state.left), dtype=bool)
    stays[lost] = False
    state.left = np.append(state.left[stays], left)
    state.right = np.append(state.right[stays], right)
    state.proposed = np.append(state.proposed[stays], proposed)
    state.vector = np.append(state.vector[stays], vector)
    state.total = np.append(state.total[stays], weighed.total[place].astype(np.int32))
    state.counted = np.append(state.counted[stays], weighed.weigh_for_clusters(rules)[place])
    return state


def _reach(state: State, start: Mask) -> Mask:
    """Every row that a chain of matches joins to a started one, or that shares an id with one."""
    matches = np.flatnonzero(state.counted >= 0)
    left, right = state.left[matches], state.right[matches]
    reached = start.copy()
    while True:
        own = np.zeros(state.ids.height + 1, dtype=bool)
        own[state.owner[reached]] = True
        own[-1] = False
        wider = reached | own[state.owner]
        crossing = wider[left] | wider[right]
        wider[left[crossing]] = wider[right[crossing]] = True
        if wider.sum() == reached.sum():
            return wider
        reached = wider


def _cluster(state: State, rows: Ids) -> Longs:
    place = np.full(len(state.alive), -1, dtype=np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    inside = np.flatnonzero((place[state.left] >= 0) & (place[state.right] >= 0))
    guards = []
    for hashes in state.guards:
        codes, _ = number(pl.Series(hashes[rows]).set(pl.Series(hashes[rows] == 0), None))
        guards.append(codes)
    one, two = place[state.left[inside]], place[state.right[inside]]
    return cluster_pairs(len(rows), one, two, state.counted[inside].astype(np.int64), guards, state.hashes[rows])


def _identify(
    state: State, rows: Ids, dead: Ids, labels: Longs, rules: Rules, run_id: str, at: datetime
) -> tuple[State, pl.DataFrame]:
    """Ids of the reached rows; the state with their owners, the new ids and the golden records of all ids that changed."""
    aligned = state.records[rows]
    past = _recall(state, rows, dead)
    gids, events = identify_records(aligned, labels, past, rules.id_prefix, run_id, at, rules.version)
    state.ids = _update_ids(state.ids, events)
    state.next_no += events.height
    places = state.ids.select("gid", place=pl.int_range(pl.len(), dtype=pl.Int32))
    before = np.unique(state.owner[np.concatenate([rows, dead])])
    involved = state.ids["gid"].gather(pl.Series(before[before >= 0]))
    state.owner[rows] = gids.to_frame("gid").join(places, on="gid", how="left", maintain_order="left")["place"].to_numpy()
    state.owner[dead] = -1
    parts = derive_parts(aligned, rules)
    members = group_members(gids)
    golden = build_golden(parts, aligned, members, choose_winners(parts, aligned, members, rules), rules)
    rest = state.golden.filter(~pl.col("gid").is_in(pl.concat([involved, gids]).unique().implode()))
    state.golden = pl.concat([rest, golden]).sort("gid")
    return state, events


def _recall(state: State, rows: Ids, dead: Ids) -> Past:
    """What the hub knows of these rows; a changed record is the same record, its earlier row is not asked for."""
    own = np.concatenate([rows, dead])
    known = own[state.owner[own] >= 0]
    gids = state.ids["gid"].gather(pl.Series(state.owner[known]))
    members = state.records.select(pl.col(_RECORD).gather(pl.Series(known))).with_columns(old_gid=gids)
    involved = state.ids.filter(pl.col("gid").is_in(gids.unique().implode()) & pl.col("is_live"))
    redirects = state.ids.filter(pl.col("target_gid").is_in(gids.unique().implode())).select("gid", "target_gid", "since")
    ages = involved.select(old_gid="gid", issued_no="issued_no")
    return Past(members, ages, redirects, state.ids["gid"], state.next_no)


def _update_ids(ids: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    issued = events.filter(pl.col("kind") == "issued").select(
        "gid",
        issued_no="event_no",
        target_gid=pl.lit(None, dtype=pl.String),
        since=pl.lit(None, dtype=pl.Datetime("us", "UTC")),
        is_live=pl.lit(value=True),
    )
    ids = pl.concat([ids, issued])
    moves = events.filter(pl.col("kind").is_in(["merged", "redirected"])).select("gid", new="other_gid", moved_at="at")
    ends = events.filter(pl.col("kind").is_in(["merged", "retired"]))["gid"]
    joined = ids.join(moves, on="gid", how="left", maintain_order="left")
    return joined.select(
        "gid",
        "issued_no",
        target_gid=pl.coalesce("new", "target_gid"),
        since=pl.coalesce("moved_at", "since"),
        is_live=pl.col("is_live") & ~pl.col("gid").is_in(ends.implode()),
    )
