import polars as pl
import pytest

from connectors.base import REJECT_SCHEMA, Batch, Field, Stream
from warehouse.batches import read_cursor
from warehouse.quarantine import list_quarantine, list_rejects, retry_rejects
from warehouse.working import open_working

pytestmark = pytest.mark.integration

LINES = Stream("lines", ("id",), (Field("id"), Field("amount", "decimal")), "manifest", "none", "")
REJECTS = [
    {"position": "a.csv:7", "reason": "3 columns instead of 2", "payload": "1,5,0"},
    {"position": "a.csv:9", "reason": "3 columns instead of 2", "payload": "?"},
]


def split_decimal_comma(_stream, rejects):
    """A parser that learnt to read the first of the two rejects."""
    again = rejects.filter(pl.col("payload") == "?").with_columns(reason=pl.lit("still unreadable"))
    return Batch("lines", pl.DataFrame({"id": ["1"], "amount": ["5.0"]}), {}, rejects=again)


def retry(store, parse=split_decimal_comma):
    return retry_rejects(store.home, store.ledger, "erp", LINES, parse, "run-2")


def test_quarantine_tells_where_what_and_why(store):
    store.land([{"id": "2", "amount": "x"}], stream=LINES, rejects=REJECTS[:1])
    store.load(LINES)
    with open_working(store.home) as connection:
        rows = list_quarantine(connection, "erp", "lines").select("key", "reason", "payload", "position").rows()
        assert list_quarantine(connection, "crm").height == 0
        assert list_quarantine(connection, limit=1).height == 1
    assert rows[0][:1] == ('["2"]',)
    assert rows[1] == (None, "3 columns instead of 2", "1,5,0", "a.csv:7")


def test_a_retried_reject_is_superseded_and_the_hopeless_one_stays(store):
    store.land([{"id": "2", "amount": "1"}], stream=LINES, rejects=REJECTS, cursor={"n": 1})
    assert store.load(LINES).quarantined == 2
    [landed] = retry(store)
    assert (landed.n_upserts, landed.n_rejects) == (1, 0)
    fates = store.load(LINES)
    assert (fates.rows_in, fates.accepted, fates.superseded, fates.quarantined) == (4, 2, 1, 1)
    assert list_rejects(store.home, store.ledger, "erp", "lines")["payload"].to_list() == ["?"]
    assert retry(store, lambda _stream, rejects: Batch("lines", pl.DataFrame(), {}, rejects=rejects)) == []


def test_a_retry_moves_no_cursor_and_a_source_that_cannot_is_left_alone(store):
    store.land(stream=LINES, rejects=REJECTS, cursor={"n": 1})
    assert retry(store, lambda _stream, _rejects: None) == []
    retry(store)
    assert read_cursor(store.ledger, "erp", "lines") == {"n": 1}


def test_a_retried_row_does_not_outrank_what_came_after_it(store):
    store.land(stream=LINES, rejects=REJECTS)
    store.land([{"id": "1", "amount": "99"}], stream=LINES)
    retry(store)
    store.load(LINES)
    assert store.query("select amount::INTEGER from landing.erp__lines") == [(99,)]


def test_a_reject_that_turns_out_to_be_no_row_is_answered_too(store):
    store.land(stream=LINES, rejects=REJECTS[:1])
    [landed] = retry(store, lambda _stream, _rejects: Batch("lines", pl.DataFrame(), {}))
    assert landed.n_rows == 0
    fates = store.load(LINES)
    assert (fates.rows_in, fates.superseded, fates.quarantined) == (1, 1, 0)


def test_a_reject_with_a_new_face_is_a_new_reject(store):
    store.land(stream=LINES, rejects=REJECTS[:1])
    changed = pl.DataFrame([{"position": "a.csv:7", "reason": "no", "payload": '{"id": "1"}'}], schema=REJECT_SCHEMA)
    retry(store, lambda _stream, _rejects: Batch("lines", pl.DataFrame(), {}, rejects=changed))
    fates = store.load(LINES)
    assert (fates.rows_in, fates.superseded, fates.quarantined) == (2, 1, 1)


def test_a_row_without_its_key_is_quarantined_with_a_reason_even_where_the_key_is_no_field(store):
    stream = Stream("lines", ("no",), (Field("amount"),), "full", "none", "")
    store.land([{"no": None, "amount": "5"}, {"no": "1", "amount": "6"}], stream=stream)
    assert store.load(stream).quarantined == 1
    assert store.query("select reason, payload from landing._quarantine") == [("its key is empty", '{"no":null,"amount":"5"}')]
