"""Evidence of two company names, scored once per distinct pair of names."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl
from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.process import cpdist

Ints = npt.NDArray[np.int64]

_FIELDS = [
    "name_text",
    "name_key",
    "is_han",
    "has_legal",
    "group_word",
    "branch",
    "name_province",
    "name_city",
    "core",
    "brand",
    "name_industry",
]
#: endings of an industry that tell nothing apart
_EMPTY_INDUSTRY = r"(?:科技|技术|实业|发展|国际|企业|产业|工程|制造|设备|服务|管理)+$"


def build_name_table(prepared: pl.DataFrame) -> tuple[Ints, pl.DataFrame]:
    """Per record the row of its name in the returned table (-1: no name), and the table of distinct names, sorted."""
    table = (
        prepared.select(_FIELDS)
        .filter(pl.col("core").is_not_null())
        .unique("name_text")
        .sort("name_text")
        .with_row_index("name_id")
    )
    ids = prepared.select("name_text", "core").join(
        table.select("name_text", "name_id"), on="name_text", how="left", maintain_order="left"
    )
    usable = pl.when(pl.col("core").is_not_null()).then(pl.col("name_id").cast(pl.Int64))
    return ids.select(usable.fill_null(-1)).to_series().to_numpy(), table


def score_names(table: pl.DataFrame, left: Ints, right: Ints, weights: Mapping[str, float]) -> pl.DataFrame:
    """`level` (which rule spoke), `name` and `branch`, `region` bits for each pair of rows of a name table, left <= right."""
    a = table.select(pl.all().name.suffix("_a"))[left]
    b = table.select(pl.all().name.suffix("_b"))[right]
    pairs = pl.concat([a, b], how="horizontal")
    pairs = pairs.with_columns(_measure(pairs))
    scores = pairs.select(
        level=_level(),
        same_brand=pl.col("brand_a") == pl.col("brand_b"),
        region=_region(weights),
        branch=_branch(weights),
        both_legal=pl.col("has_legal_a") & pl.col("has_legal_b"),
        other_group=pl.col("group_word_a") != pl.col("group_word_b"),
    )
    bits = {level: _bits(level, weights) for level in _LEVELS}
    unequal = pl.col("both_legal") & pl.col("level").str.contains("^(?:same_brand|related|contained|prefix)")
    other_group = pl.col("both_legal") & pl.col("other_group")
    return scores.with_columns(
        name=pl.col("level").replace_strict(bits, return_dtype=pl.Float64)
        + pl.when(unequal).then(weights["name.unequal_registered"]).otherwise(0.0)
        + pl.when(other_group).then(weights["name.group_conflict"]).otherwise(0.0)
    )


def _measure(pairs: pl.DataFrame) -> list[pl.Series]:
    """Edit distance and similarity of the cores, for the pairs whose cores differ."""
    n = pairs.height
    typo = np.full(n, 99, dtype=np.int64)
    similar = np.zeros(n)
    rows = np.flatnonzero((pairs["core_a"] != pairs["core_b"]).to_numpy())
    if len(rows):
        first, second = pairs["core_a"].gather(rows).to_list(), pairs["core_b"].gather(rows).to_list()
        typo[rows] = cpdist(first, second, scorer=OSA.distance, score_cutoff=2, dtype=np.int32)
        similar[rows] = cpdist(first, second, scorer=JaroWinkler.similarity, score_cutoff=0.5, dtype=np.float32)
    return [pl.Series("typo", typo), pl.Series("similar", similar)]


_LEVELS = [
    "same_registered",
    "same_key",
    "same_core_long",
    "same_core",
    "same_brand_4",
    "same_brand_3",
    "same_brand_2",
    "related_4",
    "related_3",
    "related_2",
    "other_4",
    "other_3",
    "other_2",
    "typo_long",
    "typo",
    "contained",
    "prefix",
    "similar",
    "weak",
    "different",
    "unlike_script",
]


def _bits(level: str, weights: Mapping[str, float]) -> float:
    # pinyin or English beside Chinese: nothing can be said
    return 0.0 if level == "unlike_script" else weights[f"name.{level}"]


def _level() -> pl.Expr:
    both = {
        name: (pl.col(f"{name}_a"), pl.col(f"{name}_b"))
        for name in ("core", "brand", "name_industry", "name_key", "has_legal", "is_han")
    }

    def same(name: str) -> pl.Expr:
        return both[name][0] == both[name][1]

    core_a, core_b = both["core"]
    brand_a, brand_b = both["brand"]
    industry_a, industry_b = both["name_industry"]
    core_length = pl.min_horizontal(core_a.str.len_chars(), core_b.str.len_chars())
    brand_length = pl.min_horizontal(brand_a.str.len_chars(), brand_b.str.len_chars())
    han = both["is_han"][0] & both["is_han"][1]
    # 实业 in 实业投资, 食品 and 食品机械; but 电子科技 and 新能源科技 share only a word that says nothing
    said_a, said_b = (industry.str.replace(_EMPTY_INDUSTRY, "") for industry in (industry_a, industry_b))
    related = (
        industry_a.str.contains(industry_b, literal=True)
        | industry_b.str.contains(industry_a, literal=True)
        | (said_a != "")
        & (said_b != "")
        & ((said_a.str.slice(0, 2) == said_b.str.slice(0, 2)) | (said_a.str.slice(-2) == said_b.str.slice(-2)))
    ).fill_null(value=True)
    neutral = (industry_a.is_null() | industry_b.is_null()).fill_null(value=True)
    size = pl.when(brand_length >= 4).then(pl.lit("4")).when(brand_length == 3).then(pl.lit("3")).otherwise(pl.lit("2"))
    relation = pl.when(neutral).then(pl.lit("same_brand_")).when(related).then(pl.lit("related_")).otherwise(pl.lit("other_"))
    contained = core_a.str.contains(core_b, literal=True) | core_b.str.contains(core_a, literal=True)
    prefix = brand_a.str.starts_with(brand_b) | brand_b.str.starts_with(brand_a)
    # one character of a two-character trade name is half of it: 昌建 and 昌健 are two companies
    long_enough = pl.when(han).then((brand_length >= 3) & (core_length >= 5)).otherwise(core_length >= 8)
    return (
        pl.when(both["is_han"][0] != both["is_han"][1])
        .then(pl.lit("unlike_script"))
        .when(
            same("name_key")
            & both["has_legal"][0]
            & both["has_legal"][1]
            & ((core_length >= 3) | pl.col("name_province_a").is_not_null())
        )
        .then(pl.lit("same_registered"))
        .when(same("name_key") & (core_length >= 4))
        .then(pl.lit("same_key"))
        .when(same("core") & (core_length >= pl.when(han).then(5).otherwise(8)))
        .then(pl.lit("same_core_long"))
        .when(same("core") & (core_length >= 3))
        .then(pl.lit("same_core"))
        .when(same("brand"))
        .then(relation + size)
        .when((pl.col("typo") == 1) & long_enough)
        .then(pl.lit("typo_long"))
        .when((pl.col("typo") == 1) & (core_length >= 4) | (pl.col("typo") == 2) & (core_length >= 8))
        .then(pl.lit("typo"))
        .when(contained & (core_length >= 3))
        .then(pl.lit("contained"))
        .when(prefix & (brand_length >= 2))
        .then(pl.lit("prefix"))
        .when(pl.col("similar") >= 0.85)
        .then(pl.lit("similar"))
        .when(pl.col("similar") >= 0.65)
        .then(pl.lit("weak"))
        .otherwise(pl.lit("different"))
    )


def _region(weights: Mapping[str, float]) -> pl.Expr:
    city = pl.col("name_city_a") != pl.col("name_city_b")
    province = pl.col("name_province_a") != pl.col("name_province_b")
    return (
        pl.when(city.fill_null(value=False) | province.fill_null(value=False))
        .then(weights["name.region_conflict"])
        .otherwise(0.0)
    )


def _branch(weights: Mapping[str, float]) -> pl.Expr:
    a, b = pl.col("branch_a"), pl.col("branch_b")
    return (
        pl.when(a.is_null() & b.is_null())
        .then(0.0)
        .when(a.eq_missing(b))
        .then(weights["name.same_branch"])
        .otherwise(weights["name.branch_conflict"])
    )
