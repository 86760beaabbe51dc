"""Readers of public labelled sets that lie outside the project: the same records and columns for every system."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

_FEBRL = (
    "given_name",
    "surname",
    "street_number",
    "address_1",
    "address_2",
    "suburb",
    "postcode",
    "state",
    "date_of_birth",
    "soc_sec_id",
)


@dataclass(frozen=True)
class Dataset:
    """Where a set lies and which of its columns say who somebody is.

    entity: organisation or person. columns: its column -> the name under which `goldthread resolve` knows it, or its own.
    """

    name: str
    folder: str
    entity: str
    columns: dict[str, str]


DATASETS = (
    Dataset("cn_securities_short_full", "cn_securities_short_full", "organisation", {"name": "company_name"}),
    Dataset(
        "chicago",
        "chicago_early_childhood",
        "organisation",
        {"Site name": "company_name", "Address": "address", "Zip": "postcode", "Phone": "phone"},
    ),
    Dataset(
        "restaurants",
        "restaurant_fodors_zagats",
        "organisation",
        {"name": "company_name", "address": "address", "city": "city", "cuisine": "cuisine"},
    ),
    *(
        Dataset(
            name,
            name,
            "person",
            {column: column for column in _FEBRL},
        )
        for name in ("febrl1", "febrl3")
    ),
    Dataset(
        "splink_fake_1000",
        "splink_fake_1000",
        "person",
        {"first_name": "first_name", "surname": "surname", "dob": "dob", "city": "city", "email": "email"},
    ),
)


def find_dataset(name: str) -> Dataset:
    """The set of that name."""
    found = next((dataset for dataset in DATASETS if dataset.name == name), None)
    if found is None:
        raise SystemExit(f"no set named {name}: choose from {', '.join(dataset.name for dataset in DATASETS)}")
    return found


def read_dataset(dataset: Dataset, data: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Records (source, source_key, the set's columns as text, empty text as null) and truth (source, source_key, true_id).

    Records without a label (cluster x) stay among the records and are left out of the truth.
    """
    path = data / dataset.folder / "records.csv"
    if not path.is_file():
        raise SystemExit(f"{path} is missing: give the folder of the public sets with --data")
    table = pl.read_csv(path, infer_schema=False)
    cleaned = [
        pl.col(column).str.replace_all(r"\s+", " ").str.strip_chars().alias(name) for column, name in dataset.columns.items()
    ]
    keyed = table.select(pl.lit(dataset.name).alias("source"), pl.col("id").alias("source_key"), "cluster_id", *cleaned)
    keyed = keyed.with_columns(pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in dataset.columns.values())
    truth = keyed.filter(pl.col("cluster_id") != "x").select("source", "source_key", true_id="cluster_id")
    return keyed.drop("cluster_id"), truth
