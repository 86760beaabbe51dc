"""Every landed row has exactly one fate, whatever came in whatever batches; the oracle compares rows pairwise."""

from collections import Counter
from dataclasses import dataclass, replace
from itertools import count

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connectors.base import Batch, Field, Stream
from warehouse.compaction import compact
from warehouse.home import Home
from warehouse.landing import land
from warehouse.ledger import open_ledger
from warehouse.load import load_stream
from warehouse.working import open_working

pytestmark = pytest.mark.generated

FIELDS = (Field("id"), Field("version", "integer"), Field("amount", "decimal"))
VERSIONED = Stream("deals", ("id",), FIELDS, "watermark", "flag", "", version="version")
UNVERSIONED = Stream("deals", ("id",), FIELDS, "watermark", "flag", "")
TYPED = {"id": pl.String, "version": pl.String, "amount": pl.String}


@dataclass(frozen=True)
class Row:
    """An oracle's row: its place in the order of landing, and whether it is good."""

    place: tuple[int, int]
    key: str | None
    is_delete: bool
    version: int | None
    is_good: bool
    amount: str | None


def is_newer(one: Row, other: Row, rows: list[Row]) -> bool:
    """Whether `one` is newer than `other`, both of one key."""
    first, last = sorted((one.place, other.place))
    separated = any(row.is_delete and row.key == one.key and first < row.place < last for row in rows)
    unreadable = any(not row.is_good and row.version is None for row in (one, other))
    if one.is_delete or other.is_delete or separated or unreadable:
        return one.place > other.place
    return (one.version if one.version is not None else -1, one.place) > (
        other.version if other.version is not None else -1,
        other.place,
    )


def expected_fate(row: Row, rows: list[Row]) -> str:
    rivals = [other for other in rows if other.key == row.key and other.is_good and other is not row] if row.key else []
    if any(is_newer(rival, row, rows) for rival in rivals):
        return "superseded"
    if row.is_delete:
        return "tombstoned"
    return "accepted" if row.is_good else "quarantined"


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory):
    """One home, its ledger and its open working file for all examples, each of which takes the next stream number."""
    home = Home(tmp_path_factory.mktemp("fates")).create()
    with open_working(home) as connection:
        yield home, open_ledger(home), connection, count()


keys = st.sampled_from(["a", "b", None])
upserts = st.tuples(keys, st.sampled_from(["1", "2", "3", "bad", None]), st.sampled_from(["10", "20", "x"]))
batches = st.lists(
    st.tuples(st.lists(upserts, max_size=4), st.lists(st.sampled_from(["a", "b"]), max_size=1), st.booleans()), max_size=4
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@example(batches=[([("a", "1", "10"), ("a", None, "20")], [], False)], versioned=True, compacted=False)
@given(batches=batches, versioned=st.booleans(), compacted=st.booleans())
def test_the_fates_of_any_history_partition_its_rows(shared_store, batches, versioned, compacted):
    home, ledger, connection, numbers = shared_store
    stream = replace(VERSIONED if versioned else UNVERSIONED, name=f"deals_{next(numbers)}")
    rows: list[Row] = []
    gone: set[str] = set()
    n_rejects = 0
    for number, (good_rows, deleted, has_reject) in enumerate(batches):
        for row_no, (key, version, amount) in enumerate(good_rows):
            readable = version != "bad"
            is_good = key is not None and readable and amount != "x"
            ordered = int(version) if versioned and readable and version else None
            rows.append(Row((number, row_no), key, False, ordered, is_good, amount))
        came = {key for key, _, _ in good_rows}
        # a delete of what is gone already is a repeat and does not land
        fresh = [key for key in deleted if key not in gone or key in came]
        rows += [Row((number, 100), key, True, None, True, None) for key in fresh]
        gone = (gone - came) | set(deleted)
        n_rejects += has_reject
        batch = Batch(
            stream.name,
            pl.DataFrame(good_rows, schema=TYPED, orient="row"),
            {"n": number},
            deleted=pl.DataFrame({"id": deleted}, schema={"id": pl.String}) if deleted else None,
            rejects=pl.DataFrame({"position": ["1"], "reason": ["no"], "payload": ["?"]}) if has_reject else None,
        )
        land(home, ledger, "crm", stream, batch, "run-1")
    if compacted:
        compact(home, ledger, "crm", stream.name, min_files=2)
    fates = load_stream(connection, home, ledger, "crm", stream)
    accepted = connection.execute(f"select id, amount::INTEGER::VARCHAR from landing.crm__{stream.name}").fetchall()
    expected = Counter(expected_fate(row, rows) for row in rows)
    expected["quarantined"] += n_rejects
    assert fates.rows_in == len(rows) + n_rejects
    assert (fates.accepted, fates.superseded, fates.quarantined, fates.tombstoned) == tuple(
        expected[fate] for fate in ("accepted", "superseded", "quarantined", "tombstoned")
    )
    assert sorted(accepted) == sorted((row.key, row.amount) for row in rows if expected_fate(row, rows) == "accepted")
