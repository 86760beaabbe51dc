"""Lasting IDs: clusters meet the identity log, and every change of an ID becomes an event (I-2, I-3).

Kinds, with the meaning of `gid` and `other_gid`:
issued (gid is new; founding record), split (records of gid go on as other_gid),
merged (gid is given up and resolves to other_gid), redirected (gid was given up earlier and now resolves to other_gid),
restored (gid was given up for other_gid by a decision that a person has undone, and is live again),
detached and attached (a record leaves or joins gid),
retired (gid has no records left; it is never issued again).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.columns.parts import rank_texts
from hub.columns.prepare import sort_records
from hub.columns.sorting import order_numbers, order_texts
from hub.ids.homes import find_homes
from hub.ids.issue import issue_ids
from hub.ids.restore import GivenUp, Returning, find_returning, read_given_up, tag_merges, write_restored
from hub.results.golden import Members, group_members

EVENT_SCHEMA: dict[str, pl.DataType] = {
    "event_no": pl.Int64(),
    "at": pl.Datetime("us", "UTC"),
    "kind": pl.String(),
    "gid": pl.String(),
    "other_gid": pl.String(),
    "source": pl.String(),
    "source_key": pl.String(),
    "run_id": pl.String(),
    "rule_version": pl.String(),
    "detail": pl.String(),
}
_PHASES = ["issued", "restored", "split", "merged", "redirected", "detached", "attached", "retired"]
_RECORD = ["source", "source_key"]
_NAMED = {"source": "source", "source_key": "source_key"}


@dataclass(frozen=True)
class Identified:
    """This run's events; the crosswalk after them; ids given up, and what for."""

    events: pl.DataFrame
    crosswalk: pl.DataFrame
    redirects: pl.DataFrame


def align_events(events: pl.DataFrame | None, prefix: str) -> tuple[pl.DataFrame, int]:
    """The events of ids with a prefix in log order, and the number of the next event. `customer_gid` is read as `gid`."""
    if events is None or not events.height:
        return pl.DataFrame(schema=EVENT_SCHEMA), 1
    typed = events.rename({"customer_gid": "gid"}, strict=False).select(
        pl.col(name).dt.convert_time_zone("UTC").cast(dtype) if name == "at" else pl.col(name).cast(dtype)
        for name, dtype in EVENT_SCHEMA.items()
    )
    highest = int(typed["event_no"].max() or 0)  # type: ignore[arg-type]
    return typed.filter(pl.col("gid").str.starts_with(prefix)).sort("event_no"), highest + 1


def find_members(log: pl.DataFrame) -> pl.DataFrame:
    """Current (source, source_key, old_gid) of a log."""
    last = log.filter(pl.col("kind").is_in(["attached", "detached"])).unique(_RECORD, keep="last", maintain_order=True)
    return last.filter(pl.col("kind") == "attached").select(*_RECORD, old_gid="gid")


def find_redirects(log: pl.DataFrame) -> pl.DataFrame:
    """gid, target_gid, since: every id ever given up and the id that it resolves to now (one step, never a chain)."""
    moves = log.filter(pl.col("kind").is_in(["merged", "redirected", "restored"])).unique("gid", keep="last", maintain_order=True)
    return moves.filter(pl.col("kind") != "restored").select("gid", target_gid="other_gid", since="at").sort("gid")


def build_crosswalk(log: pl.DataFrame) -> pl.DataFrame:
    """source, source_key, gid, valid_from, valid_to (null: holds), is_current: the log's attachments as a history."""
    steps = log.filter(pl.col("kind").is_in(["attached", "detached"]))
    moved = steps.filter(pl.col("kind") == "detached").select(_RECORD).unique()
    # most records were attached once and stayed: only of the others the steps have to be put in order
    settled = steps if not moved.height else steps.join(moved, on=_RECORD, how="anti")
    history = steps.clear() if not moved.height else steps.join(moved, on=_RECORD, how="semi").sort("event_no")
    history = history.with_columns(valid_to=pl.col("at").shift(-1).over(_RECORD)).filter(pl.col("kind") == "attached")
    settled = settled.with_columns(valid_to=pl.lit(None, dtype=pl.Datetime("us", "UTC")))
    rows = pl.concat([settled, history]).select(*_RECORD, "gid", valid_from="at", valid_to="valid_to")
    rows = rows.with_columns(is_current=pl.col("valid_to").is_null())
    if moved.height:
        return rows.sort(*_RECORD, "valid_from", "gid")
    return rows.select(pl.all().gather(pl.Series(sort_records(rows))))


def _open_crosswalk(aligned: pl.DataFrame, gids: pl.Series, at: datetime) -> pl.DataFrame:
    """What build_crosswalk finds in a first run's log."""
    return aligned.select(
        *_RECORD,
        gid=gids,
        valid_from=pl.lit(at).cast(pl.Datetime("us", "UTC")),
        valid_to=pl.lit(None, dtype=pl.Datetime("us", "UTC")),
        is_current=pl.lit(value=True),
    )


