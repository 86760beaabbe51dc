"""HubSpot's engagements, tasks and tickets."""

from __future__ import annotations

import numpy as np
import polars as pl

from sandbox.clock import DAY, HOUR, Ints, as_times
from sandbox.noise import draw_words
from sandbox.vendors.hubspot import CrmLinks, moments_after
from sandbox.vendors.hubspot_deals import deal_ids, write_version
from sandbox.vendors.shape import Tables, World, chance, const, draw_one_time, number_records, stamp, take, wrap

# HubSpot's own ids of call outcomes: connected, no answer, busy
_DISPOSITIONS = (
    "f240bbac-87c9-4f6e-bf70-924b57d47db7",
    "73a0d17f-1163-4015-bdd5-ec830791da20",
    "9d9162e7-6cf3-4944-bf63-4dff82258764",
)
_CALLS = ("电话跟进", "需求沟通", "回访", "报价沟通", "技术答疑")
_MAILS = ("方案资料", "报价单", "技术参数", "会议纪要", "产品目录")
_NOTES = ("客户关注交期,已反馈生产", "竞品报价偏低,需差异化", "采购询问付款条件", "客户要求现场看样机", "预算已批,等技术确认")


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
    answers = rows["answers_lead"].to_numpy()
    outcome = np.where(answers, 0, rng.choice(3, n, p=[0.82, 0.12, 0.06]))
    minutes = np.where(outcome == 0, np.exp(rng.normal(1.6, 0.7, n)), 0.2)
    calls = _engage(world, links, rows, 61_000_000_000, logged, rows["at"].to_numpy()).with_columns(
        hs_call_title=const(draw_words(rng, _CALLS, n)),
        hs_call_direction=pl.when(chance(rng, n, 0.12) & ~const(rows["answers_lead"]))
        .then(pl.lit("INBOUND"))
        .otherwise(pl.lit("OUTBOUND")),
        hs_call_disposition=const(take(pl.Series(_DISPOSITIONS), outcome)),
        hs_call_duration=pl.Series((minutes * 60_000).astype(np.int64)),
    )
    hidden = draw_one_time(rng, logged, 0.004)
    wiped = stamp(calls.with_columns(hs_lastmodifieddate=as_times(hidden)), hidden, "archive")
    tables["hubspot.calls"] = pl.concat([write_version(calls, logged), wiped])
    rows, logged = kinds["meeting"], moments_after(rng, kinds["meeting"]["at"].to_numpy(), 10 * HOUR)
    n = rows.height
    at = rows["at"].to_numpy()
    online = rows["online"].to_numpy()
    address = take(world.sales.customers["address"], rows["customer_no"])
    meetings = _engage(world, links, rows, 62_000_000_000, logged, at).with_columns(
        hs_meeting_title=pl.when(const(online)).then(pl.lit("线上交流")).otherwise(pl.lit("客户拜访")),
        hs_meeting_outcome=pl.when(chance(rng, n, 0.05) & ~const(rows["answers_lead"]))
        .then(pl.lit("CANCELED"))
        .otherwise(pl.lit("COMPLETED")),
        hs_meeting_location=pl.when(const(online)).then(pl.lit("腾讯会议")).otherwise(const(address)),
        visit_type=pl.when(const(online)).then(pl.lit("online")).otherwise(pl.lit("onsite")),
        hs_meeting_start_time=as_times(at),
        hs_meeting_end_time=as_times(at + rng.integers(1800, 3 * HOUR, n)),
    )
    tables["hubspot.meetings"] = write_version(meetings, logged)
    rows, logged = kinds["email"], moments_after(rng, kinds["email"]["at"].to_numpy(), 300)
    n = rows.height
    mails = _engage(world, links, rows, 63_000_000_000, logged, rows["at"].to_numpy()).with_columns(
        hs_email_subject=const(draw_words(rng, _MAILS, n)),
        hs_email_direction=pl.when(chance(rng, n, 0.3) & ~const(rows["answers_lead"]))
        .then(pl.lit("INCOMING_EMAIL"))
        .otherwise(pl.lit("EMAIL")),
    )
    tables["hubspot.emails"] = write_version(mails, logged)
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
    return write_version(notes, logged)


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
    return pl.concat([write_version(base, at), write_version(finished, done)])


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
    return pl.concat([write_version(base, at), write_version(closed, done)])
