"""Limits come from the seed, metrics find the defect."""

from datetime import UTC, datetime

import duckdb
import pytest

from connectors.base import Field, Stream
from orchestration.lib import limits
from orchestration.lib.expectations import Finding
from orchestration.lib.inputs import describe_inputs, read_published_inputs, write_published_inputs
from orchestration.lib.limits import read_maximum, read_rules
from orchestration.lib.metrics import measure_landing
from orchestration.lib.offenders import find_landing_rows, list_rows

NOW = datetime(2026, 6, 30, 10, tzinfo=UTC)
STREAM = Stream(
    name="deals",
    description="Deals.",
    key=("id",),
    cursor="full",
    deletes="none",
    version="changed_at",
    fields=(Field("id", required=True), Field("owner", required=True), Field("changed_at", "timestamp")),
)


@pytest.fixture
def con():
    with duckdb.connect() as connection:
        connection.execute(
            """
            set timezone = 'UTC';
            create schema landing;
            create table landing._fates as select 'crm' as source, 'deals' as stream, 4 as rows_in, 1 as quarantined;
            create table landing._loaded as select 'crm' as source, 'deals' as stream, 7 as batch_seq, 'c1' as contract_hash;
            create table landing.crm__deals as select * from (values
                ('1', 'a', timestamptz '2026-06-29 10:00:00+00', '["1"]'),
                ('1', 'a', timestamptz '2026-06-29 10:00:00+00', '["1"]'),
                (null, null, timestamptz '2026-07-02 10:00:00+00', '["2"]')) as t(id, owner, changed_at, _key);
            """
        )
        yield connection


def test_metrics_of_a_landed_table_count_each_kind_of_defect(con):
    [row] = measure_landing(con, [("crm", STREAM)], {("crm", "deals"): ["id", "owner"]}, NOW).to_dicts()
    assert row == {
        "stream": "crm.deals",
        "duplicate_keys": 1,
        "null_keys": 0,
        "null_required": 2,
        "missing_required_columns": 2,
        "quarantined_share": 0.25,
        "days_ahead": 2.0,
    }


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("duplicate_keys", '1 row: _key=["1"] n_rows=2'),
        ("null_required", '1 row: _key=["2"] empty=id, owner'),
        ("days_ahead", '1 row: _key=["2"] changed_at=2026-07-02 10:00:00+00:00'),
        ("missing_required_columns", "2 columns: column=id | column=owner"),
    ],
)
def test_rows_that_break_a_limit_are_counted_and_some_are_shown(con, metric, said):
    assert find_landing_rows(con, metric, "crm", STREAM, ["id", "owner"], NOW).describe() == said


def test_too_much_in_quarantine_is_said_with_places_the_command_that_lists_them_and_where_the_limit_stands(con):
    con.execute(
        """
        create table landing._quarantine as select 'crm' as source, 'deals' as stream, key, reason, position, 'b1' as batch_id
        from (values (null, 'its key is empty', 'a.csv, row 2'), ('["3"]', 'amount: no', null)) as t(key, reason, position);
        update landing._fates set rows_in = 7;
        """
    )
    said = find_landing_rows(con, "quarantined_share", "crm", STREAM, [], NOW).describe()
    assert said.startswith('2 of 7 rows: place=["3"] reason=amount: no | place=a.csv, row 2 reason=its key is empty; ')
    assert "`goldthread quarantine list --source crm --stream deals`" in said
    assert "quarantined_share in the seed ref_gate_limit.csv" in said


def test_a_share_is_said_to_four_digits():
    rule = next(rule for rule in read_rules("landing") if rule.column == "quarantined_share")
    assert "(found 0.5714): " in Finding("crm.deals", rule, 4 / 7).describe("4 of 7 rows")


def test_of_many_rows_and_long_values_a_message_shows_little(con):
    found = list_rows(con, "select *, repeat('x', 99) as text, 1 as b, 2 as c, 3 as d from range(9) -- a comment")
    text = f"text={'x' * 60}..."
    assert found.describe() == f"9 rows: range=0 {text} b=1 c=2 | range=1 {text} b=1 c=2 | range=2 {text} b=1 c=2 | ..."


def test_every_metric_of_a_landed_table_has_rows_to_show(con):
    with pytest.raises(KeyError, match="new_metric"):
        find_landing_rows(con, "new_metric", "crm", STREAM, [], NOW)


def test_every_metric_of_a_landed_table_has_a_limit(con):
    metrics = set(measure_landing(con, [("crm", STREAM)], {}, NOW).columns) - {"stream"}
    assert metrics == {rule.column for rule in read_rules("landing")}


def test_a_limit_is_read_from_the_seed_and_an_unknown_one_is_an_error():
    assert read_maximum("sync", "stale_hours") == 36
    with pytest.raises(KeyError):
        read_maximum("sync", "nothing")


def test_a_limit_is_that_of_the_version_that_holds_today(tmp_path, monkeypatch):
    seed = tmp_path / "limits.csv"
    header = "suite,metric,version,minimum,maximum,meaning,valid_from,valid_to,author"
    versions = ("1,,36,old,1990-01-01,2020-01-01,a", "2,,24,new,2020-01-01,,a", "3,,12,next,2999-01-01,,a")
    seed.write_text("\n".join([header, *(f"sync,stale_hours,{version}" for version in versions)]), encoding="utf-8")
    monkeypatch.setattr(limits, "SEED", seed)
    monkeypatch.setattr(limits, "_read_versions", limits._read_versions.__wrapped__)
    assert read_maximum("sync", "stale_hours") == 24


def test_inputs_change_with_a_batch_the_clock_the_code_the_rules_and_a_decision(con):
    first = describe_inputs(con, "code", "rules", NOW)
    assert describe_inputs(con, "code", "rules", NOW) == first
    assert describe_inputs(con, "other", "rules", NOW) != first
    assert describe_inputs(con, "code", "others", NOW) != first
    assert describe_inputs(con, "code", "rules", NOW.replace(minute=1)) != first
    assert describe_inputs(con, "code", "rules", NOW, decided=1) != first
    con.execute("update landing._loaded set batch_seq = 8")
    assert describe_inputs(con, "code", "rules", NOW) != first


def test_the_note_of_published_inputs_is_kept_in_the_working_file(con):
    assert read_published_inputs(con) is None
    write_published_inputs(con, "one")
    write_published_inputs(con, "two")
    assert read_published_inputs(con) == "two"
