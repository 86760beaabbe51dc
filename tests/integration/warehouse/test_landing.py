import polars as pl
import pytest

import warehouse.landing as landing_module
from connectors.base import Batch, Field, Stream
from warehouse.batches import list_batches, read_cursor, schema_changes
from warehouse.compaction import sweep
from warehouse.errors import BatchRefusedError, TruncationRefusedError
from warehouse.landing import land

pytestmark = pytest.mark.integration

KEYED = Stream("customers", ("id",), (Field("id", headers=("编号", "id")),), "full", "none", "")


def landed_file(store, seq=1):
    batch = next(b for b in list_batches(store.ledger, "erp", "customers") if b.seq == seq)
    return pl.read_parquet(store.home.landing / batch.file)


def test_a_batch_and_its_cursor_appear_together(store):
    landed = store.land([{"id": "1", "name": "甲"}], cursor={"at": "2026-01-01"})
    assert (landed.n_rows, landed.n_upserts) == (1, 1)
    assert read_cursor(store.ledger, "erp", "customers") == {"at": "2026-01-01"}
    file = landed_file(store)
    assert file.select("id", "name", "_op", "_row_no", "_batch_id").rows() == [("1", "甲", "upsert", 0, landed.batch_id)]
    assert file["_row_hash"].dtype == pl.String


def test_an_empty_batch_only_moves_the_cursor(store):
    assert store.land(cursor={"at": "2026-01-02"}).batch_id is None
    assert read_cursor(store.ledger, "erp", "customers") == {"at": "2026-01-02"}
    assert list_batches(store.ledger, "erp", "customers") == []
    assert list(store.home.landing.rglob("*.parquet")) == []


