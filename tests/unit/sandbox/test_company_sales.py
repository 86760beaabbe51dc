"""What happens at the demo company: links hold, true probabilities fit the outcomes, every alert has its cases."""

from __future__ import annotations

import json
from datetime import timedelta

import polars as pl
import pytest

from sandbox.activities import NODES
from sandbox.company import Company, build_company
from sandbox.sales import STAGES

pytestmark = pytest.mark.generated

CONNECTED = "f240bbac-87c9-4f6e-bf70-924b57d47db7"  # HubSpot's own id


@pytest.fixture(scope="module")
def company() -> Company:
    return build_company(1, seed=7)


def now(company: Company, table: str, key: str) -> pl.DataFrame:
    """The table as its vendor shows it at the clock."""
    past = company.tables[table].filter(pl.col("_valid_from") <= company.as_of)
    return past.unique(key, keep="last", maintain_order=True).filter(pl.col("_op") == "upsert")


LINKS = [
    ("hubspot.contacts", "associatedcompanyid", "hubspot.companies", "id"),
    ("hubspot.leads", "primary_company_id", "hubspot.companies", "id"),
    ("hubspot.leads", "primary_contact_id", "hubspot.contacts", "id"),
    ("hubspot.leads", "converted_deal_id", "hubspot.deals", "id"),
    ("hubspot.leads", "hubspot_owner_id", "hubspot.owners", "id"),
    ("hubspot.deals", "lead_id", "hubspot.leads", "id"),
    ("hubspot.deals", "company_ids", "hubspot.companies", "id"),
    ("hubspot.deals", "contact_ids", "hubspot.contacts", "id"),
    ("hubspot.deal_stage_history", "deal_id", "hubspot.deals", "id"),
    ("hubspot.calls", "company_ids", "hubspot.companies", "id"),
    ("hubspot.calls", "deal_ids", "hubspot.deals", "id"),
    ("hubspot.notes", "deal_ids", "hubspot.deals", "id"),
    ("hubspot.tasks", "deal_ids", "hubspot.deals", "id"),
    ("hubspot.tickets", "company_ids", "hubspot.companies", "id"),
    ("hubspot.companies", "hs_parent_company_id", "hubspot.companies", "id"),
    ("u8.customers", "cCusHeadCode", "u8.customers", "cCusCode"),
    ("u8.quotes", "cDefine1", "hubspot.deals", "id"),
    ("u8.quotes", "cCusCode", "u8.customers", "cCusCode"),
    ("u8.orders", "cDefine1", "hubspot.deals", "id"),
    ("u8.orders", "cCusCode", "u8.customers", "cCusCode"),
    ("u8.orders", "cPersonCode", "u8.persons", "cPersonCode"),
    ("u8.orders", "cDepCode", "u8.departments", "cDepCode"),
    ("u8.order_lines", "ID", "u8.orders", "ID"),
    ("u8.order_lines", "cInvCode", "u8.products", "cInvCode"),
    ("u8.deliveries", "cSOCode", "u8.orders", "cSOCode"),
    ("u8.invoices", "cSOCode", "u8.orders", "cSOCode"),
    ("u8.receipts", "cSBVCode", "u8.invoices", "cSBVCode"),
    ("u8.stock", "cInvCode", "u8.products", "cInvCode"),
    ("wecom.external_contacts", "userid", "wecom.users", "userid"),
    ("wecom.checkins", "userid", "wecom.users", "userid"),
    ("wecom.approvals", "applyer_userid", "wecom.users", "userid"),
    ("wecom.events", "external_user_id", "wecom.external_contacts", "external_userid"),
]


@pytest.mark.parametrize(("table", "column", "target", "key"), LINKS)
def test_links_point_to_records_that_already_exist(company: Company, table: str, column: str, target: str, key: str) -> None:
    rows = company.tables[table].select("_valid_from", link=column)
    if rows.schema["link"] == pl.List(pl.String):
        rows = rows.explode("link", empty_as_null=True, keep_nulls=True)
    born = company.tables[target].group_by(key).agg(born=pl.col("_valid_from").min())
    joined = rows.drop_nulls("link").join(born, left_on="link", right_on=key, how="left")
    assert joined.height > 0
    assert joined["born"].null_count() == 0
    # two systems are written within minutes of each other; within one system the target comes first
    late = joined.filter(pl.col("born") > pl.col("_valid_from") + timedelta(minutes=5))
    assert late.is_empty(), late


def test_nobody_refers_to_a_record_that_was_merged_away_or_archived(company: Company) -> None:
    gone = company.tables["hubspot.companies"].filter(pl.col("_op") != "upsert")["id"]
    linked = company.tables["hubspot.deals"].explode("company_ids", empty_as_null=True, keep_nulls=True)["company_ids"]
    assert not linked.is_in(gone.implode()).any()


