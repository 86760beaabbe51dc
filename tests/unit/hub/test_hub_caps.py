"""Caps of blocks fall as the data grows, so that what is compared grows with the records and not with their square."""

from dataclasses import replace

import numpy as np

from hub.candidates import pairs
from hub.candidates.pairs import FULL_CAPS, pair_block, scale_cap
from hub.rules.model import BlockKey

KEY = BlockKey("mobile", ("mobile",), 100)


def test_caps_hold_up_to_a_million_records_and_fall_nearly_as_the_data_grow_beyond():
    assert [scale_cap(KEY, n) for n in (0, 1, FULL_CAPS)] == [100, 100, 100]
    assert [scale_cap(KEY, times * FULL_CAPS) for times in (2, 4, 10)] == [55, 30, 14]
    # a cap below which no block is left out, however many the records
    assert scale_cap(KEY, 10_000 * FULL_CAPS) == 4
    assert scale_cap(replace(KEY, cap=2), 10) == 2


def test_a_cap_that_has_fallen_below_the_pivots_pairs_no_records_of_different_blocks():
    codes = np.repeat(np.arange(2, dtype=np.int32), 5)
    left, right = pair_block(codes, replace(KEY, cap=20, pivots=15), 4, np.arange(10, dtype=np.uint64))
    assert np.array_equal(codes[left], codes[right])
    assert len({*zip(left.tolist(), right.tolist(), strict=True)}) == len(left) == 20


def test_a_resolution_caps_its_blocks_by_the_number_of_its_records(new_small_hub, company_records, monkeypatch):
    monkeypatch.setattr(pairs, "FULL_CAPS", 4)
    hub = new_small_hub()
    found = hub.run(company_records([(firm, 0, False, False) for firm in (0, 1, 2, 3)] * 2))
    expected = {key.name: max(4, int(key.cap * 0.5**0.85)) for key in hub.rules.block_keys}
    assert {row["key"]: row["cap"] for row in found.report["candidate_keys"]} == expected
