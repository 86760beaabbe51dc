"""Every system on public labelled sets: `python -m bench identity-accuracy --data DIR [--sets febrl3 chicago]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import polars as pl

from bench.identity.datasets import DATASETS, Dataset, find_dataset, read_dataset
from bench.identity.runs import OURS, WORK, Run, System, empty, environment, find_best, need_peers, read_stages, start, summarise
from bench.identity.speed import make_goldenmatch
from bench.processes import watch
from bench.results import make_table, report

#: rules written for a set by hand (SET.toml), where they say other things than those suggested
_RULES = Path(__file__).resolve().parent / "rules"
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
    path.parent.mkdir(parents=True, exist_ok=True)
    records.write_parquet(path)
    found: dict[str, Any] = {}
    for system in _list_systems(dataset, options.systems):
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


def _list_systems(dataset: Dataset, names: list[str]) -> list[System]:
    systems = []
    if "goldthread" in names:
        tuned = _RULES / f"{dataset.name}.toml"
        if tuned.is_file():
            ours = (*OURS, "resolve", "--entity", dataset.entity, "--rules", str(tuned))
            systems.append(System("goldthread", lambda path, out: (*ours, str(path), "--out", str(out))))
        suggest = (sys.executable, "-m", "bench.identity.suggested")
        systems.append(System("goldthread-suggested", lambda path, out: (*suggest, str(path), dataset.entity, str(out))))
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
