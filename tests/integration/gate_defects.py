"""One defect for every check of the gate: what is broken, in SQL over the working file, and what the verdict must say of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Defect:
    """`check` names the check as `list_checks` of test_line_defects.py does; `says`: parts of the verdict's reason."""

    check: str
    breaks: tuple[str, ...]
    says: tuple[str, ...]

    def __str__(self) -> str:
        return self.check


def _golden(table: str, gid: str, name: str, crosswalk: str, lineage: str) -> tuple[Defect, ...]:
    one = f"(select min({gid}) from {table} where {name} is not null)"
    return (
        Defect(
            f"golden.{table}.null_ids",
            (f"update {table} set {gid} = null where {gid} = {one}",),
            (f"{table}: every row has its ID (found 1): 1 row: {gid}=null {name}=",),
        ),
        Defect(
            f"golden.{table}.duplicate_ids",
            (f"insert into {table} select * from {table} where {gid} = {one}",),
            (f"{table}: an ID stands for one row (found 1): 1 row: {gid}=", "n_rows=2"),
        ),
        Defect(
            f"golden.{table}.unnamed_share",
            (f"update {table} set {name} = null",),
            (f"{table}: at most two fifths of the records may have no name (found 1.0)", f"{gid}=", f"{name}=null | "),
        ),
        Defect(
            f"golden.{table}.unknown_ids",
            (f"update {crosswalk} set {gid} = 'nobody' where is_current and source_key = "
             f"(select min(source_key) from {crosswalk} where is_current)",),
            (f"{table}: every ID that is used exists (found ", "source=", "source_key=", f"{gid}=nobody"),
        ),
        Defect(
            f"golden.{table}.without_lineage",
            (f"delete from {lineage} where attribute = '{name}' and is_winner and {gid} = {one}",),
            (f"{table}: every golden value names the row it comes from (found 1): 1 row: {gid}=", f"attribute={name}"),
        ),
    )  # fmt: skip


GOLDEN = (
    *_golden("hub.golden_customers", "customer_gid", "company_name", "hub.crosswalk", "hub.golden_lineage"),
    *_golden("hub.golden_persons", "person_gid", "full_name", "hub.person_crosswalk", "hub.person_lineage"),
    Defect(
        "golden.hub.golden_customers.invalid_tax_numbers",
        ("update hub.golden_customers set tax_no = '911100000000000000' where customer_gid ="
         " (select min(customer_gid) from hub.golden_customers)",),
        ("hub.golden_customers: every golden credit code passes both check digits (found 1): 1 row: customer_gid=",
         "tax_no=911100000000000000"),
    ),
)  # fmt: skip

LANDING = (
    Defect(
        "landing.duplicate_keys",
        ("insert into landing.u8__orders select * from landing.u8__orders where _row_no = 0",),
        ("u8.orders: every key occurs once (found 1): 1 row: _key=[", "n_rows=2"),
    ),
    Defect(
        "landing.null_keys",
        ("update landing.u8__orders set _key = null where _row_no = 1",),
        ("u8.orders: every row has its key (found 1): 1 row: _batch_id=", "_row_no=1"),
    ),
    Defect(
        "landing.null_required",
        ('update landing.u8__orders set "dDate" = null where _row_no between 2 and 6',),
        ("u8.orders: every required field is filled (found 5): 5 rows: _key=[", "empty=dDate | _key=", " | ..."),
    ),
    Defect(
        "landing.quarantined_share",
        ("insert into landing._quarantine select 'u8', 'orders', _key, 'dDate: required, but empty', null, null, _batch_id,"
         " _row_no, _extracted_at from landing.u8__orders",
         "update landing._fates set quarantined = rows_in, accepted = 0 where (source, stream) = ('u8', 'orders')"),
        ("u8.orders: at most a fifth of the rows may be in quarantine (found 1.0): ", " of ", "place=[",
         "reason=dDate: required, but empty"),
    ),
    Defect(
        "landing.days_ahead",
        ("update landing.hubspot__deals set hs_lastmodifieddate = timestamptz '2031-02-03 04:05:06+00' where _key ="
         " (select min(_key) from landing.hubspot__deals)",),
        ("hubspot.deals: no row is stamped later than a day after the run's clock (found ", "1 row: _key=[",
         "hs_lastmodifieddate=2031-02-03 04:05:06"),
    ),
)  # fmt: skip
#: known to the ledger, not to the working file: its source no longer sends the column
MISSING = Defect(
    "landing.missing_required_columns",
    (),
    ("u8.orders: every required column still comes from the source (found 1): 1 column: column=dDate",),
)

