"""Tables as people hand them in: separators, encodings, times."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from hub.columns.prepare import RecordsError
from hub.files import read_table
from hub.rules.read import RulesFile, load_rules
from hub.tables import read_keys, read_times


@pytest.mark.parametrize(
    ("encoding", "mark"), [("utf-8", ""), ("utf-8", "\ufeff"), ("gb18030", ""), ("gb18030", "\ufeff"), ("utf-16", "")]
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_csv_is_read_as_text_in_the_encodings_and_with_the_separators_that_people_send(
    tmp_path: Path, encoding: str, mark: str, separator: str
) -> None:
    lines = (separator.join(("source_key", '"name, in full; or short"', "city")), separator.join(("007", "云帆科技", "")))
    path = tmp_path / "x.csv"
    path.write_bytes((mark + "\r\n".join((*lines, ""))).encode(encoding))
    table = read_table(path)
    assert table.columns == ["source_key", "name, in full; or short", "city"]
    assert table.row(0)[:2] == ("007", "云帆科技")


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-04T00:00:00Z",
        "2026-03-04T08:00:00+08:00",
        "2026-03-04 00:00:00.000",
        "2026-03-04T00:00",
        "2026-03-04T00:00Z",
        "2026-03-04 08:00+08:00",
        "2026-03-04 08:00:00+08",
        "2026-03-04 03:30:00.000+03:30",
        "2026/3/4 0:00",
        "2026-03-04",
        "2026年3月4日",
    ],
)
def test_usual_spellings_of_a_time_are_read(text: str) -> None:
    assert read_times(pl.Series([None, text])).to_list() == [None, datetime(2026, 3, 4, tzinfo=UTC)]


def test_records_to_delete_are_named_by_the_columns_of_the_rules_or_of_a_crosswalk() -> None:
    rules = RulesFile(load_rules("organisation"), "system", "number")
    found = [
        read_keys("gone.csv", pl.DataFrame({source: ["crm"], key: ["1"], "gid": ["g"]}), rules).rows()
        for source in ("system", "source")
        for key in ("number", "source_key")
    ]
    assert found == [[("crm", "1")]] * 4
    with pytest.raises(RecordsError, match="no column system"):
        read_keys("gone.csv", pl.DataFrame({"source_key": ["1"]}), rules)
