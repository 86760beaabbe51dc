"""Where things stand, from the ledger alone: the working file may be busy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from warehouse import tables
from warehouse.batches import Fates
from warehouse.home import Home
from warehouse.ledger import KILLED, Ledger
from warehouse.publication import list_publications


def read_status(home: Home, ledger: Ledger, declared: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    """Data of `goldthread status --json`: publication, verdict, run, streams. Times are ISO 8601 UTC.

    `verdict` is the newest one that a run came to by itself; `publication` is None before the first. `declared` (source,
    stream): of one that has never landed every figure is None. A run that is not at its end and does not hold the home's lock
    was killed.
    """
    publications = list_publications(ledger)
    own = sa.select(tables.verdict).where(tables.verdict.c.reason != KILLED)
    verdicts = ledger.read(own.order_by(tables.verdict.c.seq.desc()).limit(1))
    runs = ledger.read(sa.select(tables.run).order_by(tables.run.c.seq.desc()).limit(1))
    publication = None
    if publications:
        newest = publications[-1]
        publication = {
            "path": str(home.served),
            "seq": newest.seq,
            "run_id": newest.run_id,
            "published_at": newest.published_at.isoformat(),
            "restored_at": newest.at.isoformat() if newest.action == "rollback" else None,
            "restored_reason": newest.reason if newest.action == "rollback" else None,
            "n_rows": newest.n_rows,
        }
    return {
        "publication": publication,
        "verdict": verdicts[0]["verdict"] if verdicts else None,
        "verdict_run_id": verdicts[0]["run_id"] if verdicts else None,
        "verdict_reason": verdicts[0]["reason"] if verdicts else None,
        "run": _describe_run(home, runs[0]) if runs else None,
        "streams": _read_streams(ledger, declared),
    }


def _describe_run(home: Home, run: Mapping[str, Any]) -> dict[str, Any]:
    described = {name: _plain(run[name]) for name in ("run_id", "state", "started_at", "finished_at")}
    if run["state"] == "running" and home.find_holder() not in (run["run_id"], ""):
        described["state"] = "killed"
    return described


def _read_streams(ledger: Ledger, declared: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    state, fates = tables.stream_state, tables.stream_fates
    counts = [sa.func.coalesce(fates.c[name], 0).label(name) for name in asdict(Fates())]
    query = (
        sa.select(state.c.source, state.c.stream, *counts, state.c.cursor, state.c.fresh_at)
        .outerjoin(fates, sa.and_(fates.c.source == state.c.source, fates.c.stream == state.c.stream))
        .order_by(state.c.source, state.c.stream)
    )
    rows = [{name: _plain(value) for name, value in row.items()} for row in ledger.read(query)]
    known = {(row["source"], row["stream"]) for row in rows}
    nothing = dict.fromkeys((*asdict(Fates()), "cursor", "fresh_at"))
    rows += [{"source": source, "stream": stream, **nothing} for source, stream in declared if (source, stream) not in known]
    return sorted(rows, key=lambda row: (row["source"], row["stream"]))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
