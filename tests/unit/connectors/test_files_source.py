"""A folder of files as a source: what is new, what is tried again, what is left alone."""

from pathlib import Path

import pytest

from connectors.files.connector import Files


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "contracts").mkdir()
    (tmp_path / "in").mkdir()
    write_contract(tmp_path)
    return tmp_path


def write_contract(place: Path, extra: str = "") -> None:
    (place / "contracts" / "cards.yaml").write_text(
        f"stream: cards\nfiles: '*.csv'\nformat: csv\nkey: [id]\ncolumns: {{id: {{}}, a: {{}}}}\n{extra}", encoding="utf-8"
    )


def a_source(place: Path, **settings: int) -> Files:
    return Files("forms", place / "in", place / "contracts", **settings)


def test_only_new_and_changed_files_are_read(place: Path) -> None:
    (place / "in" / "a.csv").write_text("id,a\n1,x\n")
    (place / "in" / "b.csv").write_text("id,a\n2,x\n")
    (first,) = a_source(place).read("cards", None)
    assert first.rows["id"].to_list() == ["1", "2"]
    assert not first.rereads
    (second,) = a_source(place).read("cards", first.cursor)
    assert second.rows.height == 0
    assert second.cursor == first.cursor
    (place / "in" / "b.csv").write_text("id,a\n2,y\n")
    (place / "in" / "c.csv").write_text("id,a\n1,x\n")
    (third,) = a_source(place).read("cards", second.cursor)
    assert third.rows.select("id", "a").rows() == [("2", "y")], "c.csv is a.csv dropped again"
    assert third.rereads
    assert set(third.cursor["files"]) == {"a.csv", "b.csv", "c.csv"}


def test_full_and_a_contract_that_cuts_differently_read_everything_again(place: Path) -> None:
    (place / "in" / "a.csv").write_text("id,a\n1,-\n")
    (first,) = a_source(place).read("cards", None)
    (full,) = a_source(place).read("cards", first.cursor, full=True)
    assert (full.rows.height, full.rereads) == (1, True)
    write_contract(place, "null_values: ['-']\n")
    (again,) = a_source(place).read("cards", first.cursor)
    assert again.rows["a"].to_list() == [None]
    assert again.rereads


def test_a_bad_file_is_one_reject_that_is_tried_again_and_stops_no_other(place: Path) -> None:
    (place / "in" / "a.csv").write_bytes(b"id,a\n\xff\xfe,x\n")
    (place / "in" / "b.csv").write_text("id,a\n2,x\n")
    source = a_source(place)
    (first,) = source.read("cards", None)
    assert first.rows["id"].to_list() == ["2"]
    assert first.rejects is not None
    assert first.rejects["position"].to_list() == ["a.csv"]
    assert first.rejects["reason"][0].startswith("a.csv: is not utf-8")
    (second,) = source.read("cards", first.cursor)
    assert second.rejects is not None
    assert second.rejects.equals(first.rejects)
    assert second.rereads, "so that the same reject does not land twice"
    (place / "in" / "a.csv").write_text("id,a\n1,x\n")
    retried = source.retry("cards", first.rejects)
    assert retried is not None
    assert retried.rejects is None
    assert retried.rows["id"].to_list() == ["1"]


def test_retry_gives_what_still_fails_back_with_its_position(place: Path) -> None:
    (place / "in" / "a.csv").write_text("id,a\n1\n2,x,y\n3,z\n")
    (first,) = a_source(place).read("cards", None)
    assert first.rejects is not None
    write_contract(place, "overflow: a\n")
    retried = a_source(place).retry("cards", first.rejects)
    assert retried is not None
    assert retried.rejects is not None
    assert retried.rejects["position"].to_list() == ["a.csv:2"]
    assert retried.rows.select("id", "a", "file.name", "file.row").rows() == [("2", "x,y", "a.csv", "2")]


def test_many_files_come_in_batches_that_each_carry_the_manifest_so_far(place: Path) -> None:
    for n in range(5):
        (place / "in" / f"{n}.csv").write_text(f"id,a\n{n},x\n{n + 10},x\n")
    batches = list(a_source(place, batch_rows=4).read("cards", None))
    assert [batch.rows.height for batch in batches] == [4, 4, 2]
    assert [len(batch.cursor["files"]) for batch in batches] == [2, 4, 5]


def test_locks_and_unfinished_files_are_left_alone(place: Path) -> None:
    for name in ("~$a.csv", ".a.csv"):
        (place / "in" / name).write_text("id,a\n1,x\n")
    (batch,) = a_source(place).read("cards", None)
    assert batch.rows.height == 0
    assert batch.rejects is None
