"""Two outcomes over the same records: what merges, splits and moves."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.differences import find_differences
from hub.evaluate import evaluate


def make_crosswalk(ids: dict[str, str], name: str = "gid") -> pl.DataFrame:
    return pl.DataFrame({"source": ["crm"] * len(ids), "source_key": list(ids), name: list(ids.values())})


def test_every_kind_of_change_is_told_with_its_ids_and_records() -> None:
    before = make_crosswalk({"1": "A", "2": "B", "3": "C", "4": "C", "5": "D", "6": "D", "7": "E", "8": "E", "9": "F"})
    after = make_crosswalk(
        {"1": "A", "2": "A", "3": "C", "4": "X", "5": "D", "6": "E", "7": "E", "8": "E", "9": "F"}, "customer_gid"
    )
    found = find_differences(before, after)
    assert found.changes.select("change", "kind", "records", "gids_before", "gids_after", "sample").rows() == [
        (1, "moved", 4, ["D", "E"], ["D", "E"], ["crm:5", "crm:6", "crm:7"]),
        (2, "merged", 2, ["A", "B"], ["A"], ["crm:1", "crm:2"]),
        (3, "split", 2, ["C"], ["C", "X"], ["crm:3", "crm:4"]),
    ]
    assert found.members.filter(pl.col("change") == 3).rows() == [
        (3, "split", "crm", "3", "C", "C"),
        (3, "split", "crm", "4", "C", "X"),
    ]
    assert {name: found.counts[name] for name in ("same", "merged", "split", "moved", "records_in_changes")} == {
        "same": 1,
        "merged": 1,
        "split": 1,
        "moved": 1,
        "records_in_changes": 8,
    }
    assert (found.counts["pairs_joined"], found.counts["pairs_parted"]) == (3, 2)


def test_the_same_records_under_another_id_are_no_change() -> None:
    found = find_differences(make_crosswalk({"1": "A", "2": "A"}), make_crosswalk({"1": "B", "2": "B"}))
    assert found.changes.height == 0
    assert (found.counts["same"], found.counts["same_under_another_id"]) == (1, 1)


def test_records_that_one_side_alone_knows_are_counted_and_change_nothing() -> None:
    found = find_differences(make_crosswalk({"1": "A", "2": "A"}), make_crosswalk({"1": "A", "3": "A", "4": "B"}))
    assert found.changes.height == 0
    assert (found.counts["records_only_before"], found.counts["records_only_after"]) == (1, 2)


def test_past_rows_of_a_history_do_not_count() -> None:
    history = make_crosswalk({"1": "A", "2": "A"}).with_columns(is_current=pl.lit("true"))
    past = make_crosswalk({"2": "B"}).with_columns(is_current=pl.lit("false"))
    assert find_differences(pl.concat([past, history]), make_crosswalk({"1": "A", "2": "A"})).counts["same"] == 1


@pytest.mark.parametrize("column", ["gid", "person_gid", "id", "customer_id", "cluster"])
def test_an_id_is_what_a_column_of_ids_has_whatever_its_name(column: str) -> None:
    crosswalk = make_crosswalk({"1": "A", "2": "A"}, column)
    assert find_differences(crosswalk, make_crosswalk({"1": "B", "2": "B"})).counts["same"] == 1
    assert evaluate(crosswalk, make_crosswalk({"1": "x", "2": "y"}))["precision"] == 0.0


def test_an_evaluation_reads_the_rows_that_hold_now_and_refuses_a_record_of_two_ids() -> None:
    now = make_crosswalk({"1": "A", "2": "A"}).with_columns(is_current=pl.lit("true"))
    past = make_crosswalk({"2": "B"}).with_columns(is_current=pl.lit("false"))
    history = pl.concat([past, now])
    figures = evaluate(history, history)
    assert (figures["precision"], figures["recall"], figures["records_left_out"]) == (1.0, 1.0, 0.0)
    for known, found in ((history.drop("is_current"), now), (now, history.drop("is_current"))):
        with pytest.raises(ValueError, match="crm:2 twice: a record has one id"):
            evaluate(found, known)


@pytest.mark.parametrize(
    ("before", "advice"),
    [
        (
            make_crosswalk({"1": "A"}, "town").with_columns(name=pl.lit("n")),
            "before needs source, source_key and an id: gid, .*; it has source, source_key, town, name",
        ),
        (make_crosswalk({"9": "A"}), "no record in common"),
        (pl.concat([make_crosswalk({"1": "A"}), make_crosswalk({"1": "B"})]), "crm:1 twice"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_its_reason(before: pl.DataFrame, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        find_differences(before, make_crosswalk({"1": "A"}))


@pytest.mark.generated
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=20))
def test_changes_and_same_entities_hold_every_record_once_and_the_pairs_are_those_of_the_evaluation(
    ids: list[tuple[int, int]],
) -> None:
    before, after = (make_crosswalk({str(row): f"g{pair[side]}" for row, pair in enumerate(ids)}) for side in (0, 1))
    found = find_differences(before, after)
    judged = evaluate(after, before)
    kept = judged["found_pairs"] - found.counts["pairs_joined"]
    assert kept == judged["true_pairs"] - found.counts["pairs_parted"]
    assert kept == judged["precision"] * judged["found_pairs"] or judged["found_pairs"] == 0
    assert found.members.select("source", "source_key").is_unique().all()
    assert found.members.height == found.counts["records_in_changes"] == found.changes["records"].sum()
    assert found.counts["same"] + found.changes.height <= found.counts["entities_before"]
