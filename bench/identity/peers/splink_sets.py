"""Splink on a public set: `python -m bench.identity.peers.splink_sets SET RECORDS OUT WEIGHT [WEIGHT ...]`.

From memory of Splink's documentation: febrl after its febrl3 example, fake_1000 after its tutorial, blocked on each column.
The organisation sets have no published example: the library's comparisons by kind of column.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
from splink import block_on
from splink import comparison_level_library as cll
from splink import comparison_library as cl

from bench.identity.columns import spell
from bench.identity.peers.splink import Plan, Stopwatch, run
from hub.normalize.company import parse_company_names
from hub.normalize.text import map_distinct


def _plan_febrl(frame: pl.DataFrame) -> tuple[pl.DataFrame, Plan]:
    return frame, Plan(
        comparisons=[
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
        ],
        blocking=[block_on(column) for column in ("soc_sec_id", "given_name", "surname", "date_of_birth", "postcode")],
        training=[block_on("date_of_birth"), block_on("postcode")],
        certain=[
            block_on("soc_sec_id"),
            block_on("given_name", "surname", "date_of_birth"),
            "l.given_name = r.surname and l.surname = r.given_name and l.date_of_birth = r.date_of_birth",
        ],
        recall=0.9,
    )


def _plan_fake(frame: pl.DataFrame) -> tuple[pl.DataFrame, Plan]:
    return frame, Plan(
        comparisons=[
            cl.NameComparison("first_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
            cl.EmailComparison("email"),
        ],
        blocking=[block_on(column) for column in ("first_name", "surname", "dob", "email")],
        training=[block_on("first_name", "surname"), block_on("dob")],
        certain=[
            block_on("first_name", "dob"),
            "l.surname = r.surname and levenshtein(r.dob, l.dob) <= 1",
            block_on("email"),
        ],
        recall=0.7,
    )


def _plan_chicago(frame: pl.DataFrame) -> tuple[pl.DataFrame, Plan]:
    lower = frame.with_columns(
        company_name=pl.col("company_name").str.to_lowercase().str.replace_all(r"[^a-z0-9 ]", ""),
        address=pl.col("address").str.to_lowercase().str.replace_all(r"[^a-z0-9 ]", " ").str.replace_all(" +", " "),
        phone=pl.col("phone").str.replace_all(r"\D", "").str.tail(7),
    )
    cut = lower.with_columns(start=pl.col("company_name").str.slice(0, 5), door=pl.col("address").str.extract(r"^(\d+ \w+ \w+)"))
    return cut, Plan(
        comparisons=[
            cl.JaroWinklerAtThresholds("company_name", [0.92, 0.8, 0.7]).configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("address", [0.95, 0.85, 0.75]).configure(term_frequency_adjustments=True),
            cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
            cl.LevenshteinAtThresholds("phone", [1]).configure(term_frequency_adjustments=True),
        ],
        blocking=[block_on(column) for column in ("phone", "address", "company_name", "door")] + [block_on("start", "postcode")],
        training=[block_on("phone"), block_on("address"), block_on("company_name")],
        certain=[block_on("phone", "address"), block_on("company_name", "address")],
        recall=0.6,
    )


def _plan_restaurants(frame: pl.DataFrame) -> tuple[pl.DataFrame, Plan]:
    plain = pl.col("company_name", "address", "city").str.to_lowercase().str.replace_all(r"[^a-z0-9 ]", "")
    cut = frame.with_columns(plain).with_columns(
        start=pl.col("company_name").str.slice(0, 4),
        door=pl.col("address").str.extract(r"^(\d+)"),
        street=pl.col("address").str.extract(r"^(\d+ (?:[nsew] )?\w+)"),
    )
    return cut, Plan(
        comparisons=[
            cl.JaroWinklerAtThresholds("company_name", [0.95, 0.88, 0.7]).configure(term_frequency_adjustments=True),
            cl.CustomComparison(
                [
                    cll.NullLevel("address"),
                    cll.ExactMatchLevel("address", term_frequency_adjustments=True),
                    cll.ExactMatchLevel("street", term_frequency_adjustments=True),
                    cll.JaroWinklerLevel("address", 0.9),
                    cll.ExactMatchLevel("door"),
                    cll.ElseLevel(),
                ],
                output_column_name="address",
            ),
            cl.JaroWinklerAtThresholds("city", [0.88]).configure(term_frequency_adjustments=True),
            cl.ExactMatch("cuisine").configure(term_frequency_adjustments=True),
        ],
        blocking=[block_on(column) for column in ("company_name", "address", "start", "door")],
        training=[block_on("company_name"), block_on("address")],
        certain=[block_on("company_name", "address"), block_on("company_name", "city")],
        recall=0.5,
    )


def _plan_securities(frame: pl.DataFrame) -> tuple[pl.DataFrame, Plan]:
    names = map_distinct(frame["company_name"], parse_company_names(frame["company_name"]), "raw")
    core = names["core"].fill_null(frame["company_name"])
    cut = pl.DataFrame(
        {
            "unique_id": frame["unique_id"],
            "core": core,
            "first": core.str.slice(0, 1),
            "two": core.str.slice(0, 2),
            "end": core.str.tail(2),
            "three": core.str.slice(0, 3),
            "spoken": spell(core),
            "brand": names["brand"],
            "region": names["name_city"].fill_null(names["name_province"]),
        }
    )
    prefix = cll.CustomLevel("starts_with(core_l, core_r) or starts_with(core_r, core_l)", "prefix").configure(
        tf_adjustment_column="two"
    )
    levels = [
        cll.CustomLevel("core_l is null or core_r is null", "missing").configure(is_null_level=True),
        cll.ExactMatchLevel("core", term_frequency_adjustments=True),
        cll.ExactMatchLevel("spoken"),
        prefix,
        cll.ExactMatchLevel("three", term_frequency_adjustments=True),
        cll.JaroWinklerLevel("core", 0.85),
        cll.ExactMatchLevel("two", term_frequency_adjustments=True),
        cll.JaroWinklerLevel("core", 0.7),
        cll.ElseLevel(),
    ]
    return cut, Plan(
        comparisons=[
            cl.CustomComparison(levels, output_column_name="core"),
            cl.ExactMatch("end").configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("brand", [0.9]).configure(term_frequency_adjustments=True),
            cl.ExactMatch("region").configure(term_frequency_adjustments=True),
        ],
        blocking=[block_on("core"), block_on("two"), block_on("spoken"), block_on("brand"), block_on("first", "end")],
        training=[block_on("core"), block_on("two"), block_on("first", "end")],
        certain=[block_on("core")],
        recall=0.4,
    )


PLANS: dict[str, Callable[[pl.DataFrame], tuple[pl.DataFrame, Plan]]] = {
    "febrl1": _plan_febrl,
    "febrl3": _plan_febrl,
    "splink_fake_1000": _plan_fake,
    "chicago": _plan_chicago,
    "restaurants": _plan_restaurants,
    "cn_securities_short_full": _plan_securities,
}


def main(arguments: list[str]) -> None:
    """Read, link, write."""
    watch = Stopwatch()
    name, path, folder, *weights = arguments
    records = pl.read_parquet(path)
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    frame = records.drop("source", "source_key").with_row_index("unique_id").cast({"unique_id": pl.Int64})
    frame, plan = PLANS[name](frame)
    watch.lap("read and prepare")
    run(records, frame, plan, [float(text) for text in weights], out, watch)


if __name__ == "__main__":
    main(sys.argv[1:])
