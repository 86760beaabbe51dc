"""Ids that come back: a merge that a person undid gives each of its records the id that it had before (I-4)."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

_RECORD = ["source", "source_key"]
_MOVES = ["merged", "redirected", "restored"]


@dataclass(frozen=True)
class GivenUp:
    """Ids that a decision gave up which a person undid since.

    ids: gid, target (what it resolves to now), issued_no; records: source, source_key, gid of those that left it then;
    late: source, source_key of those that joined a target after; followers: gid, home: what resolved to an id (home) before.
    """

    ids: pl.DataFrame
    records: pl.DataFrame
    late: pl.DataFrame
    followers: pl.DataFrame


def read_given_up(log: pl.DataFrame, redirects: pl.DataFrame, undone: frozenset[str]) -> GivenUp | None:
    """What could come back, from the whole log; None where nothing could. redirects: gid, target_gid."""
    last = log.filter(pl.col("kind").is_in(["merged", "restored"])).unique("gid", keep="last", maintain_order=True)
    tagged = last.filter((pl.col("kind") == "merged") & pl.col("detail").is_not_null())
    by = [bool(undone.intersection(json.loads(detail).get("decisions", []))) for detail in tagged["detail"]]
    given_up = tagged.filter(pl.Series(by, dtype=pl.Boolean)).select("gid", "run_id", merged_no="event_no")
    given_up = given_up.join(redirects.select("gid", target="target_gid"), on="gid")
    if not given_up.height:
        return None
    issued = log.filter(pl.col("kind") == "issued").select("gid", issued_no="event_no")
    left = log.filter(pl.col("kind") == "detached").join(given_up.select("gid", "run_id"), on=["gid", "run_id"])
    # one that was given up twice: its own are those that left it the last time
    records = left.unique(_RECORD, keep="last", maintain_order=True).select(*_RECORD, "gid")
    joined = log.filter(pl.col("kind") == "attached").unique(_RECORD, keep="last", maintain_order=True)
    since = given_up.group_by("target").agg(pl.col("merged_no").max())
    late = joined.join(since, left_on="gid", right_on="target").filter(pl.col("event_no") > pl.col("merged_no"))
    followers = [_find_followers(log, gid, merged_no) for gid, merged_no in given_up.select("gid", "merged_no").iter_rows()]
    return GivenUp(
        given_up.join(issued, on="gid").select("gid", "target", "issued_no"),
        records,
        late.select(_RECORD).join(records, on=_RECORD, how="anti"),
        pl.concat(followers),
    )


def _find_followers(log: pl.DataFrame, gid: str, merged_no: int) -> pl.DataFrame:
    before = log.filter((pl.col("event_no") < merged_no) & pl.col("kind").is_in(_MOVES))
    last = before.unique("gid", keep="last", maintain_order=True)
    return last.filter((pl.col("kind") != "restored") & (pl.col("other_gid") == gid)).select("gid", home=pl.lit(gid))


@dataclass(frozen=True)
class Returning:
    """joined: records with the id that each would have without the undone merges; ids: which of GivenUp.ids may come back."""

    joined: pl.DataFrame
    ids: pl.DataFrame


def find_returning(joined: pl.DataFrame, given_up: GivenUp) -> Returning:
    """Ids whose records part from those of the id that took their place.

    joined: source, source_key, label, old_gid of the records that exist.
    """
    both = joined.join(given_up.records, on=_RECORD, how="left", maintain_order="left")
    both = both.join(given_up.late.with_columns(is_late=pl.lit(value=True)), on=_RECORD, how="left", maintain_order="left")
    both = both.join(given_up.ids.select("gid", "target"), on="gid", how="left", maintain_order="left")
    both = both.with_columns(pl.when(pl.col("old_gid") == pl.col("target")).then("gid").alias("gid"))
    steady = _find_homes(both.filter(pl.col("gid").is_null() & pl.col("is_late").is_null()), "old_gid")
    leaving = _find_homes(both.filter(pl.col("gid").is_not_null()), "gid").join(given_up.ids, on="gid")
    leaving = leaving.join(steady.select(target="old_gid", stays="home"), on="target").filter(pl.col("home") != pl.col("stays"))
    # who joined since the merge has no say in where the ids go
    is_back = pl.col("gid").is_in(leaving["gid"].implode())
    is_late = pl.col("is_late").is_not_null() & pl.col("old_gid").is_in(leaving["target"].implode())
    old = pl.when(is_back).then("gid").when(is_late).then(None).otherwise("old_gid")
    return Returning(both.with_columns(old.alias("old_gid")).select(joined.columns), leaving.select(given_up.ids.columns))


def _find_homes(records: pl.DataFrame, column: str) -> pl.DataFrame:
    """Per id the label with most of its records."""
    counts = records.group_by(column, "label").len().sort(column, "len", "label", descending=[False, True, False])
    return counts.unique(column, keep="first", maintain_order=True).select(column, home="label")


def tag_merges(merged: pl.DataFrame, placed: pl.DataFrame, decided: Iterable[tuple[str, list[int]]]) -> pl.DataFrame:
    """Merge events (gid, other_gid) with the decisions that brought the two together, as `detail`.

    placed: old_gid and gid per record, in the order of ranks.
    """
    names: dict[str, list[str]] = {}
    for name, ranks in decided if merged.height else ():
        rows = placed.select(pl.col("old_gid", "gid").gather(ranks))
        if rows["old_gid"].n_unique() > 1:
            names.setdefault(rows["gid"][0], []).append(name)
    if not names:
        return merged
    detail = [
        json.dumps({"decisions": names[gid]}, separators=(",", ":")) if gid in names else None for gid in merged["other_gid"]
    ]
    return merged.with_columns(pl.Series("detail", detail, dtype=pl.String))


def write_restored(back: Returning, homes: pl.DataFrame, given_up: GivenUp) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Events `restored` of ids that come back, and gid, other_gid of those that resolve to another id now.

    homes: old_gid, label, keeps. An id that stays given up follows its records; one that was given up for an id that comes back
    follows that one home.
    """
    own = back.ids.join(homes.select("label", "keeps", gid="old_gid"), on="gid")
    restored = own.filter("keeps").select(kind=pl.lit("restored"), gid="gid", other_gid="target")
    kept = homes.filter("keeps").select("label", holder="old_gid")
    strays = own.filter(~pl.col("keeps")).join(kept, on="label").select("gid", other_gid="holder")
    led = given_up.followers.join(restored.select(home="gid"), on="home", how="semi").select("gid", other_gid="home")
    return restored, pl.concat([strays, led]).unique("gid", keep="first", maintain_order=True)
