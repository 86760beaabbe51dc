"""Customers and their people for the benchmark: the demo company's shape over a wider name space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import opencc
import polars as pl
from numpy.typing import NDArray

from bench.identity.words import CITIES, DISTRICTS, LEGAL_FORMS, SHOPS, SOUNDS, STREETS, TRADES
from sandbox.clock import Floats, Ints
from sandbox.names import draw_mobiles, draw_people, make_credit_codes, pick

_PUBLIC_MAIL = ("163.com", "qq.com", "126.com", "foxmail.com")
# share of trade names of two, three and four characters
_LENGTHS = (0.5, 0.35, 0.15)
_ROUNDS = 50


@dataclass(frozen=True)
class Market:
    """customers: one row per true customer; people: one row per person with its `customer_no`, sorted by it."""

    customers: pl.DataFrame
    people: pl.DataFrame


@cache
def list_characters() -> pl.DataFrame:
    """Characters of trade names: own, pinyin, typo (one that sounds alike, where there is one), traditional; commonest first."""
    rows = []
    for word in SOUNDS.split():
        alike = word.lstrip("abcdefghijklmnopqrstuvwxyz")
        sound = word[: len(word) - len(alike)]
        rows += [(place, own, sound, alike[(place + 1) % len(alike)]) for place, own in enumerate(alike)]
    frame = pl.DataFrame(rows, schema=["place", "own", "pinyin", "typo"], orient="row").sort("place", maintain_order=True)
    to_traditional = opencc.OpenCC("s2t").convert
    return frame.with_columns(traditional=pl.Series([to_traditional(own) for own in frame["own"]]))


def build_market(rng: np.random.Generator, n: int) -> Market:
    """`n` customers (at least 20), each with one to three people."""
    layout = _lay_out_groups(rng, max(20, n))
    customers = _describe(rng, _name(rng, layout))
    return Market(customers, _staff(rng, customers))


def _lay_out_groups(rng: np.random.Generator, n: int) -> pl.DataFrame:
    """Rows of name groups: kind parent, subsidiary, branch (corporate groups, 14 %) or organisation, shop, person."""
    roll = rng.random(n)
    corporate = roll < 0.14
    subsidiaries = np.where(corporate, rng.integers(1, 3, n), 0)
    size = 1 + subsidiaries + np.where(corporate, rng.integers(1, 3, n), 0)
    group = np.repeat(np.arange(n), size)[:n]
    first = np.r_[0, np.cumsum(size)][group]
    member = np.arange(n) - first
    single = np.select([roll > 0.98, roll > 0.95], ["person", "shop"], "organisation")[group]
    kind = np.select(
        [~corporate[group], member == 0, member <= subsidiaries[group]],
        [single, "parent", "subsidiary"],
        "branch",
    )
    return pl.DataFrame({"customer_no": np.arange(n), "head_no": first, "kind": kind})


def _name(rng: np.random.Generator, layout: pl.DataFrame) -> pl.DataFrame:
    """Every group gets a trade name, every member a place, a business and a registered name that no other has."""
    n, head, kind = layout.height, layout["head_no"].to_numpy(), layout["kind"].to_numpy()
    branch = kind == "branch"
    city, trade = _draw(rng, n, [c[4] for c in CITIES]), _draw(rng, n, [t[3] for t in TRADES])
    trade = np.where(branch | (rng.random(n) < 0.3), trade[head], trade)
    characters = _draw_trade_names(rng, n)
    # 0 region first, 1 region in brackets, 2 region with 市, 3 no region, 4 shop (个体工商户)
    style = np.select([kind == "shop", kind == "parent"], [4, 3], rng.choice(4, n, p=[0.6, 0.14, 0.16, 0.1]))
    style = np.where((kind == "subsidiary") & (style == 3), 0, style)
    form = rng.choice(3, n, p=[0.82, 0.08, 0.1])
    wrong = rng.integers(0, 2, n)
    for _ in range(_ROUNDS):
        named = _spell(layout, characters[head], wrong, city, trade, style, form)
        repeated = named["legal_name"].is_duplicated().to_numpy() & (kind != "person")
        if not repeated.any():
            former = spell_trade_names(_draw_trade_names(rng, n), wrong)["trade"]
            return named.with_columns(former_trade=former, city_no=city, trade_no=trade)
        again = np.unique(head[repeated])
        characters[again] = _draw_trade_names(rng, len(again))
        city[repeated] = _draw(rng, int(repeated.sum()), [c[4] for c in CITIES])
    raise RuntimeError("the word lists are too short for so many customers: add to bench.identity.words.SOUNDS")


def _draw(rng: np.random.Generator, n: int, weights: Sequence[float]) -> Ints:
    weight = np.array(weights)
    return rng.choice(len(weight), n, p=weight / weight.sum())


def _draw_trade_names(rng: np.random.Generator, n: int) -> Ints:
    """Character numbers (n, 4); beyond a name's length: the number of characters, which spells nothing."""
    known = list_characters().height
    drawn = _draw(rng, n * 4, list(1 / (np.arange(known) + 15.0))).reshape(n, 4)
    length = _draw(rng, n, _LENGTHS) + 2
    return np.where(np.arange(4) < length[:, None], drawn, known)


