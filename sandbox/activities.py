"""What sales people do: calls, meetings, e-mails, evidence notes, requests to other functions, approvals, service."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sandbox.clock import AS_OF, DAY, HORIZON, HOUR, NEVER, START, Floats, Ints, awake, draw_moments, epoch, to_worktime
from sandbox.customers import Market
from sandbox.sales import N_STAGES, Sales, draw_people_of

# (pipeline, stage) -> mandatory evidence; the sixth entry is what a won deal must still show
NODES: tuple[tuple[tuple[str, ...], ...], ...] = (
    (
        ("lead_profile",),
        ("recording_summary", "pain_list"),
        ("site_survey", "param_report", "param_form"),
        ("margin_estimate", "budget_screenshot", "quote_sheet"),
        ("negotiation_minutes", "legal_review"),
        ("contract_scan",),
    ),
    ((), ("pain_list",), ("demo_deck", "question_record"), ("objection_minutes",), ("quote_sheet",), ("contract_scan",)),
)
BARRIERS = ("技术参数确认", "价格审批", "样品测试", "高层背书", "付款账期")


@dataclass(frozen=True)
class Work:
    """contacts: kind call|meeting|email|wecom with customer, person, deal (-1), rep, at, and whether it answers a lead.

    The others likewise.
    """

    contacts: pl.DataFrame
    evidence: pl.DataFrame
    requests: pl.DataFrame
    approvals: pl.DataFrame
    tickets: pl.DataFrame
    answers: pl.DataFrame


def build_work(rng: np.random.Generator, market: Market, sales: Sales, scale: float) -> Work:
    """All activities up to the horizon."""
    parts = [_respond_to_leads(rng, sales), _work_on_deals(rng, sales), _care(rng, market, sales, max(8, round(2800 * scale)))]
    contacts = pl.concat(parts).filter(pl.col("at") < epoch(HORIZON) - 2 * HOUR, pl.col("at") >= epoch(START))
    # WeCom records that two become friends, not what they write: who is a friend already is answered by phone
    is_friend = pl.col("at") > pl.col("at").filter(pl.col("kind") == "wecom").min().over("person_no", "rep_no")
    is_unseen = (pl.col("kind") == "wecom") & pl.col("answers_lead") & is_friend
    contacts = contacts.with_columns(kind=pl.when(is_unseen).then(pl.lit("call")).otherwise("kind"))
    evidence = _prove_nodes(rng, sales)
    return Work(
        contacts.sort("at", "customer_no", "kind", maintain_order=True),
        evidence.filter(pl.col("at") < epoch(HORIZON)).sort("at", "deal_no", "evidence_kind"),
        _ask_others(rng, sales),
        _seek_approval(rng, sales, evidence),
        _draw_tickets(rng, sales, max(3, round(430 * scale))),
        _draw_answers(rng, market, sales, max(3, round(325 * scale))),
    )


def _contact(kind: pl.Series, rows: pl.DataFrame, deal: Ints, at: Ints, online: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "kind": kind,
            "customer_no": rows["customer_no"],
            "person_no": rows["person_no"],
            "rep_no": rows["rep_no"],
            "deal_no": deal,
            "at": at,
            "online": online,
        }
    ).with_columns(answers_lead=pl.lit(False))


def _kinds(rng: np.random.Generator, n: int, call: float, meeting: float, email: float) -> pl.Series:
    names = np.array(["call", "meeting", "email", "wecom"])
    return pl.Series(names[rng.choice(4, n, p=[call, meeting, email, 1 - call - meeting - email])].tolist(), dtype=pl.String)


def _respond_to_leads(rng: np.random.Generator, sales: Sales) -> pl.DataFrame:
    """The first response to a lead, by the rep who got it."""
    answered = sales.leads.filter(pl.col("responded_at") < NEVER)
    n = answered.height
    deal = np.full(n, -1)
    at = answered["responded_at"].to_numpy()
    contacts = _contact(_kinds(rng, n, 0.66, 0.03, 0.16), answered, deal, at, rng.random(n) < 0.5)
    return contacts.with_columns(answers_lead=pl.lit(True))


def _work_on_deals(rng: np.random.Generator, sales: Sales) -> pl.DataFrame:
    """Contacts during each stage visit: more when the deal is a good one, none while it lies dead."""
    parts = []
    deals = sales.deals
    end = np.minimum(deals["closed_at"].to_numpy(), epoch(HORIZON))
    entries = np.column_stack([deals[f"s{k}"].to_numpy() for k in range(N_STAGES)] + [np.full(deals.height, NEVER)])
    heat: Floats = (0.55 + 0.9 * deals["probability"].to_numpy()) * np.exp(0.3 * rng.normal(size=deals.height))
    for stage in range(N_STAGES):
        begin = entries[:, stage]
        leave = np.minimum(entries[:, stage + 1], end)
        dead = deals["zombie"].to_numpy() & (deals["last_stage"].to_numpy() == stage)
        leave = np.where(dead, np.minimum(leave, begin + 6 * DAY), leave)
        days = np.clip((leave - begin) / DAY, 0, 30)
        count = rng.poisson(np.where(days > 0, heat * (0.4 + 0.15 * days), 0))
        row = np.repeat(np.arange(deals.height), count)
        at = begin[row] + (rng.random(len(row)) * (leave - begin)[row]).astype(np.int64)
        visits = (0.12, 0.28, 0.42, 0.3, 0.38)[stage]
        kinds = _kinds(rng, len(row), 0.66 * (0.94 - visits), visits, 0.34 * (0.94 - visits))
        at = np.maximum(to_worktime(at), begin[row] + 600)
        parts.append(_contact(kinds, deals[row], row, at, rng.random(len(row)) < 0.18))
    return pl.concat(parts)


def _care(rng: np.random.Generator, market: Market, sales: Sales, n: int) -> pl.DataFrame:
    """Contacts with customers outside any deal; tier A gets most, some get none for months."""
    customers = sales.customers
    known = customers["known_since"].to_numpy()
    importance = np.select([customers["tier"] == "A", customers["tier"] == "B"], [6.0, 1.0], 0.2)
    weight = np.where(customers["in_crm"].to_numpy() & (known < epoch(HORIZON) - 20 * DAY), importance, 0)
    customer = rng.choice(customers.height, n, p=weight / weight.sum())
    rows = pl.DataFrame(
        {
            "customer_no": customer,
            "person_no": draw_people_of(rng, market.people, customer),
            "rep_no": customers["owner_no"].to_numpy()[customer],
        }
    )
    drawn = draw_moments(rng, n, START, HORIZON)
    since = known[customer] + DAY
    at = np.where(drawn > since, drawn, since + (rng.random(n) * (epoch(HORIZON) - since)).astype(np.int64))
    at = to_worktime(at)
    return _contact(_kinds(rng, n, 0.42, 0.33, 0.23), rows, np.full(n, -1), at, rng.random(n) < 0.2)


def _prove_nodes(rng: np.random.Generator, sales: Sales) -> pl.DataFrame:
    """Evidence of mandatory nodes: usually within a day or two of the stage's beginning, sometimes never."""
    deals = sales.deals
    parts = []
    for pipeline, stages in enumerate(NODES):
        for stage, kinds in enumerate(stages):
            rows = deals.filter(pl.col("pipeline_no") == pipeline)
            begin = rows["closed_at" if stage == N_STAGES else f"s{stage}"].to_numpy()
            if stage == N_STAGES:
                begin = np.where(rows["won"].to_numpy(), begin, NEVER)
                leave = np.full(rows.height, NEVER)
            else:
                after = rows[f"s{stage + 1}"].to_numpy() if stage + 1 < N_STAGES else np.full(rows.height, NEVER)
                leave = np.minimum(after, rows["closed_at"].to_numpy())
            lost_here = (~rows["won"].to_numpy()) & (rows["last_stage"].to_numpy() == stage)
            for kind in kinds:
                wait = 14 * HOUR * np.exp(1.1 * rng.normal(size=rows.height))
                at = awake(begin + np.minimum(wait, 0.97 * np.minimum(leave - begin, 60 * DAY)).astype(np.int64))
                done = (begin < NEVER) & (rng.random(rows.height) < np.where(lost_here, 0.72, 0.955))
                parts.append(
                    rows.select("deal_no", "customer_no", "person_no", "rep_no")
                    .with_columns(evidence_kind=pl.lit(kind), at=pl.Series(np.minimum(at, np.maximum(leave - 60, begin + 60))))
                    .filter(pl.lit(pl.Series(done)))
                )
    return pl.concat(parts)


