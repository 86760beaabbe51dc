"""New records into a kept hub, beside a full resolve and Splink's predict_between: `python -m bench identity-incremental`."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

import polars as pl

from bench.identity.runs import OURS, WORK, Run, empty, environment, judge, need_peers, read_stages, summarise
from bench.identity.speed import write_records
from bench.processes import watch
from bench.results import make_table, report

_OPEN = (sys.executable, "-m", "bench.identity.open_hub")
_SPLINK = (sys.executable, "-m", "bench.identity.peers.splink_incremental")
_RECORD = ("source", "source_key")


def main(arguments: list[str]) -> None:
    """Print and write medians, the ratio to the full resolve, and whether both say the same."""
    parser = argparse.ArgumentParser(prog="python -m bench identity-incremental", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--new", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--weight", type=float, default=4.0, help="Splink's threshold; see identity-speed")
    parser.add_argument("--systems", nargs="+", default=["goldthread", "splink"])
    options = parser.parse_args(arguments)
    need_peers(options.systems)
    everything, _ = write_records(options.records + options.new, options.seed)
    table = pl.read_parquet(everything)
    old, new = WORK / "data" / "kept.parquet", WORK / "data" / "new.parquet"
    table.head(options.records).write_parquet(old)
    table.tail(options.new).write_parquet(new)
    figures: dict[str, Any] = {}
    if "goldthread" in options.systems:
        figures |= measure_ours(everything, old, new, options.rounds)
    if "splink" in options.systems:
        figures["splink predict_between"] = measure_splink(old, new, options.rounds, options.weight)
    rows = [
        (
            name,
            f"{one['wall_s']:.2f}",
            f"{one['cpu_s']:.2f}",
            str(one["peak_mb"]),
            " ".join(f"{s} {t}" for s, t in one["stages"].items()),
        )
        for name, one in figures.items()
    ]
    title = f"{options.new:,} new records into {options.records:,}"
    report(
        "identity-incremental",
        {"records": options.records, "new": options.new, "systems": figures},
        make_table(title, ("process", "wall s", "CPU s", "peak MB", "stages s"), rows),
    )


def measure_ours(everything: Path, old: Path, new: Path, rounds: int) -> dict[str, Any]:
    """A hub of the old records; then, in turns, the new ones into a copy of it and all from nothing."""
    hub, out = empty(WORK / "hub"), WORK / "out"
    entity = ("--entity", "organisation")
    built = watch((*OURS, "resolve", str(old), *entity, "--hub", str(hub), "--out", str(empty(out / "built"))), environment())
    added, opened, full = [], [], []
    whole = out / "full" / "crosswalk.parquet"
    for _ in range(rounds):
        watched = watch((*OURS, "resolve", str(everything), *entity, "--out", str(empty(out / "full"))), environment())
        full.append(Run(watched, read_stages(out / "full"), {}))
        copy = _copy(hub)
        watched = watch(
            (*OURS, "resolve", str(new), "--hub", str(copy), *entity, "--out", str(empty(out / "added"))), environment()
        )
        reference = pl.read_parquet(whole).select(*_RECORD, "customer_gid")
        said = pl.read_parquet(out / "added" / "crosswalk.parquet").select(_RECORD)
        same = judge(out / "added" / "crosswalk.parquet", reference.join(said, on=_RECORD, how="semi"))
        added.append(Run(watched, read_stages(out / "added"), same))
        watched = watch((*_OPEN, str(new), str(_copy(hub)), str(empty(out / "opened"))), environment())
        opened.append(Run(watched, read_stages(out / "opened"), {}))
    once = Run(built, {}, {})
    ratio = summarise(added)["wall_s"] / summarise(full)["wall_s"]
    return {
        "goldthread builds the hub": summarise([once]),
        "goldthread adds": summarise(added) | {"share_of_full": round(ratio, 3)},
        "goldthread adds to an open hub": summarise(opened),
        "goldthread resolves all": summarise(full),
    }


def _copy(hub: Path) -> Path:
    copy = WORK / "hub-copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(hub, copy)
    return copy


def measure_splink(old: Path, new: Path, rounds: int, weight: float) -> dict[str, Any]:
    """Edges of the new records only: no clusters, nothing kept."""
    folder = empty(WORK / "splink")
    watch((*_SPLINK, "build", str(old), str(folder)), environment())
    runs = []
    for _ in range(rounds):
        copy, out = WORK / "splink-copy", empty(WORK / "out" / "splink-added")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        runs.append(
            Run(watch((*_SPLINK, "add", str(new), str(copy), str(out), f"{weight:g}"), environment()), read_stages(out), {})
        )
    return summarise(runs)
