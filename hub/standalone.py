"""Resolution without a project: tables in, files out. Public door.

OUT holds crosswalk, golden, edges, events, redirects, review, decisions, rejected (Parquet), the model (model.json,
frequencies.npz) and report.json.
The same tables, rules and time give the same bytes, but for `seconds` and `peak_mb` of report.json.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from hub.columns.clock import Clock
from hub.columns.prepare import RecordsError
from hub.decisions import list_named
from hub.files import read_table
from hub.kept.erased import read_erased
from hub.kept.outcome import Outcome, tell_first
from hub.kept.versions import FILES, holds_hub, read_newest, read_note, read_version
from hub.model import Model, write_model
from hub.rebuild import rebuild
from hub.resolve import resolve
from hub.results.edges import Pieces
from hub.results.writing import open_writing, write_pieces, write_tables
from hub.rules.model import Rules
from hub.rules.read import RulesFile
from hub.store import read_decisions, read_events, resolve_into
from hub.tables import Records, find_twins, gather_records, keep_keys

#: the column of ids in every file, whatever the entity, so that readers need no case for each
ID_COLUMN = "customer_gid"
_REPORT = "report.json"
_TIMES = ("created_at", "updated_at")
_RECORD = ["source", "source_key"]
#: stamps the events of records without times
UNDATED = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Beside:
    """What a resolution takes beside its records, all of it optional.

    at: stamps the events; the newest time of records and decisions where None, 1970 where there is none.
    hub: the folder of a hub that the records are added to (hub.store); the files then tell of the whole hub, but for the
        events, which are this addition's.
    model: weights to use (hub.model.read_model) instead of training; a hub has a model of its own.
    decisions: what people decided (hub.decide); a hub keeps them.
    deleted: source, source_key of records that a hub is to forget.
    rebuild: the hub is resolved anew by the rules, its own records and these (hub.rebuild).
    force: what runs away is kept in the hub all the same (hub.invariants).
    """

    at: datetime | None = None
    hub: Path | None = None
    model: Model | None = None
    decisions: pl.DataFrame | None = None
    deleted: pl.DataFrame | None = None
    rebuild: bool = False
    force: bool = False


def resolve_files(paths: Sequence[Path], rules: Rules | RulesFile, out: Path, beside: Beside | None = None) -> dict[str, Any]:
    """Resolve the records of Parquet and CSV files, see resolve_tables."""
    clock = Clock()
    twice = sorted({str(path) for path in paths if paths.count(path) > 1})
    if twice:
        raise RecordsError(f"{', '.join(twice)}: named more than once: name each file once")
    return _resolve({str(path): read_table(path) for path in paths}, rules, out, beside or Beside(), clock)


def resolve_tables(
    tables: Mapping[str, pl.DataFrame], rules: Rules | RulesFile, out: Path, beside: Beside | None = None
) -> dict[str, Any]:
    """Resolve the records of named tables and write what is found; a table's name stands for a missing `source`.

    Args:
        rules: load_rules("organisation"), load_rules("person"), or read_rules of a file (hub.rules.read).

    Returns:
        The report, as written to report.json.

    Raises:
        RecordsError: a table that cannot be read by the rules, or that repeats a key; a record that is also to be deleted.
        DecisionError: the decisions contradict each other.
        StoreError: the hub cannot be read, is of other rules, or the addition would run away (hub.kept.versions).
        OSError: `out` cannot be written.
    """
    return _resolve(tables, rules, out, beside or Beside(), Clock())


def _resolve(
    tables: Mapping[str, pl.DataFrame], asked: Rules | RulesFile, out: Path, beside: Beside, clock: Clock
) -> dict[str, Any]:
    rules = asked if isinstance(asked, RulesFile) else RulesFile(asked)
    if beside.hub and beside.model:
        raise ValueError("a hub has a model of its own: name a hub or a model")
    if beside.deleted is not None and not beside.hub:
        raise ValueError("only a hub has records to delete: name one")
    _refuse_hub(out, beside.hub)
    if beside.hub:
        _refuse_strange_hub(beside.hub, rules.rules.entity)
    records = gather_records(tables, rules)
    _refuse_both(records.frame, beside.deleted)
    out.mkdir(parents=True, exist_ok=True)
    with open_writing(out) as folder:
        version = read_version(beside.hub) if beside.hub else 0
        at = beside.at or _find_newest(records.frame, beside)
        run_id = _name_run(records.frame, rules, at, beside, version)
        clock.lap("read")
        unknown = _list_unknown(records.frame, rules.rules.entity, beside)
        # what resolves the records lets go of them once they are read: at a million 270 MB
        keys, handed = keep_keys(tables, rules), [records.frame]
        records = replace(records, frame=records.frame.clear())
        del tables
        try:
            tables_out, model, counts = _find(handed, rules, run_id, at, beside, folder)
        except RecordsError as error:
            raise RecordsError(find_twins(keys, rules) or str(error)) from error
        clock.lap("resolve")
        write_tables({**tables_out, "rejected": records.rejected}, folder)
        write_model(model, folder)
        clock.lap("write")
        report = _describe(counts, rules, records, run_id, at, clock) | _count_unknown(beside.deleted, counts) | unknown
        text = json.dumps(report, ensure_ascii=False, indent=1)
        (folder / _REPORT).write_text(text + "\n", encoding="utf-8")
        # the report comes last: a reader who finds its run_id has all the files of that run
        for path in sorted(folder.iterdir(), key=lambda path: (path.name == _REPORT, path.name)):
            path.replace(out / path.name)
    return report


def _refuse_hub(out: Path, hub: Path | None) -> None:
    """No hub keeps files of others: its additions clear what they do not know."""
    place = out.resolve()
    for folder in (place, *place.parents):
        if holds_hub(folder) or (hub and folder == hub.resolve()):
            raise RecordsError(f"{out}: a hub keeps its own files there: write into another folder")


def _refuse_strange_hub(folder: Path, entity: str) -> None:
    """Another folder's files are not a hub's, and a hub holds records of one entity."""
    if folder.exists() and not folder.is_dir():
        raise RecordsError(f"{folder}: a file: --hub names the folder of a hub")
    held = read_note(folder).get("entity")
    if held is None and folder.is_dir():
        strange = sorted(path.name for path in folder.iterdir() if path.name not in FILES)
        if strange:
            raise RecordsError(
                f"{folder}: holds no hub but other files ({', '.join(strange[:3])}): name a new or an empty folder to found one"
            )
    if held not in (None, entity):
        raise RecordsError(f"{folder}: the hub holds records of {held}, these are of {entity}: each entity has a hub of its own")


def _refuse_both(records: pl.DataFrame, deleted: pl.DataFrame | None) -> None:
    both = records.select(_RECORD).clear() if deleted is None else records.select(_RECORD).join(deleted, on=_RECORD, how="semi")
    if both.height:
        raise RecordsError(f"{both.height} records are given and to be deleted at once, first {':'.join(both.row(0))}")


def _find_newest(records: pl.DataFrame, beside: Beside) -> datetime:
    """A hub's time never goes back."""
    times = [records[column].max() for column in _TIMES if column in records.columns]
    times += [
        log["at"].max() for log in (beside.decisions, read_decisions(beside.hub) if beside.hub else None) if log is not None
    ]
    times += [read_newest(beside.hub)] if beside.hub else []
    return max((time for time in times if isinstance(time, datetime)), default=UNDATED)