def _ask_others(rng: np.random.Generator, sales: Sales) -> pl.DataFrame:
    """Requests to tech, legal and finance while a deal runs."""
    deals = sales.deals
    parts = []
    for department, stage, rate in (("tech", 1, 0.7), ("tech", 2, 1.5), ("finance", 3, 1.2), ("legal", 4, 1.4)):
        begin = deals[f"s{stage}"].to_numpy()
        count = np.where(begin < NEVER, rng.poisson(rate, deals.height), 0)
        row = np.repeat(np.arange(deals.height), count)
        at = np.maximum(to_worktime(begin[row] + rng.integers(HOUR, 6 * DAY, len(row))), begin[row] + 600)
        hours = np.where(
            rng.random(len(row)) < 0.06, NEVER, (22 * np.exp(0.9 * rng.normal(size=len(row)))).astype(np.int64) * HOUR
        )
        parts.append(
            deals[row]
            .select("deal_no", "customer_no", "rep_no")
            .with_columns(department=pl.lit(department), at=pl.Series(at), done_at=pl.Series(awake(at + HOUR + hours)))
        )
    known = pl.concat(parts).filter(pl.col("at") < epoch(HORIZON) - HOUR, pl.col("at") >= epoch(START))
    return known.sort("at", "deal_no", "department")


