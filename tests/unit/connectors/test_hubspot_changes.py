"""What changed in HubSpot since the last read, against a small HubSpot in memory."""

from datetime import timedelta

import pytest

from connectors.base import Batch
from tests.unit.connectors.fake_hubspot import NOW, START, FakeHubSpot, cursor_at, fill, ids_of, iso


@pytest.fixture
def fake() -> FakeHubSpot:
    return FakeHubSpot()


def test_changes_are_read_from_the_watermark_less_the_overlap(fake: FakeHubSpot) -> None:
    fill(fake, 100)
    (batch,) = fake.hubspot(overlap=timedelta(minutes=10)).read("companies", cursor_at(START + timedelta(minutes=90)))
    assert ids_of([batch]) == [str(n) for n in range(80, 101)], "inclusive: a record at the seam comes again"
    assert batch.rereads
    assert batch.cursor["modified_at"] == iso(START + timedelta(minutes=100))


def test_nothing_new_yields_nothing(fake: FakeHubSpot) -> None:
    fill(fake, 3)
    assert list(fake.hubspot().read("companies", cursor_at(START + timedelta(days=1)))) == []


def test_more_than_ten_thousand_changes_are_all_read(fake: FakeHubSpot) -> None:
    for n in range(1, 10_401):
        fake.put(n, START + timedelta(seconds=n // 3))  # three share each timestamp
    batches = list(fake.hubspot().read("companies", cursor_at(START)))
    found = ids_of(batches)
    assert sorted(map(int, found)) == list(range(1, 10_401)), "each once"
    assert [batch.rows.height <= 5200 for batch in batches] == [True] * len(batches)
    assert len(batches) == 3


def test_records_that_share_one_timestamp_beyond_a_page_are_walked_by_id(fake: FakeHubSpot) -> None:
    moment = START + timedelta(hours=1)
    for n in range(1, 1001):
        fake.put(n, moment + timedelta(microseconds=n % 900))  # one import: 1,000 in one millisecond
    fake.put(2000, moment - timedelta(seconds=5))
    fake.put(2001, moment + timedelta(milliseconds=1))
    found = ids_of(fake.hubspot(search_page_size=50).read("companies", cursor_at(START)))
    assert sorted(map(int, found)) == [*range(1, 1001), 2000, 2001]


def test_a_record_that_changes_during_the_walk_shifts_nobody_out(fake: FakeHubSpot) -> None:
    fill(fake, 60)

    def change(path: str, number: int) -> None:
        if number == 2:
            fake.put(1, START + timedelta(days=1))  # moves from the front to the end

    fake.before_call = change
    found = ids_of(fake.hubspot(search_page_size=10).read("companies", cursor_at(START)))
    assert {int(i) for i in found} == set(range(1, 61))


def test_every_batch_of_changes_can_be_the_last(fake: FakeHubSpot) -> None:
    for n in range(1, 301):
        fake.put(n, START + timedelta(minutes=n // 7))
    hubspot = fake.hubspot(search_page_size=20, batch_rows=20, overlap=timedelta(0))
    for kill_after in (1, 3, 9):
        landed: list[Batch] = []
        for batch in hubspot.read("companies", cursor_at(START)):
            landed.append(batch)
            if len(landed) == kill_after:
                break
        landed += hubspot.read("companies", landed[-1].cursor)
        assert {int(i) for i in ids_of(landed)} == set(range(1, 301))


def test_the_watermark_stays_behind_the_servers_clock(fake: FakeHubSpot) -> None:
    fake.put(1, NOW - timedelta(seconds=5))
    ahead = fake.hubspot(now=lambda: NOW + timedelta(hours=1))  # our clock is wrong, HubSpot's Date header is right
    (batch,) = ahead.read("companies", cursor_at(START))
    assert ids_of([batch]) == ["1"]
    assert batch.cursor["modified_at"] == iso(NOW - timedelta(seconds=30))
    (again,) = ahead.read("companies", batch.cursor)
    assert ids_of([again]) == ["1"]


def test_the_watermark_never_goes_back(fake: FakeHubSpot) -> None:
    fill(fake, 10)
    (batch,) = fake.hubspot(overlap=timedelta(minutes=5)).read("companies", cursor_at(START + timedelta(minutes=12)))
    assert batch.cursor["modified_at"] == iso(START + timedelta(minutes=12))
