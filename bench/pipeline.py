"""The whole line over the sandbox company at several sizes: seconds per record, by stage."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from bench.processes import Watched, watch
from bench.results import make_table, report
from bench.sandboxes import command, environment, serve_company, write_project

STAGES = ("extract", "load", "dbt", "hub", "gate", "publish", "frame", "total")
#: step name begins with -> stage; what a sync step takes beyond the same step of a rebuild is extraction
STEPS = {
    "sync_": "load",
    "canonical_files": "load",
    "dbt_models": "dbt",
    "resolve_identities": "hub",
    "landing_suite": "gate",
    "golden_suite": "gate",
    "golden_customers": "gate",
    "gate": "gate",
    "publication": "publish",
}

Seconds = dict[str, tuple[float, float]]  # stage -> wall, CPU


def main(arguments: list[str]) -> None:
    """Measure each scale once and compare the largest with scale 1."""
    parser = argparse.ArgumentParser(prog="python -m bench pipeline", description=__doc__)
    parser.add_argument("--scales", type=float, nargs="+", default=[0.1, 1.0, 10.0])
    options = parser.parse_args(arguments)
    figures = {f"{scale:g}x": measure(scale) for scale in options.scales}
    report("pipeline", figures, _tabulate(figures))


def measure(scale: float) -> dict[str, Any]:
    """A first run over everything, a rebuild from what has landed, and a run that finds nothing new."""
    with tempfile.TemporaryDirectory(prefix=f"goldthread-bench-{scale:g}x-") as folder:
        home = Path(folder).resolve()
        project = write_project(home)
        env = environment(home, project)
        with serve_company(home, scale):
            first = watch(command("run", "--json"), env)
            again = watch(command("run", "--json"), env)
        rebuilt = watch(command("run", "--rebuild", "--json"), env)
        answer = json.loads(first.output)
        n_records = sum(stream["rows_in"] for stream in answer["streams"])
        spent = split_by_stage(home, first, answer["run"]["run_id"])
        loaded = split_by_stage(home, rebuilt, json.loads(rebuilt.output)["run"]["run_id"])["load"]
        spent["extract"] = tuple(all_of - load for all_of, load in zip(spent["load"], loaded, strict=True))
        spent["load"] = loaded
        landed = sum(path.stat().st_size for path in (home / "landing").rglob("*.parquet"))
        return {
            "records": n_records,
            "wall": {stage: round(spent[stage][0], 2) for stage in STAGES},
            "cpu": {stage: round(spent[stage][1], 2) for stage in STAGES},
            "again": {"wall": round(again.wall, 2), "cpu": round(again.cpu, 2)},
            "rebuild": {"wall": round(rebuilt.wall, 2), "cpu": round(rebuilt.cpu, 2)},
            "peak_rss_mb": round(first.peak_rss_mb),
            "landing_mb": round(landed / 2**20, 1),
            "working_mb": round((home / "working.duckdb").stat().st_size / 2**20, 1),
        }


def split_by_stage(home: Path, watched: Watched, run_id: str) -> Seconds:
    """Wall and CPU seconds by stage, from Dagster's step times; `frame` is all that no step takes (imports, graph, events)."""
    import dagster as dg

    os.environ["DAGSTER_HOME"] = str(home / "dagster")
    spent: Seconds = dict.fromkeys(STAGES, (0.0, 0.0))
    with dg.DagsterInstance.get() as instance:
        for step in instance.get_run_step_stats(run_id):
            if step.start_time is None or step.end_time is None:
                continue
            stage = _find_stage(step.step_key)
            wall, cpu = spent[stage]
            spent[stage] = (
                wall + step.end_time - step.start_time,
                cpu + watched.cpu_between(step.start_time, step.end_time),
            )
    in_steps = [sum(seconds[part] for seconds in spent.values()) for part in (0, 1)]
    spent["frame"] = (watched.wall - in_steps[0], watched.cpu - in_steps[1])
    spent["total"] = (watched.wall, watched.cpu)
    return spent


def _find_stage(step: str) -> str:
    return next((stage for prefix, stage in STEPS.items() if step.startswith(prefix)), "gate")


def _tabulate(figures: dict[str, Any]) -> Any:
    rows = []
    names = list(figures)
    base = figures.get("1x", figures[names[0]])
    for stage in STAGES:
        row = [stage]
        for name in names:
            for clock in ("wall", "cpu"):
                row.append(f"{figures[name][clock][stage]:.1f}")
        for name in names:
            row.append(f"{figures[name]['cpu'][stage] / figures[name]['records'] * 1e6:.0f}")
        last = figures[names[-1]]
        per_record = [one["cpu"][stage] / one["records"] for one in (last, base)]
        row.append(f"{per_record[0] / per_record[1]:.2f}" if per_record[1] else "")
        rows.append(row)
    columns = ["stage", *(f"{name} {clock} s" for name in names for clock in ("wall", "cpu"))]
    columns += [*(f"{name} cpu us/record" for name in names), f"per record {names[-1]}/1x"]
    sizes = ", ".join(f"{name} {one['records']:,} records, peak {one['peak_rss_mb']:,} MB" for name, one in figures.items())
    return make_table(f"whole line: {sizes}", columns, rows)
