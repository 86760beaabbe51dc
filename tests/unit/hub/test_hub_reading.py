"""Tables as people hand them in: separators, encodings, times."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from hub.columns.prepare import RecordsError
from hub.columns.times import read_times
from hub.files import read_table
from hub.rules.read import RulesFile, load_rules
from hub.tables import gather_records, read_keys


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
    ("encoding", "names"),
    [
        ("cp950", ["臺灣電子科技股份有限公司", "許功蓋"]),
        ("big5hkscs", ["滙豐銀行", "深水埗餐廳"]),
        ("gb18030", ["翔富電子科技（廣州）有限公司", "许镕基喆"]),
        ("cp1252", ["Müller & Söhne", "Café, Nîmes"]),
    ],
)
def test_text_of_another_encoding_is_not_taken_for_what_its_bytes_are_in_gb18030(tmp_path: Path, encoding: str, names) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("\n".join(("source_key;name", *(f"{name};{name}" for name in names))).encode(encoding))
    assert read_table(path)["name"].to_list() == names


def test_lines_that_end_as_on_old_macs_and_a_first_line_that_names_the_separator_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    for text in ("source_key,name\r1,云帆\r", "sep=;\r\nsource_key;name\r\n1;云帆\r\n", '"SEP=|"\nsource_key|name\n1|云帆\n'):
        path.write_text(text, encoding="utf-8", newline="")
        assert read_table(path).rows() == [("1", "云帆")]


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


def _read(*texts: str) -> list[str | None]:
    return read_times(pl.Series(texts)).dt.strftime("%Y-%m-%d %H:%M:%S").to_list()


def test_a_column_tells_whether_days_or_months_are_first_or_is_not_read() -> None:
    assert _read("1/5/2024", "13/5/2024 10:00") == ["2024-05-01 00:00:00", "2024-05-13 10:00:00"]
    assert _read("1/5/2024", "5/13/2024, 3:45 PM") == ["2024-01-05 00:00:00", "2024-05-13 15:45:00"]
    assert _read("1.5.2024", "31.12.2023", "2024-02-03") == ["2024-05-01 00:00:00", "2023-12-31 00:00:00", "2024-02-03 00:00:00"]
    assert _read("1/5/2024", "2/5/2024") == _read("13/5/2024", "5/13/2024") == [None, None]


def test_serials_of_a_spreadsheet_are_times_where_most_of_what_is_left_can_be_such() -> None:
    assert _read("45000", "45000.5", "") == ["2023-03-15 00:00:00", "2023-03-15 12:00:00", None]
    assert _read("43387.5433", "2024/1/5") == ["2018-10-14 13:02:21", "2024-01-05 00:00:00"]
    assert _read("45000", "7", "x") == [None] * 3
    assert read_times(pl.Series([45000.5, None])).to_list() == [datetime(2023, 3, 15, 12, tzinfo=UTC), None]


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


def test_bytes_that_are_no_text_are_refused_with_their_column() -> None:
    table = pl.DataFrame({"source_key": ["1"], "company_name": ["杭州云帆".encode("gb18030")]})
    with pytest.raises(RecordsError, match=r"x\.parquet: column company_name holds bytes that are no UTF-8"):
        gather_records({"x.parquet": table}, RulesFile(load_rules("organisation")))
