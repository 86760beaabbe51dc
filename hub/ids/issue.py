"""New lasting IDs: one for each cluster that inherits none, made of its earliest record (I-2)."""

import numpy as np
import polars as pl

from hub.columns.hashing import hash_rows
from hub.columns.parts import Ids, group_rows

_RECORD = ["source", "source_key"]


def issue_ids(fresh: pl.DataFrame, taken: pl.Series, prefix: str) -> pl.DataFrame:
    """A new id for each cluster that inherits none, from its earliest record; never one that was issued before."""
    # fresh comes in the order of source and key, which decides among records of one time
    chosen = fresh.select(pl.col("label", *_RECORD).gather(pl.Series(_find_earliest(fresh))))
    gids = _name_ids(chosen, prefix, 0)
    salt = 0
    while (again := _are_taken(gids, taken) | ~gids.is_first_distinct()).any():
        salt += 1
        gids = pl.select(pl.when(pl.lit(again)).then(pl.lit(_name_ids(chosen, prefix, salt))).otherwise(pl.lit(gids))).to_series()
    return chosen.with_columns(gids.alias("gid"))


def _are_taken(gids: pl.Series, taken: pl.Series) -> pl.Series:
    """Of the new ids and those ever issued, a set is made of the few that meet."""
    return gids.is_in(taken.filter(taken.is_in(gids.implode())).implode() if len(taken) else taken.implode())


def _find_earliest(fresh: pl.DataFrame) -> Ids:
    """The row of each label's earliest record, ascending."""
    if not fresh.height:
        return np.zeros(0, dtype=np.int32)
    order, starts = group_rows(fresh["label"].to_numpy())
    times = fresh["created_at"].dt.epoch("us").fill_null(np.iinfo(np.int64).max).to_numpy()[order]
    first = np.minimum.reduceat(times, starts)
    early = np.flatnonzero(times == np.repeat(first, np.diff(starts, append=len(order))))
    return np.sort(order[early[np.searchsorted(early, starts)]])


def _name_ids(founders: pl.DataFrame, prefix: str, salt: int) -> pl.Series:
    digits = hash_rows(founders, _RECORD, f"\x1f{salt}" if salt else "")
    text = digits.astype(">u8").tobytes().hex()
    return pl.Series("gid", [prefix + text[place : place + 16] for place in range(0, len(text), 16)], dtype=pl.String)
