"""What truly happens between the company and its customers: leads, opportunities and their way through the funnel.

Times are int64 seconds (`sandbox.clock`); `*_no` columns are row numbers of the other frames; NEVER means not yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandbox.clock import DAY, HORIZON, HOUR, NEVER, SEASON, START, Floats, Ints, awake, draw_moments, epoch, to_worktime
from sandbox.customers import Market
from sandbox.staff import REGIONS, draw_reps

STAGES = {
    "manufacturing": ("mf_lead", "mf_need", "mf_tech", "mf_quote", "mf_negotiation"),
    "generic": ("g_first_touch", "g_needs", "g_demo", "g_objection", "g_quote"),
}
PIPELINES = tuple(STAGES)
N_STAGES = 5  # open stages of either pipeline
SOURCES = ("website", "exhibition", "card_scan", "referral", "wecom")
EXHIBITIONS = (
    ("2025中国国际工业博览会", datetime(2025, 9, 25, tzinfo=UTC)),
    ("2025深圳国际机床展", datetime(2025, 11, 20, tzinfo=UTC)),
    ("2026华南工业装备展", datetime(2026, 3, 12, tzinfo=UTC)),
    ("2026中国数控机床展", datetime(2026, 4, 23, tzinfo=UTC)),
    ("2026华北智能制造展", datetime(2026, 7, 16, tzinfo=UTC)),
)
_EARLIEST = datetime(2023, 3, 1, tzinfo=UTC)
_RAMP = datetime(2025, 4, 1, tzinfo=UTC)  # the pipeline is not empty when the history begins
_DWELL_DAYS = np.array([[3.0, 7.0, 12.0, 9.0, 13.0], [2.0, 5.0, 7.0, 6.0, 8.0]])
_LINE_PRICE = np.array([420_000.0, 260_000.0, 330_000.0, 210_000.0])


@dataclass(frozen=True)
class Sales:
    """customers: the market's, with known_since, owner_no, in_crm; leads; deals with s0..s4 (stage entries), closed_at."""

    customers: pl.DataFrame
    leads: pl.DataFrame
    deals: pl.DataFrame


def build_sales(rng: np.random.Generator, market: Market, staff: pl.DataFrame, scale: float) -> Sales:
    """Thirteen months of leads and opportunities (the last month lies beyond the clock of the demo)."""
    n = market.customers.height
    region = np.array([REGIONS.index(r) for r in market.customers["region"]])
    owner = draw_reps(rng, staff, region)
    is_new = rng.random(n) < 0.45
    if n > 1:
        is_new[:2] = [True, False]
    skill = staff["skill"].to_numpy()
    leads = _draw_leads(rng, market, owner, skill, is_new, max(8, round(3250 * scale)))
    known = np.where(is_new, NEVER, draw_moments(rng, n, _EARLIEST, datetime(2025, 6, 25, tzinfo=UTC))[rng.permutation(n)])
    np.minimum.at(known, leads["customer_no"].to_numpy(), leads["created_at"].to_numpy() + 10)
    deals = _draw_deals(rng, market, leads, owner, skill, known, (max(4, round(560 * scale)), max(2, round(170 * scale))))
    linked = leads.with_columns(deal_no=_deal_of_lead(leads.height, deals))
    touched = np.zeros(n, dtype=bool)
    touched[np.r_[leads["customer_no"].to_numpy(), deals["customer_no"].to_numpy()]] = True
    customers = market.customers.with_columns(
        known_since=pl.lit(pl.Series(known)),
        owner_no=pl.lit(pl.Series(owner)),
        is_new=pl.lit(pl.Series(is_new)),
        in_crm=pl.lit(pl.Series(touched | (rng.random(n) < 0.85))),
    )
    return Sales(customers, linked, deals)


def draw_people_of(rng: np.random.Generator, people: pl.DataFrame, customer_no: Ints) -> Ints:
    """person_no of someone who works at each customer."""
    owners = people["customer_no"].to_numpy()
    first = np.searchsorted(owners, customer_no)
    count = np.searchsorted(owners, customer_no, side="right") - first
    return first + rng.integers(0, 1 << 30, len(customer_no)) % count