def test_a_submission_reaches_the_crm_under_its_form_id(company: Company) -> None:
    forms = pl.concat(
        [
            company.tables["forms.web_leads"].select(id="submission_id"),
            company.tables["forms.exhibition_cards"].select(id="card_no"),
            company.tables["forms.card_scans"].select(id="scan_id"),
        ]
    )["id"]
    submitted = company.tables["hubspot.leads"]["submission_id"].drop_nulls().unique()
    assert set(submitted) <= set(forms)
    assert submitted.len() > 0.85 * forms.len()


def test_true_win_probabilities_fit_the_outcomes(company: Company) -> None:
    deals = company.truth["deals"]
    won = deals["outcome"] == "won"
    p = deals["win_probability"]
    assert p.min() > 0
    assert p.max() < 1
    for low, high in ((0.0, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 1.0), (0.0, 1.0)):
        inside = p.is_between(low, high)
        expected = p.filter(inside).sum()
        sigma = (p * (1 - p)).filter(inside).sum() ** 0.5
        assert abs(won.filter(inside).sum() - expected) < 3.5 * sigma, (low, high)


def test_the_crm_shows_the_true_outcome_once_a_deal_is_closed(company: Company) -> None:
    final = company.tables["hubspot.deals"].filter("hs_is_closed").unique("id", keep="last").select("id", "hs_is_closed_won")
    both = final.join(company.truth["deals"], left_on="id", right_on="deal_id")
    assert both.height == final.height > 1000
    assert (both["hs_is_closed_won"] == (both["outcome"] == "won")).all()
    assert not both["is_zombie"].any()


def test_the_crm_amount_of_a_won_deal_is_the_orders(company: Company) -> None:
    final = company.tables["u8.order_lines"].sort("_valid_from").unique("iSOsID", keep="last", maintain_order=True)
    lines = final.filter(pl.col("_op") == "upsert").group_by("ID").agg(pl.col("iSum").sum())
    orders = company.tables["u8.orders"].unique("ID").drop_nulls("cDefine1").join(lines, on="ID")
    deals = (
        company.tables["hubspot.deals"].filter("hs_is_closed_won").unique("id").select("id", pl.col("amount").cast(pl.Float64))
    )
    both = orders.join(deals, left_on="cDefine1", right_on="id")
    assert both.height > 400
    assert ((both["iSum"].cast(pl.Float64) / both["amount"] - 1).abs() < 0.01).all()


def test_stages_follow_each_other_in_time(company: Company) -> None:
    history = company.tables["hubspot.deal_stage_history"].sort("deal_id", "entered_at")
    order = {"mf_lead": 0, "mf_need": 1, "mf_tech": 2, "mf_quote": 3, "mf_negotiation": 4, "closedwon": 5, "closedlost": 5}
    order |= {"g_first_touch": 0, "g_needs": 1, "g_demo": 2, "g_objection": 3, "g_quote": 4}
    steps = history.with_columns(rank=pl.col("stage").replace_strict(order, return_dtype=pl.Int64)).with_columns(
        step=pl.col("rank").diff().over("deal_id")
    )
    assert (steps["step"].drop_nulls() > 0).all()
    won = steps.filter(pl.col("rank").max().over("deal_id") == 5, pl.col("stage") == "closedwon")
    assert (won["step"] == 1).all()


def test_invoices_never_exceed_the_lines_that_their_order_keeps(company: Company) -> None:
    final = company.tables["u8.order_lines"].sort("_valid_from").unique("iSOsID", keep="last", maintain_order=True)
    assert (final["_op"] == "delete").any()
    kept = final.filter(pl.col("_op") == "upsert").group_by("ID").agg(pl.col("iSum").cast(pl.Float64).sum())
    orders = company.tables["u8.orders"].unique("ID").join(kept, on="ID")
    billed = company.tables["u8.invoices"].group_by("cSOCode").agg(billed=pl.col("iSum").cast(pl.Float64).sum())
    both = orders.join(billed, on="cSOCode")
    assert both.height > 400
    assert (both["billed"] <= both["iSum"] + 0.02).all()


def test_receipts_never_exceed_their_invoice(company: Company) -> None:
    paid = company.tables["u8.receipts"].filter(pl.col("_op") == "upsert").group_by("cSBVCode").agg(pl.col("iAmount").sum())
    both = company.tables["u8.invoices"].join(paid, on="cSBVCode")
    assert (both["iAmount"] <= both["iSum"]).all()
    assert (both["iAmount"] < both["iSum"]).any()


def test_most_leads_are_answered_within_a_day_and_some_sleep(company: Company) -> None:
    answered = (
        company.tables["hubspot.leads"]
        .filter(pl.col("lead_status") == "CONNECTED")
        .select("id", first="_valid_from")
        .join(company.tables["hubspot.leads"].group_by("id").agg(pl.col("createdate").min()), on="id", how="right")
        .filter(pl.col("createdate") < company.as_of - timedelta(days=3))
    )
    waited = pl.col("first") - pl.col("createdate")
    share = answered.select((waited <= timedelta(days=1)).fill_null(False)).to_series().mean()
    assert 0.92 < share < 0.98  # the line is 92 %; as activities show it the share is some 2 % lower
    assert answered.filter(waited > timedelta(days=2)).height > 20


