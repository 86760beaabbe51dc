"""HubSpot's leads, and deals with their stage history."""

from __future__ import annotations

import numpy as np
import polars as pl

from sandbox.clock import AS_OF, DAY, HORIZON, NEVER, Ints, as_times, epoch
from sandbox.noise import CRM_HABIT, draw_words, write_names
from sandbox.orders import USD_RATE, is_usd
from sandbox.sales import N_STAGES, PIPELINES, SOURCES, STAGES
from sandbox.vendors.hubspot import CrmLinks
from sandbox.vendors.shape import Tables, World, chance, const, draw_one_time, number_records, stamp, take, wrap
from sandbox.words import PRODUCT_LINES

_LOST = ("价格", "竞品", "预算取消", "项目延期", "技术不符", "无回应")


def deal_ids(world: World) -> pl.Series:
    """HubSpot id of every deal, by deal number."""
    return number_records(world.sales.deals["created_at"].to_numpy(), 9_200_000_000, 71)


def lead_ids(world: World) -> pl.Series:
    """HubSpot id of every lead, by lead number."""
    return number_records(world.sales.leads["created_at"].to_numpy(), 5_600_000_000, 29)


def shape_leads(rng: np.random.Generator, world: World, links: CrmLinks, submissions: pl.Series) -> pl.DataFrame:
    """Leads: created, assigned, answered, decided; `submissions` is the form's id by lead number (null: none).

    1.5 % of the form leads that led nowhere never got into the CRM.
    """
    leads = world.sales.leads
    n = leads.height
    people = world.market.people
    kept = pl.select(
        const(submissions).is_null() | const(leads["deal_no"] >= 0) | const(leads["converts"]) | ~chance(rng, n, 0.015)
    ).to_series()
    created = leads["created_at"].to_numpy() + rng.integers(30, 150, n)
    base = pl.DataFrame(
        {
            "id": lead_ids(world),
            "hs_lead_name": take(people["full_name"], leads["person_no"]) + "-" + take(pl.Series(SOURCES), leads["source_no"]),
            "submission_id": submissions,
            "lead_source": take(pl.Series(SOURCES), leads["source_no"]),
            "lead_status": pl.repeat("NEW", n, eager=True),
            "converted_deal_id": pl.repeat(None, n, dtype=pl.String, eager=True),
            "primary_company_id": take(links.company_of, leads["customer_no"]),
            "primary_contact_id": take(links.contact_of, leads["person_no"]),
            "hubspot_owner_id": take(world.staff["owner_id"], leads["rep_no"]),
            "hubspot_owner_assigneddate": as_times(leads["assigned_at"].to_numpy()),
            "createdate": as_times(created),
        }
    )
    decided = leads["decided_at"].to_numpy()
    deal = take(deal_ids(world), leads["deal_no"])
    converted = deal.is_not_null()
    unassigned = base.with_columns(
        hubspot_owner_id=pl.lit(None, dtype=pl.String), hubspot_owner_assigneddate=pl.lit(None, dtype=pl.Datetime("us", "UTC"))
    )
    answered = base.with_columns(lead_status=pl.lit("CONNECTED"))
    done = base.with_columns(
        lead_status=pl.when(const(converted)).then(pl.lit("QUALIFIED")).otherwise(pl.lit("UNQUALIFIED")),
        converted_deal_id=const(deal),
    )
    rejected = ~leads["converts"].to_numpy()
    steps = (
        (unassigned, created),
        (base, np.maximum(leads["assigned_at"].to_numpy(), created + 60)),
        (answered, np.where(leads["responded_at"].to_numpy() < NEVER, leads["responded_at"].to_numpy() + 120, NEVER)),
        (done, np.where((decided < NEVER) & (rejected | converted.to_numpy()), decided + 60, NEVER)),
    )
    return pl.concat([write_version(frame.filter(kept), at[kept.to_numpy()]) for frame, at in steps])


def write_version(frame: pl.DataFrame, at: Ints) -> pl.DataFrame:
    """One version of every row, made at `at`."""
    return stamp(frame.with_columns(hs_lastmodifieddate=as_times(at)), at)