def _draw_leads(
    rng: np.random.Generator, market: Market, owner: Ints, skill: Floats, is_new: NDArray[np.bool_], n: int
) -> pl.DataFrame:
    fresh = np.flatnonzero(is_new)
    size = market.customers["size"].to_numpy()
    weight = np.exp(0.5 * size) * np.where(is_new, 1.0, 0.8)
    others = rng.choice(len(size), max(0, n - len(fresh)), p=weight / weight.sum())
    customer = rng.permutation(np.r_[fresh, others])
    n = len(customer)
    created = draw_moments(rng, n, START, HORIZON)[rng.permutation(n)]
    source = rng.choice(5, n, p=[0.42, 0.16, 0.1, 0.15, 0.17])
    days = np.array([epoch(day) for _, day in EXHIBITIONS])
    show = rng.integers(0, len(days), n)
    at_show = days[show] + rng.integers(0, 3, n) * DAY + rng.integers(2 * HOUR, 12 * HOUR, n)
    created = np.where(source == 1, at_show, created)
    order = np.argsort(created, kind="stable")
    customer, created, source, show = customer[order], created[order], source[order], show[order]
    rep = owner[customer]
    assigned, responded = _respond(rng, created, source, skill[rep])
    speed = np.clip(np.log2(np.maximum(responded - created, 600) / HOUR + 1), 0, 7)
    logit = -0.75 + 0.35 * skill[rep] + np.array([0.0, -0.35, -0.4, 0.7, 0.25])[source] - 0.09 * speed + 0.15 * size[customer]
    decided = to_worktime(responded + (DAY * 2.5 * np.exp(0.8 * rng.normal(size=n))).astype(np.int64))
    decided = np.maximum(decided, responded + HOUR)
    never = responded >= NEVER
    converts = ~never & (rng.random(n) < 1 / (1 + np.exp(-logit)))
    rejected = ~never & ~converts & (rng.random(n) < 0.8)
    given_up = never & (rng.random(n) < 0.7)  # closed by the manager without anybody having called
    return pl.DataFrame(
        {
            "lead_no": np.arange(n),
            "customer_no": customer,
            "person_no": draw_people_of(rng, market.people, customer),
            "rep_no": rep,
            "source_no": source,
            "show_no": show,
            "created_at": created,
            "assigned_at": assigned,
            "responded_at": responded,
            "decided_at": np.select([converts | rejected, given_up], [decided, created + rng.integers(20, 60, n) * DAY], NEVER),
            "converts": converts,
        }
    )


def _respond(rng: np.random.Generator, created: Ints, source: Ints, skill: Floats) -> tuple[Ints, Ints]:
    """When each lead was assigned and first answered: 97 % within 24 h (94 % as systems show it), some after days or never.

    So over the year at scale 1; of the 231 leads in the 30 days before the demo's clock it is by chance 95 % (PH-1: 90.5 %).
    """
    n = len(created)
    slow = rng.random(n) < 0.06
    minutes = np.where(slow, rng.uniform(300, 1500, n), 9 * np.exp(1.0 * rng.normal(size=n)))
    assigned = awake(created + (60 * minutes).astype(np.int64) + 30)
    roll = rng.random(n) + 0.012 * skill
    fast = 0.6 * np.exp(1.1 * rng.normal(size=n) - 0.2 * skill)
    hours = np.select(
        [roll < 0.006, roll < 0.016, roll < 0.026, roll < 0.36],
        [1e9, rng.uniform(49, 150, n), rng.uniform(25, 47, n), rng.uniform(2.2, 13, n)],
        np.minimum(fast, 12),
    )
    answered = awake(created + np.minimum(hours, 1e5).astype(np.int64) * HOUR + (hours % 1 * HOUR).astype(np.int64))
    answered = np.maximum(answered, assigned + 240)
    return assigned, np.where(hours > 1e6, NEVER, answered)


