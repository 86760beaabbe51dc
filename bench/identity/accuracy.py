"""Every system on public labelled sets: `python -m bench identity-accuracy --data DIR [--sets febrl3 chicago]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import polars as pl

from bench.identity.datasets import DATASETS, Dataset, find_dataset, read_dataset
from bench.identity.runs import WORK, Run, System, empty, environment, find_best, need_peers, read_stages, start, summarise
from bench.identity.speed import make_goldenmatch
from bench.processes import watch
from bench.results import make_table, report

_WEIGHTS = tuple(str(weight) for weight in range(-12, 33))


def main(arguments: list[str]) -> None:
    """Print and write precision, recall, F1, B-cubed F1 and seconds of each system on each set."""
    parser = argparse.ArgumentParser(prog="python -m bench identity-accuracy", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the sets, a folder with records.csv for each")
    parser.add_argument("--sets", nargs="+", default=[dataset.name for dataset in DATASETS])
    parser.add_argument("--systems", nargs="+", default=["goldthread", "splink", "goldenmatch"])
    parser.add_argument("--limit", type=float, default=600, help="seconds after which a process is stopped")
    options = parser.parse_args(arguments)
    need_peers(options.systems)
    figures = {name: measure(find_dataset(name), options) for name in options.sets}
    rows = [_show(name, system, one) for name, systems in figures.items() for system, one in systems.items()]
    columns = ("set, system", "P", "R", "F1", "B3 F1", "wall s", "peak MB", "threshold")
    report("identity-accuracy", {"sets": figures}, make_table("public labelled sets", columns, rows))


def measure(dataset: Dataset, options: argparse.Namespace) -> dict[str, Any]:
    """One run of each system; a failure is a result."""
    records, truth = read_dataset(dataset, options.data)
    path = WORK / "data" / f"{dataset.name}.parquet"
    labels = path.with_suffix(".truth.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    records.write_parquet(path)
    truth.write_parquet(labels)
    found: dict[str, Any] = {}
    for system in _list_systems(dataset, labels, options.systems):
        try:
            found[system.name] = summarise([start(system, path, truth, options.limit)])
        except RuntimeError as error:
            found[system.name] = {"failed": str(error)[-500:]}
    if "splink" in options.systems:
        try:
            found["splink"] = _sweep_splink(dataset, path, truth, options.limit)
        except RuntimeError as error:
            found["splink"] = {"failed": str(error)[-500:]}
    return found


def _list_systems(dataset: Dataset, labels: Path, names: list[str]) -> list[System]:
    systems = []
    if "goldthread" in names:
        suggest, tune = ((sys.executable, "-m", f"bench.identity.{name}") for name in ("suggested", "tuned"))
        systems.append(System("goldthread-suggested", lambda path, out: (*suggest, str(path), dataset.entity, str(out))))
        systems.append(System("goldthread-tuned", lambda path, out: (*tune, str(path), dataset.entity, str(labels), str(out))))
    if "goldenmatch" in names:
        systems += [make_goldenmatch("zero"), make_goldenmatch("probabilistic")]
    return systems


def _sweep_splink(dataset: Dataset, path: Path, truth: pl.DataFrame, limit: float) -> dict[str, Any]:
    """Splink at the threshold that suits the truth best; its seconds are those of one clustering."""
    command = (sys.executable, "-m", "bench.identity.peers.splink_sets", dataset.name, str(path))
    out = empty(WORK / "out" / "splink")
    watch((*command, str(out), *_WEIGHTS), environment(), limit)
    best, accuracy = find_best(out, truth)
    out = empty(out)
    watched = watch((*command, str(out), f"{best:g}"), environment(), limit)
    return summarise([Run(watched, read_stages(out), accuracy)]) | {"threshold": best}


def _show(name: str, system: str, one: dict[str, Any]) -> tuple[str, ...]:
    title = f"{name}, {system}"
    if "failed" in one:
        return (title, *[""] * 6, one["failed"].strip().splitlines()[-1][:60])
    right = [f"{one['accuracy'][key]:.4f}" for key in ("precision", "recall", "f1", "bcubed_f1")]
    threshold = f"{one['threshold']:g}" if "threshold" in one else ""
    return (title, *right, f"{one['wall_s']:.1f}", str(one["peak_mb"]), threshold)
