"""Doing an erasure that is planned, or one that was killed, for whoever holds the home."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from orchestration.lib.erasure_streams import list_erasure_streams
from orchestration.project import Project
from warehouse.erasure.perform import erase
from warehouse.erasure.plan import Plan, read_journal
from warehouse.home import Home, RunLock
from warehouse.ledger import Ledger


def carry_out(home: Home, ledger: Ledger, lock: RunLock, project: Project, plan: Plan) -> dict[str, Any]:
    """Erase in all stores of the home, in dbt's artefacts and in Dagster's storage; returns what was changed."""
    done = erase(home, ledger, lock, plan, list_erasure_streams(project).declared, _list_folders(home.path))
    return {"erasure_id": plan.erasure_id, "records": len(plan.traces.records), "ids": sorted(plan.traces.gids), **done}


def finish_pending(home: Home, ledger: Ledger, lock: RunLock, project: Project) -> None:
    """Complete an erasure that was killed, if there is one."""
    plan = read_journal(home)
    if plan:
        carry_out(home, ledger, lock, project, plan)


def _list_folders(home: Path) -> list[Path]:
    dagster = Path(os.environ.get("DAGSTER_HOME") or home / "dagster").resolve()
    return [folder for folder in (home / "dbt", dagster) if folder.is_dir()]
