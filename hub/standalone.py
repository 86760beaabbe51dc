"""Resolution without a project: tables in, files out. Public door.

OUT holds crosswalk, golden, edges, events, review, rejected (Parquet), the model (model.json, frequencies.npz), report.json.
The same tables, rules and time give the same bytes, but for `seconds` and `peak_mb` of report.json.
"""

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from hub.clock import Clock
from hub.model import Model, write_model
from hub.prepare import RecordsError
from hub.resolve import Resolution, resolve
from hub.rules.read import RulesFile
from hub.store import Outcome, resolve_into
from hub.tables import Records, find_twins, gather_records, read_table

#: the column of ids in every file, whatever the entity, so that readers need no case for each
ID_COLUMN = "customer_gid"
_TIMES = ("created_at", "updated_at")
#: stamps the events of records without times
UNDATED = datetime(1970, 1, 1, tzinfo=UTC)


def resolve_files(
    paths: Sequence[Path],
    rules: RulesFile,
    out: Path,
    at: datetime | None = None,
    hub: Path | None = None,
    model: Model | None = None,
) -> dict[str, Any]:
    """Resolve the records of Parquet and CSV files, see resolve_tables."""
    clock = Clock()
    return _resolve({str(path): read_table(path) for path in paths}, rules, out, at, hub, model, clock)


def resolve_tables(
    tables: Mapping[str, pl.DataFrame],
    rules: RulesFile,
    out: Path,
    at: datetime | None = None,
    hub: Path | None = None,
    model: Model | None = None,
) -> dict[str, Any]:
    """Resolve the records of named tables and write what is found; a table's name stands for a missing `source`.

    Args:
        at: stamps the events; the newest created_at or updated_at of the records where None, 1970 where they have none.
        hub: the folder of a hub that the records are added to (hub.store); the files then tell of the whole hub, but for the
            events, which are this addition's.
        model: weights to use (hub.model.read_model) instead of training; a hub has a model of its own.

    Returns:
        The report, as written to report.json.

    Raises:
        RecordsError: a table that cannot be read by the rules, or that repeats a key.
        OSError: `out` cannot be written.
    """
    return _resolve(tables, rules, out, at, hub, model, Clock())


def _resolve(
    tables: Mapping[str, pl.DataFrame],
    rules: RulesFile,
    out: Path,
    at: datetime | None,
    hub: Path | None,
    model: Model | None,
    clock: Clock,
) -> dict[str, Any]:
    if hub and model:
        raise ValueError("a hub has a model of its own: name a hub or a model")
    out.mkdir(parents=True, exist_ok=True)
    records = gather_records(tables, rules)
    at = at or _find_newest(records.frame)
    run_id = _name_run(records.frame, rules, at)
    clock.lap("read")
    try:
        tables_out, model, counts = _find(records.frame, rules, run_id, at, hub, model)
    except RecordsError as error:
        raise RecordsError(find_twins(tables, rules) or str(error)) from error
    clock.lap("resolve")
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=out) as folder:
        _write_tables({**tables_out, "rejected": records.rejected}, Path(folder))
        write_model(model, Path(folder))
        clock.lap("write")
        report = _describe(counts, rules, records, run_id, at, clock)
        text = json.dumps(report, ensure_ascii=False, indent=1)
        (Path(folder) / "report.json").write_text(text + "\n", encoding="utf-8")
        for path in sorted(Path(folder).iterdir()):
            path.replace(out / path.name)
    return report


def _find_newest(records: pl.DataFrame) -> datetime:
    times = [records[column].max() for column in _TIMES if column in records.columns]
    return max((time for time in times if isinstance(time, datetime)), default=UNDATED)


def _name_run(records: pl.DataFrame, rules: RulesFile, at: datetime) -> str:
    """From the content, whatever its order."""
    ordered = records.select(sorted(records.columns))
    content = int(ordered.hash_rows(seed=20).sum())
    return hashlib.sha256(f"{rules.rules.version}|{at.isoformat()}|{records.height}|{content}".encode()).hexdigest()[:12]


def _find(
    records: pl.DataFrame, rules: RulesFile, run_id: str, at: datetime, hub: Path | None, model: Model | None
) -> tuple[dict[str, pl.DataFrame], Model, dict[str, Any]]:
    """The tables to write, the model and the counts: of these records alone, or of the hub that they are added to."""
    if hub is None:
        result = resolve(records, rules=rules.rules, history=None, run_id=run_id, at=at, model=model)
        current = result.crosswalk.filter("is_current").select("source", "source_key", "gid")
        return _name_tables(result, current) | {"review": result.review}, result.model, result.report
    outcome = resolve_into(hub, records, rules.rules, run_id, at)
    return _name_tables(outcome, outcome.crosswalk), outcome.model, outcome.report


def _name_tables(found: Resolution | Outcome, crosswalk: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {
        "edges": found.edges,
        "events": found.events,
        "crosswalk": crosswalk.rename({"gid": ID_COLUMN}),
        "golden": found.golden.rename({"gid": ID_COLUMN}),
    }


def _write_tables(tables: Mapping[str, pl.DataFrame], folder: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda item: _write_parquet(item[1], folder / f"{item[0]}.parquet"), tables.items()))


def _write_parquet(table: pl.DataFrame, path: Path) -> None:
    table.write_parquet(path, compression="lz4", statistics=False)


def _describe(
    counts: Mapping[str, Any], rules: RulesFile, records: Records, run_id: str, at: datetime, clock: Clock
) -> dict[str, Any]:
    return {
        "entity": rules.rules.entity,
        "run_id": run_id,
        "at": at.isoformat(),
        "inputs": list(records.inputs),
        "rejected": records.rejected.height,
        **counts,
        **{what: _frame(getattr(clock, what), counts[what]) for what in ("seconds", "peak_mb")},
    }


def _frame(own: Mapping[str, float], stages: Mapping[str, float]) -> dict[str, float]:
    """The stages of the resolution between those of reading and writing."""
    return {"read": own["read"], **stages, "write": own["write"]}
