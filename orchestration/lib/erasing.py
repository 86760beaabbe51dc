"""Doing an erasure that is planned, or one that was killed, for whoever holds the home."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from hub.columns.prepare import align_records, derive_parts
from hub.erase import forget_values, replace_model
from hub.rules.model import Rules
from orchestration.lib.erasure_streams import list_erasure_streams
from orchestration.lib.models import find_model_folder, read_kept_model
from orchestration.project import FAULTS_FOLDER, Project
from warehouse.erasure.perform import erase
from warehouse.erasure.plan import Plan, read_journal
from warehouse.home import Home, RunLock
from warehouse.ledger import Ledger
from warehouse.working import open_working

_RECORD = ["source", "source_key"]
_RECORDS = {"organisation": "int_parties_unioned", "person": "int_persons_unioned"}


def carry_out(home: Home, ledger: Ledger, lock: RunLock, project: Project, plan: Plan) -> dict[str, Any]:
    """Erase in all stores of the home, in dbt's artefacts and in Dagster's storage; returns what was changed."""
    shutil.rmtree(home.hub, ignore_errors=True)  # the next run makes it anew from what is left
    forget_frequencies(home, plan, project.rules)
    done = erase(home, ledger, lock, plan, list_erasure_streams(project).declared, _list_folders(home.path))
    return {"erasure_id": plan.erasure_id, "records": len(plan.traces.records), "ids": sorted(plan.traces.gids), **done}


def finish_pending(home: Home, ledger: Ledger, lock: RunLock, project: Project) -> None:
    """Complete an erasure that was killed, if there is one."""
    plan = read_journal(home)
    if plan:
        carry_out(home, ledger, lock, project, plan)


def forget_frequencies(home: Home, plan: Plan, rules_of: Mapping[str, Rules]) -> None:
    """Take the frequencies of values that only erased records had out of the kept models, while the working file is there.

    Where it is not, none of the records was resolved since, or this step was done before the erasure was killed. Models of other
    rules than the project's are removed: the erased values are counted in them too.
    """
    used = {find_model_folder(home.models, rules) for rules in rules_of.values()}
    for folder in {*home.models.glob("*/")} - used:
        shutil.rmtree(folder)
    if not home.working.exists():
        return
    erased = pl.DataFrame(list(plan.traces.records), schema=dict.fromkeys(_RECORD, pl.String), orient="row")
    with open_working(home) as con:
        tables = {name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()}
        for entity, table in _RECORDS.items():
            rules = rules_of[entity]
            model = read_kept_model(home.models, rules) if table in tables else None
            if model is None:
                continue
            records = con.sql(f"select * from intermediate.{table}").pl()  # noqa: S608 (a name of ours)
            both = [records.join(erased, on=_RECORD, how=how) for how in ("semi", "anti")]
            if both[0].height:
                gone, left = (derive_parts(align_records(frame, rules)[0], rules) for frame in both)
                replace_model(forget_values(model, gone, left), find_model_folder(home.models, rules))


def _list_folders(home: Path) -> list[Path]:
    dagster = Path(os.environ.get("DAGSTER_HOME") or home / "dagster").resolve()
    return [folder for folder in (home / "dbt", home / FAULTS_FOLDER, dagster) if folder.is_dir()]
