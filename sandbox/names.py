"""Names and numbers of made-up companies and people: company names, GB 32100 credit codes, person names, mobiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandbox.clock import Ints
from sandbox.words import CITIES, GIVEN, LEGAL_FORMS, SHOPS, SURNAMES, TRADE, TRADES

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_MOBILE_PREFIXES = (130, 132, 133, 135, 136, 137, 138, 139, 150, 151, 158, 159, 177, 181, 186, 187, 188, 189, 199)


def pick(pool: Sequence[str], index: NDArray[Any]) -> pl.Series:
    """Texts of `pool` at `index`."""
    return pl.Series(pool, dtype=pl.String).gather(pl.Series(index).cast(pl.UInt32))


def draw_codes(rng: np.random.Generator, n: int, size: int) -> Ints:
    """`n` different integers below `size`, in random order."""
    drawn = np.unique(rng.integers(0, size, n + n // 4 + 16))
    while len(drawn) < n:
        drawn = np.unique(np.concatenate([drawn, rng.integers(0, size, n + 16)]))
    return rng.permutation(drawn)[:n]


def make_credit_codes(rng: np.random.Generator, prefixes: pl.Series, adcodes: pl.Series) -> pl.Series:
    """Valid 18-character credit codes: prefix (91, 92), district, organisation code with its mod-11 digit, mod-31 digit."""
    n = len(prefixes)
    values = np.zeros((n, 18), dtype=np.int64)
    head = np.array([list(text) for text in (prefixes + adcodes).to_list()] or np.zeros((0, 8)), dtype=np.int64)
    values[:, :8] = head.reshape(n, 8)
    serial = draw_codes(rng, n, 31**6 // 16)
    modern = rng.random(n) < 0.6
    numeric = draw_codes(rng, n, 70_000_000)[:, None] // 10 ** np.arange(7, -1, -1) % 10
    letters = np.concatenate(
        [np.broadcast_to([21, 10], (n, 2)), serial[:, None] // 31 ** np.arange(5, -1, -1) % 31], axis=1
    )  # organisation codes given since 2015 begin with MA
    values[:, 8:16] = np.where(modern[:, None], letters, numeric)
    in_36 = np.array(["0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(c) for c in USCC_ALPHABET])
    inner = (-(in_36[values[:, 8:16]] * [3, 7, 9, 10, 5, 8, 4, 2]).sum(axis=1)) % 11
    values[:, 16] = np.where(inner == 10, USCC_ALPHABET.index("X"), inner)
    weights = np.array([3**i % 31 for i in range(17)])
    values[:, 17] = (-(values[:, :17] * weights).sum(axis=1)) % 31
    characters = np.array(list(USCC_ALPHABET))[values]
    return pl.Series(np.ascontiguousarray(characters).view("<U18").ravel().tolist(), dtype=pl.String)


def draw_mobiles(rng: np.random.Generator, n: int) -> pl.Series:
    """`n` different mainland mobile numbers."""
    codes = draw_codes(rng, n, len(_MOBILE_PREFIXES) * 90_000_000)
    prefix = np.array(_MOBILE_PREFIXES)[codes // 90_000_000]
    return pl.Series(prefix * 10**8 + codes % 90_000_000 + 10_000_000).cast(pl.String)


def draw_people(rng: np.random.Generator, n: int) -> pl.DataFrame:
    """`n` people: surname, given, full_name, mailbox (pinyin local part), gender (1 male, 2 female)."""
    surnames = [(word[0], word[1:]) for word in SURNAMES.split()]
    given = [(word[0], word[1:]) for word in GIVEN.split()]
    weight = 1 / (np.arange(len(surnames)) + 6.0)
    last = rng.choice(len(surnames), n, p=weight / weight.sum())
    one, two = rng.integers(0, len(given), n), rng.integers(0, len(given), n)
    short = rng.random(n) < 0.3
    number = pl.Series(np.where(rng.random(n) < 0.4, "", rng.integers(1, 999, n).astype(str)).tolist(), dtype=pl.String)
    second = pl.select(pl.when(pl.lit(pl.Series(short))).then(pl.lit("")).otherwise(pl.lit(pick([g[0] for g in given], two))))
    second_sound = pl.select(
        pl.when(pl.lit(pl.Series(short))).then(pl.lit("")).otherwise(pl.lit(pick([g[1] for g in given], two)))
    )
    surname = pick([s[0] for s in surnames], last)
    first = pick([g[0] for g in given], one) + second.to_series()
    return pl.DataFrame(
        {
            "surname": surname,
            "given": first,
            "full_name": surname + first,
            "mailbox": pick([g[1] for g in given], one)
            + second_sound.to_series()
            + "."
            + pick([s[1] for s in surnames], last)
            + number,
            "gender": rng.integers(1, 3, n),
        }
    )


def draw_trade_names(rng: np.random.Generator, n: int) -> tuple[pl.DataFrame, Ints]:
    """`n` trade names (字号) of 2 or 3 characters: columns trade, trade_typo, trade_traditional, pinyin; and the indices."""
    indices = rng.integers(0, len(TRADE), (n, 3))
    indices[:, 1] = np.where(indices[:, 1] == indices[:, 0], (indices[:, 1] + 7) % len(TRADE), indices[:, 1])
    triple = rng.random(n) < min(0.9, 0.12 + n / 40_000)
    return spell_trade_names(indices, triple, rng.random(n) < 0.5), indices


def spell_trade_names(indices: Ints, triple: NDArray[np.bool_], typo_first: NDArray[np.bool_]) -> pl.DataFrame:
    """Trade names from character indices (n, 3); the third character only where `triple`."""
    form = [[word[k] for word in TRADE] for k in range(4)]
    first, second = indices[:, 0], indices[:, 1]
    third = np.where(triple, indices[:, 2], len(TRADE))
    pinyin = [*form[1], ""]
    own, traditional = [*form[0], ""], [*form[3], ""]
    wrong = pl.Series(typo_first)
    tail = pick(own, third)
    return pl.DataFrame(
        {
            "trade": pick(own, first) + pick(own, second) + tail,
            "trade_traditional": pick(traditional, first) + pick(traditional, second) + pick(traditional, third),
            "pinyin": pick(pinyin, first) + pick(pinyin, second) + pick(pinyin, third),
            "trade_typo": pl.select(
                pl.when(pl.lit(wrong))
                .then(pl.lit(pick(form[2], first) + pick(own, second) + tail))
                .otherwise(pl.lit(pick(own, first) + pick(form[2], second) + tail))
            ).to_series(),
        }
    )


def spell_companies(parts: pl.DataFrame) -> pl.DataFrame:
    """Add head, tail (bare_tail: without legal form), short_head, short_tail: a name is head + trade + tail.

    Needs trade, city_no, trade_no, form_no, is_group and style: 0 region first, 1 region in brackets, 2 region with 市,
    3 no region, 4 shop (个体工商户).
    """
    city = pl.lit(pick([c[0] for c in CITIES], parts["city_no"].to_numpy()))
    business = pl.lit(pick([t[0] for t in TRADES], parts["trade_no"].to_numpy()))
    brief = pl.lit(pick([t[1] for t in TRADES], parts["trade_no"].to_numpy()))
    form = pl.lit(pick(LEGAL_FORMS, parts["form_no"].to_numpy()))
    shop = pl.lit(pick(SHOPS, parts["trade_no"].to_numpy() % len(SHOPS)))
    style = pl.col("style")
    group = pl.when(pl.col("is_group")).then(pl.lit("集团")).otherwise(pl.lit(""))
    bare = pl.when(style == 4).then(shop).when(style == 1).then(business + "（" + city + "）").otherwise(business)
    return parts.with_columns(
        head=pl.when(style == 2).then(city + "市").when(style.is_in([0, 4])).then(city).otherwise(pl.lit("")),
        bare_tail=bare,
        tail=bare + pl.when(style == 4).then(pl.lit("")).otherwise(group + form),
        short_head=pl.when(style == 4).then(city).otherwise(pl.lit("")),
        short_tail=pl.when(style == 4).then(pl.lit("")).otherwise(brief),
    )
