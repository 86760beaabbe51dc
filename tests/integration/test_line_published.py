"""What a first run leaves behind: one whole file, an honest status, every bad row with its reason."""

from __future__ import annotations

import dagster as dg
import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from hub.evaluate import evaluate
from orchestration.cli.app import app
from orchestration.defs.hub import TABLES
from orchestration.lib.parents import measure_parents, read_true_parents
from orchestration.lib.runs import open_instance
from tests.integration.line_harness import MARKS, SOURCES, Line, parse_json

pytestmark = MARKS

FATES = ("accepted", "superseded", "quarantined", "tombstoned", "erased")


@pytest.fixture
def status(look: Line) -> dict:
    return parse_json(CliRunner().invoke(app, ["status", "--json"], catch_exceptions=False).stdout)


def test_the_served_file_is_read_only_and_says_which_run_made_it(look):
    [[run_id, verdict, seq]] = look.read("select run_id, verdict, seq from _publication")
    assert (run_id, verdict, seq) == (look.newest_run, "pass", 1)
    with pytest.raises(duckdb.Error), duckdb.connect(str(look.served), read_only=True) as con:
        con.execute("create table intruder as select 1")


def test_the_description_of_a_publication_counts_its_rows(look):
    promised = dict(look.read("select unnest(json_keys(n_rows)), unnest(json_extract(n_rows, '$.*'))::BIGINT from _publication"))
    tables = {name for (name,) in look.read("select table_name from information_schema.tables")} - {"_publication"}
    assert set(promised) == tables
    found = {name: look.read(f'select count(*) from "{name}"')[0][0] for name in tables}
    assert found == promised


def test_every_table_says_what_it_holds_and_so_does_every_column_of_the_hub_and_of_dimensions(look):
    assert look.read("select table_name from duckdb_tables() where comment is null") == []
    rows = look.read("select table_name, column_name, comment from duckdb_columns() where database_name = current_database()")
    told = {(table, column): text for table, column, text in rows}
    assert told["dim_customer", "n_sources"] == "Source systems that know the customer."
    named = {*TABLES, "reconciliation", "feed_fates", "_publication"}
    assert [place for place, text in told.items() if not text and (place[0] in named or place[0].startswith("dim_"))] == []


@pytest.mark.parametrize(
    "mart",
    [
        *("dim_customer", "dim_person", "dim_rep", "dim_team", "dim_workday"),
        *("fct_stage_visit", "fct_lead_response", "fct_phi_daily", "fct_score_item", "fct_score", "fct_receipt_plan"),
        *("fct_forecast", "fct_alert"),
    ],
)
def test_every_promised_mart_is_served_with_rows(look, mart):
    assert look.read(f"select count(*) from {mart}")[0][0] > 0


def test_status_has_what_it_promises_and_every_landed_row_has_one_fate(status, look):
    assert status["publication"]["path"] == str(look.served)
    assert status["publication"]["run_id"] == look.newest_run
    assert status["publication"]["published_at"]
    assert status["verdict"] == "pass"
    assert {stream["source"] for stream in status["streams"]} == set(SOURCES)
    for stream in status["streams"]:
        promised = {"source", "stream", "rows_in", *FATES, "cursor", "fresh_at"}
        assert promised == set(stream)
        assert stream["rows_in"] == sum(stream[fate] for fate in FATES), stream
        assert stream["cursor"]
        assert stream["fresh_at"]


@pytest.mark.parametrize(
    ("stream", "reason", "payload"),
    [
        ("hubspot.deals", "amount: '面议' is not a decimal", "面议"),
        ("wecom.events", "the signature is wrong", "Encrypt"),
        ("forms.web_leads", "is no JSON", "W2"),
        ("forms.web_leads", "2999-", "2999-"),
    ],
)
def test_a_dirty_row_is_quarantined_with_reason_and_payload(look, stream, reason, payload):
    answer = CliRunner().invoke(app, ["quarantine", "list", "--json"], catch_exceptions=False)
    rows = parse_json(answer.stdout)
    hits = [row for row in rows if f"{row['source']}.{row['stream']}" == stream and reason in row["reason"]]
    assert hits
    assert all(payload in row["payload"] for row in hits)


def test_a_quarantined_deal_is_in_no_mart(look):
    [[key]] = look.query("select key from landing._quarantine where stream = 'deals' limit 1")
    assert look.read(f"select count(*) from fct_opportunity where record_ref = 'hubspot/deals/{key}'") == [(0,)]


@pytest.mark.parametrize(
    ("crosswalk", "truth", "precision", "recall"),
    [("crosswalk", "parties", 0.97, 0.8), ("person_crosswalk", "persons", 0.98, 0.85)],
)
def test_identities_are_near_the_truth(look, company, crosswalk, truth, precision, recall):
    with duckdb.connect(str(look.served), read_only=True) as con:
        found = con.sql(f"select * from {crosswalk}").pl()
    known = pl.read_parquet(company._directory / "truth" / f"{truth}.parquet")
    figures = evaluate(found, known.select("source", "source_key", "customer_id" if truth == "parties" else "person_id"))
    assert figures["precision"] >= precision
    assert figures["recall"] >= recall