def spell_trade_names(characters: Ints, wrong: Ints) -> pl.DataFrame:
    """trade, trade_traditional, pinyin, and trade_typo: the character at place `wrong` exchanged for one that sounds alike."""
    table = {name: [*list_characters()[name].to_list(), ""] for name in ("own", "pinyin", "typo", "traditional")}
    spelled: dict[str, pl.Series] = {}
    for name, form in (("trade", "own"), ("trade_traditional", "traditional"), ("pinyin", "pinyin")):
        spelled[name] = _join([pick(table[form], characters[:, place]) for place in range(4)])
    both = [*table["own"], *table["typo"]]
    exchanged = characters + np.where(np.arange(4) == wrong[:, None], len(table["own"]), 0)
    spelled["trade_typo"] = _join([pick(both, exchanged[:, place]) for place in range(4)])
    return pl.DataFrame(spelled)


def _join(parts: list[pl.Series]) -> pl.Series:
    return pl.select(pl.concat_str([pl.lit(part) for part in parts])).to_series()


def _spell(layout: pl.DataFrame, characters: Ints, wrong: Ints, city: Ints, trade: Ints, style: Ints, form: Ints) -> pl.DataFrame:
    """A name is head + trade + tail; bare_tail lacks the legal form, short_tail is the business as people shorten it."""
    head, branch = layout["head_no"].to_numpy(), (layout["kind"] == "branch").to_numpy()
    seat, style, form = (
        np.where(branch, city[head], city),
        np.where(branch, style[head], style),
        np.where(branch, form[head], form),
    )
    names = [c[0] for c in CITIES]
    group = branch | (layout["kind"] == "parent").to_numpy()
    parts = pl.concat([layout, spell_trade_names(characters, wrong)], how="horizontal").with_columns(
        city=pl.lit(pick(names, city)),
        seat=pl.lit(pick(names, seat)),
        business=pl.lit(pick([t[0] for t in TRADES], trade)),
        brief=pl.lit(pick([t[1] for t in TRADES], trade)),
        shop=pl.lit(pick(SHOPS, trade % len(SHOPS))),
        form=pl.lit(pick(LEGAL_FORMS, form)),
        group=pl.lit(pick(("", "集团"), group.astype(np.int64))),
        style=pl.lit(pl.Series(style)),
    )
    office = pl.when(pl.lit(pl.Series(branch))).then(pl.col("city") + "分公司").otherwise(pl.lit(""))
    business = (
        pl.when(pl.col("style") == 1).then(pl.concat_str("business", pl.lit("（"), "seat", pl.lit("）"))).otherwise("business")
    )
    is_shop = pl.col("style") == 4
    return (
        parts.with_columns(
            head=pl.when(pl.col("style") == 2)
            .then(pl.col("seat") + "市")
            .when(pl.col("style").is_in([0, 4]))
            .then("seat")
            .otherwise(pl.lit("")),
            bare_tail=pl.when(is_shop).then("shop").otherwise(business + office),
            tail=pl.when(is_shop).then("shop").otherwise(pl.concat_str(business, "group", "form", office)),
            short_head=pl.when(is_shop).then("seat").otherwise(pl.lit("")),
            short_tail=pl.when(is_shop).then(pl.lit("")).otherwise(pl.col("brief") + office),
            shortest_tail=pl.when(is_shop).then(pl.lit("")).otherwise(office),
        )
        .with_columns(legal_name=pl.concat_str("head", "trade", "tail"))
        .drop("seat", "business", "brief", "shop", "form", "group")
    )


