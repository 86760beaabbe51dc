"""Four public data sets through the real job to a publication, held against figures computed from the raw files."""

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

REPOSITORY = Path(__file__).parents[2]
PROJECT = REPOSITORY / "examples" / "public-sales"
DATA = Path(os.environ.get("PUBLIC_SALES_DATA") or REPOSITORY.parent / "shared" / "data" / "sales")
CENT = Decimal("0.01")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.shared_data,
    pytest.mark.skipif(
        not (DATA / "maven-crm").is_dir(),
        reason="the public data sets are not here: set PUBLIC_SALES_DATA to the folder that holds maven-crm",
    ),
]


@dataclass(frozen=True)
class Publication:
    """A home after one run of the project, what that run reported, and what it complained of."""

    home: Path
    report: Mapping[str, Any]
    complaints: str

    @property
    def served(self) -> Path:
        return self.home / "publication" / "goldthread.duckdb"

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.served), read_only=True) as con:
            return con.execute(sql).fetchall()


def run_project(home: Path, data: Path = DATA) -> tuple[Mapping[str, Any], str]:
    """`goldthread run --json` in a process of its own, as `make demo-public` does it: its report and its stderr."""
    environment = {
        **os.environ,
        "PUBLIC_SALES_DATA": str(data),
        "GOLDTHREAD_HOME": str(home),
        "DAGSTER_HOME": "",
        "GOLDTHREAD_LEDGER": "",
    }
    command = [str(Path(sys.executable).with_name("goldthread")), "--project", str(PROJECT), "run", "--json"]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    report: Mapping[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return report, done.stderr


def read_raw(path: str) -> list[dict[str, str]]:
    with (DATA / path).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def publication(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    home = tmp_path_factory.mktemp("public")
    return Publication(home, *run_project(home))


@pytest.fixture(scope="module")
def deals() -> list[dict[str, str]]:
    return read_raw("maven-crm/sales_pipeline.csv")


def test_every_landed_row_has_a_fate_and_every_equality_holds(publication: Publication) -> None:
    assert publication.report["verdict"] == "pass"
    streams = {f"{stream['source']}.{stream['stream']}": stream for stream in publication.report["streams"]}
    assert sum(stream["rows_in"] for stream in streams.values()) == 23_397
    assert all(stream["accepted"] == stream["rows_in"] for stream in streams.values())
    assert publication.read("select count(*), count(*) filter (not ok) from reconciliation") == [(75, 0)]


def test_every_accepted_row_is_staged_as_every_entity_that_it_feeds_but_a_customer_is_staged_once(
    publication: Publication,
) -> None:
    assert publication.read("select entity, staged, superseded, left_out from feed_fates where superseded + left_out > 0") == [
        ("party", 100, 2366, 0)
    ]
    assert publication.read("""
        select entity, sum(staged)::INTEGER from feed_fates where entity in ('opportunity', 'lead', 'order', 'invoice')
        group by all order by all
    """) == [("invoice", 2466), ("lead", 8000), ("opportunity", 8800), ("order", 830)]


def test_the_run_has_nothing_to_complain_of_though_most_vendors_are_not_used(publication: Publication) -> None:
    assert publication.complaints == ""
    assert publication.report["checks"]["failed"] == 0


def test_every_opportunity_is_published_with_its_outcome_and_value(publication: Publication, deals: list[dict[str, str]]) -> None:
    stages = Counter(deal["deal_stage"] for deal in deals)
    value = sum(Decimal(deal["close_value"] or 0) for deal in deals)
    assert (len(deals), value) == (8800, 10_005_534)
    assert publication.read("""
        select count(*), count(*) filter (is_won), count(*) filter (is_closed and not is_won), count(*) filter (not is_closed),
            sum(amount), count(distinct opportunity_key)
        from fct_opportunity
    """) == [(8800, stages["Won"], stages["Lost"], stages["Engaging"] + stages["Prospecting"], value, 8800)]


def test_each_deals_row_can_be_followed_to_its_line_of_the_file(publication: Publication, deals: list[dict[str, str]]) -> None:
    won = {deal["opportunity_id"]: Decimal(deal["close_value"]) for deal in deals if deal["deal_stage"] == "Won"}
    published = publication.read(
        "select json_extract_string(split_part(record_ref, '/', 3), '$[0]'), amount from fct_opportunity where is_won"
    )
    assert dict(published) == won


def test_agents_belong_to_the_managers_team_in_their_region(publication: Publication) -> None:
    agents = {(row["sales_agent"], row["manager"], row["regional_office"]) for row in read_raw("maven-crm/sales_teams.csv")}
    published = publication.read("select full_name, team_name, region from dim_rep where rep_key like 'crm:%'")
    assert set(published) == agents
    assert len(published) == 35
    assert publication.read("select count(*), count(distinct manager_name), count(distinct region) from dim_team") == [(6, 6, 3)]
    assert publication.read(
        "select count(*) from fct_opportunity where rep_key is null or team_key is null or region is null"
    ) == [(0,)]


def test_an_opportunity_has_its_accounts_customer_and_one_without_account_has_none(
    publication: Publication, deals: list[dict[str, str]]
) -> None:
    without = sum(not deal["account"] for deal in deals)
    assert without == 1425
    assert publication.read("select count(*) from fct_opportunity where customer_gid is null") == [(without,)]
    wanted = Counter(deal["account"] for deal in deals if deal["account"])
    found = publication.read("""
        select crosswalk.source_key, count(*) from fct_opportunity
        inner join crosswalk using (customer_gid) where crosswalk.source = 'crm' and crosswalk.is_current group by all
    """)
    assert dict(found) == wanted


def test_no_two_companies_are_merged(publication: Publication) -> None:
    assert publication.read("""
        select source, count(*), count(distinct customer_gid) from crosswalk where is_current group by source order by source
    """) == [("crm", 85, 85), ("erp_northwind", 91, 91), ("erp_receivables", 100, 100)]
    assert publication.read("select count(*) from dim_customer") == [(276,)]


def test_a_subsidiary_knows_its_parent(publication: Publication) -> None:
    accounts = read_raw("maven-crm/accounts.csv")
    wanted = {(row["account"], row["subsidiary_of"]) for row in accounts if row["subsidiary_of"]}
    found = publication.read("""
        select child.source_key, parent.source_key from dim_customer
        inner join crosswalk as child using (customer_gid)
        inner join crosswalk as parent on parent.customer_gid = dim_customer.parent_gid
        where child.source = 'crm' and parent.source = 'crm'
    """)
    assert set(found) == wanted


def test_every_lead_is_published_and_closed_deals_are_its_outcome(publication: Publication) -> None:
    leads = read_raw("olist-funnel/olist_marketing_qualified_leads_dataset.csv")
    closed = read_raw("olist-funnel/olist_closed_deals_dataset.csv")
    assert publication.read(
        "select count(*), count(distinct lead_key), count(*) filter (outcome = 'won') from fct_lead_response"
    ) == [(len(leads), 8000, len(closed))]
    assert publication.read("select count(*) from fct_lead_response where outcome = 'won' and rep_key is null") == [(0,)]


def test_an_order_without_amount_is_worth_the_sum_of_its_lines(publication: Publication) -> None:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for line in read_raw("northwind/data/order-details.csv"):
        exact = Decimal(line["unitPrice"]) * Decimal(line["quantity"]) * (1 - Decimal(line["discount"]))
        totals[line["orderID"]] += exact.quantize(CENT, ROUND_HALF_UP)
    assert len(totals) == 830
    assert dict(publication.read("select order_no, amount from fct_order")) == totals
    assert publication.read("""
        select count(*) from (
            select order_key, any_value(fct_order.amount) as amount, sum(line_amount) as lines
            from fct_order inner join fct_order_line using (order_key) group by order_key
        ) where amount <> lines
    """) == [(0,)]


def test_orders_are_valued_at_the_rate_of_their_day_and_sold_by_somebody_to_somebody(publication: Publication) -> None:
    assert publication.read("""
        select count(*) from fct_order where amount_cny is null or currency <> 'USD' or customer_gid is null or rep_key is null
    """) == [(0,)]
    assert publication.read("select count(*), count(product_line) from fct_order_line") == [(2155, 2155)]


def test_every_invoice_and_its_receipt_are_published_and_meet(publication: Publication) -> None:
    invoices = read_raw("ibm-accounts-receivable/WA_Fn-UseC_-Accounts-Receivable.csv")
    value = sum(Decimal(row["InvoiceAmount"]) for row in invoices)
    disputed = sum(row["Disputed"] == "Yes" for row in invoices)
    late = sum(row["DaysLate"] != "0" for row in invoices)
    assert publication.read("select count(*), sum(amount), count(*) filter (is_disputed) from fct_invoice") == [
        (2466, value, disputed)
    ]
    assert publication.read("select count(*), sum(amount), count(invoice_key) from fct_receipt") == [(2466, value, 2466)]
    assert publication.read("""
        select count(*), count(*) filter (status = 'paid'), count(*) filter (days_late > 0)
        from fct_receipt_plan where basis = 'invoice'
    """) == [(2466, 2466, late)]


def test_an_order_without_invoice_or_agreed_date_waits_without_a_due_date(publication: Publication) -> None:
    assert publication.read(
        "select count(*), count(distinct status), min(status) from fct_receipt_plan where basis = 'order'"
    ) == [(830, 1, "unscheduled")]


def test_stage_visits_are_derived_where_the_file_has_no_history(publication: Publication, deals: list[dict[str, str]]) -> None:
    stages = Counter(deal["deal_stage"] for deal in deals)
    visits = publication.read("select stage, count(*) from fct_stage_visit where is_derived group by stage")
    assert dict(visits) == {
        "lead": stages["Won"] + stages["Lost"],
        "signed": stages["Won"],
        "need_confirmed": stages["Engaging"],
    }


def test_the_forecast_stands_at_the_end_of_the_pipelines_last_month(publication: Publication) -> None:
    """December is over at `as_of`: its forecast is what was won; every won deal of the month is in it."""
    [(forecast, won)] = publication.read("""
        select any_value(effective_value), any_value(won) from fct_forecast
        cross join (
            select sum(amount_cny) as won from fct_opportunity
            where is_won and date_trunc('month', closed_at at time zone 'Asia/Shanghai') = date '2017-12-01'
        ) where scope_type = 'company' and horizon = 0
    """)
    assert forecast == won
    assert publication.read("""
        select count(*), bool_and(level = 1), bool_and(effective_value > 0) from fct_forecast
        where scope_type = 'company'
    """) == [(3, True, True)]


def test_a_score_that_lacks_its_sources_is_not_published(publication: Publication) -> None:
    assert publication.read("select count(*) filter (is_published), count(distinct rep_key) from fct_score") == [(0, 30)]


def test_a_second_run_with_nothing_new_changes_nothing(publication: Publication) -> None:
    before = hashlib.sha256(publication.served.read_bytes()).hexdigest()
    report, complaints = run_project(publication.home)
    assert complaints == ""
    assert report["verdict"] == "pass"
    assert report["publication"]["run_id"] == publication.report["publication"]["run_id"]
    assert [stream["rows_in"] for stream in report["streams"]] == [stream["rows_in"] for stream in publication.report["streams"]]
    assert hashlib.sha256(publication.served.read_bytes()).hexdigest() == before


def test_a_row_that_comes_later_is_published(publication: Publication, tmp_path: Path) -> None:
    home, data = tmp_path / "home", tmp_path / "data"
    shutil.copytree(publication.home, home)
    shutil.copytree(DATA, data)
    pipeline = data / "maven-crm" / "sales_pipeline.csv"
    lines = pipeline.read_text(encoding="utf-8").splitlines()
    later = ",".join(["LATER001", *lines[-1].split(",")[1:]])
    pipeline.write_text("\n".join([*lines, later, ""]), encoding="utf-8")
    report, complaints = run_project(home, data)
    assert (report["verdict"], complaints) == ("pass", "")
    assert Publication(home, report, complaints).read("select count(*) from fct_opportunity") == [(8801,)]
