"""Erasing records from a hub in a folder, beside the line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from hub.erase import erase_records
from hub.ids.identify import find_members, find_redirects
from hub.kept.versions import read_newest
from hub.rules.model import Rules
from hub.store import read_events
from orchestration.project import ProjectError


def find_named(folder: Path, subjects: Sequence[str]) -> pl.DataFrame:
    """source, source_key of what is named by ids or as SOURCE:KEY. A record that the hub no longer counts may be named too."""
    log = read_events(folder)
    members, redirects = find_members(log), dict(find_redirects(log).select("gid", "target_gid").iter_rows())
    known = log.select("source", "source_key").drop_nulls().unique()
    found = []
    for text in dict.fromkeys(subjects):
        source, colon, key = text.partition(":")
        own = pl.col("old_gid") == redirects.get(text, text)
        named = known.filter(source=source, source_key=key) if colon else members.filter(own).select(known.columns)
        if not named.height:
            raise ProjectError(f"{text} names nothing in the hub at {folder}: write an ID with records, or SOURCE:KEY")
        found.append(named)
    return pl.concat(found).unique().sort("source", "source_key")


def erase_named(folder: Path, named: pl.DataFrame, rules: Rules) -> dict[str, Any]:
    """Erase them; which ids ended."""
    now = datetime.now(UTC)
    outcome = erase_records(folder, named, rules, f"erase-{now:%Y%m%dT%H%M%SZ}", max(now, read_newest(folder) or now))
    ended = outcome.events.filter(pl.col("kind") == "retired")["gid"].unique().sort()
    return {"hub": str(folder), "records": named.height, "ids": ended.to_list()}
