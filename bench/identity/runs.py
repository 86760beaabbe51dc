"""Every system as a process of its own over the same file, judged by the same evaluator."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl

from bench.processes import Watched, watch
from bench.results import RESULTS
from hub.evaluate import evaluate

WORK = RESULTS / "identity"
#: our command
OURS = (str(Path(sys.executable).with_name("goldthread")),)
_SHOWN = ("precision", "recall", "f1", "bcubed_precision", "bcubed_recall", "bcubed_f1", "found_clusters", "true_clusters")


@dataclass(frozen=True)
class System:
    """A name, and the command that reads a records file and writes crosswalk.parquet into a folder."""

    name: str
    command: Callable[[Path, Path], Sequence[str]]
    crosswalk: str = "crosswalk.parquet"


@dataclass(frozen=True)
class Run:
    """What one process took, its own seconds by stage, and how right it was."""

    watched: Watched
    stages: dict[str, Any]
    accuracy: dict[str, float]


def start(system: System, records: Path, truth: pl.DataFrame, limit: float | None = None) -> Run:
    """Run a system in an empty folder. Raises RuntimeError when it fails or exceeds the limit in seconds."""
    out = empty(WORK / "out" / system.name)
    watched = watch(system.command(records, out), environment(), limit)
    return Run(watched, read_stages(out), judge(out / system.crosswalk, truth))


def empty(folder: Path) -> Path:
    """The folder, new."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def environment() -> dict[str, str]:
    """Our variables, the project on the path, bytecode kept; peers keep no memory of earlier runs and report to nobody."""
    root = str(Path(__file__).resolve().parents[2])
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**own, "PYTHONPATH": root, "GOLDENMATCH_AUTOCONFIG_MEMORY": "0", "DO_NOT_TRACK": "1"}


def read_stages(out: Path) -> dict[str, Any]:
    """Seconds by stage as the system itself says."""
    if (out / "seconds.json").is_file():
        return dict(json.loads((out / "seconds.json").read_text(encoding="utf-8")))
    if (out / "report.json").is_file():
        return dict(json.loads((out / "report.json").read_text(encoding="utf-8")).get("seconds", {}))
    return {}


def judge(crosswalk: Path, truth: pl.DataFrame) -> dict[str, float]:
    """Pairwise and B-cubed figures of one crosswalk file."""
    found = evaluate(pl.read_parquet(crosswalk), truth)
    if found["records_left_out"] and found["records"] != truth.drop_nulls().height:
        raise RuntimeError(f"{crosswalk}: {truth.height - found['records']:.0f} labelled records are missing")
    return {name: round(found[name], 5) for name in _SHOWN}


def find_best(folder: Path, truth: pl.DataFrame) -> tuple[float, dict[str, float]]:
    """The threshold of the crosswalk-<threshold>.parquet files whose pairwise F1 is highest, and its figures."""
    judged = {float(path.stem.removeprefix("crosswalk-")): judge(path, truth) for path in folder.glob("crosswalk-*.parquet")}
    best = max(judged, key=lambda threshold: (judged[threshold]["f1"], threshold))
    return best, judged[best]


def summarise(runs: Sequence[Run]) -> dict[str, Any]:
    """Medians of the processes' figures and all walls; accuracy and stages of the median run."""
    walls = [run.watched.wall for run in runs]
    middle = sorted(runs, key=lambda run: run.watched.wall)[len(runs) // 2]
    return {
        "wall_s": round(median(walls), 2),
        "cpu_s": round(median(run.watched.cpu for run in runs), 2),
        "peak_mb": round(max(run.watched.peak_rss_mb for run in runs)),
        "walls": [round(wall, 2) for wall in walls],
        "stages": middle.stages,
        "accuracy": middle.accuracy,
    }


def need_peers(systems: Sequence[str]) -> None:
    """Stop with advice where a peer that is asked for is not installed."""
    missing = [name for name in ("splink", "goldenmatch") if name in systems and find_spec(name) is None]
    if missing:
        raise SystemExit(f"{missing[0]} is not installed: `make bench` or `uv sync --extra sandbox --group bench`")