def shape_deals(rng: np.random.Generator, world: World, links: CrmLinks) -> Tables:
    """Deals as one version per stage, and their stage history."""
    deals = world.sales.deals
    n = deals.height
    customer = deals["customer_no"].to_numpy()
    firms = world.sales.customers[customer]
    usd = is_usd(customer)
    rate = np.where(usd, USD_RATE, 1.0)
    line = take(pl.Series(PRODUCT_LINES), deals["line_no"])
    second = chance(rng, n, 0.5) & (const(take(links.spare_since, customer)) < const(deals["created_at"]))
    company = pl.select(
        pl.when(second).then(const(take(links.spare_company_of, customer))).otherwise(const(take(links.company_of, customer)))
    )
    created = deals["created_at"].to_numpy()
    expected = created + (np.array([50, 32])[deals["pipeline_no"].to_numpy()] + rng.integers(-10, 30, n)) * DAY
    rough = np.round(deals["amount"].to_numpy() * np.exp(0.2 * rng.normal(size=n)), -3)
    ids = deal_ids(world)
    base = pl.DataFrame(
        {
            "id": ids,
            "dealname": write_names(rng, firms, CRM_HABIT) + "-" + line,
            "standard_price": _money(deals["standard_amount"].to_numpy() / rate),
            "deal_currency_code": pl.Series(np.where(usd, "USD", "CNY").tolist(), dtype=pl.String),
            "pipeline": take(pl.Series(PIPELINES), deals["pipeline_no"]),
            "product_line": line,
            "lead_id": take(lead_ids(world), deals["lead_no"]),
            "company_ids": wrap(company.to_series()),
            "contact_ids": wrap(take(links.contact_of, deals["person_no"])),
            "hubspot_owner_id": take(world.staff["owner_id"], deals["rep_no"]),
            "createdate": as_times(created),
            "_guess": pl.Series(rng.random(n)),
        }
    )
    final, first = _money(deals["amount"].to_numpy() / rate), _money(rough / rate)
    newest = int(np.flatnonzero(created < epoch(AS_OF))[-1])  # one stays vague at the clock of the demo
    vague = chance(rng, n, 0.015) | (const(np.arange(n)) == newest)
    early = pl.select(
        pl.when(vague).then(pl.lit("面议")).when(chance(rng, n, 0.03)).then(None).otherwise(const(first))
    ).to_series()
    stages = [take(pl.Series([s[k] for s in STAGES.values()]), deals["pipeline_no"]) for k in range(N_STAGES)]
    versions, history = [], []
    for k in range(N_STAGES):
        at = deals[f"s{k}"].to_numpy()
        quoted = deals["pipeline_no"].to_numpy() * 1 + 3 <= k
        amount = pl.when(const(quoted)).then(const(final)).otherwise(const(early))
        versions.append(_deal_version(base, stages[k], at, amount, expected, k))
        history.append(_entries(world, ids, stages[k], at))
    closed = deals["closed_at"].to_numpy()
    won = deals["won"].to_numpy()
    outcome = pl.Series(np.where(won, "closedwon", "closedlost").tolist(), dtype=pl.String)
    reason = draw_words(rng, _LOST, n)
    last = _deal_version(base.with_columns(_reason=reason), outcome, closed, const(final), closed, N_STAGES).with_columns(
        contract_no=pl.when(pl.col("dealstage") == "closedwon").then(pl.lit("HT") + pl.col("id").str.slice(2)).otherwise(None),
        closed_lost_reason=pl.when(pl.col("dealstage") == "closedlost").then("_reason").otherwise(None),
    )
    history.append(_entries(world, ids, outcome, closed))
    hidden_at = draw_one_time(rng, closed, 0.02, ~won & (closed < epoch(HORIZON)))
    hidden = last.join(
        pl.DataFrame({"id": ids, "hidden_at": as_times(hidden_at)}).drop_nulls(), on="id", maintain_order="left"
    ).with_columns(_op=pl.lit("archive"), _valid_from=pl.col("hidden_at"), hs_lastmodifieddate=pl.col("hidden_at"))
    columns = versions[0].columns
    return {
        "hubspot.deals": pl.concat([f.select(columns) for f in (*versions, last, hidden)]),
        "hubspot.deal_stage_history": pl.concat(history),
    }


def _money(values: np.ndarray) -> pl.Series:
    """Amounts as the CRM's text, whole units."""
    return pl.Series(np.round(values).astype(np.int64)).cast(pl.String)


def _deal_version(base: pl.DataFrame, stage: pl.Series, at: Ints, amount: pl.Expr, close: Ints, k: int) -> pl.DataFrame:
    rows = base.with_columns(
        dealstage=const(stage),
        amount=amount,
        contract_no=pl.lit(None, dtype=pl.String),
        closed_lost_reason=pl.lit(None, dtype=pl.String),
        hs_is_closed=pl.lit(k == N_STAGES),
        hs_is_closed_won=const(stage == "closedwon"),
        closedate=as_times(close),
        # what the rep believes: rises with the stage whatever the truth, so it must not enter a model
        rep_confidence=(((pl.col("_guess") * 3 + 2 + k).floor().clip(1, 10) * 10).cast(pl.Int64).cast(pl.String)),
    )
    return write_version(rows, at)


def _entries(world: World, ids: pl.Series, stage: pl.Series, at: Ints) -> pl.DataFrame:
    user = take(world.staff["hubspot_user_id"], world.sales.deals["rep_no"])
    rows = pl.DataFrame({"deal_id": ids, "stage": stage, "updated_by_user_id": user}).with_columns(
        source_type=pl.lit("CRM_UI"), entered_at=as_times(at)
    )
    return stamp(rows, at)