@dataclass(frozen=True)
class Past:
    """What earlier runs say about the records that are identified now, and about those deleted among them.

    members: source, source_key, old_gid; ages: old_gid, issued_no of the live ids among them; redirects: gid, target_gid, since
    of ids that resolve to these; taken: every id ever issued; next_no: the number of the next event;
    given_up: ids that may come back, for a person undid what gave them up.
    """

    members: pl.DataFrame
    ages: pl.DataFrame
    redirects: pl.DataFrame
    taken: pl.Series
    next_no: int
    given_up: GivenUp | None = None


def read_past(log: pl.DataFrame, next_no: int, undone: frozenset[str] = frozenset()) -> Past:
    """The past of all records, from the whole log. undone: decisions that people took back."""
    issued = log.filter(pl.col("kind") == "issued").select(old_gid="gid", issued_no="event_no")
    ends = log.filter(pl.col("kind").is_in(["merged", "retired", "restored"])).unique("gid", keep="last", maintain_order=True)
    over = ends.filter(pl.col("kind") != "restored").select(old_gid="gid")
    ages, redirects = issued.join(over, on="old_gid", how="anti"), find_redirects(log)
    given_up = read_given_up(log, redirects, undone) if undone else None
    return Past(find_members(log), ages, redirects, issued["old_gid"], next_no, given_up)


@dataclass(frozen=True)
class Placed:
    """Whose each record is, and how it came there.

    joined: the records with `label` and `old_gid`; homes: the cluster of each old id; gids: label, gid and, of new ids, the
    founding record; back: ids that come back.
    """

    members: Members
    joined: pl.DataFrame
    homes: pl.DataFrame
    gids: pl.DataFrame
    back: Returning | None


@dataclass(frozen=True)
class Run:
    """What stamps the events of a run. decided: the merges by people that hold, with their ranks."""

    run_id: str
    at: datetime
    version: str
    decided: Sequence[tuple[str, list[int]]] = ()


def place_records(aligned: pl.DataFrame, labels: npt.NDArray[np.int64], past: Past, prefix: str) -> Placed:
    """Give every cluster its lasting id. Whole clusters of records by source and key; `past` speaks of them alone."""
    records = aligned.select(*_RECORD, "created_at").with_columns(label=pl.Series(labels))
    joined = _join_members(records, past.members)
    back = find_returning(joined, past.given_up) if past.given_up else None
    ages = pl.concat([past.ages, back.ids.select(old_gid="gid", issued_no="issued_no")]) if back else past.ages
    homes = find_homes(back.joined if back else joined, ages)
    kept = homes.filter("keeps").select("label", gid="old_gid")
    fresh = joined.join(kept, on="label", how="anti", maintain_order="left") if kept.height else joined
    gids = pl.concat([kept, issue_ids(fresh, past.taken, prefix)], how="diagonal")
    gids = gids.select(pl.all().gather(pl.Series(order_texts(gids["gid"]))))
    owner_of = np.zeros(aligned.height, dtype=np.int32)
    owner_of[gids["label"].to_numpy()] = np.arange(gids.height, dtype=np.int32)
    return Placed(group_members(owner_of[labels], gids["gid"]), joined, homes, gids, back)


def write_events(found: Placed, past: Past, run: Run) -> pl.DataFrame:
    """What placing the records changed, as events."""
    members, homes, gids = found.members, found.homes, found.gids
    placed = found.joined.with_columns(gid=members.name_owners())
    gone = past.ages.join(homes, on="old_gid", how="anti").select(kind=pl.lit("retired"), gid="old_gid")
    moved = [*_move_ids(placed, homes, gids.select("label", "gid"), past, found.back, run.decided), gone]
    in_order = [gids.filter(pl.col("source").is_not_null()).select(kind=pl.lit("issued"), gid="gid", **_NAMED)]
    if past.members.height:
        moved += _move_records(placed, past.members)
    else:
        in_order.append(
            placed.select(pl.col("gid", *_RECORD).gather(pl.Series(members.order))).with_columns(kind=pl.lit("attached"))
        )
    return _number(in_order, moved, past.next_no, run)


def identify(aligned: pl.DataFrame, log: pl.DataFrame, past: Past, found: Placed, run: Run) -> Identified:
    """Log what placing all records changed."""
    events = write_events(found, past, run)
    whole = pl.concat([log, events])
    crosswalk = build_crosswalk(whole) if log.height else _open_crosswalk(aligned, found.members.name_owners(), run.at)
    return Identified(events, crosswalk, find_redirects(whole))