def test_parents_are_near_the_truth(look, company):
    with duckdb.connect(str(look.served), read_only=True) as con:
        golden = con.sql("select customer_gid as gid, parent_gid, relation from dim_customer").pl()
        crosswalk = con.sql("select * from crosswalk").pl().rename({"customer_gid": "gid"})
    figures = measure_parents(golden, crosswalk, *read_true_parents(company._directory / "truth"))
    assert set(golden["relation"].drop_nulls()) == {"branch", "subsidiary", "group"}
    assert figures["found_parents"] >= 5
    assert figures["parent_precision"] >= 0.8
    assert figures["parent_recall"] >= 0.4


def test_the_reconciliation_covers_every_stream_down_to_staging(look):
    equalities = look.read("select source || '.' || stream, count(*), bool_and(ok) from reconciliation group by all")
    assert all(ok for _, _, ok in equalities)
    staged = {name for name, count, _ in equalities if count == 6}
    assert staged >= {"hubspot.deals", "u8.orders", "wecom.external_contacts"}
    feeds = {"forms.card_scans": 3, "forms.exhibition_cards": 3, "forms.web_leads": 3, "forms.nps": 1, "forms.price_sheets": 1}
    assert {name: count - 5 for name, count, _ in equalities if name.startswith("forms.")} == feeds
    assert {name for name, count, _ in equalities if count == 5} == set()


def test_every_accepted_row_of_a_file_is_staged_superseded_or_left_out(look):
    fed = look.read("select source || '.' || stream, entity, staged + superseded + left_out from feed_fates")
    accepted = dict(look.query("select source || '.' || stream, accepted from landing._fates"))
    assert len(fed) == 11
    assert [(name, entity) for name, entity, count in fed if count != accepted[name]] == []


def test_every_dbt_table_tells_dagster_how_many_rows_it_has(look):
    logs = open_instance(look.home).all_logs(look.newest_run, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    made = [entry.asset_materialization for entry in logs]
    tables = {name for (name,) in look.query("select table_schema || '/' || table_name from information_schema.tables")}
    counts = {
        event.asset_key.to_user_string(): event.metadata.get("dagster/row_count")
        for event in made
        if "unique_id" in event.metadata and event.asset_key.to_user_string() in tables
    }
    assert len(counts) > 100
    found = {name: look.query(f"select count(*) from {name.replace('/', '.')}")[0][0] for name in counts}
    assert {name: count and count.value for name, count in counts.items()} == found


@pytest.mark.parametrize(
    ("prefix", "gid", "records"),
    [("", "customer_gid", "int_parties_unioned"), ("person_", "person_gid", "int_persons_unioned")],
)
def test_the_hub_tells_dagster_what_it_found(look, prefix, gid, records):
    logs = open_instance(look.home).all_logs(look.newest_run, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    told = {entry.asset_materialization.asset_key.path[-1]: entry.asset_materialization.metadata for entry in logs}
    crosswalk = {name: value.value for name, value in told[f"{prefix}crosswalk"].items()}
    [(count,)] = look.query(f"select count(*) from intermediate.{records}")
    [(clusters, largest)] = look.query(
        f"select count(*), max(n) from (select count(*) as n from hub.{prefix}crosswalk where is_current group by {gid})"
    )
    assert (crosswalk["records"], crosswalk["clusters"], crosswalk["largest_cluster"]) == (count, clusters, largest)
    assert crosswalk["candidates"] > crosswalk["vetoes"] >= 0
    assert crosswalk["share_ids_changed"] == 0
    assert crosswalk["review_found"] >= crosswalk["review_kept"] > 0
    assert crosswalk["pairs_left_out"] >= crosswalk["blocks_capped"] >= 0
    assert told[f"{prefix}edges"]["match weights"].value.startswith("![")
    queue = told[f"{prefix}review_queue"]
    stakes = look.query(f"select count(*), sum(value_at_stake) from hub.{prefix}review_queue")
    assert [(queue["review_kept"].value, pytest.approx(queue["value_at_stake"].value))] == stakes
    assert sum(queue["reasons"].value.values()) == queue["review_kept"].value


def test_the_hub_tells_dagster_of_parents(look):
    logs = open_instance(look.home).all_logs(look.newest_run, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    told = next(m.metadata for e in logs if (m := e.asset_materialization).asset_key.path[-1] == "golden_customers")
    [counts] = look.query(
        "select count(*) filter (where relation = 'subsidiary'), count(*) filter (where relation = 'branch'),"
        " count(*) filter (where relation = 'group'), count(parent_gid),"
        " count(*) filter (where relation = 'branch' and parent_gid is null),"
        " count(*) filter (where parent_source_key is not null and parent_gid is null) from hub.golden_customers"
    )
    names = ("subsidiaries", "branches", "groups", "with_parent", "branches_without_parent", "named_parents_not_found")
    assert tuple(told[name].value for name in names) == counts
    by_sources = look.query("select n_sources::varchar, count(*) from hub.golden_customers group by 1")
    assert told["by_sources"].value == dict(by_sources)


@pytest.mark.parametrize("mart", ["fct_forecast", "fct_forecast_component"])
def test_a_forecast_names_the_run_that_made_it(look, mart):
    assert look.read(f"select distinct run_id from {mart}") == [(look.newest_run,)]


def test_the_working_file_holds_no_path_of_its_home(look):
    assert not [1 for (sql,) in look.query("select sql from duckdb_views() where not internal") if str(look.home) in sql]