def _describe(rng: np.random.Generator, named: pl.DataFrame) -> pl.DataFrame:
    """Credit code, place, switchboard and mail domain (a group shares both, half of the members the line) and a former name."""
    n, head, kind = named.height, named["head_no"].to_numpy(), named["kind"].to_numpy()
    city = named["city_no"].to_numpy()
    in_group = np.isin(kind, ["parent", "subsidiary", "branch"])
    person = pl.lit(pl.Series(kind == "person"))
    district = rng.integers(0, len(DISTRICTS), n)
    codes = pick([c[3] for c in CITIES], city) + pick([f"{k + 2:02d}" for k in range(len(DISTRICTS))], district)
    tax = make_credit_codes(rng, pick(("91", "92"), (kind == "shop").astype(np.int64)), codes)
    own = np.where(rng.random(n) < 0.5, np.arange(n), head)
    line = pick([c[2] for c in CITIES], city) + "-" + pl.Series(rng.integers(20_000_000, 89_999_999, n)).cast(pl.String)
    has_domain = (rng.random(n)[head] < 0.7) & ~np.isin(kind, ["shop", "person"])
    end = pick((".com", ".com.cn", ".cn"), _draw(rng, n, (0.6, 0.3, 0.1))[head])
    domain = named["pinyin"] + pick([t[2] for t in TRADES], named["trade_no"].to_numpy()[head]) + end
    renamed = pl.lit(pl.Series(rng.random(n) < 0.025)) & (pl.col("kind") == "organisation")
    no = pl.Series(rng.integers(1, 999, n)).cast(pl.String)
    where = pick(DISTRICTS, district) + pick(STREETS, rng.integers(0, len(STREETS), n)) + no + "号"
    people = draw_people(rng, n)["full_name"]
    return named.with_columns(
        customer_id="C" + pl.col("customer_no").cast(pl.String).str.zfill(7),
        legal_name=pl.when(person).then(pl.lit(people)).otherwise("legal_name"),
        former_name=pl.when(renamed).then(pl.concat_str("head", "former_trade", "tail")),
        tax_no=pl.when(person).then(None).otherwise(pl.lit(tax)),
        province=pl.lit(pick([c[1] for c in CITIES], city)),
        phone=pl.lit(line).gather(pl.lit(pl.Series(np.where(in_group, own, np.arange(n))))),
        domain=pl.when(pl.lit(pl.Series(has_domain))).then(pl.lit(domain)),
        address=pl.col("city") + "市" + pl.lit(where),
        parent_tax_no=pl.lit(tax).gather("head_no"),
    )


def _staff(rng: np.random.Generator, customers: pl.DataFrame) -> pl.DataFrame:
    """One to three people a firm; some have a second mobile, some firms answer by a bookkeeping agent's mobile.

    Two of a hundred came from another firm: a record of the new firm then shows the same person and mobile as one of the old.
    """
    n_firms, kind = customers.height, customers["kind"].to_numpy()
    per_firm = np.where(np.isin(kind, ["shop", "person"]), 1, rng.integers(1, 4, n_firms))
    owner = np.repeat(np.arange(n_firms), per_firm)
    n = len(owner)
    first = np.arange(n) == np.repeat(np.cumsum(per_firm) - per_firm, per_firm)
    came_from = np.where(_chance(rng, n, 0.02), rng.integers(0, n, n), np.arange(n))
    drawn = draw_people(rng, n).with_columns(
        mobile=pl.lit(draw_mobiles(rng, n)),
        second_mobile=pl.when(pl.lit(pl.Series(_chance(rng, n, 0.08)))).then(pl.lit(draw_mobiles(rng, n))),
    )[came_from]
    agents = draw_mobiles(rng, max(1, n_firms // 50))
    agent = agents.gather(pl.Series(rng.integers(0, len(agents), n)))
    own = customers.select("domain", "legal_name", "kind")[owner]
    is_self = pl.lit(own["kind"] == "person")
    public = pick(_PUBLIC_MAIL, rng.integers(0, len(_PUBLIC_MAIL), n))
    return drawn.with_columns(
        customer_no=pl.lit(pl.Series(owner)),
        full_name=pl.when(is_self).then(pl.lit(own["legal_name"])).otherwise("full_name"),
        surname=pl.when(is_self).then(pl.lit(own["legal_name"]).str.slice(0, 1)).otherwise("surname"),
        agent_mobile=pl.when(pl.lit(pl.Series(_chance(rng, n_firms, 0.05)[owner] & first))).then(pl.lit(agent)),
        email=pl.col("mailbox") + "@" + pl.coalesce(pl.lit(own["domain"]), pl.lit(public)),
    )


def _chance(rng: np.random.Generator, n: int, share: Floats | float) -> NDArray[np.bool_]:
    return rng.random(n) < share
