"""Columns of every table of the demo company: the door between the generator and the simulated vendor systems.

Names are the vendors' own. Times are UTC microseconds (epoch seconds and China local times too: whoever serves a table
writes the vendor's form), dates are `Date`, money is `Decimal(18, 2)`, lists are `List(String)`; `teams`, `apply_data`,
`sp_record` and `comments` hold JSON text.
"""

from __future__ import annotations

import polars as pl

Columns = dict[str, pl.DataType]

TIME = pl.Datetime("us", "UTC")
MONEY = pl.Decimal(18, 2)
TEXTS = pl.List(pl.String)
_KINDS: dict[str, pl.DataType] = {
    "text": pl.String(),
    "texts": TEXTS,
    "time": TIME,
    "date": pl.Date(),
    "money": MONEY,
    "rate": pl.Decimal(18, 6),
    "int": pl.Int64(),
    "flag": pl.Boolean(),
    "number": pl.Float64(),
}
VERSION: Columns = {"_valid_from": TIME, "_op": pl.String()}


def _columns(**names: str) -> Columns:
    """Spell columns by kind: `_columns(text="id name", money="amount")`."""
    return {name: _KINDS[kind] for kind, spec in names.items() for name in spec.split()}


_STAMPS = "createdate hs_lastmodifieddate"
_LINKS = "company_ids contact_ids deal_ids"
_ENGAGED = "hs_timestamp hs_createdate hs_lastmodifieddate"

