from dataclasses import replace

import pytest

from connectors.base import Field, Stream
from warehouse.batches import read_fates
from warehouse.compaction import compact, sweep
from warehouse.errors import ContractError, WarehouseError
from warehouse.load import create_empty, load_stream, read_loaded
from warehouse.working import open_working

pytestmark = pytest.mark.integration

CUSTOMERS = Stream("customers", ("id",), (Field("id"), Field("amount", "decimal")), "full", "none", "")
TABLE = "select * from landing.erp__customers order by id"


def test_nothing_new_is_not_loaded_again(store):
    store.land([{"id": "1", "amount": "5"}])
    first = store.load()
    store.query("update landing.erp__customers set name = 'touched'")
    assert store.load() == first
    assert store.query("select name from landing.erp__customers") == [("touched",)]
    store.load(force=True)
    assert store.query("select name from landing.erp__customers") == [(None,)]


def test_what_is_loaded_is_the_newest_until_a_batch_comes_or_the_contract_changes(store):
    store.land([{"id": "1", "amount": "5"}])
    fates = store.load(CUSTOMERS)
    with open_working(store.home) as connection:
        loaded = read_loaded(connection)["erp", "customers"]
    assert loaded.fates == fates
    assert loaded.is_newest(store.ledger, "erp", CUSTOMERS)
    assert not loaded.is_newest(store.ledger, "erp", replace(CUSTOMERS, fields=(Field("id"), Field("amount"))))
    store.land([{"id": "2", "amount": "5"}])
    assert not loaded.is_newest(store.ledger, "erp", CUSTOMERS)


def test_a_changed_contract_loads_again_and_frees_the_quarantine(store):
    store.land([{"id": "1", "amount": "5 pieces"}])
    assert store.load(CUSTOMERS).quarantined == 1
    as_text = replace(CUSTOMERS, fields=(Field("id"), Field("amount")))
    assert (store.load(as_text).accepted, store.load(as_text).quarantined) == (1, 0)
    assert store.query("select count(*) from landing._quarantine") == [(0,)]


def test_a_good_version_supersedes_the_bad_one_before_it(store):
    store.land([{"id": "1", "amount": "x"}])
    assert store.load(CUSTOMERS).quarantined == 1
    store.land([{"id": "1", "amount": "7"}])
    fates = store.load(CUSTOMERS)
    assert (fates.accepted, fates.superseded, fates.quarantined) == (1, 1, 0)


def test_a_bad_new_version_leaves_the_good_old_one(store):
    store.land([{"id": "1", "amount": "7"}])
    store.land([{"id": "1", "amount": "x"}])
    fates = store.load(CUSTOMERS)
    assert (fates.accepted, fates.quarantined) == (1, 1)
    assert store.query("select amount::INTEGER from landing.erp__customers") == [(7,)]


def test_fates_can_be_read_from_the_ledger(store):
    store.land([{"id": "1"}])
    assert read_fates(store.ledger, "erp", "customers") is None
    fates = store.load()
    assert read_fates(store.ledger, "erp", "customers") == fates


def test_a_deleted_working_file_is_rebuilt_identically(store):
    for n in range(3):
        store.land([{"id": str(n), "amount": "1"}, {"id": "x", "amount": str(n)}])
    store.load()
    before = store.query(TABLE)
    store.home.working.unlink()
    store.load()
    assert store.query(TABLE) == before


def test_compaction_changes_no_row_and_is_idempotent(store):
    for n in range(4):
        store.land([{"id": str(n), f"column_{n}": "x"}])
    store.land(deleted=[{"id": "0"}])
    store.load()
    before = store.query(TABLE)
    assert compact(store.home, store.ledger, "erp", "customers", min_files=6) == 0
    assert compact(store.home, store.ledger, "erp", "customers", min_files=2) == 5
    assert compact(store.home, store.ledger, "erp", "customers", min_files=2) == 0
    assert len(list(store.home.landing.rglob("*.parquet"))) == 1
    fates = store.load(force=True)
    assert (fates.rows_in, fates.accepted, fates.tombstoned) == (5, 3, 1)
    assert store.query(TABLE) == before


