from datetime import UTC, datetime

import dagster as dg
import polars as pl
import pytest

from connectors.base import Batch, Field, Stream
from connectors.errors import Unreachable
from orchestration.lib.sources import _sync_stream
from orchestration.lib.stores import Stores
from warehouse.batches import stream_state

pytestmark = pytest.mark.integration

STREAM = Stream("events", ("id",), (Field("id", required=True),), "watermark", "none", "")


class Reader:
    """A connector whose reads yield what a test gives, or raise it."""

    source = "messaging"

    def __init__(self, *outcomes):
        self._outcomes = outcomes

    def read(self, stream, cursor, *, full=False):
        for outcome in self._outcomes:
            if isinstance(outcome, Exception):
                raise outcome
            yield outcome


@pytest.fixture
def stores(tmp_path, monkeypatch):
    monkeypatch.delenv("GOLDTHREAD_LEDGER", raising=False)
    stores = Stores(path=str(tmp_path / "home"))
    stores.home.create()
    return stores


def sync(stores, *outcomes):
    with dg.build_op_context() as context:
        return _sync_stream(context, Reader(*outcomes), STREAM, False, stores)


def test_a_read_that_yields_no_batch_makes_the_stream_fresh_and_leaves_its_cursor(stores):
    sync(stores, Batch("events", pl.DataFrame({"id": ["1"]}), {"after": "7"}))
    before = stream_state(stores.ledger, "messaging", "events")
    began = datetime.now(UTC)
    assert sync(stores).error is None
    after = stream_state(stores.ledger, "messaging", "events")
    assert before.fresh_at < began <= after.fresh_at
    assert (after.cursor, after.columns, after.present) == ({"after": "7"}, before.columns, before.present)


def test_a_first_read_that_yields_no_batch_counts_as_read(stores):
    assert stores.days_since_sync("messaging", "events") is None
    sync(stores)
    assert stores.days_since_sync("messaging", "events") == pytest.approx(0, abs=0.01)
    assert stores.read_cursor("messaging", "events") is None


def test_a_read_that_breaks_before_its_first_batch_makes_nothing_fresh(stores):
    assert sync(stores, Unreachable("no answer")).is_unreachable
    assert stores.days_since_sync("messaging", "events") is None
