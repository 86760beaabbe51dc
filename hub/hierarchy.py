"""Which organisation is part of which: branches by their names, subsidiaries by the parent that a record names."""

import polars as pl

from hub.golden import LINKS
from hub.normalize.company import parse_company_names
from hub.parts import Ids, Parts
from hub.resolve import Resolution
from hub.rules.model import Rules

#: keys of a golden name, kept beside the golden record until its parent is found
KEYS = ("legal_name_key", "parent_key")


def read_name_keys(parts: Parts, winners: dict[str, Ids], rules: Rules) -> list[pl.Series]:
    """Per golden record the full key of its company name and of its name's head office; nothing where no value is a company."""
    kinds = {field.name: field.kind for field in rules.fields}
    named = [(name, part.partition(".")[0]) for survivor in rules.survivors for name, part in survivor.values]
    found = next(((name, field) for name, field in named if kinds.get(field) == "company"), None)
    if found is None:
        return []
    chosen = winners[found[0]]
    return [parts.take(f"{found[1]}.{part}", chosen).alias(name) for part, name in zip(LINKS, KEYS, strict=True)]


def add_hierarchy(resolution: Resolution) -> pl.DataFrame:
    """The golden records of a resolution, linked as link_parents does."""
    own = resolution.sources
    return link_parents(resolution.golden.with_columns(read_name_keys(own.parts, own.winners, resolution.rules)))


def link_parents(golden: pl.DataFrame) -> pl.DataFrame:
    """Golden records with `legal_name_key`, `parent_gid` and `relation`: linked as parent and child, never merged.

    A branch's parent is the customer of its name's head; else the one whose name a record gives as its parent. By full key,
    or by core where only one customer has it. relation: `branch` or `subsidiary` of its parent; `group`: a parent of
    subsidiaries that has no parent of its own. Golden records without KEYS come back as they are.
    """
    if KEYS[0] not in golden.columns:
        return golden
    parents = _find_parents(golden)
    kind = pl.when(parents["parent_gid"].is_null()).then(None).when(golden["parent_key"].is_not_null()).then(pl.lit("branch"))
    linked = golden.drop("parent_key").with_columns(parents["parent_gid"], relation=kind.otherwise(pl.lit("subsidiary")))
    heads = linked.filter(pl.col("relation") == "subsidiary")["parent_gid"].unique()
    is_group = pl.col("parent_gid").is_null() & pl.col("gid").is_in(heads.implode())
    return linked.with_columns(relation=pl.when(is_group).then(pl.lit("group")).otherwise("relation"))


def _find_parents(golden: pl.DataFrame) -> pl.DataFrame:
    whole = golden if "parent_name" in golden.columns else golden.with_columns(parent_name=pl.lit(None, dtype=pl.String))
    parsed = _read_named(whole["parent_name"].unique().drop_nulls())
    asked = whole.select("gid", "parent_key", "parent_name").join(parsed, on="parent_name", how="left", maintain_order="left")
    asked = asked.select("gid", key=pl.coalesce("parent_key", "named_key")).with_row_index("row").drop_nulls("key")
    asked = asked.with_columns(core=_read_core("key"))
    known = golden.select(parent="gid", key="legal_name_key").filter(pl.col("key").is_not_null())
    named = known.filter(pl.col("key").is_in(asked["key"].unique().implode()))
    by_key = named.unique("key", keep="first", maintain_order=True).select("key", by_key="parent")
    heads = known.filter(pl.col("key").str.ends_with("|")).with_columns(core=_read_core("key"))
    heads = heads.filter(pl.col("core").is_in(asked["core"].unique().implode()))
    by_core = heads.filter(pl.len().over("core") == 1).select("core", by_core="parent")
    found = asked.join(by_key, on="key", how="left").join(by_core, on="core", how="left")
    parent = pl.coalesce("by_key", "by_core")
    found = found.select("row", parent_gid=pl.when(parent != pl.col("gid")).then(parent))
    rows = golden.select(row=pl.int_range(pl.len(), dtype=pl.UInt32))
    return rows.join(found, on="row", how="left", maintain_order="left").select("parent_gid")


def _read_named(names: pl.Series) -> pl.DataFrame:
    """parent_name and the full key of each, `named_key`; taking even no name apart would take 0.1 s."""
    if not len(names):
        return pl.DataFrame(schema={"parent_name": pl.String, "named_key": pl.String})
    return parse_company_names(names).select(parent_name="raw", named_key="name_key")


def _read_core(key: str) -> pl.Expr:
    return pl.col(key).str.extract(r"^[^|]*\|([^|]*)")
