"""Small tools to turn truth into vendor rows: record ids, look-ups by row number, version rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandbox.activities import Work
from sandbox.clock import AS_OF, DAY, HORIZON, HOUR, NEVER, Ints, as_times, epoch
from sandbox.customers import Market
from sandbox.orders import Trade
from sandbox.sales import Sales

Tables = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class World:
    """Everything true that the vendors' records are made of."""

    market: Market
    staff: pl.DataFrame
    sales: Sales
    trade: Trade
    work: Work


def take(values: pl.Series, index: NDArray[Any] | pl.Series) -> pl.Series:
    """`values` at row numbers; a negative row number gives null."""
    positions = pl.Series(index).cast(pl.Int64)
    return values.gather(positions.set(positions < 0, None).cast(pl.UInt32))


def number_records(since: Ints, base: int, step: int = 1) -> pl.Series:
    """Record ids as text, counting up in order of creation."""
    rank = np.empty(len(since), dtype=np.int64)
    rank[np.argsort(since, kind="stable")] = np.arange(len(since))
    return pl.Series(base + rank * step).cast(pl.String)


def chance(rng: np.random.Generator, n: int, share: float) -> pl.Expr:
    """A random yes for `share` of `n` rows."""
    return pl.lit(pl.Series(rng.random(n) < share))


def const(values: pl.Series | NDArray[Any]) -> pl.Expr:
    """A whole column as an expression."""
    return pl.lit(values if isinstance(values, pl.Series) else pl.Series(values))


def stamp(frame: pl.DataFrame, valid_from: Ints | pl.Series, op: str = "upsert") -> pl.DataFrame:
    """Add the version columns and drop versions beyond the horizon."""
    at = pl.Series(valid_from).cast(pl.Int64)
    return frame.with_columns(_valid_from=as_times(at.to_numpy()), _op=pl.lit(op)).filter(pl.lit(at) < epoch(HORIZON))


def wrap(ids: pl.Series) -> pl.Series:
    """Ids as one-element lists; null becomes the empty list."""
    return pl.select(
        pl.when(pl.lit(ids).is_null()).then(pl.lit([], dtype=pl.List(pl.String))).otherwise(pl.concat_list(pl.lit(ids)))
    ).to_series()


def draw_updates(rng: np.random.Generator, since: Ints, mean_days: float) -> list[Ints]:
    """Times of the last edit before the demo's clock and of the next two after it (NEVER: none), each later than `since`."""
    n = len(since)
    now, end = epoch(AS_OF), epoch(HORIZON)
    before = now - (rng.exponential(mean_days, n) * DAY).astype(np.int64) - 60
    first = np.maximum(now, since) + (rng.exponential(mean_days, n) * DAY).astype(np.int64) + 60
    second = first + (rng.exponential(mean_days, n) * DAY).astype(np.int64) + 60
    return [np.where((at > since + DAY) & (at < end), at, NEVER) for at in (before, first, second)]


def draw_one_time(
    rng: np.random.Generator, since: Ints, share: float, among: NDArray[np.bool_] | None = None, wait: int = 5 * DAY
) -> Ints:
    """For `share` of the rows `among` which to choose (at least one) a moment later than `since` + `wait`; NEVER for the others.

    The first third of the moments lies after the demo's clock, so that even the smallest company has some there.
    """
    now, end = epoch(AS_OF), epoch(HORIZON)
    start = np.maximum(since + wait, now - 330 * DAY)
    eligible = start < end - HOUR
    row = rng.permutation(np.flatnonzero(eligible if among is None else eligible & among))
    row = row[: max(1, round(share * len(row)))]
    start = np.where(np.arange(len(row)) <= len(row) // 3, np.maximum(start[row], now), start[row])
    at = np.full(len(since), NEVER)
    at[row] = start + (rng.random(len(row)) * (end - HOUR - start)).astype(np.int64)
    return at


def add_merges(rows: pl.DataFrame, merges: pl.DataFrame, key: str, at: str) -> pl.Series:
    """hs_merged_object_ids of each version row: ids merged into `key` up to `at`, joined by ';'; null where none.

    merges: survivor, loser (ids), merged_at (same type as `at`).
    """
    known = (
        rows.select(_row=pl.int_range(pl.len()), _key=key, _at=at)
        .join(merges, left_on="_key", right_on="survivor", how="inner")
        .filter(pl.col("merged_at") <= pl.col("_at"))
        .sort("_row", "merged_at")
        .group_by("_row", maintain_order=True)
        .agg(pl.col("loser").str.join(";"))
    )
    return rows.select(_row=pl.int_range(pl.len())).join(known, on="_row", how="left", maintain_order="left")["loser"]
