"""What an erasure is: who, why, which records, what tells of them. Kept in a journal from before the first change to the last."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from warehouse.durable import sync_directory
from warehouse.erasure.suppression import Entry
from warehouse.erasure.traces import Traces
from warehouse.home import Home
from warehouse.protocols import StreamLike


@dataclass(frozen=True)
class Carrier:
    """A stream whose rows are records of the hub. `field` holds the record's key; each of `names` is fields that are a name
    when they are written one after the other; `company_names` are looked for only where a company is erased."""

    source: str
    stream: StreamLike
    entity: str
    field: str
    names: tuple[tuple[str, ...], ...] = ()
    company_names: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Target:
    """The rows of a stream that go: those whose `field` (empty: the key) has one of `texts`."""

    source: str
    stream: str
    field: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """One erasure. n_rows, n_cleaned: rows of landing that go, and that lose values, by "source/stream".

    kept: what is held by somebody else as well and therefore stays, in words without values.
    """

    erasure_id: str
    actor: str
    reason: str
    at: datetime
    targets: tuple[Target, ...]
    entries: tuple[Entry, ...]
    traces: Traces
    n_rows: dict[str, int] = field(default_factory=dict)
    n_cleaned: dict[str, int] = field(default_factory=dict)
    kept: tuple[str, ...] = ()


def journal_file(home: Home) -> Path:
    """Names what is to be erased, so it is there only as long as an erasure is under way, for its owner alone."""
    return home.path / "erasure.pending.json"


def write_journal(home: Home, plan: Plan) -> None:
    """From now on the erasure will be done, whatever is killed."""
    path = journal_file(home)
    temporary = path.with_name(path.name + ".tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(_to_plain(plan), file, ensure_ascii=False)
        file.flush()
        os.fsync(descriptor)
    temporary.replace(path)
    sync_directory(path.parent)


def read_journal(home: Home) -> Plan | None:
    """The erasure that is under way, or was killed."""
    path = journal_file(home)
    return _from_plain(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def drop_journal(home: Home) -> None:
    """The erasure is done."""
    path = journal_file(home)
    path.with_name(path.name + ".tmp").unlink(missing_ok=True)
    path.unlink(missing_ok=True)
    sync_directory(path.parent)


def _to_plain(plan: Plan) -> dict[str, Any]:
    traces = plan.traces
    empty = replace(plan, traces=Traces())
    return {
        **asdict(empty),
        "at": plan.at.isoformat(),
        "traces": {
            "records": [[*record, standin] for record, standin in traces.records.items()],
            "landed": [[*record, standin] for record, standin in traces.landed.items()],
            "keys": dict(traces.keys),
            **{name: sorted(getattr(traces, name)) for name in ("contacts", "names", "unique_names", "values", "gids")},
        },
    }


def _from_plain(plain: dict[str, Any]) -> Plan:
    told = plain["traces"]
    traces = Traces(
        records={(source, key): standin for source, key, standin in told["records"]},
        landed={(source, stream, key): standin for source, stream, key, standin in told["landed"]},
        keys=told["keys"],
        **{name: frozenset(told[name]) for name in ("contacts", "names", "unique_names", "values", "gids")},
    )
    return Plan(
        **{
            **plain,
            "at": datetime.fromisoformat(plain["at"]),
            "traces": traces,
            "targets": tuple(Target(**{**one, "texts": _freeze(one["texts"])}) for one in plain["targets"]),
            "entries": tuple(Entry(**{**one, "hashes": _freeze(one["hashes"])}) for one in plain["entries"]),
            "kept": _freeze(plain["kept"]),
        }
    )


def _freeze(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(texts)
