"""HubSpot's objects as streams: which properties are asked for, which key, which cursor."""

from connectors.base import Field, FieldKind, Stream


def _fields(spec: str, kind: FieldKind = "text") -> tuple[Field, ...]:
    return tuple(Field(name, kind) for name in spec.split())


ID = Field("id", required=True)
ENVELOPE = (*_fields("createdAt updatedAt", "timestamp"), Field("archived", "boolean"))
CREATED = Field("createdate", "timestamp", required=True)
MODIFIED = Field("hs_lastmodifieddate", "timestamp", required=True)
OWNER = Field("hubspot_owner_id")


def _object_stream(name: str, fields: tuple[Field, ...], description: str, version: str = "hs_lastmodifieddate") -> Stream:
    return Stream(
        name=name,
        key=("id",),
        fields=(ID, *fields, *ENVELOPE),
        cursor="watermark",
        deletes="flag",
        version=version,
        description=description,
    )


COMPANIES = _object_stream(
    "companies",
    (
        Field("name", required=True),
        *_fields("domain tax_no phone province city address industry customer_tier annual_purchase_band lifecyclestage"),
        *_fields("hs_parent_company_id hs_merged_object_ids"),
        OWNER,
        CREATED,
        MODIFIED,
    ),
    "Companies in the CRM; merged-away ids are listed on the survivor; hs_parent_company_id is the parent company's id.",
)
CONTACTS = _object_stream(
    "contacts",
    (
        *_fields("firstname lastname mobilephone phone email jobtitle buying_role associatedcompanyid"),
        *_fields("hs_merged_object_ids"),
        OWNER,
        CREATED,
        Field("lastmodifieddate", "timestamp", required=True),
    ),
    "People at the companies.",
    version="lastmodifieddate",
)
LEADS = _object_stream(
    "leads",
    (
        Field("hs_lead_name"),
        *_fields("submission_id lead_source lead_status converted_deal_id primary_company_id primary_contact_id"),
        OWNER,
        Field("hubspot_owner_assigneddate", "timestamp"),
        CREATED,
        MODIFIED,
    ),
    "Leads as the CRM works them: who got one, when, what became of it.",
)
DEALS = _object_stream(
    "deals",
    (
        Field("dealname"),
        Field("amount", "decimal"),
        Field("standard_price", "decimal"),
        *_fields("deal_currency_code pipeline product_line lead_id contract_no rep_confidence closed_lost_reason"),
        Field("dealstage", required=True),
        Field("hs_is_closed", "boolean"),
        Field("hs_is_closed_won", "boolean"),
        Field("closedate", "timestamp"),
        *_fields("company_ids contact_ids", "json"),
        OWNER,
        CREATED,
        MODIFIED,
    ),
    "Opportunities; amounts in deal_currency_code.",
)
DEAL_STAGE_HISTORY = Stream(
    name="deal_stage_history",
    key=("deal_id", "entered_at"),
    fields=(
        Field("deal_id", required=True),
        Field("stage", required=True),
        Field("entered_at", "timestamp", required=True),
        *_fields("source_type updated_by_user_id"),
    ),
    cursor="watermark",
    deletes="none",
    description="Every value that a deal's stage ever had, from propertiesWithHistory.",
)


def _engagement(name: str, fields: tuple[Field, ...], description: str) -> Stream:
    links = _fields("company_ids contact_ids deal_ids", "json")
    happened = Field("hs_timestamp", "timestamp", required=True)
    created = Field("hs_createdate", "timestamp", required=True)
    return _object_stream(name, (happened, *fields, OWNER, *links, created, MODIFIED), description)


CALLS = _engagement(
    "calls",
    (*_fields("hs_call_title hs_call_direction hs_call_disposition"), Field("hs_call_duration", "integer")),
    "Telephone calls; duration in milliseconds.",
)
MEETINGS = _engagement(
    "meetings",
    (
        *_fields("hs_meeting_title hs_meeting_outcome hs_meeting_location visit_type"),
        *_fields("hs_meeting_start_time hs_meeting_end_time", "timestamp"),
    ),
    "Meetings and visits (visit_type onsite or online).",
)
EMAILS = _engagement("emails", _fields("hs_email_subject hs_email_direction"), "E-mails with customers.")
NOTES = _engagement(
    "notes",
    _fields("hs_note_body evidence_kind hs_attachment_ids"),
    "Notes; evidence_kind names the stage evidence a file proves.",
)
TASKS = _engagement(
    "tasks",
    (*_fields("hs_task_subject hs_task_status request_department"), Field("hs_task_completion_date", "timestamp")),
    "Tasks; request_department (tech, legal, finance) marks a request from sales to another function.",
)
TICKETS = _object_stream(
    "tickets",
    (
        *_fields("subject hs_pipeline_stage hs_ticket_category"),
        Field("closed_date", "timestamp"),
        *_fields("company_ids", "json"),
        OWNER,
        CREATED,
        MODIFIED,
    ),
    "Service tickets; category complaint, question or repair.",
)
OWNERS = Stream(
    name="owners",
    key=("id",),
    fields=(
        ID,
        *_fields("email firstName lastName userId"),
        Field("teams", "json"),
        Field("archived", "boolean"),
        *_fields("createdAt updatedAt", "timestamp"),
    ),
    cursor="full",
    deletes="flag",
    version="updatedAt",
    description="CRM users who own records.",
)

STREAMS = (
    OWNERS,
    COMPANIES,
    CONTACTS,
    LEADS,
    DEALS,
    DEAL_STAGE_HISTORY,
    CALLS,
    MEETINGS,
    EMAILS,
    NOTES,
    TASKS,
    TICKETS,
)