#: in a file, not in the working file
LOST = Defect(
    "reconciliation.IN_FILES",
    (),
    ("u8/orders: rows in the landing files", " = rows that the ledger committed: expected "),
)
RECONCILIATION = (
    Defect(
        "reconciliation.LOADED",
        ("update landing._fates set rows_in = rows_in - 1, accepted = accepted - 1 where (source, stream) = ('u8', 'orders')",),
        ("u8/orders: rows loaded = rows that the ledger committed: expected ",),
    ),
    Defect(
        "reconciliation.SHARED",
        ("update landing._fates set superseded = superseded + 1 where (source, stream) = ('u8', 'orders')",),
        ("u8/orders: accepted + superseded + quarantined + tombstoned", " = rows loaded: expected "),
    ),
    Defect(
        "reconciliation.IN_TABLE",
        ("delete from landing.u8__orders where _row_no = 0",),
        ("u8/orders: rows of the landing table = accepted: expected ",),
    ),
    Defect(
        "reconciliation.IN_QUARANTINE",
        ("delete from landing._quarantine where source = 'forms'",),
        ("forms/web_leads: rows in quarantine = quarantined: expected 2, found 0",),
    ),
    Defect(
        "reconciliation.STAGED",
        ("delete from staging.stg_hubspot__deals where deal_id in (select deal_id from staging.stg_hubspot__deals limit 2)",),
        ("hubspot/deals: rows staged = accepted: expected ",),
    ),
    Defect(
        "reconciliation.FED",
        ("delete from staging.stg_files__leads where lead_id = (select min(lead_id) from staging.stg_files__leads)",),
        ("as lead: rows staged + superseded by a newer one + left out by `when` = accepted: expected ",),
    ),
)  # fmt: skip


def _first(table: str, column: str) -> str:
    """The condition that chooses one row."""
    return f"{column} = (select min({column}) from {table})"