def test_compaction_leaves_large_files_alone(store):
    for n in range(3):
        store.land([{"id": f"{n}-{m}"} for m in range(3 if n else 10)])
    assert compact(store.home, store.ledger, "erp", "customers", min_files=2, small_rows=10) == 2


def test_compaction_killed_around_its_ledger_row_loses_nothing(store, monkeypatch):
    for n in range(3):
        store.land([{"id": str(n)}])

    def crash(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("warehouse.compaction.move_files", crash)
    with pytest.raises(KeyboardInterrupt):
        compact(store.home, store.ledger, "erp", "customers", min_files=2)
    monkeypatch.undo()
    assert store.load().accepted == 3
    monkeypatch.setattr("pathlib.Path.unlink", crash)
    with pytest.raises(KeyboardInterrupt):
        compact(store.home, store.ledger, "erp", "customers", min_files=2)
    monkeypatch.undo()
    assert len(list(store.home.landing.rglob("*.parquet"))) == 4
    with store.home.hold_run_lock("run-2") as lock:
        assert len(sweep(store.home, store.ledger, lock)) == 3
    assert store.load(force=True).accepted == 3


def test_compaction_refuses_files_that_do_not_hold_what_the_ledger_says(store):
    store.land([{"id": "1"}])
    store.land([{"id": "2"}, {"id": "3"}])
    short, long = sorted(store.home.landing.rglob("*.parquet"))
    long.write_bytes(short.read_bytes())
    with pytest.raises(WarehouseError, match="hold 2 rows, the ledger says 3"):
        compact(store.home, store.ledger, "erp", "customers", min_files=2)


def test_an_unconfigured_stream_has_an_empty_typed_table(store):
    with open_working(store.home) as connection:
        create_empty(connection, "erp", CUSTOMERS)
        create_empty(connection, "erp", CUSTOMERS)
        columns = dict(connection.execute("select column_name, column_type from (describe landing.erp__customers)").fetchall())
    assert columns["amount"] == "DECIMAL(18,4)"
    assert columns["_extracted_at"] == "TIMESTAMP WITH TIME ZONE"
    assert store.load(CUSTOMERS).rows_in == 0
    store.land([{"id": "1"}])
    assert store.load(CUSTOMERS).accepted == 1


def test_a_version_that_is_no_field_is_a_contract_error_and_changes_nothing(store):
    store.land([{"id": "1"}])
    store.load()
    with pytest.raises(ContractError, match="its version 'moved_at' is not one of its fields"):
        store.load(replace(CUSTOMERS, version="moved_at"))
    assert store.query("select count(*) from landing.erp__customers") == [(1,)]


def test_composite_keys_keep_records_apart(store):
    stream = Stream("follows", ("a", "b"), (Field("a"), Field("b")), "full", "none", "")
    store.land([{"a": "1", "b": "23"}, {"a": "12", "b": "3"}, {"a": '1"', "b": "2"}, {"a": "1", "b": None}], stream=stream)
    fates = store.load(stream)
    assert (fates.accepted, fates.quarantined) == (3, 1)
    keys = store.query("select _key from landing.erp__follows")
    assert sorted(keys) == [('["1","23"]',), ('["12","3"]',), ('["1\\"","2"]',)]


def test_a_failed_load_leaves_the_old_table(store, monkeypatch):
    store.land([{"id": "1"}])
    store.load()
    store.land([{"id": "2"}])

    def crash(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr("warehouse.load._remember", crash)
    with open_working(store.home) as connection, pytest.raises(KeyboardInterrupt):
        load_stream(connection, store.home, store.ledger, "erp", CUSTOMERS)
    assert store.query("select id from landing.erp__customers") == [("1",)]
