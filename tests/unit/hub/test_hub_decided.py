"""Decisions in files: how a reviewed table is read, and what it adds to a log when it is given again."""

import polars as pl
import pytest

from hub.columns.prepare import RecordsError
from hub.decide import Book
from hub.decided import join_logs, read_decisions
from hub.decisions import list_decisions
from tests.unit.hub.conftest import DAY_ONE


def test_a_reviewed_table_may_be_filled_in_in_chinese(tmp_path):
    words = ("相同", " 不同", "跳过", "", "Same")
    rows = [f"{word},crm,{number},erp,{number}" for number, word in enumerate(words)]
    table = tmp_path / "decided.csv"
    table.write_text("\n".join(("decision,source_a,source_key_a,source_b,source_key_b", *rows)), encoding="utf-8")
    assert read_decisions(table, "organisation")["kind"].to_list() == ["merge", "never", "merge"]
    table.write_text(table.read_text(encoding="utf-8").replace("跳过", "可能"), encoding="utf-8")
    with pytest.raises(RecordsError, match="row 4: '可能' is no decision: same, different or skip"):
        read_decisions(table, "organisation")


def test_a_table_of_decisions_names_records_as_their_own_tables_do(tmp_path):
    ends = {"source_a": ["crm", " crm"], "source_key_a": [1.0, 2.0], "source_b": ["erp", "erp"], "source_key_b": [" 1", "1"]}
    pl.DataFrame({"decision": ["same ", "different"], **ends}).write_parquet(tmp_path / "decided.parquet")
    log = read_decisions(tmp_path / "decided.parquet", "organisation")
    named = [
        [(one["source"], one["source_key"]) for one in group] for row in log.select("group_a", "group_b").rows() for group in row
    ]
    assert named == [[("crm", "1")], [("erp", " 1")], [(" crm", "2")], [("erp", "1")]]
    (tmp_path / "blank.csv").write_text(
        "decision,source_a,source_key_a,source_b,source_key_b\nsame,crm, ,erp,1\n", encoding="utf-8"
    )
    with pytest.raises(RecordsError, match="row 2 does not name two records"):
        read_decisions(tmp_path / "blank.csv", "organisation")


def test_a_table_given_again_adds_what_it_says_anew_wherever_its_rows_stand_now(tmp_path):
    def read(*rows):
        table = tmp_path / "decided.csv"
        head = "decision,source_a,source_key_a,source_b,source_key_b,reason"
        table.write_text("\n".join((head, *rows)), encoding="utf-8")
        return read_decisions(table, "organisation")

    one, two, turned = "same,crm,1,crm,2,", "different,crm,3,crm,4,", "same,crm,2,crm,1,"
    log = join_logs(read(), read(one))
    assert join_logs(log, None).equals(log)
    assert join_logs(log, read(two, turned, one))["kind"].to_list() == ["merge", "never"]
    assert join_logs(log, read("same,crm,1,crm,2,one owner")).equals(log)
    book = Book("organisation", log)
    book.undo(log["decision_id"][0], actor="li", reason="", at=DAY_ONE)
    assert join_logs(book.log, read(two, one))["kind"].to_list() == ["merge", "undo", "never"]
    again = join_logs(book.log, read(two, "same,crm,1,crm,2,one owner"))
    assert list_decisions(again).select("kind", "reason", pl.col("undone_by").is_null()).rows() == [
        ("merge", "", False),
        ("never", "", True),
        ("merge", "one owner", True),
    ]
    # another hub's log: what it took back is its past, what it has twice is said once
    assert join_logs(log, book.log)["kind"].to_list() == ["merge", "undo"]
    assert join_logs(read(), pl.concat([log, read(two, one)]))["kind"].to_list() == ["merge", "never"]
    assert join_logs(read(turned), book.log)["kind"].to_list() == ["merge", "merge", "undo"]
