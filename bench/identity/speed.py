"""Whole processes over generated Chinese B2B records, interleaved: `python -m bench identity-speed [--sizes 10000 100000]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import polars as pl

from bench.identity.records import build_records
from bench.identity.runs import OURS, WORK, System, empty, environment, find_best, need_peers, start, summarise
from bench.processes import watch
from bench.results import make_table, report

_SPLINK = (sys.executable, "-m", "bench.identity.peers.splink_b2b")
#: match weights between which Splink's best is looked for
WEIGHTS = tuple(str(weight) for weight in (-2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12))


def main(arguments: list[str]) -> None:
    """Print and write medians of each system at each size."""
    parser = argparse.ArgumentParser(prog="python -m bench identity-speed", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--systems", nargs="+", default=["goldthread", "splink", "goldenmatch"])
    parser.add_argument("--limit", type=float, default=900, help="seconds after which a process is stopped")
    options = parser.parse_args(arguments)
    need_peers(options.systems)
    figures = {str(size): measure(size, options) for size in options.sizes}
    rows = [_show(size, name, one) for size, systems in figures.items() for name, one in systems.items()]
    columns = ("records, system", "wall s", "CPU s", "peak MB", "P", "R", "F1", "B3 F1", "walls")
    report(
        "identity-speed",
        {"seed": options.seed, "rounds": options.rounds, "sizes": figures},
        make_table("Chinese B2B records, whole process", columns, rows),
    )


def write_records(size: int, seed: int) -> tuple[Path, pl.DataFrame]:
    """Path of `size` generated records, and their truth; made once."""
    folder = WORK / "data"
    path, labels = folder / f"{size}-{seed}.parquet", folder / f"{size}-{seed}.truth.parquet"
    if not labels.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        records, truth = build_records(size, seed)
        records.write_parquet(path)
        truth.write_parquet(labels)
    return path, pl.read_parquet(labels)


def measure(size: int, options: argparse.Namespace) -> dict[str, Any]:
    """Summaries by system; which one goes first changes from round to round."""
    records, truth = write_records(size, options.seed)
    systems = _list_systems(records, truth, options.systems)
    runs: dict[str, list[Any]] = {name: [] for name in systems}
    failures: dict[str, str] = {}
    for number in range(options.rounds):
        for name in sorted(systems, reverse=number % 2 == 1):
            if name in failures:
                continue
            try:
                runs[name].append(start(systems[name], records, truth, options.limit))
            except RuntimeError as error:
                failures[name] = str(error)[-500:]
    return {name: {"failed": failures[name]} if name in failures else summarise(runs[name]) for name in systems}


def _list_systems(records: Path, truth: pl.DataFrame, names: list[str]) -> dict[str, System]:
    systems: dict[str, System] = {}
    if "goldthread" in names:
        ours = (*OURS, "resolve")
        systems["goldthread"] = System(
            "goldthread", lambda path, out: (*ours, str(path), "--entity", "organisation", "--out", str(out))
        )
    if "splink" in names:
        out = empty(WORK / "out" / "splink-sweep")
        watch((*_SPLINK, str(records), str(out), *WEIGHTS), environment())
        best, _ = find_best(out, truth)
        systems["splink"] = System(
            "splink", lambda path, folder: (*_SPLINK, str(path), str(folder), f"{best:g}"), f"crosswalk-{best:g}.parquet"
        )
    if "goldenmatch" in names:
        for mode in ("zero", "probabilistic"):
            systems[f"goldenmatch-{mode}"] = make_goldenmatch(mode)
    return systems


def make_goldenmatch(mode: str) -> System:
    """GoldenMatch left to itself (zero), or with the Fellegi-Sunter configuration that it builds (probabilistic)."""
    command = (sys.executable, "-m", "bench.identity.peers.goldenmatch")
    return System(f"goldenmatch-{mode}", lambda path, out: (*command, str(path), str(out), mode))


def _show(size: str, name: str, one: dict[str, Any]) -> tuple[str, ...]:
    title = f"{int(size):,} {name}"
    if "failed" in one:
        return (title, one["failed"].strip().splitlines()[-1][:60], *[""] * 7)
    right = [f"{one['accuracy'][key]:.4f}" for key in ("precision", "recall", "f1", "bcubed_f1")]
    walls = " ".join(f"{wall:.1f}" for wall in one["walls"])
    return (title, f"{one['wall_s']:.1f}", f"{one['cpu_s']:.1f}", str(one["peak_mb"]), *right, walls)
