from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connectors.base import Feed, Field, Stream
from connectors.files.entities import ENTITIES, table_name
from warehouse.canonical import FeedFates, count_feeds, create_canonical_views
from warehouse.contract import SQL_TYPES, hash_contract
from warehouse.errors import ContractError
from warehouse.load import load_stream
from warehouse.working import open_working

pytestmark = pytest.mark.integration

FIELDS = (
    Field("no"),
    Field("customer"),
    Field("total", "integer"),
    Field("day", "date", zone="Asia/Shanghai"),
    Field("changed", "timestamp"),
)
FEED = Feed("order", (("order_id", "no"), ("amount", "total"), ("ordered_date", "day"), ("currency", "=CNY")))
SQL_NAMES = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}
OURS = ["source VARCHAR", "stream VARCHAR", "_key VARCHAR", "_batch_id VARCHAR", "_row_no BIGINT"]
OURS.append("_extracted_at TIMESTAMP WITH TIME ZONE")
SHEET = Stream("sheet", ("no", "customer"), FIELDS, "manifest", "none", "", version="changed", feeds=(FEED,))


def build(store, *streams):
    with open_working(store.home) as connection:
        for stream in streams:
            load_stream(connection, store.home, store.ledger, "erp", stream)
        create_canonical_views(connection, ENTITIES, table_name, {"erp": streams})


def a_row(no="1", customer="c", changed="2025-01-01T00:00:00Z", **values):
    return {"no": no, "customer": customer, "total": "5", "day": "2025-01-05", "changed": changed, **values}


def test_every_entity_exists_typed_when_nothing_feeds_it(store):
    build(store)
    found = store.query(
        "select table_name, list(column_name || ' ' || data_type order by column_index) from duckdb_columns()"
        " where schema_name = 'files' group by all"
    )
    assert dict(found) == {
        table_name(entity): [
            *(f"{name} {SQL_NAMES.get(SQL_TYPES[kind], SQL_TYPES[kind])}" for name, kind in columns.items()),
            *OURS,
        ]
        for entity, (columns, _key) in ENTITIES.items()
    }
    assert store.query("select count(*) from files.parties") == [(0,)]


def test_a_feed_fills_columns_from_fields_and_constants(store):
    store.land([a_row()], stream=SHEET)
    build(store, SHEET)
    query = "select order_id, amount, ordered_date, currency, order_no, source, stream, _key from files.orders"
    expected = ("1", Decimal("5.0000"), date(2025, 1, 5), "CNY", None, "erp", "sheet", '["1","c"]')
    assert store.query(query) == [expected]


def test_dates_and_times_change_into_each_other_in_the_fields_zone(store):
    lead = Feed("lead", (("lead_id", "no"), ("created_at", "day")))
    receipt = Feed("receipt", (("receipt_id", "no"), ("received_date", "changed")))
    stream = replace(SHEET, feeds=(lead, receipt))
    store.land([a_row(changed="2025-01-05T20:00:00Z")], stream=stream)
    build(store, stream)
    assert store.query("select created_at from files.leads") == [(datetime(2025, 1, 4, 16, tzinfo=UTC),)]
    assert store.query("select received_date from files.receipts") == [(date(2025, 1, 5),)]


def test_of_one_entity_key_the_newest_wins_across_rows_and_streams(store):
    other = replace(SHEET, name="other")
    store.land([a_row(customer="new", changed="2025-03-01T00:00:00Z", total="1")], stream=SHEET)
    store.land([a_row(customer="old", total="2"), a_row(no="2", total="3")], stream=other)
    store.land([a_row(no="2", total="4")], stream=SHEET)
    build(store, SHEET, other)
    assert store.query("select order_id, amount::INTEGER from files.orders order by 1") == [("1", 1), ("2", 4)]


def test_a_row_that_lacks_what_the_feed_needs_is_not_that_entity(store):
    stream = replace(SHEET, feeds=(replace(FEED, when=("customer", "day")),))
    store.land([a_row(), a_row(no="2", day=None)], stream=stream)
    build(store, stream)
    assert store.query("select order_id from files.orders") == [("1",)]


PARTY = Feed("party", (("party_id", "vat"),), key=("vat",))
KEYED = replace(SHEET, fields=(*FIELDS, Field("vat")), feeds=(FEED, PARTY))


def test_a_row_without_the_key_of_an_entity_that_it_is_fed_as_is_quarantined_with_the_reason(store):
    store.land([a_row(vat="x"), a_row(no="2", vat=" "), a_row(no="3", vat=None)], stream=KEYED)
    build(store, KEYED)
    reason = "vat: empty, but the key of party (feeds.party.when says which rows are one)"
    assert store.query("select key, reason from landing._quarantine order by 1") == [('["2","c"]', reason), ('["3","c"]', reason)]
    assert store.query("select party_id from files.parties") == [("x",)]
    assert store.query("select order_id from files.orders") == [("1",)]


def test_a_row_that_by_its_contract_is_no_such_entity_needs_no_key_of_it(store):
    stream = replace(KEYED, feeds=(FEED, replace(PARTY, when=("vat",))))
    store.land([a_row(vat="x"), a_row(no="2", vat=None)], stream=stream)
    build(store, stream)
    assert store.query("select count(*) from landing._quarantine") == [(0,)]
    assert store.query("select party_id from files.parties") == [("x",)]
    assert store.query("select order_id from files.orders order by 1") == [("1",), ("2",)]


def test_another_feed_is_another_contract():
    changed = [replace(SHEET, feeds=(feed,)) for feed in (replace(FEED, when=("day",)), replace(FEED, key=("day",)), PARTY)]
    assert len({hash_contract(stream) for stream in (SHEET, *changed)}) == 4


def test_every_accepted_row_is_staged_superseded_or_left_out_for_each_entity_that_it_feeds(store):
    stream = replace(KEYED, feeds=(replace(FEED, when=("day",)), replace(PARTY, when=("vat",))))
    rows = [a_row(vat="x"), a_row(customer="d", changed="2025-02-01T00:00:00Z", vat="y"), a_row(no="2", vat="x")]
    store.land([*rows, a_row(no="3", day=None, vat=None), a_row(no="4", total="bad")], stream=stream)
    build(store, stream)
    with open_working(store.home) as connection:
        staged = {("erp", "sheet", "order"): 2, ("erp", "sheet", "party"): 2}
        counted = count_feeds(connection, table_name, {"erp": [stream]}, staged)
    assert counted == [
        FeedFates("erp", "sheet", "order", staged=2, superseded=1, left_out=1),
        FeedFates("erp", "sheet", "party", staged=2, superseded=1, left_out=1),
    ]
    assert store.query("select (select count(*) from files.orders), (select count(*) from files.parties)") == [(2, 2)]
    assert store.query("select accepted from landing._fates") == [(4,)]


@pytest.mark.parametrize(
    ("feed", "message"),
    [
        (Feed("order", (("order_id", "number"),)), "no field 'number' in the stream"),
        (Feed("order", (("colour", "no"),)), r"no such columns \['colour'\]"),
        (Feed("order", (("order_id", "no"), ("amount", "customer"))), "field 'customer' is text, the column is decimal"),
        (Feed("ship", ()), r"unknown entities \['ship'\]"),
    ],
)
def test_a_feed_that_cannot_be_is_refused(store, feed, message):
    with pytest.raises(ContractError, match=message):
        build(store, replace(SHEET, feeds=(feed,)))
