"""What a kept hub has in pieces: of some records those parts are taken that are asked for."""

import numpy as np
from polars.testing import assert_frame_equal

from hub.columns.prepare import align_records, derive_parts
from hub.kept.pieces import select_parts
from hub.results.golden import list_golden_parts
from hub.rules.read import load_rules
from hub.scoring.compare import Comparer, list_scored_parts
from hub.scoring.frequency import find_buckets
from tests.unit.hub.conftest import make_company_records

RULES = load_rules("organisation")


def test_only_the_parts_that_are_asked_for_are_taken_and_what_is_scored_needs_no_other() -> None:
    records = [make_company_records([(firm, spelling, True, True) for firm in range(3)]) for spelling in (0, 1)]
    pieces = [derive_parts(align_records(own, RULES)[0], RULES) for own in records]
    rows, left, right = np.array([4, 0, 2, 1, 5, 3]), np.array([0, 2, 3], dtype=np.int32), np.array([3, 4, 5], dtype=np.int32)
    every = select_parts(pieces, rows, pieces[0].names())
    for asked in (list_golden_parts(RULES), list_scored_parts(RULES)):
        taken = select_parts(pieces, rows, asked)
        assert set(taken.names()) == asked & set(every.names()) < set(every.names())
        for part in taken.names():
            assert_frame_equal(taken.values(part).to_frame(), every.values(part).to_frame())
    packed = [
        Comparer(parts, RULES, find_buckets(parts, RULES, None)).compare(left, right)
        for parts in (every, select_parts(pieces, rows, list_scored_parts(RULES)))
    ]
    assert packed[0].tolist() == packed[1].tolist()