SCHEMAS: dict[str, Columns] = {
    "hubspot.owners": _columns(text="id email firstName lastName userId teams"),
    "hubspot.companies": _columns(
        text="id name domain tax_no phone province city address industry customer_tier annual_purchase_band lifecyclestage "
        "hs_parent_company_id hs_merged_object_ids hubspot_owner_id",
        time=_STAMPS,
    ),
    "hubspot.contacts": _columns(
        text="id firstname lastname mobilephone phone email jobtitle buying_role associatedcompanyid hs_merged_object_ids "
        "hubspot_owner_id",
        time="createdate lastmodifieddate",
    ),
    "hubspot.leads": _columns(
        text="id hs_lead_name submission_id lead_source lead_status converted_deal_id primary_company_id primary_contact_id "
        "hubspot_owner_id",
        time="hubspot_owner_assigneddate createdate hs_lastmodifieddate",
    ),
    "hubspot.deals": _columns(
        text="id dealname amount standard_price deal_currency_code pipeline product_line lead_id contract_no rep_confidence "
        "closed_lost_reason dealstage hubspot_owner_id",
        flag="hs_is_closed hs_is_closed_won",
        texts="company_ids contact_ids",
        time="closedate createdate hs_lastmodifieddate",
    ),
    "hubspot.deal_stage_history": _columns(text="deal_id stage source_type updated_by_user_id", time="entered_at"),
    "hubspot.calls": _columns(
        text="id hs_call_title hs_call_direction hs_call_disposition hubspot_owner_id",
        int="hs_call_duration",
        texts=_LINKS,
        time=_ENGAGED,
    ),
    "hubspot.meetings": _columns(
        text="id hs_meeting_title hs_meeting_outcome hs_meeting_location visit_type hubspot_owner_id",
        texts=_LINKS,
        time="hs_meeting_start_time hs_meeting_end_time " + _ENGAGED,
    ),
    "hubspot.emails": _columns(
        text="id hs_email_subject hs_email_direction hubspot_owner_id",
        texts=_LINKS,
        time=_ENGAGED,
    ),
    "hubspot.notes": _columns(
        text="id hs_note_body evidence_kind hs_attachment_ids hubspot_owner_id",
        texts=_LINKS,
        time=_ENGAGED,
    ),
    "hubspot.tasks": _columns(
        text="id hs_task_subject hs_task_status request_department hubspot_owner_id",
        texts=_LINKS,
        time="hs_task_completion_date " + _ENGAGED,
    ),
    "hubspot.tickets": _columns(
        text="id subject hs_pipeline_stage hs_ticket_category hubspot_owner_id",
        texts="company_ids",
        time="closed_date createdate hs_lastmodifieddate",
    ),
    "u8.customers": _columns(
        text="cCusCode cCusName cCusAbbName cCusRegCode cCusPhone cCusHand cCusPerson cCusEmail cCusAddress cProvince cCity "
        "cCCCode cCusPPerson cCusHeadCode",
        date="dCusDevDate",
        time="dModifyDate",
    ),
    "u8.persons": _columns(text="cPersonCode cPersonName cDepCode cPersonPhone cPersonEmail"),
    "u8.departments": _columns(text="cDepCode cDepName"),
    "u8.products": _columns(text="cInvCode cInvName cInvStd cInvCCode", money="iInvSPrice"),
    "u8.quotes": _columns(int="ID", text="cCode cCusCode cPersonCode cDefine1 cexch_name", date="dDate", money="iSum iStdSum"),
    "u8.orders": _columns(
        int="ID iStatus",
        text="cSOCode cCusCode cPersonCode cDepCode cCloser cexch_name cDefine1 cDefine2",
        rate="iExchRate",
        date="dDate dPreDateBT dPreReceiptDate",
        time="dcreatesystime",
    ),
    "u8.order_lines": _columns(int="iSOsID ID", text="cInvCode", money="iQuantity iTaxUnitPrice iSum"),
    "u8.deliveries": _columns(int="DLID", text="cDLCode cSOCode cCusCode", date="dDate"),
    "u8.invoices": _columns(
        int="SBVID", text="cSBVCode cCusCode cPersonCode cSOCode cexch_name", date="dDate dGatheringDate", money="iSum"
    ),
    "u8.receipts": _columns(
        int="iID",
        text="cVouchID cVouchType cDwCode cPerson cSBVCode cSOCode cexch_name",
        date="dVouchDate",
        money="iAmount",
    ),
    "u8.stock": _columns(int="AutoID", text="cWhCode cInvCode", money="iQuantity"),
    "wecom.departments": _columns(int="id parentid order", text="name"),
    "wecom.users": _columns(
        text="userid name position mobile email",
        int="status main_department",
        texts="department is_leader_in_dept direct_leader",
    ),
    "wecom.external_contacts": _columns(
        text="external_userid userid name position corp_name corp_full_name unionid remark description remark_corp_name state",
        int="type gender add_way",
        texts="remark_mobiles tag_id",
        time="createtime",
    ),
    "wecom.tags": _columns(text="id name group_id group_name", time="create_time"),
    "wecom.checkins": _columns(
        text="userid checkin_type groupname exception_type location_title location_detail notes deviceid",
        texts="mediaids",
        int="lat lng",
        time="checkin_time",
    ),
    "wecom.approvals": _columns(
        text="sp_no sp_name template_id applyer_userid applyer_partyid apply_data sp_record comments",
        int="sp_status",
        time="apply_time",
    ),
    "wecom.events": _columns(text="event_id event change_type user_id external_user_id", time="create_time"),
    "forms.web_leads": _columns(
        text="submission_id submitted_at name phone company email need province city industry utm_source utm_campaign"
    ),
    "forms.exhibition_cards": _columns(
        text="card_no exhibition sheet_date company name title mobile email city intent", number="budget_wan"
    ),
    "forms.card_scans": _columns(text="scan_id scanned_at company name title mobile email address", number="confidence"),
    "forms.price_sheets": _columns(
        text="price_list product_code product_name product_line", date="valid_from", number="unit_price_wan"
    ),
    "forms.nps": _columns(text="submission_id submitted_at company mobile comment", int="score"),
}

TRUTH: dict[str, Columns] = {
    "parties": _columns(text="source source_key customer_id person_id"),
    "persons": _columns(text="source source_key person_id"),
    "customers": _columns(text="customer_id legal_name tax_no kind parent_customer_id region city"),
    "deals": _columns(
        text="deal_id customer_id outcome", number="win_probability", flag="is_zombie", time="created_at closed_at"
    ),
}


def conform(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """`frame` with exactly the columns of `table` plus the version columns, cast, ordered by time and key."""
    columns = SCHEMAS[table] | VERSION
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ValueError(f"{table} lacks the columns {', '.join(missing)}; add them where the table is shaped")
    key = next(iter(columns))
    return frame.select(pl.col(name).cast(dtype) for name, dtype in columns.items()).sort("_valid_from", key, maintain_order=True)
