"""The dbt project on a company of five customers that fits on a page."""

from pathlib import Path

import pytest

from tests.integration.dbt_company import ROWS
from tests.integration.dbt_harness import create_sources, insert, query, run_dbt

pytestmark = pytest.mark.integration

CORE = ["path:models/marts/core", "path:models/marts/funnel", "path:models/marts/process"]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dbt") / "working.duckdb"
    create_sources(path)
    insert(path, ROWS)
    selection = ["--indirect-selection", "cautious", "--select", *(f"+{place}" for place in CORE)]
    run_dbt(path, "build", "--exclude-resource-type", "unit_test", *selection)
    return path


def test_a_rep_is_one_person_in_crm_erp_and_messaging(company: Path) -> None:
    assert query(company, "select rep_key, region, team_name, manager_name, role from marts.dim_rep where email like 'li@%'") == [
        ("wecom:li", "华东", "华东一部", "韩梅", "rep")
    ]
    names = query(
        company, "select source, rep_ref from intermediate.int_rep_crosswalk where rep_key = 'wecom:li' order by source"
    )
    assert names == [("hubspot", "7"), ("u8", "P1"), ("wecom", "li")]
    assert query(company, "select role from marts.dim_rep where rep_key = 'wecom:boss'") == [("manager",)]


def test_a_form_and_the_crm_lead_made_of_it_are_one_lead__ld_1(company: Path) -> None:
    rows = query(
        company,
        "select lead_key, outcome, opportunity_key, allocation_minutes, response_minutes, response_ref, record_ref"
        " from marts.fct_lead_response",
    )
    assert rows == [
        ("forms:W1", "won", "hubspot:100", 20.0, 45.0, 'hubspot/calls/["2"]', 'forms/web_leads/["W1"]'),
    ]


def test_a_record_of_a_merged_away_company_belongs_to_its_survivor(company: Path) -> None:
    assert query(company, "select customer_gid from marts.fct_activity where activity_key = 'hubspot:call:2'") == [("cus_1",)]


def test_a_visit_is_proven_by_the_check_in_of_the_same_rep__fu_20(company: Path) -> None:
    visits = query(company, "select activity_key, has_evidence from marts.fct_activity where activity_type = 'visit' order by 1")
    assert visits == [("hubspot:meeting:1", True), ("hubspot:meeting:2", False)]


def test_stage_visits_follow_the_history__fu_1(company: Path) -> None:
    sql = (
        "select stage, outcome, next_stage, dwell_hours, evidence_count, evidence_required from marts.fct_stage_visit"
        " where opportunity_key = '{}' order by visit_no"
    )
    assert query(company, sql.format("hubspot:100")) == [
        ("lead", "advanced", "negotiation", 432.0, 1, 1),
        ("negotiation", "advanced", "signed", 624.0, 1, 2),
        ("signed", "won", None, None, 0, 1),
    ]
    assert query(company, sql.format("maven:L")) == [("first_touch", "lost", "lost", 240.0, 0, 0)]
    assert [row[:3] for row in query(company, sql.format("maven:O"))] == [
        ("first_touch", "advanced", "demo"),
        ("demo", "open", None),
    ]


def test_a_passed_legal_approval_completes_its_node__st_9(company: Path) -> None:
    assert query(company, "select evidence_ref from marts.fct_stage_node where node_code = 'legal_review' and is_completed") == [
        ('wecom/approvals/["A3"]',)
    ]


def test_a_node_without_evidence_is_not_completed__st_4(company: Path) -> None:
    assert query(
        company, "select is_completed, completed_at from marts.fct_stage_node where node_code = 'negotiation_minutes'"
    ) == [(False, None)]


def test_a_withdrawn_approval_declares_no_barrier__ph_3(company: Path) -> None:
    assert query(company, "select barrier_key, barrier_type, opportunity_key, is_verified from intermediate.int_barriers") == [
        ("wecom:A1", "sample_test", "hubspot:100", True)
    ]


def test_only_tasks_to_another_function_are_requests__ph_4(company: Path) -> None:
    assert query(company, "select request_key, department, customer_gid from intermediate.int_cross_role_requests") == [
        ("hubspot:1", "legal", "cus_1")
    ]


def test_foreign_orders_invoices_and_receipts_are_worth_what_the_order_says(company: Path) -> None:
    assert [float(row[0]) for row in query(company, "select amount_cny from marts.fct_order")] == [1065.0]
    assert [float(row[0]) for row in query(company, "select amount_cny from marts.fct_invoice")] == [710.0]
    assert [float(row[0]) for row in query(company, "select amount_cny from marts.fct_receipt")] == [284.0]
    assert query(company, "select opportunity_key, rep_key, customer_gid from marts.fct_order") == [
        ("hubspot:100", "wecom:li", "cus_1")
    ]


def test_a_lead_that_ordered_converts_its_cohort__fu_7(company: Path) -> None:
    assert query(
        company,
        "select n_leads, n_ordered, n_with_erp_order from marts.fct_lead_conversion where lead_source = 'all' and region = 'all'",
    ) == [(1, 1, 1)]


def test_a_rep_that_only_a_file_names_still_has_a_row(company: Path) -> None:
    assert query(company, "select full_name, region from marts.dim_rep where rep_key = 'maven:Anna'") == [("Anna", None)]


def test_an_open_deals_close_date_is_an_expectation(company: Path) -> None:
    assert query(
        company,
        "select is_closed, closed_at, expected_close_at is not null, amount_cny > amount"
        " from marts.fct_opportunity where opportunity_key = 'hubspot:101'",
    ) == [(False, None, True, True)]