def _name_run(records: pl.DataFrame, rules: RulesFile, at: datetime, beside: Beside, version: int) -> str:
    """From the content, whatever its order."""
    parts = [_name_content(records), rules.rules.version, at.isoformat()]
    if beside.decisions is not None:
        parts += beside.decisions["decision_id"].to_list()
    if beside.hub:
        # what an addition does depends on what the hub held
        parts += [str(version), "" if beside.deleted is None else _name_content(beside.deleted)]
        parts += ["rebuild"] if beside.rebuild else []
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]


def _name_content(frame: pl.DataFrame) -> str:
    ordered = frame.select(sorted(frame.columns))
    return f"{frame.height}|{int(ordered.hash_rows(seed=20).sum())}"


def _find(
    handed: list[pl.DataFrame], rules: RulesFile, run_id: str, at: datetime, beside: Beside, folder: Path
) -> tuple[dict[str, pl.DataFrame], Model, dict[str, Any]]:
    """The tables still to be written, the model and the counts: of these records alone, or of the hub that they are added to.

    handed: the frame of records, which is taken out. folder: where the edges are written, while the rest is still being found.
    """

    def write_edges(pieces: Pieces) -> None:
        write_pieces(pieces, folder / "edges.parquet")

    if beside.hub is None:
        result = resolve(
            handed.pop(),
            rules=rules.rules,
            history=None,
            run_id=run_id,
            at=at,
            model=beside.model,
            decisions=beside.decisions,
            take_edges=write_edges,
            keeps_parts=False,
        )
        outcome = tell_first(result)
        return _name_tables(outcome), outcome.model, outcome.report

    step = (run_id, at, beside.deleted, beside.decisions, write_edges)
    if beside.rebuild:
        outcome = rebuild(beside.hub, handed.pop(), rules.rules, *step, force=beside.force)
        return _name_tables(outcome), outcome.model, outcome.report

    def write_rest(found: Outcome) -> None:
        write_tables(_name_tables(found), folder)

    outcome = resolve_into(beside.hub, handed.pop(), rules.rules, *step, write_rest, force=beside.force)
    return {}, outcome.model, outcome.report


