"""Which organisation is part of which: branches by their names, subsidiaries by the parent that a record names."""

import polars as pl

from hub.normalize.company import parse_company_names
from hub.resolve import Resolution


def add_hierarchy(resolution: Resolution) -> pl.DataFrame:
    """The golden records of organisations with `legal_name_key` and `parent_gid`: linked as parent and child, never merged.

    A branch's parent is the customer of its name's head; else the one whose name a record gives as its parent. By full key,
    or by core where only one customer has it.
    """
    golden = resolution.golden.with_columns(
        legal_name_key=resolution.read_winner("company_name", "name.key"),
        parent_key=resolution.read_winner("company_name", "name.parent_key"),
    )
    return golden.with_columns(parent_gid=_find_parents(golden)).drop("parent_key")


def _find_parents(golden: pl.DataFrame) -> pl.Series:
    names = golden.select(pl.col("parent_name").unique().drop_nulls()).to_series()
    parsed = parse_company_names(names).select(parent_name="raw", named_key="name_key")
    asked = golden.select("gid", "parent_key", "parent_name").join(parsed, on="parent_name", how="left", maintain_order="left")
    asked = asked.select("gid", key=pl.coalesce("parent_key", "named_key")).with_columns(
        core=pl.col("key").str.split("|").list.get(1, null_on_oob=True)
    )
    known = golden.select(parent="gid", key="legal_name_key").filter(pl.col("key").is_not_null())
    known = known.with_columns(
        core=pl.col("key").str.split("|").list.get(1, null_on_oob=True), is_head=pl.col("key").str.ends_with("|")
    )
    by_key = known.unique("key", keep="first", maintain_order=True).select("key", by_key="parent")
    by_core = known.filter("is_head").filter(pl.len().over("core") == 1).select("core", by_core="parent")
    found = asked.join(by_key, on="key", how="left", maintain_order="left").join(
        by_core, on="core", how="left", maintain_order="left"
    )
    parent = pl.coalesce("by_key", "by_core")
    return found.select(pl.when(parent != pl.col("gid")).then(parent).alias("parent_gid")).to_series()