def _join_members(records: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    if not members.height:
        return records.with_columns(old_gid=pl.lit(None, dtype=pl.String))
    return records.join(members, on=_RECORD, how="left", maintain_order="left")


def _move_ids(
    placed: pl.DataFrame,
    homes: pl.DataFrame,
    gids: pl.DataFrame,
    past: Past,
    back: Returning | None,
    decided: Sequence[tuple[str, list[int]]],
) -> list[pl.DataFrame]:
    live = homes.join(back.ids.select(old_gid="gid"), on="old_gid", how="anti") if back else homes
    merged = live.filter(~pl.col("keeps")).join(gids, on="label").select(kind=pl.lit("merged"), gid="old_gid", other_gid="gid")
    merged = tag_merges(merged, placed, decided)
    earlier = past.redirects.select("gid", "target_gid")
    redirected = earlier.join(merged.select(target_gid="gid", new="other_gid"), on="target_gid").select("gid", other_gid="new")
    restored = merged.clear()
    if back and past.given_up:
        restored, again = write_restored(back, homes, past.given_up)
        # an id that is live again leads nowhere, though the one that it was given up for is merged in the same run
        redirected = redirected.join(restored.select("gid"), on="gid", how="anti")
        redirected = pl.concat([again, redirected]).unique("gid", keep="first", maintain_order=True)
    left = placed.filter(pl.col("old_gid").is_not_null() & (pl.col("gid") != pl.col("old_gid")))
    left = left.join(merged.select(old_gid="gid", gid="other_gid"), on=["old_gid", "gid"], how="anti")
    split = (
        left.group_by("old_gid", "gid")
        .len()
        .select(
            kind=pl.lit("split"), gid="old_gid", other_gid="gid", detail=pl.concat_str(pl.lit('{"records":'), "len", pl.lit("}"))
        )
    )
    return [restored, merged, redirected.select(kind=pl.lit("redirected"), gid="gid", other_gid="other_gid"), split]


def _move_records(placed: pl.DataFrame, members: pl.DataFrame) -> list[pl.DataFrame]:
    gone = members.join(placed.select(_RECORD), on=_RECORD, how="anti")
    moved = placed.filter(pl.col("old_gid") != pl.col("gid"))
    joining = placed.filter(pl.col("old_gid").is_null() | (pl.col("old_gid") != pl.col("gid")))
    reason = {"gone": '{"reason":"record deleted"}', "moved": '{"reason":"record moved"}'}
    return [
        gone.select(
            kind=pl.lit("detached"), gid="old_gid", source="source", source_key="source_key", detail=pl.lit(reason["gone"])
        ),
        moved.select(
            kind=pl.lit("detached"),
            gid="old_gid",
            other_gid="gid",
            source="source",
            source_key="source_key",
            detail=pl.lit(reason["moved"]),
        ),
        joining.select(kind=pl.lit("attached"), gid="gid", other_gid="old_gid", source="source", source_key="source_key"),
    ]


def _number(in_order: list[pl.DataFrame], new: list[pl.DataFrame], next_no: int, run: Run) -> pl.DataFrame:
    """All events in the order of their kinds, then of their ids and records, numbered on. in_order: those that come so."""
    text = [
        name for name, dtype in EVENT_SCHEMA.items() if dtype == pl.String() and name not in ("kind", "run_id", "rule_version")
    ]
    empty = {name: pl.lit(None, dtype=pl.String).alias(name) for name in text}

    def complete(frame: pl.DataFrame) -> pl.DataFrame:
        whole = frame.with_columns(column for name, column in empty.items() if name not in frame.columns)
        return whole.select(pl.col("kind").cast(pl.String), *text)

    parts = [frame for frame in in_order if frame.height]
    parts += [_sort_events(complete(frame)) for frame in new if frame.height]
    parts.sort(key=lambda frame: _PHASES.index(frame["kind"][0]))
    events = pl.concat(parts, how="diagonal") if parts else pl.DataFrame(schema=EVENT_SCHEMA).select("kind", *text)
    # a column that no event speaks of is one null for all, not one for each
    events = events.with_columns(column for name, column in empty.items() if name not in events.columns)
    stamped = events.with_columns(
        event_no=pl.int_range(next_no, next_no + pl.len(), dtype=pl.Int64),
        at=pl.lit(run.at).cast(pl.Datetime("us", "UTC")),
        run_id=pl.lit(run.run_id),
        rule_version=pl.lit(run.version),
    )
    return stamped.select(pl.col(name).cast(dtype) for name, dtype in EVENT_SCHEMA.items())


def _sort_events(frame: pl.DataFrame) -> pl.DataFrame:
    if frame["other_gid"].null_count() < frame.height or frame["source"].null_count() == frame.height:
        return frame.sort("gid", "other_gid", *_RECORD, nulls_last=True)
    # records in their order, then by id: numbers sort many times faster than texts
    order = sort_records(frame)
    ids = rank_texts(frame["gid"])[0][order]
    return frame.select(pl.all().gather(pl.Series(order[order_numbers(ids)])))
