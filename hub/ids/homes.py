"""Where an id lives on when clusters change."""

import polars as pl


def find_homes(joined: pl.DataFrame, ages: pl.DataFrame) -> pl.DataFrame:
    """old_gid, label, keeps: per old id its cluster, and whether the cluster has this id.

    An id goes where most of its records are. Those of ids that have most of theirs in the same cluster count against that, for
    only the oldest keeps it; so where it can, each keeps a part. One that does not keep its cluster takes the largest of its
    others that would have no id: it is given up only where each of its clusters has another (I-2, I-3).

    Args:
        joined: `label` and `old_gid` per record, null where it had none.
        ages: old_gid, issued_no.
    """
    overlap = joined.filter(pl.col("old_gid").is_not_null()).group_by("old_gid", "label").len()
    overlap = overlap.join(ages, on="old_gid", how="left")
    if overlap["old_gid"].n_unique() == overlap.height:
        return _keep_oldest(overlap)
    largest = _choose(overlap, "len")
    crowd = largest.group_by("label").agg(crowd=pl.col("len").sum())
    offers = overlap.join(crowd, on="label", how="left").join(largest.select("old_gid", most="label"), on="old_gid", how="left")
    others = pl.col("crowd").fill_null(0).cast(pl.Int64) - pl.when(pl.col("label") == pl.col("most")).then("len").otherwise(0)
    offers = offers.with_columns(others=others).with_columns(gain=pl.col("len").cast(pl.Int64) - pl.col("others"))
    homes = _keep_oldest(_choose(offers.with_columns(peace=-pl.col("others")), "gain", "peace"))
    while True:
        free = overlap.join(homes.filter("keeps"), on="label", how="anti")
        waiting = free.join(homes.filter(~pl.col("keeps")), on="old_gid", how="semi")
        if not waiting.height:
            return homes
        taken = _keep_oldest(_choose(waiting, "len")).filter("keeps")
        homes = pl.concat([homes.join(taken, on="old_gid", how="anti"), taken])


def _choose(overlap: pl.DataFrame, *most: str) -> pl.DataFrame:
    """Per id the cluster with the most of some columns, the first of them first."""
    ordered = overlap.sort("old_gid", *most, "label", descending=[False, *(True for _ in most), False])
    return ordered.unique("old_gid", keep="first", maintain_order=True)


def _keep_oldest(homes: pl.DataFrame) -> pl.DataFrame:
    homes = homes.sort("label", "issued_no", "old_gid")
    return homes.select("old_gid", "label", keeps=pl.col("old_gid") == pl.col("old_gid").first().over("label"))
