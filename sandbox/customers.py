"""The true customers and the people who work there: what every vendor record is a noisy picture of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandbox.clock import Ints
from sandbox.names import (
    draw_codes,
    draw_mobiles,
    draw_people,
    draw_trade_names,
    make_credit_codes,
    pick,
    spell_companies,
    spell_trade_names,
)
from sandbox.words import CITIES, JOBS, TRADE, TRADES

_PUBLIC_MAIL = ("163.com", "qq.com", "126.com", "foxmail.com")
_BANDS = ("50万以下", "50-200万", "200-500万", "500万以上")


@dataclass(frozen=True)
class Market:
    """customers: one row per true customer; people: one row per true person (row number = person number)."""

    customers: pl.DataFrame
    people: pl.DataFrame


def build_market(rng: np.random.Generator, scale: float) -> Market:
    """About 2,000 customers per unit of `scale`, each with one to three people."""
    n = max(20, round(2000 * scale))
    customers = _describe(rng, _name(rng, _lay_out_groups(rng, n)))
    return Market(customers, _staff_customers(rng, customers))


def _lay_out_groups(rng: np.random.Generator, n: int) -> pl.DataFrame:
    """Rows of name groups: `role` parent, subsidiary, branch (corporate groups) or single, shop, person."""
    roll = rng.random(n)
    corporate = roll < 0.1
    corporate[1] = True  # even the smallest company has a group
    subsidiaries = np.where(corporate, rng.integers(1, 3, n), 0)
    branches = np.where(corporate, rng.integers(1, 3, n), 0)
    size = 1 + subsidiaries + branches
    group = np.repeat(np.arange(n), size)[:n]
    first = np.r_[0, np.cumsum(size)][group]
    member = np.arange(n) - first
    kind = np.select([roll > 0.98, roll > 0.95], ["person", "shop"], "organisation")[group]
    role = np.select(
        [~corporate[group], member == 0, member <= subsidiaries[group]],
        [kind, "parent", "subsidiary"],
        "branch",
    )
    return pl.DataFrame({"customer_no": np.arange(n), "group_no": group, "head_no": first, "kind": role})


def _name(rng: np.random.Generator, layout: pl.DataFrame) -> pl.DataFrame:
    """Give every group a trade name, every member a place, a business and a unique registered name."""
    n = layout.height
    head = layout["head_no"].to_numpy()
    kind = layout["kind"].to_numpy()
    city = _draw_cities(rng, n)
    trade_no = rng.integers(0, len(TRADES), n)
    trade_no = np.where((kind == "branch") | (rng.random(n) < 0.3), trade_no[head], trade_no)
    _, indices = draw_trade_names(rng, n)
    triple = rng.random(n) < min(0.9, 0.12 + n / 40_000)
    typo_first = rng.random(n) < 0.5
    style = np.select([kind == "shop", kind == "parent"], [4, 3], rng.choice(4, n, p=[0.62, 0.14, 0.16, 0.08]))
    style[(kind == "subsidiary") & (style == 3)] = 0
    form = rng.choice(3, n, p=[0.8, 0.08, 0.12])
    for _ in range(50):
        spelled = _spell(layout, indices[head], triple[head], typo_first, city, trade_no, style, form)
        repeated = spelled["legal_name"].is_duplicated().to_numpy()
        if not repeated.any():
            return spelled.with_columns(former_name=_former_names(rng, spelled, indices[head], triple[head]))
        again = np.unique(head[repeated])
        indices[again] = rng.integers(0, len(TRADE), (len(again), 3))
        triple[again] = True
        city[repeated] = _draw_cities(rng, int(repeated.sum()))
    raise RuntimeError("the word lists are too short for so many customers; add characters to sandbox.words.TRADE")


def _draw_cities(rng: np.random.Generator, n: int) -> Ints:
    weight = np.array([4, 4, 2, 2, 2, 3, 2, 1, 1.5, 3, 4, 3, 2.5, 1, 1.5, 1, 3, 2, 2.5, 1.5, 1.2, 1, 1, 1])
    return rng.choice(len(CITIES), n, p=weight / weight.sum())


def _spell(
    layout: pl.DataFrame,
    indices: Ints,
    triple: NDArray[np.bool_],
    typo_first: NDArray[np.bool_],
    city: Ints,
    trade_no: Ints,
    style: Ints,
    form: Ints,
) -> pl.DataFrame:
    head = layout["head_no"].to_numpy()
    kind = layout["kind"].to_numpy()
    branch = kind == "branch"
    parts = pl.concat([layout, spell_trade_names(indices, triple, typo_first)], how="horizontal").with_columns(
        city_no=np.where(branch, city[head], city),
        trade_no=trade_no,
        style=np.where(branch, style[head], style),
        form_no=np.where(branch, form[head], form),
        is_group=(kind == "parent") | branch,
    )
    own_city = pick([c[0] for c in CITIES], city)
    suffix = pl.when(pl.lit(pl.Series(branch))).then(pl.lit(own_city) + "分公司").otherwise(pl.lit(""))
    return (
        spell_companies(parts)
        .with_columns(pl.col("tail", "bare_tail", "short_tail") + suffix, city_no=pl.lit(pl.Series(city)))
        .with_columns(legal_name=pl.col("head") + pl.col("trade") + pl.col("tail"))
    )


def _former_names(rng: np.random.Generator, spelled: pl.DataFrame, indices: Ints, triple: NDArray[np.bool_]) -> pl.Series:
    """About 2.5 % of single firms had another name before."""
    n = spelled.height
    renamed = pl.lit(pl.Series(rng.random(n) < 0.025)) & (pl.col("kind") == "organisation")
    other = spell_trade_names((indices + np.array([5, 11, 0])) % len(TRADE), triple, rng.random(n) < 0.5)
    return spelled.select(
        pl.when(renamed).then(pl.col("head") + pl.lit(other["trade"]) + pl.col("tail")).otherwise(None)
    ).to_series()


def _describe(rng: np.random.Generator, named: pl.DataFrame) -> pl.DataFrame:
    """Numbers, place, mail domain, switchboard, size and segment of every customer."""
    n = named.height
    head = named["head_no"].to_numpy()
    kind = named["kind"].to_numpy()
    city = named["city_no"].to_numpy()
    in_group = np.isin(kind, ["parent", "subsidiary", "branch"])
    person = pl.lit(pl.Series(kind == "person"))
    districts = [c[6].split() for c in CITIES]
    which = rng.integers(0, 3, n)
    district = [districts[c][w % len(districts[c])] for c, w in zip(city, which, strict=True)]
    prefix = pl.Series(np.where(kind == "shop", "92", "91").tolist(), dtype=pl.String)
    tax = make_credit_codes(rng, prefix, pl.Series([d[:6] for d in district], dtype=pl.String))
    line = pl.Series(rng.integers(20_000_000, 89_999_999, n))
    area = pick([c[3] for c in CITIES], city)
    short_line = pl.Series(np.char.str_len(area.to_numpy().astype(str)) > 3)
    number = pl.select(pl.when(pl.lit(short_line) & (pl.lit(line) % 3 > 0)).then(pl.lit(line // 10)).otherwise(pl.lit(line)))
    switchboard = area + "-" + number.to_series().cast(pl.String)
    shared = in_group & (rng.random(n)[head] < 0.5)
    switchboard = switchboard.gather(pl.Series(np.where(shared, head, np.arange(n))).cast(pl.UInt32))
    size = rng.normal(0, 1, n) + 0.8 * (kind == "parent") - 1.2 * np.isin(kind, ["shop", "person"])
    tier = np.digitize(size, [-0.25, 1.05])
    has_domain = (rng.random(n)[head] < 0.75) & ~np.isin(kind, ["shop", "person"])
    tag = pick([t[3] for t in TRADES], named["trade_no"].to_numpy()[head])
    end = pl.Series(np.where(rng.random(n)[head] < 0.7, ".com", ".com.cn").tolist(), dtype=pl.String)
    names = draw_people(rng, n)["full_name"]
    return named.with_columns(
        customer_id="C" + pl.col("customer_no").cast(pl.String).str.zfill(7),
        legal_name=pl.when(person).then(pl.lit(names)).otherwise("legal_name"),
        tax_no=pl.when(person).then(None).otherwise(pl.lit(tax)),
        city=pl.lit(pick([c[0] for c in CITIES], city)),
        province=pl.lit(pick([c[1] for c in CITIES], city)),
        region=pl.lit(pick([c[2] for c in CITIES], city)),
        district=pl.lit(pl.Series([d[6:] for d in district], dtype=pl.String)),
        street_no=pl.lit(pl.Series(rng.integers(1, 999, n))),
        street=pl.lit(pick(("工业大道", "科技路", "创业路", "兴业路", "振兴路", "人民路", "高新三路"), rng.integers(0, 7, n))),
        industry=pl.lit(pick([t[2] for t in TRADES], named["trade_no"].to_numpy())),
        phone=pl.lit(switchboard),
        domain=pl.when(pl.lit(pl.Series(has_domain))).then(pl.col("pinyin") + pl.lit(tag) + pl.lit(end)).otherwise(None),
        size=pl.lit(pl.Series(size)),
        tier=pl.lit(pick(("C", "B", "A"), tier)),
        band=pl.lit(pick(_BANDS, np.digitize(size, [-0.5, 0.4, 1.3]))),
        lateness=pl.lit(pl.Series(rng.normal(4, 9, n))),
        payment_days=pl.lit(pl.Series(rng.choice([30, 45, 60, 90], n, p=[0.35, 0.2, 0.3, 0.15]))),
        parent_no=pl.when(pl.col("kind").is_in(["subsidiary", "branch"])).then("head_no").otherwise(None),
    ).with_columns(
        address=pl.col("province")
        + pl.when(pl.col("province").str.starts_with(pl.col("city"))).then(pl.lit("")).otherwise(pl.col("city") + "市")
        + pl.col("district")
        + pl.col("street")
        + pl.col("street_no").cast(pl.String)
        + "号",
        parent_customer_id=pl.when(pl.col("parent_no").is_not_null())
        .then(pl.col("customer_id").gather(pl.col("head_no")))
        .otherwise(None),
        parent_tax_no=pl.col("tax_no").gather(pl.col("head_no")),
    )


def _staff_customers(rng: np.random.Generator, customers: pl.DataFrame) -> pl.DataFrame:
    """People: customer_no, name, mobile, second mobile, e-mail, job; agent_mobile where a bookkeeping agent answers."""
    kind = customers["kind"].to_numpy()
    per_customer = np.where(np.isin(kind, ["shop", "person"]), 1, rng.integers(1, 4, len(kind)))
    owner = np.repeat(np.arange(len(kind)), per_customer)
    n = len(owner)
    rank = np.arange(n) - np.repeat(np.cumsum(per_customer) - per_customer, per_customer)
    people = draw_people(rng, n)
    job = np.where(np.isin(kind[owner], ["shop", "person"]), 0, (rank * 3 + rng.integers(0, 5, n)) % len(JOBS))
    agents = draw_mobiles(rng, max(1, len(kind) // 50))
    agent_of = pick(agents.to_list(), rng.integers(0, len(agents), n))
    second = draw_mobiles(rng, n)
    own = customers.select("domain", "legal_name", "kind")[owner]
    is_self = pl.lit(own["kind"] == "person")
    public = pick(_PUBLIC_MAIL, rng.integers(0, len(_PUBLIC_MAIL), n))
    moved_to = np.where(rng.random(n) < 0.02, rng.integers(0, len(kind), n), -1)
    return people.with_columns(
        person_id=pl.lit(pl.Series("P" + pl.Series(np.arange(n)).cast(pl.String).str.zfill(7))),
        person_no=pl.lit(pl.Series(np.arange(n))),
        customer_no=pl.lit(pl.Series(owner)),
        rank=pl.lit(pl.Series(rank)),
        full_name=pl.when(is_self).then(pl.lit(own["legal_name"])).otherwise("full_name"),
        surname=pl.when(is_self).then(pl.lit(own["legal_name"]).str.slice(0, 1)).otherwise("surname"),
        given=pl.when(is_self).then(pl.lit(own["legal_name"]).str.slice(1)).otherwise("given"),
        mobile=pl.lit(draw_mobiles(rng, n)),
        second_mobile=pl.when(pl.lit(pl.Series(rng.random(n) < 0.08))).then(pl.lit(second)).otherwise(None),
        agent_mobile=pl.when(pl.lit(pl.Series((rng.random(len(kind)) < 0.05)[owner] & (rank == 0))))
        .then(pl.lit(agent_of))
        .otherwise(None),
        email=pl.col("mailbox") + "@" + pl.coalesce(pl.lit(own["domain"]), pl.lit(public)),
        job=pl.lit(pick([j[0] for j in JOBS], job)),
        role=pl.lit(pick([j[1] for j in JOBS], job)),
        moved_to=pl.lit(pl.Series(np.where(moved_to == owner, -1, moved_to))),
        code=pl.lit(pl.Series(draw_codes(rng, n, 36**6))),
    )
