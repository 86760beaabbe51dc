"""Which organisation is part of which: branches by their names, subsidiaries by the parent that a record names."""

import polars as pl

from hub.columns.parts import Ids, Parts
from hub.normalize.company import parse_company_names
from hub.resolve import Resolution
from hub.results.golden import LINKS
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
    or by core and tier (集团) where only one customer has them in a region that does not contradict. relation: `branch`, which
    the name alone says, or `subsidiary` of its parent; `group`: a parent of subsidiaries that has no parent of its own. Golden
    records without KEYS come back as they are.
    """
    if KEYS[0] not in golden.columns:
        return golden
    parents = _find_parents(golden)
    is_branch, has_parent = golden["parent_key"].is_not_null(), parents["parent_gid"].is_not_null()
    kind = pl.when(is_branch).then(pl.lit("branch")).when(has_parent).then(pl.lit("subsidiary"))
    linked = golden.drop("parent_key").with_columns(parents["parent_gid"], relation=kind)
    heads = linked.filter(pl.col("relation") == "subsidiary")["parent_gid"].unique()
    is_group = pl.col("parent_gid").is_null() & pl.col("gid").is_in(heads.implode())
    return linked.with_columns(relation=pl.when(is_group).then(pl.lit("group")).otherwise("relation"))


def _find_parents(golden: pl.DataFrame) -> pl.DataFrame:
    whole = golden if "parent_name" in golden.columns else golden.with_columns(parent_name=pl.lit(None, dtype=pl.String))
    parsed = _read_named(whole["parent_name"].unique().drop_nulls())
    asked = whole.select("gid", "parent_key", "parent_name").join(parsed, on="parent_name", how="left", maintain_order="left")
    asked = asked.select("gid", key=pl.coalesce("parent_key", "named_key")).with_row_index("row").drop_nulls("key")
    known = golden.select(parent="gid", key="legal_name_key").filter(pl.col("key").is_not_null())
    named = known.filter(pl.col("key").is_in(asked["key"].unique().implode()))
    by_key = named.unique("key", keep="first", maintain_order=True).select("key", by_key="parent")
    asked = asked.join(by_key, on="key", how="left")
    by_core = _find_by_core(asked.filter(pl.col("by_key").is_null()), known)
    parent = pl.coalesce("by_key", "by_core")
    found = asked.join(by_core, on="row", how="left").select("row", parent_gid=pl.when(parent != pl.col("gid")).then(parent))
    rows = golden.select(row=pl.int_range(pl.len(), dtype=pl.UInt32))
    return rows.join(found, on="row", how="left", maintain_order="left").select("parent_gid")


def _read_named(names: pl.Series) -> pl.DataFrame:
    """parent_name and the full key of each, `named_key`; taking even no name apart would take 0.1 s."""
    if not len(names):
        return pl.DataFrame(schema={"parent_name": pl.String, "named_key": pl.String})
    return parse_company_names(names).select(parent_name="raw", named_key="name_key")


def _find_by_core(asked: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """row, by_core: the one head office of the same core and tier whose region is the same, or said by only one of the two."""
    asked = asked.select("row", "gid", *_read_key())
    heads = known.filter(pl.col("key").str.ends_with("|")).select("parent", *_read_key()).rename({"region": "head_region"})
    pairs = asked.join(heads.filter(pl.col("core").is_in(asked["core"].unique().implode())), on="core")
    regions = pl.col("region"), pl.col("head_region")
    fits = (regions[0] == regions[1]) | (regions[0] == "") | (regions[1] == "")
    pairs = pairs.filter(fits & (pl.col("parent") != pl.col("gid")))
    return pairs.filter(pl.len().over("row") == 1).select("row", by_core="parent")


def _read_key() -> tuple[pl.Expr, pl.Expr]:
    """region, and core with its tier, of a full key: region|core|tier|branch."""
    return pl.col("key").str.extract(r"^([^|]*)\|").alias("region"), pl.col("key").str.extract(r"^[^|]*\|([^|]*\|[^|]*)\|").alias(
        "core"
    )