def _name_tables(found: Outcome) -> dict[str, pl.DataFrame]:
    return {
        "events": found.events,
        "crosswalk": found.crosswalk.rename({"gid": ID_COLUMN}),
        "golden": name_golden(found.golden),
        "review": found.review,
        "decisions": found.decisions,
        "redirects": found.redirects,
    }


def name_golden(golden: pl.DataFrame) -> pl.DataFrame:
    """Golden records as golden.parquet has them; a person's own attribute of the id's name is the organisation's id."""
    return golden.rename({ID_COLUMN: "organisation_gid"}, strict=False).rename({"gid": ID_COLUMN})


def _describe(
    counts: Mapping[str, Any], rules: RulesFile, records: Records, run_id: str, at: datetime, clock: Clock
) -> dict[str, Any]:
    return {
        "entity": rules.rules.entity,
        "run_id": run_id,
        "at": at.isoformat(),
        "inputs": list(records.inputs),
        "rejected": records.rejected.height,
        "fields_missing": list(records.fields_missing),
        "compared_too": rules.list_compared_too(),
        **counts,
        **{what: _frame(getattr(clock, what), counts[what]) for what in ("seconds", "peak_mb")},
    }


def _count_unknown(deleted: pl.DataFrame | None, counts: Mapping[str, Any]) -> dict[str, int]:
    """How many of the records to delete the hub did not hold."""
    return {} if deleted is None else {"deleted_unknown": deleted.select(_RECORD).n_unique() - int(counts.get("deleted", 0))}


def _list_unknown(records: pl.DataFrame, entity: str, beside: Beside) -> dict[str, Any]:
    """How many of the records that the given decisions name there are not and never were, and the first of them."""
    if beside.decisions is None:
        return {}
    unknown = list_named(beside.decisions, entity).join(records, on=_RECORD, how="anti")
    if beside.hub and read_version(beside.hub):
        unknown = read_erased(beside.hub).leave_out(unknown).join(read_events(beside.hub), on=_RECORD, how="anti")
    first = unknown.sort(_RECORD).head(1)
    return {"decided_unknown": {"records": unknown.height, "first": ":".join(first.row(0)) if first.height else None}}


def _frame(own: Mapping[str, float], stages: Mapping[str, float]) -> dict[str, float]:
    """The stages of the resolution between those of reading and writing."""
    return {"read": own["read"], **stages, "write": own["write"]}
