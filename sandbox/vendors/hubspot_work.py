"""HubSpot's leads, deals with stage history, engagements, tasks and tickets."""

from __future__ import annotations

import numpy as np
import polars as pl

from sandbox.clock import AS_OF, DAY, HORIZON, HOUR, NEVER, Ints, as_times, epoch
from sandbox.noise import CRM_HABIT, draw_words, write_names
from sandbox.orders import USD_RATE, is_usd
from sandbox.sales import N_STAGES, PIPELINES, SOURCES, STAGES
from sandbox.vendors.hubspot import CrmLinks, moments_after
from sandbox.vendors.shape import Tables, World, chance, const, draw_one_time, number_records, stamp, take, wrap
from sandbox.words import PRODUCT_LINES

# HubSpot's own ids of call outcomes: connected, no answer, busy
_DISPOSITIONS = (
    "f240bbac-87c9-4f6e-bf70-924b57d47db7",
    "73a0d17f-1163-4015-bdd5-ec830791da20",
    "9d9162e7-6cf3-4944-bf63-4dff82258764",
)
_LOST = ("价格", "竞品", "预算取消", "项目延期", "技术不符", "无回应")
_CALLS = ("电话跟进", "需求沟通", "回访", "报价沟通", "技术答疑")
_MAILS = ("方案资料", "报价单", "技术参数", "会议纪要", "产品目录")
_NOTES = ("客户关注交期,已反馈生产", "竞品报价偏低,需差异化", "采购询问付款条件", "客户要求现场看样机", "预算已批,等技术确认")


def deal_ids(world: World) -> pl.Series:
    """HubSpot id of every deal, by deal number."""
    return number_records(world.sales.deals["created_at"].to_numpy(), 9_200_000_000, 71)


def lead_ids(world: World) -> pl.Series:
    """HubSpot id of every lead, by lead number."""
    return number_records(world.sales.leads["created_at"].to_numpy(), 5_600_000_000, 29)


