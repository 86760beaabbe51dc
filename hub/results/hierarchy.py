"""Which organisation is part of which: branches by their names, subsidiaries by the parent that a record names."""

import numpy as np
import polars as pl

from hub.columns.parts import Ids, Parts
from hub.normalize.company import parse_company_names
from hub.resolve import Resolution
from hub.results.golden import LINKS
from hub.results.heads import find_heads
from hub.rules.model import Rules

#: keys of a golden name and whether it has a legal form, kept beside the golden record until its parent is found
KEYS = ("legal_name_key", "parent_key", "is_full")
#: the golden value that names a parent's record by its key, and the source that it is of, which is kept like KEYS
RECORD, SOURCE = "parent_source_key", "parent_source"


def read_name_keys(parts: Parts, aligned: pl.DataFrame, winners: dict[str, Ids], rules: Rules) -> list[pl.Series]:
    """Per golden record KEYS of its company name, and the source that names its parent's record; nothing without a company."""
    kinds = {field.name: field.kind for field in rules.fields}
    named = [(name, part.partition(".")[0]) for survivor in rules.survivors for name, part in survivor.values]
    found = next(((name, field) for name, field in named if kinds.get(field) == "company"), None)
    if found is None:
        return []
    keys = [parts.take(f"{found[1]}.{part}", winners[found[0]]).alias(name) for part, name in zip(LINKS, KEYS, strict=True)]
    if RECORD in winners:
        chosen = pl.Series(winners[RECORD])
        keys.append(aligned["source"].gather(chosen.set(chosen < 0, None)).alias(SOURCE))
    return keys


def add_hierarchy(resolution: Resolution) -> pl.DataFrame:
    """The golden records of a resolution, linked as link_parents does."""
    own = resolution.sources
    keyed = resolution.golden.with_columns(read_name_keys(own.parts, own.aligned, own.winners, resolution.rules))
    return link_parents(keyed, resolution.crosswalk.filter("is_current"))


def link_parents(golden: pl.DataFrame, holders: pl.DataFrame) -> pl.DataFrame:
    """Golden records with `legal_name_key`, `parent_gid` and `relation`: linked as parent and child, never merged.

    holders: source, source_key, gid of the present records. A branch's parent is the customer with the full name of its name's
    head, any other's the one that holds the record that one of its records names; else the other of these two; else the one
    whose name is likest to the name (find_heads). What records name in a circle holds for none in it. relation: `branch`, which
    the name alone says, or `subsidiary` of its parent; `group`: a parent of subsidiaries that has no parent of its own. Golden
    records without KEYS come back as they are.
    """
    if KEYS[0] not in golden.columns:
        return golden
    parents = _open_circles(golden["gid"], _find_parents(golden, holders))
    is_branch, has_parent = golden["parent_key"].is_not_null(), parents.is_not_null()
    kind = pl.when(is_branch).then(pl.lit("branch")).when(has_parent).then(pl.lit("subsidiary"))
    linked = golden.drop("parent_key", "is_full", SOURCE, strict=False).with_columns(parents, relation=kind)
    heads = linked.filter(pl.col("relation") == "subsidiary")["parent_gid"].unique()
    is_group = pl.col("parent_gid").is_null() & pl.col("gid").is_in(heads.implode())
    return linked.with_columns(relation=pl.when(is_group).then(pl.lit("group")).otherwise("relation"))


def find_circles(gids: pl.Series, parents: pl.Series) -> pl.Series:
    """Those of the gids that are their own ancestors."""
    links = pl.DataFrame({"gid": gids, "parent": parents}).drop_nulls().with_row_index("at")
    up = links.join(links.select(parent="gid", up="at"), on="parent", how="left", maintain_order="left")["up"]
    n = links.height
    ends = up.fill_null(n).append(pl.Series([n], dtype=up.dtype)).to_numpy()
    # after as many steps as there are links, whoever is not in a circle has come to its end
    for _ in range(n.bit_length()):
        ends = ends[ends]
    return links["gid"].gather(pl.Series(np.unique(ends[ends < n])))


def _open_circles(gids: pl.Series, found: pl.DataFrame) -> pl.Series:
    """The parents without those that records name in a circle; a name's head is no branch, so names alone make none."""
    if found["parent_gid"].null_count() == len(gids):
        return found["parent_gid"]
    over = gids.is_in(find_circles(gids, found["parent_gid"]).implode()) & ~found["by_own_name"]
    return found["parent_gid"].set(over, None)


def _find_parents(golden: pl.DataFrame, holders: pl.DataFrame) -> pl.DataFrame:
    """Per golden record parent_gid, and whether its own name says so (by_own_name)."""
    no_text = pl.lit(None, dtype=pl.String)
    whole = golden.with_columns(no_text.alias(name) for name in ("parent_name", RECORD, SOURCE) if name not in golden.columns)
    parsed = _read_named(whole["parent_name"].unique().drop_nulls())
    wanted = whole.select("gid", *KEYS, "parent_name", SOURCE, RECORD).with_row_index("row")
    wanted = wanted.join(parsed, on="parent_name", how="left", maintain_order="left")
    is_branch = pl.col("parent_key").is_not_null()
    is_full = pl.when(is_branch).then("is_full").otherwise("named_full")
    asked = wanted.select("row", "gid", is_full, key=pl.coalesce("parent_key", "named_key")).drop_nulls("key")
    known = golden.select("is_full", "n_records", "first_seen_at", parent="gid", key="legal_name_key").drop_nulls("key")
    found = wanted.join(find_heads(asked, known), on="row", how="left", maintain_order="left")
    found = found.with_columns(by_record=_find_by_record(wanted, holders))
    by_own_name = is_branch & (pl.col("by_name").is_not_null() | pl.col("by_record").is_null())
    of_branch = pl.coalesce("by_name", "by_record", "by_likeness")
    of_other = pl.coalesce("by_record", "by_name", "by_likeness")
    return found.select(parent_gid=pl.when(is_branch).then(of_branch).otherwise(of_other), by_own_name=by_own_name)


def _find_by_record(wanted: pl.DataFrame, holders: pl.DataFrame) -> pl.Series:
    """Per golden record the customer that holds the named record, if that is another one."""
    named = wanted.select("row", "gid", source=SOURCE, source_key=RECORD).drop_nulls()
    held = holders.filter(pl.col("source_key").is_in(named["source_key"].unique().implode())) if named.height else holders.clear()
    found = named.join(held.select("source", "source_key", parent="gid"), on=["source", "source_key"])
    found = found.filter(pl.col("parent") != pl.col("gid")).select("row", "parent")
    return wanted.select("row").join(found, on="row", how="left", maintain_order="left")["parent"]


def _read_named(names: pl.Series) -> pl.DataFrame:
    """parent_name, the full key of each and whether it has a legal form; taking even no name apart would take 0.1 s."""
    if not len(names):
        return pl.DataFrame(schema={"parent_name": pl.String, "named_key": pl.String, "named_full": pl.Boolean})
    return parse_company_names(names).select(parent_name="raw", named_key="name_key", named_full="has_legal")