def test_most_leads_are_answered_within_a_day_by_a_call_that_connected_though_many_calls_reach_nobody(company: Company) -> None:
    calls = company.tables["hubspot.calls"].unique("id")
    reached = calls["hs_call_disposition"] == CONNECTED
    assert 0.1 < 1 - reached.mean() < 0.25
    outbound = calls.filter(pl.col("hs_call_direction") == "OUTBOUND", reached).explode("contact_ids")
    leads = now(company, "hubspot.leads", "id").select(contact_ids="primary_contact_id", created="createdate")
    answered = leads.join(outbound.select("contact_ids", "hs_timestamp"), on="contact_ids").filter(
        pl.col("hs_timestamp").is_between(pl.col("created"), pl.col("created") + timedelta(days=1))
    )
    assert answered.unique(["contact_ids", "created"]).height / leads.height > 0.6


def test_alerts_have_their_cases_at_the_clock(company: Company) -> None:
    leads = now(company, "hubspot.leads", "id")
    assert leads.filter(pl.col("lead_status") == "NEW", pl.col("createdate") < company.as_of - timedelta(hours=2)).height > 3
    deals = now(company, "hubspot.deals", "id")
    stuck = deals.filter(
        pl.col("dealstage").is_in(["mf_quote", "g_quote"]), pl.col("hs_lastmodifieddate") < company.as_of - timedelta(hours=72)
    )
    assert stuck.height > 5
    calls = pl.concat(
        [company.tables[f"hubspot.{kind}"].select("company_ids", "hs_timestamp") for kind in ("calls", "meetings", "emails")]
    )
    recent = calls.filter(pl.col("hs_timestamp").is_between(company.as_of - timedelta(days=30), company.as_of))
    touched = recent.explode("company_ids", empty_as_null=True, keep_nulls=True)["company_ids"].drop_nulls().unique()
    key_customers = now(company, "hubspot.companies", "id").filter(pl.col("customer_tier") == "A")["id"]
    silent = (~key_customers.is_in(touched.implode())).mean()
    assert 0.1 < silent < 0.7


def test_some_mandatory_nodes_are_between_two_and_three_days_old_and_open_at_the_clock__al_2(company: Company) -> None:
    nodes = {
        stage: kinds
        for pipeline, stages in zip(STAGES.values(), NODES, strict=True)
        for stage, kinds in zip(pipeline, stages, strict=False)
    }
    past = company.tables["hubspot.deal_stage_history"].filter(pl.col("entered_at") <= company.as_of)
    newest = past.sort("entered_at").unique("deal_id", keep="last", maintain_order=True)
    age = pl.lit(company.as_of) - pl.col("entered_at")
    waiting = newest.filter(age > timedelta(hours=48), age < timedelta(hours=72), pl.col("stage").is_in(list(nodes)))
    notes = now(company, "hubspot.notes", "id").explode("deal_ids").filter(pl.col("hs_timestamp") <= company.as_of)
    shown = set(notes.select("deal_ids", "evidence_kind").iter_rows())
    open_nodes = [
        (deal, kind)
        for deal, stage in waiting.select("deal_id", "stage").iter_rows()
        for kind in nodes[stage]
        if kind != "legal_review" and (deal, kind) not in shown
    ]
    assert len(open_nodes) > 3


def test_approvals_are_json_as_wecom_sends_it(company: Company) -> None:
    approvals = now(company, "wecom.approvals", "sp_no")
    assert 450 < approvals.height < 650
    deals = set(company.tables["hubspot.deals"]["id"])
    for row in approvals.iter_rows(named=True):
        contents = json.loads(row["apply_data"])["contents"]
        fields = {field["title"][0]["text"]: field["value"] for field in contents}
        assert fields["商机编号"]["text"] in deals
        record = json.loads(row["sp_record"])
        assert record[0]["details"][0]["approver"]["userid"]
    verified = approvals.filter(pl.col("sp_name") == "障碍解决核实")["sp_status"] == 2
    assert 0.7 < verified.mean() < 0.95


def test_onsite_visits_usually_have_a_check_in_of_the_same_rep_within_two_hours(company: Company) -> None:
    visits = (
        company.tables["hubspot.meetings"].filter(pl.col("visit_type") == "onsite").select("hubspot_owner_id", "hs_timestamp")
    )
    owners = company.tables["hubspot.owners"].join(company.tables["wecom.users"], on="email").select("id", "userid")
    marks = company.tables["wecom.checkins"].join(owners, on="userid").select("id", "checkin_time").sort("checkin_time")
    near = visits.sort("hs_timestamp").join_asof(
        marks, left_on="hs_timestamp", right_on="checkin_time", by_left="hubspot_owner_id", by_right="id", strategy="nearest",
        tolerance="2h",
    )  # fmt: skip
    assert 0.75 < 1 - near["checkin_time"].null_count() / near.height < 0.97
