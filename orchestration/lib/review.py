"""The review queue as a table that people fill in, and back."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from hub import files
from hub.decide import AlreadyDecidedError, DecisionError, name_record
from hub.decided import name_two, read_texts, read_word
from hub.decisions import describe_decisions
from hub.results.queue import STRAYS
from hub.results.strays import LEFT, RIGHT
from orchestration.lib.desk import Desk, Office, Record
from orchestration.project import ProjectError

ENDS = ["source_a", "source_key_a", "source_b", "source_key_b"]
#: columns of the records that say nothing to a reviewer
_INNER = {"source", "source_key", "party_source_key", "record_ref", "owner_ref", "created_at", "updated_at"}
_INNER |= {"parent_name", "parent_source_key"}
#: what a cell may be filled in with, offered by the spreadsheet
_OFFERED = ("same", "different", "skip", "相同", "不同", "跳过")
#: columns that may be the name of a record of an entity, the best first
_NAMES = {"person": ("full_name", "contact_name", "company_name")}
_OTHER_NAMES = ("company_name", "full_name", "contact_name")
_FIRST_ROW = 2  # row 1 of the table is its head


@dataclass
class Imported:
    """What became of the rows of a reviewed table."""

    same: int = 0
    different: int = 0
    skipped: int = 0
    #: records of the customers that a row of its own joined or parted, by the number of the row
    records: dict[int, tuple[int, int]] = field(default_factory=dict)
    #: rows about one record that fits two customers, in words
    strays: dict[int, str] = field(default_factory=dict)
    problems: list[dict[str, Any]] = field(default_factory=list)


def read_queue(office: Office, entity: str) -> pl.DataFrame:
    """The pairs that still want a decision, most valuable first, with the evidence in words, both ids, and what these are called
    and how many records they have."""
    log, queue = office.read_log(), office.read_queue(entity)
    rows = queue.select(ENDS).rows()
    is_open = [describe_decisions(log, row[:2], row[2:], entity) is None for row in rows] if log.height else [True] * len(rows)
    words = [_tell_evidence(text) for text in queue["evidence"]]
    left = queue.with_columns(evidence=pl.Series(words, dtype=pl.String)).filter(pl.Series(is_open, dtype=pl.Boolean))
    return _name_ids(office, entity, left)


def _name_ids(office: Office, entity: str, queue: pl.DataFrame) -> pl.DataFrame:
    """The queue with id_name and id_records of both sides: a verdict is about all records of the two ids."""
    golden = office.read_golden(entity, pl.concat([queue["id_a"], queue["id_b"]]).unique())
    names = _find_names(entity, golden.columns) or golden.columns[1:2]
    called = golden.select("gid", name=pl.coalesce(pl.col(names).cast(pl.String)), records="n_records")
    for side in ("a", "b"):
        own = called.rename({"gid": f"id_{side}", "name": f"id_name_{side}", "records": f"id_records_{side}"})
        queue = queue.join(own, on=f"id_{side}", how="left", maintain_order="left")
    return queue


def name_both(office: Office, entity: str, queue: pl.DataFrame) -> pl.DataFrame:
    """The queue with name_a and name_b: what its records call themselves."""
    records = office.read_records(entity, pl.concat([_name_records(queue, side) for side in ("a", "b")]).unique())
    shown = [column for column in records.columns if column not in _INNER]
    names = _find_names(entity, records.columns) or shown[:1]
    called = records.select("source", "source_key", name=pl.coalesce(pl.col(names).cast(pl.String)))
    for side in ("a", "b"):
        own = called.rename({column: f"{column}_{side}" for column in called.columns})
        queue = queue.join(own, on=[f"source_{side}", f"source_key_{side}"], how="left", maintain_order="left")
    return queue


def _find_names(entity: str, columns: list[str]) -> list[str]:
    return [column for column in _NAMES.get(entity, _OTHER_NAMES) if column in columns]


def _tell_evidence(text: str | None) -> str:
    bits = json.loads(text) if text else {}
    ordered = sorted((item for item in bits.items() if item[0] != "prior"), key=lambda item: -abs(item[1]))
    return "; ".join(f"{name.replace('_', ' ')} {value:+.1f}" for name, value in ordered)


def export_queue(office: Office, entity: str, path: Path) -> int:
    """Write the queue with the values of both records side by side and empty columns to fill in; returns its pairs."""
    queue = read_queue(office, entity)
    records = office.read_records(entity, pl.concat([_name_records(queue, side) for side in ("a", "b")]).unique())
    # what none of them has a reviewer need not scroll past
    shown = [column for column in records.columns if column not in _INNER and records[column].null_count() < records.height]
    for side in ("a", "b"):
        names = {column: f"{column}_{side}" for column in ["source", "source_key", *shown]}
        own = records.select(list(names)).rename(names)
        queue = queue.join(own, on=[f"source_{side}", f"source_key_{side}"], how="left", maintain_order="left")
    values = [f"{column}_{side}" for column in shown for side in ("a", "b")]
    empty = pl.lit(None, dtype=pl.String)
    table = queue.rename({"reason": "found"}).select(
        empty.alias("decision"),
        empty.alias("reason"),
        "weight",
        "value_at_stake",
        *values,
        "evidence",
        "found",
        *(f"{name}_{side}" for side in ("a", "b") for name in ("id", "id_name", "id_records")),
        *ENDS,
    )
    _write_table(table, path)
    return table.height


def _name_records(queue: pl.DataFrame, side: str) -> pl.DataFrame:
    return queue.select(source=f"source_{side}", source_key=f"source_key_{side}")


def _write_table(table: pl.DataFrame, path: Path) -> None:
    ending = path.suffix.lower()
    if ending == ".csv":
        table.write_csv(path, include_bom=True)
        return
    if ending != ".xlsx":
        raise ProjectError(f"{path}: write to a .csv or .xlsx file")
    import xlsxwriter

    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("review")
        sheet.write_row(0, 0, table.columns, book.add_format({"bold": True}))
        for number, row in enumerate(table.iter_rows(), start=1):
            sheet.write_row(number, 0, ["" if value is None else value for value in row])
        sheet.freeze_panes(1, 2)
        sheet.data_validation(1, 0, max(table.height, 1), 0, {"validate": "list", "source": list(_OFFERED)})
        sheet.autofit(400)
    path.write_bytes(content.getvalue())


def read_table(path: Path) -> pl.DataFrame:
    """decision, reason, found and the ends of a filled-in table, all text. Raises ProjectError or RecordsError."""
    table = _read_workbook(path) if path.suffix.lower() == ".xlsx" else files.read_table(path)
    missing = [name for name in ("decision", *ENDS) if name not in table.columns]
    if missing:
        raise ProjectError(
            f"{path} has no column {', '.join(missing)}: fill in a table of `goldthread review export`, whose first row "
            f"names the columns; here that row has {', '.join(table.columns[:3])} ..."
        )
    return read_texts(table, "decision", "reason", "found")


def _read_workbook(path: Path) -> pl.DataFrame:
    import fastexcel

    try:
        read: pl.DataFrame = fastexcel.read_excel(path.read_bytes()).load_sheet(0, dtypes="string").to_polars()
    except fastexcel.FastExcelError as error:
        raise ProjectError(f"{path} cannot be read as a workbook: {str(error).splitlines()[0]}") from error
    return read


def import_decisions(office: Office, entity: str, path: Path, actor: str) -> Imported:
    """Make the decisions of a filled-in table, in one transaction; a row that cannot be one is reported and left out.

    A pair speaks for the two customers that its records belong to, for that is what the queue asks; where it asks whose a record
    is (hub.results.queue.STRAYS), for that record and the other's customer.
    """
    found = Imported()
    asked = _read_verdicts(read_table(path), found)
    with office.open_desk(entity) as desk:
        ready = [(verdict, groups) for verdict in asked if (groups := _expand(desk, verdict, found))]
        desk.load([record for _, groups in ready for group in groups for record in group])
        at = datetime.now(UTC)
        for verdict, groups in ready:
            try:
                _decide(desk, verdict, groups, found, actor, at)
            except AlreadyDecidedError:
                found.skipped += 1
            except DecisionError as error:
                found.problems.append({"row": verdict.row, "problem": str(error)})
            else:
                found.same += verdict.kind == "merge"
                found.different += verdict.kind == "never"
    found.problems.sort(key=lambda problem: problem["row"])
    return found


@dataclass(frozen=True)
class _Verdict:
    """A row of a table that decides; stray: the record that it asks about, and the other one."""

    row: int
    kind: str
    reason: str
    ends: tuple[Record, Record]
    stray: tuple[Record, Record] | None


def _read_verdicts(table: pl.DataFrame, found: Imported) -> list[_Verdict]:
    verdicts = []
    for number, (word, reason, question, *ends) in enumerate(table.iter_rows(), start=_FIRST_ROW):
        try:
            kind = read_word(word)
        except ValueError as error:
            found.problems.append({"row": number, "problem": str(error)})
            continue
        if kind is None:
            found.skipped += 1
        elif not name_two(ends):
            found.problems.append({"row": number, "problem": "the row does not name two records"})
        else:
            a, b = (ends[0], ends[1]), (ends[2], ends[3])
            stray = {STRAYS[LEFT]: (a, b), STRAYS[RIGHT]: (b, a)}.get(question)
            verdicts.append(_Verdict(number, kind, reason, (a, b), stray))
    return verdicts


def _expand(desk: Desk, verdict: _Verdict, found: Imported) -> list[list[Record]] | None:
    try:
        names = [name_record(record) for record in verdict.ends]
        ids = [desk.find_id(name) for name in names]
    except ProjectError as error:
        found.problems.append({"row": verdict.row, "problem": str(error)})
        return None
    return [[record] for record in verdict.ends] if ids[0] == ids[1] else [desk.list_customer(name) for name in names]


def _decide(desk: Desk, verdict: _Verdict, groups: list[list[Record]], found: Imported, actor: str, at: datetime) -> None:
    said: dict[str, Any] = {"actor": actor, "reason": verdict.reason, "at": at}
    if verdict.stray is None or max(map(len, groups)) == 1:
        desk.book.decide(verdict.kind, *groups, **said)
        found.records[verdict.row] = (len(groups[0]), len(groups[1]))
        return
    record, other = verdict.stray
    if verdict.kind == "merge":
        _, (_, size) = desk.move([record], name_record(other), **said)
    else:
        size = len(to := desk.list_customer(name_record(other)))
        desk.book.decide("never", [record], to, **said)
    does = "moves to" if verdict.kind == "merge" else "stays out of"
    found.strays[verdict.row] = f"{name_record(record)} {does} the customer of {name_record(other)}, which has {size:,}"