def _seek_approval(rng: np.random.Generator, sales: Sales, evidence: pl.DataFrame) -> pl.DataFrame:
    """WeCom approvals: low quotes, legal reviews of contracts, barriers declared solved. About 550 in a year at scale 1."""
    deals = sales.deals
    n = deals.height
    quoted = np.where(deals["pipeline_no"].to_numpy() == 0, deals["s3"].to_numpy(), deals["s4"].to_numpy())
    low = deals["discount"].to_numpy() < 0.865
    review = evidence.filter(pl.col("evidence_kind") == "legal_review").filter(pl.col("deal_no") % 3 == 0)
    stage = rng.integers(1, N_STAGES, n)
    blocked = np.column_stack([deals[f"s{k}"].to_numpy() for k in range(N_STAGES)])[np.arange(n), stage]
    columns = ["deal_no", "customer_no", "rep_no", "amount", "kind", "at"]
    picked = [
        deals.with_columns(kind=pl.lit("quote"), at=pl.Series(quoted + rng.integers(2 * HOUR, DAY, n))).filter(pl.Series(low)),
        review.join(deals.select("deal_no", "amount"), on="deal_no", maintain_order="left").with_columns(
            kind=pl.lit("legal"), at=pl.col("at") - 5 * HOUR
        ),
        deals.with_columns(kind=pl.lit("barrier"), at=pl.Series(blocked + rng.integers(DAY, 4 * DAY, n))).filter(
            pl.lit(pl.Series(rng.random(n) < 0.18))
        ),
    ]
    rows = pl.concat([part.select(columns) for part in picked])
    rows = rows.with_columns(at=pl.Series(awake(rows["at"].to_numpy())))
    rows = rows.filter(pl.col("at") < epoch(HORIZON) - HOUR, pl.col("at") >= epoch(START)).sort("at", "deal_no", "kind")
    m = rows.height
    roll = rng.random(m)
    status = np.select([roll < 0.8, roll < 0.92, roll < 0.96], [2, 3, 4], 1)
    status = np.where((rows["kind"].to_numpy() == "legal") & (status != 2), 2, status)
    hours = np.minimum(9 * np.exp(0.9 * rng.normal(size=m)), 120)
    hours = np.where(rows["kind"].to_numpy() == "legal", rng.uniform(1, 5, m), hours)
    recent = rows["at"].to_numpy() > epoch(AS_OF) - 9 * DAY
    status = np.where((status == 1) & ~recent, 2, status)  # old applications do not stay pending
    decided = np.where(status == 1, NEVER, rows["at"].to_numpy() + (hours * HOUR).astype(np.int64))
    barrier = rng.integers(0, len(BARRIERS), m)
    return rows.with_columns(status=pl.Series(status), decided_at=pl.Series(decided), barrier_no=pl.Series(barrier))


def _buyers(sales: Sales) -> pl.DataFrame:
    """Customers who have bought, with the moment from which they may complain."""
    won = sales.deals.filter(pl.col("won"), pl.col("closed_at") < epoch(HORIZON) - 40 * DAY)
    old = sales.customers.filter(~pl.col("is_new"), "in_crm").select("customer_no", since=pl.lit(epoch(START), dtype=pl.Int64))
    new = won.select("customer_no", since=pl.col("closed_at") + 20 * DAY)
    return pl.concat([new, old]).group_by("customer_no").agg(pl.col("since").min()).sort("customer_no")


def _draw_tickets(rng: np.random.Generator, sales: Sales, n: int) -> pl.DataFrame:
    buyers = _buyers(sales)[rng.integers(0, _buyers(sales).height, n)]
    since = np.maximum(buyers["since"].to_numpy(), epoch(START))
    at = to_worktime(since + (rng.random(n) * (epoch(HORIZON) - HOUR - since)).astype(np.int64))
    hours = (30 * np.exp(1.0 * rng.normal(size=n))).astype(np.int64)
    closed = np.where(rng.random(n) < 0.05, NEVER, awake(at + HOUR + hours * HOUR))
    kind = np.array(["complaint", "question", "repair"])[rng.choice(3, n, p=[0.25, 0.4, 0.35])]
    rows = buyers.with_columns(
        rep_no=pl.Series(sales.customers["owner_no"].to_numpy()[buyers["customer_no"].to_numpy()]),
        category=pl.Series(kind.tolist(), dtype=pl.String),
        at=pl.Series(at),
        closed_at=pl.Series(closed),
    )
    return rows.filter(pl.col("at") < epoch(HORIZON)).sort("at", "customer_no", "category")


def _draw_answers(rng: np.random.Generator, market: Market, sales: Sales, n: int) -> pl.DataFrame:
    buyers = _buyers(sales)[rng.integers(0, _buyers(sales).height, n)]
    customer = buyers["customer_no"].to_numpy()
    since = np.maximum(buyers["since"].to_numpy(), epoch(START))
    at = awake(since + (rng.random(n) * (epoch(HORIZON) - DAY - since)).astype(np.int64))
    score = np.clip(np.round(rng.normal(8.1, 1.8, n)), 0, 10).astype(np.int64)
    person = draw_people_of(rng, market.people, customer)
    return pl.DataFrame({"customer_no": customer, "person_no": person, "at": at, "score": score}).sort("at", "customer_no")