def test_a_crash_before_the_ledger_leaves_only_an_orphan_that_is_swept(store, monkeypatch):
    store.land([{"id": "1"}], cursor={"n": 1})

    def crash(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(landing_module, "commit_batch", crash)
    with pytest.raises(KeyboardInterrupt):
        store.land([{"id": "2"}], cursor={"n": 2})
    monkeypatch.undo()
    assert len(list(store.home.landing.rglob("*.parquet"))) == 2
    assert read_cursor(store.ledger, "erp", "customers") == {"n": 1}
    assert store.load().rows_in == 1
    with store.home.hold_run_lock("run-2") as lock:
        assert len(sweep(store.home, store.ledger, lock)) == 1
        assert sweep(store.home, store.ledger, lock) == []
    store.land([{"id": "2"}], cursor={"n": 2})
    assert store.load().accepted == 2


def test_the_sweep_spares_files_younger_than_the_run(store):
    with store.home.hold_run_lock("run-1") as lock:
        young = store.home.landing / "being-written.parquet.tmp"
        young.touch()
        assert sweep(store.home, store.ledger, lock) == []
        assert young.exists()


def test_a_reread_drops_rows_that_have_landed(store):
    store.land([{"id": "1", "name": "甲"}, {"id": "2", "name": "乙"}])
    landed = store.land([{"id": "1", "name": "甲"}, {"id": "2", "name": "丙"}], rereads=True)
    assert (landed.n_rows, landed.n_repeats) == (1, 1)
    assert landed_file(store, 2)["name"].to_list() == ["丙"]


def test_without_rereads_an_identical_row_lands_again(store):
    store.land([{"id": "1"}])
    assert store.land([{"id": "1"}]).n_rows == 1


def test_a_value_that_goes_back_to_an_earlier_one_is_news(store):
    for name in ("甲", "乙", "甲"):
        assert store.land([{"id": "1", "name": name}], rereads=True).n_rows == 1
    store.load()
    assert store.query("select name from landing.erp__customers") == [("甲",)]


def test_rereading_a_file_with_two_versions_of_a_key_repeats_nothing(store):
    rows = [{"id": "1", "name": "甲"}, {"id": "1", "name": "乙"}]
    store.land(rows)
    assert store.land(rows, rereads=True).n_repeats == 2


def test_a_record_that_returns_after_its_delete_is_news(store):
    store.land([{"id": "1"}])
    store.land(deleted=[{"id": "1"}])
    assert store.land([{"id": "1"}], rereads=True).n_rows == 1
    assert store.load().accepted == 1


def test_a_reread_reject_is_a_repeat(store):
    reject = {"position": "row 7", "reason": "too few columns", "payload": "a,b"}
    store.land([{"id": "1"}], rejects=[reject])
    assert store.land(rejects=[{**reject, "reason": "said otherwise"}], rereads=True).n_repeats == 1


def test_a_batch_of_rejects_alone_has_no_vendor_columns(store):
    reject = {"position": "row 7", "reason": "too few columns", "payload": "a,b"}
    store.land([{"id": "1"}])
    store.land([{"id": "1"}], rejects=[reject], rereads=True)
    assert list_batches(store.ledger, "erp", "customers")[1].columns == {}
    assert store.load().rows_in == 2


def test_a_stream_of_rejects_alone_loads(store):
    store.land(rejects=[{"position": "row 7", "reason": "too few columns", "payload": "a,b"}])
    assert store.load().quarantined == 1


def test_rows_without_key_are_repeats_too(store):
    store.land([{"id": None, "name": "甲"}])
    assert store.land([{"id": None, "name": "甲"}, {"id": None, "name": "乙"}], rereads=True).n_rows == 1


def test_a_delete_reported_every_day_lands_once(store):
    store.land([{"id": "1"}, {"id": "2"}])
    assert store.land(deleted=[{"id": "1"}, {"id": "1"}]).n_deletes == 1
    again = store.land(deleted=[{"id": "1"}])
    assert (again.batch_id, again.n_repeats) == (None, 1)


def test_a_field_that_comes_under_another_of_its_headers_is_not_missing(store):
    stream = Stream("orders", ("id",), (Field("id"), Field("amount", headers=("金额", "Amount"))), "manifest", "none", "")
    store.land([{"id": "1", "金额": "5"}], stream=stream)
    [new] = store.land([{"id": "2", "amount": "5"}], stream=stream).schema_changes
    assert (new.column_name, new.kind) == ("amount", "new_column")
    assert store.land([{"id": "3", "金额": "5"}], stream=stream).schema_changes == ()
    [gone] = store.land([{"id": "4"}], stream=stream).schema_changes
    assert (gone.column_name, gone.kind) == ("金额", "missing_column")


def test_live_keys_delete_what_the_source_no_longer_lists(store):
    store.land([{"id": str(n)} for n in range(5)])
    landed = store.land([{"id": "new"}], live_keys=[{"id": str(n)} for n in range(4)])
    assert (landed.n_upserts, landed.n_deletes) == (1, 1)
    assert landed_file(store, 2).filter(pl.col("_op") == "delete")["id"].to_list() == ["4"]
    assert store.land(live_keys=[{"id": str(n)} for n in (0, 1, 2, 3, "new")]).n_rows == 0


def test_a_shrunken_id_list_is_refused_whole(store):
    store.land([{"id": str(n)} for n in range(100)], cursor={"n": 1})
    with pytest.raises(TruncationRefusedError, match="21 of the 100 that we hold would be deleted, more than 20%"):
        store.land([{"id": "new"}], live_keys=[{"id": str(n)} for n in range(79)], cursor={"n": 2})
    assert read_cursor(store.ledger, "erp", "customers") == {"n": 1}
    assert store.load().rows_in == 100


@pytest.mark.parametrize(("n_held", "n_live"), [(100, 80), (20, 0)])
def test_a_moderate_or_small_shrink_is_believed(store, n_held, n_live):
    store.land([{"id": str(n)} for n in range(n_held)])
    keys = pl.DataFrame({"id": [str(n) for n in range(n_live)]}, schema={"id": pl.String})
    batch = Batch("customers", pl.DataFrame(), {}, live_keys=keys)
    assert land(store.home, store.ledger, "erp", KEYED, batch, "run-1").n_deletes == n_held - n_live


def test_deletes_find_their_key_under_any_header(store):
    store.land([{"编号": " 1 "}], stream=KEYED)
    store.land(stream=KEYED, deleted=[{"id": "1"}])
    assert store.load(KEYED).tombstoned == 1


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (pl.DataFrame({"id": [1]}), "these are typed: id Int64"),
        (pl.DataFrame({"id": ["1"], "_op": ["x"]}), "begin with '_'"),
    ],
)
def test_a_misshapen_batch_is_refused(store, rows, message):
    with pytest.raises(BatchRefusedError, match=message):
        land(store.home, store.ledger, "erp", KEYED, Batch("customers", rows, {}), "run-1")


def test_a_delete_without_its_key_is_refused(store):
    with pytest.raises(BatchRefusedError, match="without its key"):
        store.land(deleted=[{"id": " "}])
    with pytest.raises(BatchRefusedError, match="key columns"):
        store.land(deleted=[{"number": "1"}])


def test_drift_is_reported_once_and_never_fatal(store):
    store.land([{"id": "1", "old": "x"}], vendor_types={"id": "int4"})
    store.land([{"id": "2", "new": "x"}], vendor_types={"id": "text"})
    store.land([{"id": "3", "old": "x", "new": "x"}], vendor_types={"id": "text"})
    found = [(row["column_name"], row["kind"], row["old_type"], row["new_type"]) for row in schema_changes(store.ledger)]
    assert found == [
        ("name", "missing_column", None, None),
        ("amount", "missing_column", None, None),
        ("new", "new_column", None, ""),
        ("old", "missing_column", "", None),
        ("id", "retyped_column", "int4", "text"),
    ]
