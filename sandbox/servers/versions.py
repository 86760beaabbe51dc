"""What a vendor system holds at a moment, or came to hold in a window, from a frame of record versions."""

from __future__ import annotations

from datetime import datetime

import polars as pl


def select_live(versions: pl.DataFrame, key: tuple[str, ...], at: datetime) -> pl.DataFrame:
    """Last version of every record that exists at `at`; hard-deleted and merged-away records are left out.

    `versions` has `_valid_from` and `_op`; archived records stay, with `_op` 'archive'.
    """
    return select_changed(versions, key, None, at).filter(~pl.col("_op").is_in(["delete", "merge"]))


def select_changed(versions: pl.DataFrame, key: tuple[str, ...], since: datetime | None, until: datetime) -> pl.DataFrame:
    """Last version per key among those with `since` < `_valid_from` <= `until`, in order of `_valid_from`."""
    window = pl.col("_valid_from") <= until
    if since is not None:
        window &= pl.col("_valid_from") > since
    return (
        versions.filter(window)
        .sort("_valid_from", maintain_order=True)
        .unique(subset=list(key), keep="last", maintain_order=True)
    )
