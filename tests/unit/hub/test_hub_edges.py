"""Edges in pieces: those who take them get what a resolution would hold."""

from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from hub.resolve import resolve
from hub.results.edges import Pieces, read_pieces
from hub.results.writing import write_pieces
from hub.rules.read import load_rules
from tests.unit.hub.conftest import DAY_ONE, make_company_records
from tests.unit.hub.deciding import People

RECORDS = make_company_records([(firm, spelling, False, True) for firm in range(4) for spelling in (0, 1, 2)])


@pytest.mark.parametrize("decided", [False, True])
def test_taken_in_pieces_the_edges_are_those_that_a_resolution_holds(monkeypatch: pytest.MonkeyPatch, decided: bool) -> None:
    people, taken = People(RECORDS), []
    if decided:
        ends = [(row["source"], row["source_key"]) for row in RECORDS.head(4).iter_rows(named=True)]
        people.say("merge", ends[:1], ends[3:])

    def take(pieces: Pieces) -> None:
        taken.extend(pieces)

    given = {"rules": load_rules("organisation"), "history": None, "run_id": "r", "at": DAY_ONE}
    given["decisions"] = people.book.log if decided else None
    whole = resolve(RECORDS, **given)
    monkeypatch.setattr("hub.results.edges._PIECE", 3)
    left = resolve(RECORDS, **given, take_edges=take)
    assert len(taken) == (1 if decided else (whole.edges.height + 2) // 3)
    assert whole.edges.height > 3
    assert_frame_equal(read_pieces(iter(taken)), whole.edges)
    assert_frame_equal(left.edges, whole.edges.clear())
    assert left.report["edges"] == whole.report["edges"] == whole.edges.height


def test_no_edge_is_one_empty_piece() -> None:
    taken: list[pa.Table] = []
    resolve(
        RECORDS.head(1),
        rules=load_rules("organisation"),
        history=None,
        run_id="r",
        at=DAY_ONE,
        take_edges=lambda pieces: taken.extend(pieces),
    )
    assert [piece.shape for piece in taken] == [(0, 7)]


def test_a_text_that_repeats_is_in_a_piece_once_and_read_as_text(tmp_path: Path) -> None:
    taken: list[pa.Table] = []
    whole = resolve(RECORDS, rules=load_rules("organisation"), history=None, run_id="r", at=DAY_ONE)
    resolve(
        RECORDS,
        rules=load_rules("organisation"),
        history=None,
        run_id="r",
        at=DAY_ONE,
        take_edges=lambda pieces: taken.extend(pieces),
    )
    evidence = taken[0]["evidence"].combine_chunks()
    assert len(evidence.dictionary) == len(set(evidence.dictionary.to_pylist())) < len(evidence)
    write_pieces(iter(taken), tmp_path / "edges.parquet")
    assert_frame_equal(pl.read_parquet(tmp_path / "edges.parquet"), whole.edges)
