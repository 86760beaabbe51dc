"""The canonical entities that a file contract can feed: their columns, kinds and keys.

A file contract maps a spreadsheet's columns onto these; everything after it (dbt `source('files', <entity>s)`) sees
only these columns, plus `source`, `stream` and the landing columns.
"""

from connectors.base import FieldKind

Columns = dict[str, FieldKind]

PARTY: Columns = {
    "party_id": "text",
    "company_name": "text",
    "tax_no": "text",
    "contact_name": "text",
    "mobile": "text",
    "phone": "text",
    "email": "text",
    "domain": "text",
    "province": "text",
    "city": "text",
    "address": "text",
    "industry": "text",
    "tier": "text",
    "parent_name": "text",
    "parent_party_id": "text",
    "owner_ref": "text",
    "created_at": "timestamp",
    "updated_at": "timestamp",
}
PERSON: Columns = {
    "person_id": "text",
    "party_id": "text",
    "full_name": "text",
    "mobile": "text",
    "phone": "text",
    "email": "text",
    "job_title": "text",
    "buying_role": "text",
    "created_at": "timestamp",
}
REP: Columns = {
    "rep_id": "text",
    "full_name": "text",
    "email": "text",
    "mobile": "text",
    "team_name": "text",
    "region": "text",
    "manager_name": "text",
}
PRODUCT: Columns = {
    "product_id": "text",
    "product_name": "text",
    "product_line": "text",
    "standard_price": "decimal",
    "currency": "text",
}
PRICE: Columns = {
    "product_id": "text",
    "price_list": "text",
    "valid_from": "date",
    "unit_price": "decimal",
    "currency": "text",
}
LEAD: Columns = {
    "lead_id": "text",
    "party_id": "text",
    "person_id": "text",
    "lead_source": "text",
    "campaign": "text",
    "need": "text",
    "region": "text",
    "owner_ref": "text",
    "created_at": "timestamp",
    "assigned_at": "timestamp",
    "first_response_at": "timestamp",
}
LEAD_OUTCOME: Columns = {
    "lead_id": "text",
    "outcome": "text",
    "decided_at": "timestamp",
    "owner_ref": "text",
}
OPPORTUNITY: Columns = {
    "opportunity_id": "text",
    "opportunity_name": "text",
    "party_id": "text",
    "owner_ref": "text",
    "product_line": "text",
    "pipeline": "text",
    "stage": "text",
    "amount": "decimal",
    "currency": "text",
    "lead_id": "text",
    "created_at": "timestamp",
    "stage_entered_at": "timestamp",
    "closed_at": "timestamp",
}
ACTIVITY: Columns = {
    "activity_id": "text",
    "activity_type": "text",
    "party_id": "text",
    "opportunity_id": "text",
    "owner_ref": "text",
    "occurred_at": "timestamp",
    "summary": "text",
    "evidence_kind": "text",
}
ORDER: Columns = {
    "order_id": "text",
    "order_no": "text",
    "party_id": "text",
    "owner_ref": "text",
    "opportunity_id": "text",
    "ordered_date": "date",
    "promised_date": "date",
    "delivered_date": "date",
    "expected_payment_date": "date",
    "amount": "decimal",
    "currency": "text",
}
ORDER_LINE: Columns = {
    "order_line_id": "text",
    "order_id": "text",
    "product_id": "text",
    "quantity": "decimal",
    "unit_price": "decimal",
    "discount_ratio": "decimal",
    "line_amount": "decimal",
}
INVOICE: Columns = {
    "invoice_id": "text",
    "party_id": "text",
    "order_id": "text",
    "invoiced_date": "date",
    "due_date": "date",
    "amount": "decimal",
    "currency": "text",
    "is_disputed": "boolean",
}
RECEIPT: Columns = {
    "receipt_id": "text",
    "invoice_id": "text",
    "party_id": "text",
    "received_date": "date",
    "amount": "decimal",
    "currency": "text",
}
NPS: Columns = {
    "response_id": "text",
    "party_id": "text",
    "company_name": "text",
    "mobile": "text",
    "score": "integer",
    "comment": "text",
    "responded_at": "timestamp",
}

# entity -> (columns, key columns); the dbt source table is `files.<entity>s` (parties, opportunities: see `table_name`)
ENTITIES: dict[str, tuple[Columns, tuple[str, ...]]] = {
    "party": (PARTY, ("party_id",)),
    "person": (PERSON, ("person_id",)),
    "rep": (REP, ("rep_id",)),
    "product": (PRODUCT, ("product_id",)),
    "price": (PRICE, ("product_id", "price_list", "valid_from")),
    "lead": (LEAD, ("lead_id",)),
    "lead_outcome": (LEAD_OUTCOME, ("lead_id",)),
    "opportunity": (OPPORTUNITY, ("opportunity_id",)),
    "activity": (ACTIVITY, ("activity_id",)),
    "order": (ORDER, ("order_id",)),
    "order_line": (ORDER_LINE, ("order_line_id",)),
    "invoice": (INVOICE, ("invoice_id",)),
    "receipt": (RECEIPT, ("receipt_id",)),
    "nps": (NPS, ("response_id",)),
}

TABLE_NAMES = {
    "party": "parties",
    "person": "persons",
    "opportunity": "opportunities",
    "activity": "activities",
    "nps": "nps_responses",
}


def table_name(entity: str) -> str:
    """Name of the entity's table: the English plural."""
    return TABLE_NAMES.get(entity, f"{entity}s")