def _draw_deals(
    rng: np.random.Generator, market: Market, leads: pl.DataFrame, owner: Ints, skill: Floats, known: Ints, n_own: tuple[int, int]
) -> pl.DataFrame:
    """Opportunities from converted leads and from customers who come back without one: `n_own` in the history, before it."""
    won_over = leads.filter("converts", pl.col("decided_at") < epoch(HORIZON) - HOUR)
    old = np.flatnonzero(known < epoch(_RAMP))
    if len(old) == 0:
        old = np.array([int(np.argmin(known))])
    size = market.customers["size"].to_numpy()
    weight = np.exp(0.5 * size[old])
    own_customer = rng.choice(old, sum(n_own), p=weight / weight.sum())
    lead_no = np.r_[won_over["lead_no"].to_numpy(), np.full(sum(n_own), -1)]
    customer = np.r_[won_over["customer_no"].to_numpy(), own_customer]
    earlier = draw_moments(rng, n_own[1], _RAMP, START)
    created = np.r_[won_over["decided_at"].to_numpy(), draw_moments(rng, n_own[0], START, HORIZON), earlier]
    order = np.argsort(created, kind="stable")
    lead_no, customer, created = lead_no[order], customer[order], created[order]
    n = len(created)
    other = rng.random(n) < 0.05
    rep = np.where(other, owner[rng.permutation(customer)], owner[customer])
    source = np.where(lead_no >= 0, leads["source_no"].to_numpy()[lead_no], 5)
    line = (market.customers["trade_no"].to_numpy()[customer] + rng.choice(4, n, p=[0.6, 0.2, 0.1, 0.1])) % 4
    generic = (rng.random(n) < np.array([0.12, 0.18, 0.15, 0.4])[line]).astype(np.int64)
    tier = market.customers["tier"].to_numpy()[customer]
    discount = np.clip(1 - rng.beta(2.0, 22.0, n) - 0.12 * (rng.random(n) < 0.06), 0.6, 1.0)
    amount = np.round(_LINE_PRICE[line] * np.exp(0.65 * rng.normal(size=n) + 0.3 * size[customer]) * discount, -2)
    logit = (
        -0.8
        + 0.6 * skill[rep]
        + np.select([tier == "A", tier == "C"], [0.45, -0.35], 0.0)
        + np.array([-0.15, -0.35, -0.4, 0.55, 0.15, 0.45])[source]
        + np.array([0.25, -0.1, 0.05, -0.15])[line]
        + 0.1 * generic
        + 2.5 * (0.93 - discount)
        - 0.3 * np.log(amount / _LINE_PRICE[line])
        + 0.5 * (SEASON[created.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) % 12] - 1)
    )
    probability = 1 / (1 + np.exp(-logit))
    won = rng.random(n) < probability
    return pl.DataFrame(
        {
            "deal_no": np.arange(n),
            "lead_no": lead_no,
            "customer_no": customer,
            "person_no": draw_people_of(rng, market.people, customer),
            "rep_no": rep,
            "source_no": source,
            "line_no": line,
            "pipeline_no": generic,
            "created_at": created,
            "amount": amount,
            "standard_amount": np.round(amount / discount, -2),
            "discount": discount,
            "probability": probability,
            "won": won,
            "noise": rng.random(n),
        }
    ).hstack(_walk(rng, created, generic, won, skill[rep]))


def _walk(rng: np.random.Generator, created: Ints, pipeline: Ints, won: NDArray[np.bool_], skill: Floats) -> pl.DataFrame:
    """Stage entries s0..s4, end of the last stage closed_at, last_stage, zombie (lost in truth, never closed)."""
    n = len(created)
    last = np.where(won, N_STAGES - 1, rng.choice(N_STAGES, n, p=[0.12, 0.22, 0.26, 0.25, 0.15]))
    zombie = ~won & (rng.random(n) < 0.1)
    spread = np.exp(0.6 * rng.normal(size=(n, N_STAGES)) + 0.25 * rng.normal(size=(n, 1)) - 0.1 * skill[:, None])
    dwell = (_DWELL_DAYS[pipeline] * spread * DAY).astype(np.int64) + 2 * HOUR
    ends = created[:, None] + np.cumsum(dwell, axis=1)
    moments = np.column_stack([created, to_worktime(ends.ravel()).reshape(n, N_STAGES)])
    moments = np.maximum.accumulate(moments, axis=1) + np.arange(N_STAGES + 1) * 60
    entered = np.where(np.arange(N_STAGES) <= last[:, None], moments[:, :N_STAGES], NEVER)
    closed = np.where(zombie, NEVER, moments[np.arange(n), last + 1])
    columns = {f"s{k}": entered[:, k] for k in range(N_STAGES)}
    return pl.DataFrame({**columns, "closed_at": closed, "last_stage": last, "zombie": zombie})


def _deal_of_lead(n_leads: int, deals: pl.DataFrame) -> pl.Series:
    deal = np.full(n_leads, -1)
    from_lead = deals.filter(pl.col("lead_no") >= 0)
    deal[from_lead["lead_no"].to_numpy()] = from_lead["deal_no"].to_numpy()
    return pl.Series(deal)