def shape_leads(rng: np.random.Generator, world: World, links: CrmLinks, submissions: pl.Series) -> pl.DataFrame:
    """Leads: created, assigned, answered, decided; `submissions` is the form's id by lead number (null: none).

    2.5 % of the form leads that led nowhere never got into the CRM.
    """
    leads = world.sales.leads
    n = leads.height
    people = world.market.people
    kept = pl.select(
        const(submissions).is_null() | const(leads["deal_no"] >= 0) | const(leads["converts"]) | ~chance(rng, n, 0.025)
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
    return pl.concat([_step(frame.filter(kept), at[kept.to_numpy()]) for frame, at in steps])


def _step(frame: pl.DataFrame, at: Ints) -> pl.DataFrame:
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
    return _step(rows, at)


def _entries(world: World, ids: pl.Series, stage: pl.Series, at: Ints) -> pl.DataFrame:
    user = take(world.staff["hubspot_user_id"], world.sales.deals["rep_no"])
    rows = pl.DataFrame({"deal_id": ids, "stage": stage, "updated_by_user_id": user}).with_columns(
        source_type=pl.lit("CRM_UI"), entered_at=as_times(at)
    )
    return stamp(rows, at)


def _engage(world: World, links: CrmLinks, rows: pl.DataFrame, base: int, logged: Ints, happened: Ints) -> pl.DataFrame:
    """Ids, links, owner and times that all engagements share."""
    person = rows["person_no"] if "person_no" in rows.columns else pl.repeat(-1, rows.height, eager=True)
    return pl.DataFrame(
        {
            "id": number_records(logged, base, 7),
            "company_ids": wrap(take(links.company_of, rows["customer_no"])),
            "contact_ids": wrap(take(links.contact_of, person)),
            "deal_ids": wrap(take(deal_ids(world), rows["deal_no"])),
            "hubspot_owner_id": take(world.staff["owner_id"], rows["rep_no"]),
            "hs_timestamp": as_times(happened),
            "hs_createdate": as_times(logged),
        }
    )


def shape_engagements(rng: np.random.Generator, world: World, links: CrmLinks) -> Tables:
    """Calls, meetings, e-mails, notes with evidence, tasks."""
    work = world.work
    kinds = {kind: work.contacts.filter(pl.col("kind") == kind) for kind in ("call", "meeting", "email")}
    tables: Tables = {}
    rows, logged = kinds["call"], moments_after(rng, kinds["call"]["at"].to_numpy(), 1800)
    n = rows.height
    outcome = rng.choice(3, n, p=[0.82, 0.12, 0.06])
    minutes = np.where(outcome == 0, np.exp(rng.normal(1.6, 0.7, n)), 0.2)
    calls = _engage(world, links, rows, 61_000_000_000, logged, rows["at"].to_numpy()).with_columns(
        hs_call_title=const(draw_words(rng, _CALLS, n)),
        hs_call_direction=pl.when(chance(rng, n, 0.12)).then(pl.lit("INBOUND")).otherwise(pl.lit("OUTBOUND")),
        hs_call_disposition=const(take(pl.Series(_DISPOSITIONS), outcome)),
        hs_call_duration=pl.Series((minutes * 60_000).astype(np.int64)),
    )
    hidden = draw_one_time(rng, logged, 0.004)
    wiped = stamp(calls.with_columns(hs_lastmodifieddate=as_times(hidden)), hidden, "archive")
    tables["hubspot.calls"] = pl.concat([_step(calls, logged), wiped])
    rows, logged = kinds["meeting"], moments_after(rng, kinds["meeting"]["at"].to_numpy(), 10 * HOUR)
    n = rows.height
    at = rows["at"].to_numpy()
    online = rows["online"].to_numpy()
    address = take(world.sales.customers["address"], rows["customer_no"])
    meetings = _engage(world, links, rows, 62_000_000_000, logged, at).with_columns(
        hs_meeting_title=pl.when(const(online)).then(pl.lit("线上交流")).otherwise(pl.lit("客户拜访")),
        hs_meeting_outcome=pl.when(chance(rng, n, 0.05)).then(pl.lit("CANCELED")).otherwise(pl.lit("COMPLETED")),
        hs_meeting_location=pl.when(const(online)).then(pl.lit("腾讯会议")).otherwise(const(address)),
        visit_type=pl.when(const(online)).then(pl.lit("online")).otherwise(pl.lit("onsite")),
        hs_meeting_start_time=as_times(at),
        hs_meeting_end_time=as_times(at + rng.integers(1800, 3 * HOUR, n)),
    )
    tables["hubspot.meetings"] = _step(meetings, logged)
    rows, logged = kinds["email"], moments_after(rng, kinds["email"]["at"].to_numpy(), 300)
    n = rows.height
    mails = _engage(world, links, rows, 63_000_000_000, logged, rows["at"].to_numpy()).with_columns(
        hs_email_subject=const(draw_words(rng, _MAILS, n)),
        hs_email_direction=pl.when(chance(rng, n, 0.3) & ~const(rows["answers_lead"]))
        .then(pl.lit("INCOMING_EMAIL"))
        .otherwise(pl.lit("EMAIL")),
    )
    tables["hubspot.emails"] = _step(mails, logged)
    tables["hubspot.notes"] = _shape_notes(rng, world, links)
    tables["hubspot.tasks"] = _shape_tasks(rng, world, links)
    tables["hubspot.tickets"] = _shape_tickets(world, links)
    return tables


def _shape_notes(rng: np.random.Generator, world: World, links: CrmLinks) -> pl.DataFrame:
    """Evidence of stage nodes (legal reviews that went through WeCom leave none here) and plain remarks."""
    proof = world.work.evidence.filter((pl.col("evidence_kind") != "legal_review") | (pl.col("deal_no") % 3 != 0))
    talk = world.work.contacts.filter(chance(rng, world.work.contacts.height, 0.12))
    columns = ["customer_no", "person_no", "rep_no", "deal_no", "at", "evidence_kind"]
    rows = pl.concat([proof.select(columns), talk.with_columns(evidence_kind=pl.lit(None, dtype=pl.String)).select(columns)])
    n = rows.height
    logged = moments_after(rng, rows["at"].to_numpy(), 600)
    file = pl.Series(rng.integers(10**9, 10**10, n)).cast(pl.String)
    notes = _engage(world, links, rows, 64_000_000_000, logged, rows["at"].to_numpy()).with_columns(
        hs_note_body=pl.when(const(rows["evidence_kind"]).is_not_null())
        .then(pl.lit("阶段资料已上传"))
        .otherwise(const(draw_words(rng, _NOTES, n))),
        evidence_kind=const(rows["evidence_kind"]),
        hs_attachment_ids=pl.when(const(rows["evidence_kind"]).is_not_null()).then(const(file)).otherwise(None),
    )
    return _step(notes, logged)


def _shape_tasks(rng: np.random.Generator, world: World, links: CrmLinks) -> pl.DataFrame:
    """Requests to tech, legal and finance, and reminders without a department."""
    asked = world.work.requests
    calls = world.work.contacts.filter(pl.col("kind") == "call")
    reminders = calls.filter(chance(rng, calls.height, 0.06)).with_columns(
        department=pl.lit(None, dtype=pl.String), done_at=pl.col("at") + 2 * DAY
    )
    columns = ["customer_no", "rep_no", "deal_no", "at", "department", "done_at"]
    rows = pl.concat([asked.select(columns), reminders.select(columns)])
    at, done = rows["at"].to_numpy(), rows["done_at"].to_numpy()
    subject = {"tech": "技术支持申请", "legal": "法务支持申请", "finance": "财务支持申请"}
    base = _engage(world, links, rows, 65_000_000_000, at, at + 2 * DAY).with_columns(
        hs_task_subject=const(rows["department"]).replace_strict(subject, default="回访提醒"),
        hs_task_status=pl.lit("NOT_STARTED"),
        request_department=const(rows["department"]),
        hs_task_completion_date=pl.lit(None, dtype=pl.Datetime("us", "UTC")),
    )
    finished = base.with_columns(hs_task_status=pl.lit("COMPLETED"), hs_task_completion_date=as_times(done))
    return pl.concat([_step(base, at), _step(finished, done)])


def _shape_tickets(world: World, links: CrmLinks) -> pl.DataFrame:
    tickets = world.work.tickets
    at, done = tickets["at"].to_numpy(), tickets["closed_at"].to_numpy()
    subject = {"complaint": "客户投诉", "question": "使用咨询", "repair": "设备报修"}
    base = pl.DataFrame(
        {
            "id": number_records(at, 1_700_000_000, 13),
            "subject": tickets["category"].replace_strict(subject),
            "hs_pipeline_stage": pl.repeat("1", tickets.height, eager=True),
            "hs_ticket_category": tickets["category"],
            "closed_date": pl.repeat(None, tickets.height, dtype=pl.Datetime("us", "UTC"), eager=True),
            "company_ids": wrap(take(links.company_of, tickets["customer_no"])),
            "hubspot_owner_id": take(world.staff["owner_id"], tickets["rep_no"]),
            "createdate": as_times(at),
        }
    )
    closed = base.with_columns(hs_pipeline_stage=pl.lit("4"), closed_date=as_times(done))
    return pl.concat([_step(base, at), _step(closed, done)])
