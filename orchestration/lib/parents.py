"""How well parents were found, where the truth is known."""

from __future__ import annotations

from pathlib import Path

import polars as pl

_RECORD = ["source", "source_key"]


def read_true_parents(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """source, source_key, customer_id of the records, and customer_id, parent_customer_id of the customers."""
    names = {"parties": [*_RECORD, "customer_id"], "customers": ["customer_id", "parent_customer_id"]}
    parties, customers = (pl.read_parquet(folder / f"{name}.parquet", columns=columns) for name, columns in names.items())
    return parties, customers


def measure_parents(
    golden: pl.DataFrame, crosswalk: pl.DataFrame, parties: pl.DataFrame, customers: pl.DataFrame
) -> dict[str, float]:
    """Precision of the parents found, and recall of the true ones of which records of child and parent are known.

    golden: gid, parent_gid; crosswalk: source, source_key, gid, is_current; parties, customers: of read_true_parents. A customer
    is who most of its records are of, and of several customers of one company that with most of its records counts.
    """
    held = crosswalk.filter("is_current").join(parties, on=_RECORD).group_by("gid", "customer_id").len()
    held = held.sort("len", "gid", "customer_id", descending=[True, False, False])
    who = held.unique("gid", keep="first", maintain_order=True).select("gid", "customer_id")
    place = held.unique("customer_id", keep="first", maintain_order=True).select("customer_id", "gid")
    kin = customers.drop_nulls("parent_customer_id")
    links = golden.select("gid", "parent_gid").drop_nulls()
    named = links.join(who, on="gid", how="left").join(
        who.rename({"gid": "parent_gid", "customer_id": "named_id"}), on="parent_gid", how="left"
    )
    right = named.join(kin, left_on=["customer_id", "named_id"], right_on=["customer_id", "parent_customer_id"], how="semi")
    true = kin.join(place, on="customer_id").join(
        place.rename({"customer_id": "parent_customer_id", "gid": "parent_gid"}), on="parent_customer_id"
    )
    found = true.join(links, on=["gid", "parent_gid"], how="semi")
    return {
        "parent_precision": right.height / links.height if links.height else 1.0,
        "parent_recall": found.height / true.height if true.height else 1.0,
        "true_parents": float(true.height),
        "found_parents": float(links.height),
    }
