"""Chinese B2B party records of any number with their truth, written with the habits of the demo company's clerks.

A record is a CRM account, an ERP customer, a messaging contact or a form; which fields it holds follows each source's habits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from bench.identity.market import Market, build_market
from sandbox.clock import Ints
from sandbox.names import pick
from sandbox.noise import (
    CRM_HABIT,
    ERP_HABIT,
    FORM_HABIT,
    GARBAGE_NAMES,
    WECOM_HABIT,
    NameHabit,
    blank,
    draw_words,
    write_mobiles,
    write_names,
    write_tax_numbers,
)

#: records per true customer
RECORDS_PER_CUSTOMER = 3.6
_FIRST_DAY = 1_672_531_200  # 2023-01-01, epoch seconds
_DAYS = 1_200


@dataclass(frozen=True)
class Source:
    """A source's share of the records, its way with names, and how often it knows a field."""

    name: str
    share: float
    habit: NameHabit
    tax_no: float
    company_name: float
    contact_name: float
    mobile: float
    phone: float
    email: float
    place: float
    surname_only: float = 0.02  # 王总 instead of the name
    remark: float = 0.0  # 公司-姓名 in the name
    swapped: float = 0.0  # company and contact typed into each other's field


SOURCES = (
    Source("crm", 0.33, CRM_HABIT, 0.45, 1.0, 0.89, 0.79, 0.53, 0.38, 0.80),
    Source("erp", 0.18, ERP_HABIT, 0.95, 1.0, 0.60, 0.40, 0.72, 0.32, 0.83),
    Source("wecom", 0.31, WECOM_HABIT, 0.02, 0.79, 0.98, 0.64, 0.05, 0.06, 0.14, surname_only=0.3, remark=0.15),
    Source("form", 0.18, FORM_HABIT, 0.04, 0.99, 0.95, 0.92, 0.25, 0.56, 0.49, swapped=0.02),
)


def build_records(n: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`n` records (all text, columns of `goldthread resolve`) and the truth: source, source_key, customer_id."""
    rng = np.random.default_rng(seed)
    market = build_market(rng, round(n / RECORDS_PER_CUSTOMER))
    owner = rng.integers(0, market.customers.height, n)
    person = _draw_persons(rng, market, owner)
    number = rng.choice(len(SOURCES), n, p=[source.share for source in SOURCES])
    parts = [
        _write(rng, market.customers[owner[number == place]], market.people[person[number == place]], source)
        for place, source in enumerate(SOURCES)
    ]
    records = pl.concat(parts)
    records = records[rng.permutation(n)]
    return records.drop("customer_id"), records.select("source", "source_key", "customer_id")


def _draw_persons(rng: np.random.Generator, market: Market, owner: Ints) -> Ints:
    """A person of each record's customer."""
    sizes = np.bincount(market.people["customer_no"].to_numpy(), minlength=market.customers.height)
    starts = np.cumsum(sizes) - sizes
    return starts[owner] + rng.integers(0, sizes[owner])


def _write(rng: np.random.Generator, firms: pl.DataFrame, people: pl.DataFrame, source: Source) -> pl.DataFrame:
    n = firms.height

    def chance(share: float) -> pl.Expr:
        return pl.lit(pl.Series(rng.random(n) < share))

    firms = firms.with_columns(short_tail=pl.when(chance(0.35)).then("shortest_tail").otherwise("short_tail"))
    called = people.select(pl.when(chance(source.surname_only)).then(pl.col("surname") + "总").otherwise("full_name")).to_series()
    mobiles = people.select(
        pl.when(chance(0.4))
        .then(pl.coalesce("second_mobile", "agent_mobile", "mobile"))
        .otherwise(pl.coalesce("agent_mobile", "mobile"))
    ).to_series()
    written = pl.DataFrame({"company_name": write_names(rng, firms, source.habit), "contact_name": called})
    written = written.with_columns(
        pl.when(chance(source.remark))
        .then(pl.concat_str("company_name", pl.lit("-"), "contact_name"))
        .when(chance(0.004))
        .then(pl.lit(draw_words(rng, GARBAGE_NAMES, n)))
        .otherwise("company_name")
        .alias("company_name")
    )
    written = written.with_columns(
        company_name=blank(rng, written["company_name"], source.company_name),
        contact_name=blank(rng, written["contact_name"], source.contact_name),
    )
    swapped = chance(source.swapped)
    where, street = chance(source.place), chance(0.6)
    created = pl.Series(_FIRST_DAY + rng.integers(0, _DAYS * 86_400, n))
    return pl.DataFrame(
        {
            "source": pick([source.name], np.zeros(n, dtype=np.int64)),
            "source_key": source.name[0].upper() + pl.Series(np.arange(n)).cast(pl.String).str.zfill(7),
        }
    ).with_columns(
        *written.select(
            company_name=pl.when(swapped).then("contact_name").otherwise("company_name"),
            contact_name=pl.when(swapped).then("company_name").otherwise("contact_name"),
        ),
        pl.Series("tax_no", blank(rng, write_tax_numbers(rng, firms, 1.0), source.tax_no)),
        pl.Series("mobile", write_mobiles(rng, mobiles, source.mobile)),
        pl.Series("phone", blank(rng, firms["phone"], source.phone)),
        pl.Series("email", blank(rng, people["email"], source.email)),
        *firms.select(
            province=pl.when(where).then("province"),
            city=pl.when(where).then("city"),
            address=pl.when(where & street).then("address"),
        ),
        pl.Series("created_at", pl.from_epoch(created).dt.strftime("%Y-%m-%dT%H:%M:%SZ")),
        firms["customer_id"],
    )