#: of every kind of generic test one, and every singular test: its name, what it looks at with a defect, and what it says
_DBT: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (
        "not_null",
        "update marts.fct_invoice set invoice_key = null where " + _first("marts.fct_invoice", "invoice_key"),
        "not_null_fct_invoice_invoice_key",
        (": 1 row: invoice_key=null source=u8 order_key=",),
    ),
    (
        "unique",
        "insert into marts.dim_person select * from marts.dim_person limit 1",
        "unique_dim_person_person_gid",
        (": 1 row: unique_field=per_", "n_records=2"),
    ),
    (
        "relationships",
        "update marts.fct_order set rep_key = 'nobody' where " + _first("marts.fct_order", "order_key"),
        "relationships_fct_order_rep_key__rep_key__ref_dim_rep_",
        (": 1 row: from_field=nobody",),
    ),
    (
        "accepted_values",
        "update marts.fct_activity set activity_type = 'dance' where " + _first("marts.fct_activity", "activity_key"),
        "accepted_values_fct_activity_activity_type__",
        (": 1 row: value_field=dance n_records=1",),
    ),
    (
        "accepted_range",
        "update marts.fct_stage_visit set dwell_hours = -5 where " + _first("marts.fct_stage_visit", "visit_key"),
        "accepted_range_fct_stage_visit_dwell_hours__0",
        (": 1 row: dwell_hours=-5",),
    ),
    (
        "expression_is_true",
        "update marts.fct_opportunity set is_closed = false, is_won = true where "
        + _first("marts.fct_opportunity", "opportunity_key"),
        "assert_only_closed_opportunities_are_won",
        (": 1 row: opportunity_key=",),
    ),
    (
        "same_row_count_as",
        "delete from marts.fct_invoice where record_ref = (select max(record_ref) from marts.fct_invoice)",
        "same_row_count_as_fct_invoice_ref_int_invoices_",
        (": 1 row: n_rows=", "n_expected="),
    ),
    (
        "unique_combination",
        "insert into marts.fct_lead_conversion select * from marts.fct_lead_conversion limit 1",
        "unique_combination_fct_lead_conversion_lead_month__lead_source__region",
        (": 1 row: lead_month=", "n_rows=2"),
    ),
    (
        "not_null_where",
        "update marts.fct_stage_visit set dwell_workdays = null where visit_key ="
        " (select max(visit_key) from marts.fct_stage_visit where outcome <> 'won')",
        "not_null_where_fct_stage_visit_dwell_workdays__outcome_won_",
        (": 1 row: visit_key=",),
    ),
    (
        "one_version_a_day",
        "insert into policy.ref_gate_limit select * from policy.ref_gate_limit where metric = 'null_keys'",
        "one_version_a_day_ref_gate_limit_suite__metric",
        (": 1 row: suite=landing metric=null_keys version=1",),
    ),
    (
        "assert_public_calendar_has_248_working_days",
        "update marts.dim_workday set is_workday = true where calendar_date = date '2026-02-16'",
        "",
        (": 1 row: calendar_year=2026 n_workdays=249",),
    ),
    (
        "assert_a_saturday_can_be_a_workday_and_other_years_are_monday_to_friday",
        "update marts.dim_workday set is_workday = false where calendar_date = date '2017-10-02'",
        "",
        (": 1 row: calendar_date=2017-10-02 is_workday=False",),
    ),
    (
        "assert_every_stage_of_history_is_known__ST_1",
        "update intermediate.int_stage_events set stage = 'limbo' where " + _first("intermediate.int_stage_events", "record_ref"),
        "",
        (": 1 row: opportunity_key=", "stage=limbo"),
    ),
    (
        "assert_score_direction_matches_floor_and_target",
        "update policy.ref_score_weight set floor_value = target_value where component = 'process'",
        "",
        (" rows: scheme=", "item="),
    ),
    (
        "assert_score_weights_sum_to_one",
        "update policy.ref_score_weight set weight = weight + 0.01 where component = 'result'",
        "",
        (" rows: scheme=", "total_weight="),
    ),
    (
        "assert_behaviour_share_is_30_to_40_percent",
        "update policy.ref_score_weight set weight = weight + 0.3 where component = 'quality'",
        "",
        (" rows: scheme=", "behaviour_share="),
    ),
    (
        "assert_score_items_add_up_to_the_total",
        "update marts.fct_score set total = total + 1 where total is not null",
        "",
        (" rows: period_month=", "rep_key=", "total="),
    ),
    (
        "assert_score_items_equal_their_evidence",
        "update marts.fct_score_item set numerator = numerator + 1 where numerator is not null",
        "",
        (" rows: period_month=", "item=", "numerator="),
    ),
    (
        "assert_receipts_are_allocated_whole",
        "delete from marts.fct_receipt_allocation where " + _first("marts.fct_receipt_allocation", "receipt_key"),
        "",
        (": 1 row: receipt_key=", "allocated_cny=null"),
    ),
    (
        "assert_forecast_learns_only_from_months_that_were_over",
        "update intermediate.int_forecast_hazards set n_won = n_won + 1 where hazard_level = 'base'",
        "",
        (" rows: origin_no=", "n_won_before="),
    ),
    (
        "assert_forecast_scopes_add_up_to_the_company",
        "update marts.fct_forecast_component set n_deals = n_deals + 1 where scope_type = 'team'",
        "",
        (" rows: period_month=", "scope_type=team"),
    ),
    (
        "assert_no_forecast_model_reads_a_forbidden_field",
        "alter table marts.fct_forecast_backtest add column rep_confidence double",
        "",
        (": 1 row: model_name=fct_forecast_backtest field=rep_confidence",),
    ),
    (
        "assert_pipeline_value_is_the_sum_of_components",
        "update marts.fct_forecast set pipeline_value = pipeline_value + 5 where pipeline_value is not null",
        "",
        (" rows: period_month=", "scope_id=", "pipeline_value="),
    ),
    (
        "assert_every_alert_reaches_somebody__AL_5",
        "update marts.fct_alert set recipient_rep_keys = []",
        "",
        (" rows: rule_code=", "subject_id="),
    ),
)
#: `says` begins with the start of the test's name
DBT = tuple(Defect(f"dbt.{kind}", (breaks,), (name or kind, *says)) for kind, breaks, name, says in _DBT)
