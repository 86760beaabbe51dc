"""People decide about the published company: through a spreadsheet and the command line, and the next run obeys."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import fastexcel
import polars as pl
import pytest
import xlsxwriter
from typer.testing import CliRunner

from orchestration.cli.app import app
from tests.integration.line_harness import MARKS, PUBLICATION, VERDICT, Line, parse_json

pytestmark = MARKS
OBEYING = dg.AssetSelection.groups("hub") | dg.AssetSelection.assets(VERDICT, PUBLICATION)
ENDS = ["source_a", "source_key_a", "source_b", "source_key_b"]


def ask(*arguments: str, code: int = 0) -> dict | list:
    answer = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert answer.exit_code == code, answer.output
    return parse_json(answer.stdout)


def refuse(*arguments: str) -> str:
    answer = CliRunner().invoke(app, [*arguments])
    assert answer.exit_code == 1
    return str(answer.exception)


def read_owners(line: Line) -> dict[str, str]:
    return dict(line.read("select source || ':' || source_key, customer_gid from crosswalk where is_current"))


def name_ends(row: dict) -> tuple[str, str]:
    return f"{row['source_a']}:{row['source_key_a']}", f"{row['source_b']}:{row['source_key_b']}"


def export(path: Path) -> pl.DataFrame:
    assert CliRunner().invoke(app, ["review", "export", str(path)], catch_exceptions=False).exit_code == 0
    return (
        fastexcel.read_excel(str(path)).load_sheet(0, dtypes="string").to_polars()
        if path.suffix == ".xlsx"
        else pl.read_csv(path)
    )


def write_excel(table: pl.DataFrame, path: Path) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, table.columns)
        for number, row in enumerate(table.iter_rows(), start=1):
            sheet.write_row(number, 0, [value or "" for value in row])


def test_a_spreadsheet_decides_the_next_run_obeys_and_undo_gives_the_ids_back(line: Line, tmp_path: Path):
    before, redirects = read_owners(line), line.read("select * from redirects order by all")
    table = export(tmp_path / "queue.xlsx")
    queue = ask("review", "list", "--limit", "1000")
    assert table.height == len(queue) >= 2
    assert {"company_name_a", "company_name_b", "tax_no_a", "evidence", "value_at_stake"} <= set(table.columns)
    assert queue[0]["value_at_stake"] > 2
    sizes = dict(line.read("select customer_gid, n_records from golden_customers"))
    assert [row[f"id_records_{side}"] for row in queue for side in "ab"] == [
        sizes[row[f"id_{side}"]] for row in queue for side in "ab"
    ]
    words = [None] * table.height
    words[:2], words[-1] = ["same", "Different"], "maybe"
    filled = table.with_columns(decision=pl.Series(words), reason=pl.Series(["一家人"] * table.height))
    write_excel(filled, tmp_path / "filled.xlsx")
    done = ask("review", "import", str(tmp_path / "filled.xlsx"), "--by", "李明", code=1)
    assert (done["same"], done["different"], len(done["problems"])) == (1, 1, 1)
    assert done["problems"][0]["row"] == table.height + 1
    assert len(ask("review", "list", "--limit", "1000")) == len(queue) - 2
    never, merge = ask("decisions")
    assert (merge["kind"], merge["actor"], merge["reason"], merge["state"]) == ("merge", "李明", "一家人", "next run")

    outcome = line.run()
    assert outcome.success, line.verdict(outcome.run_id)
    a, b = name_ends(queue[0])
    c, d = name_ends(queue[1])
    merged = read_owners(line)
    assert before[a] != before[b]
    assert merged[a] == merged[b] in (before[a], before[b])
    assert merged[c] != merged[d]
    assert line.read("select kind, state, actor from decisions order by kind") == [
        ("merge", "holds", "李明"),
        ("never", "holds", "李明"),
    ]
    told = ask("explain", a, b)
    assert "merged by 李明" in told["decision"]
    assert [row["decision_id"] for row in ask("explain", merged[a])["decisions"]] == [merge["decision_id"]]
    assert not {row["pair_id"] for row in queue[:2]} & {row["pair_id"] for row in ask("review", "list", "--limit", "1000")}

    served = line.hash_served()
    assert line.run().success
    assert line.hash_served() == served, "a decision that was obeyed is no news"

    for decision in (merge, never):
        ask("undo", decision["decision_id"], "--by", "王芳", "--reason", "wrong file")
    # that a decision is news is seen above; here only the assets that obey run
    outcome = line.run_part(OBEYING)
    assert outcome.success, line.verdict(outcome.run_id)
    assert read_owners(line) == before
    assert line.read("select * from redirects order by all") == redirects
    assert {row["state"] for row in ask("decisions")} == {"undone"}


def test_the_command_line_decides_about_customers_and_says_what_stands_against_it(line: Line):
    [[large]] = line.read("select customer_gid from golden_customers order by n_records desc, customer_gid limit 1")
    [[other]] = line.read(
        f"select customer_gid from golden_customers where tax_no is null and customer_gid <> '{large}' order by all limit 1"
    )
    records = [f"{s}:{k}" for s, k in line.read(f"select source, source_key from crosswalk where customer_gid = '{large}'")]
    split = ask("split", large, "--records", records[0], "--by", "li", "--reason", "another firm")
    assert split["records"] == [1, len(records) - 1]
    assert "split by li on" in refuse("merge", records[0], records[1])
    never = ask("never", other, records[0])
    assert "kept apart by" in refuse("merge", other, records[0])
    assert never["decision_id"] in refuse("never", records[0], other)
    assert f"both are {large} already" in refuse("merge", large, large)
    assert "these are all records" in refuse("split", large, "--records", ",".join(records))
    assert "no records of" in refuse("split", large, "--records", "u8:nobody")
    assert "no live organisation" in refuse("merge", "cus_nobody", large)
    undone = ask("undo", never["decision_id"])
    assert "undone already" in refuse("undo", undone["undoes"])
    moved = ask("move", records[1], "--to", other, "--by", "li", "--reason", "their fitter")
    assert (moved["kind"], moved["ids"]) == ("move", [large, other])
    assert "moved by li on" in refuse("merge", records[1], records[2])
    assert ask("decisions")[0]["kind"] == "move"
    ask("undo", moved["decision_id"])
    assert f"{records[1]} is of {large} already" in refuse("move", records[1], "--to", large)
    coded = "(select max(tax_no) as tax_no from golden_customers union select min(tax_no) from golden_customers)"
    one, two = (
        gid for (gid,) in line.read(f"select min(customer_gid) from golden_customers join {coded} using (tax_no) group by tax_no")
    )
    assert "correct the data where one is wrong" in refuse("merge", one, two)


@pytest.mark.parametrize("content", ["", "decision,reason\nsame,x\n", "\x00"])
def test_a_file_that_is_no_filled_in_table_changes_nothing(look: Line, tmp_path: Path, content: str):
    path = tmp_path / "table.csv"
    path.write_text(content, encoding="utf-8")
    assert str(path) in refuse("review", "import", str(path))
    assert ask("decisions") == []
