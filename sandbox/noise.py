"""How vendor records get the truth wrong: habits of writing company names, tax numbers, mobiles.

Every function takes and returns whole columns; probabilities per source follow the noise table of the identity work.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sandbox.words import TO_TRADITIONAL

PLACEHOLDER_MOBILES = ("13800000000", "13800138000", "11111111111", "无", "暂无")
PLACEHOLDER_TAX = ("000000000000000000", "无", "111111111111111111", "-")
GARBAGE_NAMES = ("测试", "无", "公司", "test", "个人", "XX公司", "。。。", "暂无", "测试公司", "123")
_NOTES = ("(老客户)", "（重点）", "-新", "（勿删）", " (已合作)", "【展会】")


@dataclass(frozen=True)
class NameHabit:
    """Shares of the ways in which one source writes a company name; what is left is the registered name."""

    no_suffix: float = 0.0
    short: float = 0.0
    typo: float = 0.0
    pinyin: float = 0.0
    noted: float = 0.02
    traditional: float = 0.01
    former: float = 0.3  # of renamed firms, how many records still carry the former name


CRM_HABIT = NameHabit(no_suffix=0.18, short=0.13, typo=0.05, noted=0.04)
ERP_HABIT = NameHabit(no_suffix=0.04, typo=0.02, noted=0.01, former=0.5)
WECOM_HABIT = NameHabit(no_suffix=0.22, short=0.5, typo=0.04)
FORM_HABIT = NameHabit(no_suffix=0.2, short=0.22, typo=0.1, pinyin=0.04, noted=0.0, traditional=0.02)


def write_names(rng: np.random.Generator, firms: pl.DataFrame, habit: NameHabit) -> pl.Series:
    """One written company name per row of `firms` (columns of the customer table); noise is drawn per row."""
    n = firms.height
    roll = rng.random(n)
    person = firms["kind"] == "person"
    former = firms["former_name"].is_not_null() & pl.Series(rng.random(n) < habit.former)
    edges = np.cumsum([habit.pinyin, habit.typo, habit.short, habit.no_suffix])
    whole = former | person
    pinyin = pl.lit(pl.Series(roll < edges[0]) & ~whole)
    typo = pl.lit(pl.Series((roll >= edges[0]) & (roll < edges[1])) & ~whole)
    short = pl.lit(pl.Series((roll >= edges[1]) & (roll < edges[2])) & ~whole)
    bare = pl.lit(pl.Series((roll >= edges[2]) & (roll < edges[3])) & ~whole)
    traditional = pl.lit(pl.Series(rng.random(n) < habit.traditional) & ~whole)
    empty = pl.lit("")
    unnamed = pinyin | pl.lit(whole)
    parts = firms.select(
        head=pl.when(unnamed).then(empty).when(short).then("short_head").otherwise("head"),
        middle=pl.when(pl.lit(person))
        .then("legal_name")
        .when(pl.lit(former))
        .then("former_name")
        .when(pinyin)
        .then("pinyin")
        .when(typo)
        .then("trade_typo")
        .when(traditional)
        .then("trade_traditional")
        .otherwise("trade"),
        tail=pl.when(unnamed).then(empty).when(short).then("short_tail").when(bare).then("bare_tail").otherwise("tail"),
    )
    return _decorate(rng, parts, traditional, pl.lit(pl.Series(rng.random(n) < habit.noted) & ~person))


def _decorate(rng: np.random.Generator, parts: pl.DataFrame, traditional: pl.Expr, noted: pl.Expr) -> pl.Series:
    """Join the parts of the names with the clerk's width, brackets, blanks, characters and remarks."""
    n = parts.height
    width = rng.random(n)
    note = pl.lit(draw_words(rng, _NOTES, n))
    gap = pl.lit(pl.Series(np.where(width > 0.98, " ", "").tolist(), dtype=pl.String))
    edge = pl.lit(pl.Series(np.where((width > 0.97) & (width < 0.98), "\u3000", "").tolist(), dtype=pl.String))
    written = [
        pl.when(traditional).then(pl.col(name).str.replace_many(TO_TRADITIONAL)).otherwise(name).alias(name)
        for name in ("head", "tail")
    ]
    joined = parts.with_columns(written).select(
        name=pl.col("head") + pl.col("middle") + gap + pl.col("tail") + edge + pl.when(noted).then(note).otherwise(pl.lit(""))
    )
    narrow = pl.lit(pl.Series(width < 0.45))
    return joined.select(
        pl.when(narrow).then(pl.col("name").str.replace_many(["（", "）"], ["(", ")"])).otherwise("name")
    ).to_series()


def draw_words(rng: np.random.Generator, words: tuple[str, ...], n: int) -> pl.Series:
    """`n` words of a list."""
    return pl.Series(words, dtype=pl.String).gather(pl.Series(rng.integers(0, len(words), n)).cast(pl.UInt32))


def write_tax_numbers(
    rng: np.random.Generator, firms: pl.DataFrame, present: float, *, wrong: float = 0.03, of_parent: float = 0.25
) -> pl.Series:
    """Tax numbers as typed in: mostly right, some absent, mistyped, old 15-digit, placeholders, a branch's parent's."""
    n = firms.height
    roll = rng.random(n)
    junk = draw_words(rng, PLACEHOLDER_TAX, n)
    digit = pl.Series(rng.integers(0, 10, n)).cast(pl.String)
    tax = pl.col("tax_no")
    billed = (pl.col("kind") == "branch") & pl.lit(pl.Series(rng.random(n) < of_parent))
    share = pl.lit(pl.Series(roll))
    return firms.select(
        pl.when(tax.is_null() | pl.lit(pl.Series(rng.random(n) > present)))
        .then(None)
        .when(share < wrong)
        .then(tax.str.slice(0, 10) + pl.lit(digit) + tax.str.slice(11))
        .when(share < wrong * 1.6)
        .then(tax.str.slice(2, 15))
        .when(share < wrong * 2)
        .then(pl.lit(junk))
        .when(share < wrong * 2.6)
        .then(tax.str.to_lowercase())
        .when(billed)
        .then(pl.col("parent_tax_no"))
        .otherwise(tax)
    ).to_series()


def write_mobiles(rng: np.random.Generator, mobiles: pl.Series, present: float) -> pl.Series:
    """Mobiles as typed in: plain, with +86, blanks or full-width digits, a few placeholders, some absent."""
    n = len(mobiles)
    roll = pl.lit(pl.Series(rng.random(n)))
    junk = draw_words(rng, PLACEHOLDER_MOBILES, n)
    m = pl.lit(mobiles)
    return pl.select(
        pl.when(pl.lit(pl.Series(rng.random(n) > present)))
        .then(None)
        .when(roll < 0.012)
        .then(pl.lit(junk))
        .when(roll < 0.06)
        .then(pl.lit("+86 ") + m)
        .when(roll < 0.11)
        .then(m.str.slice(0, 3) + pl.lit("-") + m.str.slice(3, 4) + pl.lit("-") + m.str.slice(7))
        .when(roll < 0.118)
        .then(m.str.replace_many(list("0123456789"), list("０１２３４５６７８９")))
        .when(roll < 0.14)
        .then(m.str.slice(0, 3) + pl.lit(" ") + m.str.slice(3, 4) + pl.lit(" ") + m.str.slice(7))
        .otherwise(m)
    ).to_series()


def blank(rng: np.random.Generator, values: pl.Series, present: float) -> pl.Series:
    """Leave a value out where the clerk did."""
    return values.set(pl.Series(rng.random(len(values)) > present), None)
