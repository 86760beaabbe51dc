"""Which customer the name of a head office means: by the full name, by one that sounds like it, or by the trade name."""

import polars as pl

from hub.normalize.sound import spell

# a key of a Chinese name is region|core|tier|branch; cores have two characters at least
_GROUP, _NO_TIER = "|集团|", "||"
_START = 2
#: characters of a core in which a trade name is misspelt
_BRAND = 3


def find_heads(asked: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """row, by_name, by_likeness: the customers that names mean; null where there is none or more than one name fits.

    asked: row, gid (who asks, and is not found), key, is_full (the name has its legal form); known: parent, key, is_full,
    n_records, first_seen_at. by_name: a full name, to the letter but for the legal form. by_likeness, the first of these:

    - of a full name one that sounds the same, with the same region and tier (集团), one of which it must have;
    - of a full name the same core and tier in a region that only one of the two says;
    - of a group's full name its core and region without 集团 and legal form;
    - of a short name, which leaves out legal form and 集团, a group with the same core; else one whose core begins so;
    - of a short name the same short name.

    Of several customers with one name it is the one with most records, of these the one first seen.
    """
    heads = known.rename({"key": "head_key", "is_full": "head_is_full"})
    same = _take_largest(_join_key(asked, heads, pl.col("key")).filter(pl.col("parent") != pl.col("gid")))
    found = asked.join(same.select("row", same="parent"), on="row", how="left", maintain_order="left")
    like = _find_alike(found.filter(~pl.col("is_full") | pl.col("same").is_null()).drop("same"), heads)
    found = found.join(like, on="row", how="left", maintain_order="left")
    short = pl.when(~pl.col("is_full")).then("same")
    return found.select("row", by_name=pl.when("is_full").then("same"), by_likeness=pl.coalesce("alike", short))


def _take_largest(pairs: pl.DataFrame) -> pl.DataFrame:
    """The pair of each row whose parent has most records, and of these was seen first."""
    ordered = pairs.sort("row", "n_records", "first_seen_at", "parent", descending=[False, True, False, False], nulls_last=True)
    return ordered.unique("row", keep="first", maintain_order=True)


def _join_key(asked: pl.DataFrame, heads: pl.DataFrame, key: pl.Expr) -> pl.DataFrame:
    """Pairs of a name and the heads whose key is another one of the name's."""
    wanted = asked.with_columns(head_key=key)
    return wanted.join(heads.filter(pl.col("head_key").is_in(wanted["head_key"].unique().implode())), on="head_key")


def _find_alike(asked: pl.DataFrame, heads: pl.DataFrame) -> pl.DataFrame:
    """row, alike: the customer of the best likeness, where only one name is of it."""
    asked, heads = _cut_region(asked, ""), _cut_region(heads, "head_")
    full, short = asked.filter("is_full"), asked.filter(~pl.col("is_full"))
    whole = heads.filter("head_is_full")
    groups = whole.filter(pl.col("head_key").str.ends_with(_GROUP))
    of_group = full.filter(pl.col("key").str.ends_with(_GROUP))
    untitled = _join_key(of_group, heads, pl.col("key").str.replace(_GROUP, _NO_TIER, literal=True))
    untitled = untitled.filter(~pl.col("head_is_full"))
    kinds = [_sound_same(full, whole), _lack_region(full, whole), untitled, *_begin_so(short, groups)]
    chosen = ("row", "gid", "parent", "head_key", "n_records", "first_seen_at")
    pairs = pl.concat([of_kind.select(*chosen, rank=rank) for rank, of_kind in enumerate(kinds)])
    pairs = pairs.filter(pl.col("parent") != pl.col("gid"))
    best = pairs.filter(pl.col("rank") == pl.col("rank").min().over("row"))
    return _take_largest(best.filter(pl.col("head_key").n_unique().over("row") == 1)).select("row", alike="parent")


def _cut_region(names: pl.DataFrame, side: str) -> pl.DataFrame:
    """Chinese names of no branch, with the region of their keys, and `rest`, all after it."""
    key = pl.col(f"{side}key")
    cut = key.str.splitn("|", 2).struct.rename_fields([f"{side}region", f"{side}rest"])
    return names.filter(key.str.ends_with("|")).with_columns(cut.struct.unnest())


def _lack_region(asked: pl.DataFrame, heads: pl.DataFrame) -> pl.DataFrame:
    """Pairs of the same core and tier of which only one says a region."""
    near = heads.filter(pl.col("head_rest").is_in(asked["rest"].unique().implode()))
    pairs = asked.join(near, left_on="rest", right_on="head_rest")
    return pairs.filter((pl.col("region") == "") | (pl.col("head_region") == ""))


def _begin_so(asked: pl.DataFrame, groups: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Pairs with a group of the same core, and with one whose core is longer: 达宏新能源 and 达宏新能源科技集团."""
    own = asked.with_columns(core=pl.col("rest").str.replace(r"\|.*", ""), start=pl.col("rest").str.head(_START))
    groups = groups.with_columns(start=pl.col("head_rest").str.head(_START))
    pairs = own.join(groups.filter(pl.col("start").is_in(own["start"].unique().implode())), on="start")
    fits = (pl.col("region") == pl.col("head_region")) | (pl.col("region") == "") | (pl.col("head_region") == "")
    pairs = pairs.filter(fits, pl.col("head_rest").str.starts_with(pl.col("core")))
    is_same = pl.col("head_rest").str.len_chars() == pl.col("core").str.len_chars() + len(_GROUP)
    return pairs.filter(is_same), pairs.filter(~is_same)


def _sound_same(asked: pl.DataFrame, heads: pl.DataFrame) -> pl.DataFrame:
    """Pairs of one region and tier whose cores sound alike and differ in one character of the trade name: 锋越华 and 峰越华."""
    ends = asked["rest"].str.slice(_BRAND).unique().implode()
    own = _cut_brand(asked, "")
    there = _cut_brand(heads.filter(pl.col("head_rest").str.slice(_BRAND).is_in(ends)), "head_")
    masks = [pl.col("brand").str.head(place) + "?" + pl.col("brand").str.slice(place + 1) for place in range(_BRAND)]
    pairs = pl.concat([own.with_columns(mask=mask).join(there.with_columns(mask=mask), on=["end", "mask"]) for mask in masks])
    pairs = pairs.filter(pl.col("key") != pl.col("head_key"))
    return pairs.filter(spell(pairs["brand"]) == spell(pairs["brand_right"]))


def _cut_brand(names: pl.DataFrame, side: str) -> pl.DataFrame:
    """Names with a region or a tier, with `brand`, where the trade name stands, and `end`, all else of the key."""
    region, rest = pl.col(f"{side}region"), pl.col(f"{side}rest")
    said = names.filter((region != "") | rest.str.ends_with(_GROUP))
    return said.with_columns(brand=rest.str.head(_BRAND), end=pl.concat_str(region, pl.lit("|"), rest.str.slice(_BRAND)))
