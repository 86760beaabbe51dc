"""`goldthread demo`: the first on a new home, and a second that finds nothing new."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench.processes import Watched, watch
from bench.results import make_table, report
from bench.sandboxes import ROOT, command, environment

FIRST_SECONDS, SECOND_SHARE, PEAK_MB = 180.0, 0.25, 2048.0


def main(arguments: list[str]) -> None:
    """The demo as a stranger runs it, with the vendors' real limits, twice."""
    parser = argparse.ArgumentParser(prog="python -m bench demo", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="goldthread-bench-demo-") as folder:
        home = Path(folder).resolve()
        env = environment(home, ROOT)
        first, second = (watch(command("demo", "--scale", str(options.scale)), env) for _ in range(2))
    _report(options.scale, first, second)


def _report(scale: float, first: Watched, second: Watched) -> None:
    runs = {"first": first, "second (nothing new)": second}
    rows = [
        (name, f"{run.wall:.1f}", f"{run.cpu:.1f}", f"{run.peak_rss_mb:,.0f}", f"{run.peak_tree_mb:,.0f}")
        for name, run in runs.items()
    ]
    share = {"wall": second.wall / first.wall, "cpu": second.cpu / first.cpu}
    rows.append(("second / first", f"{share['wall']:.2f}", f"{share['cpu']:.2f}", "", ""))
    rows.append(("bar", f"{FIRST_SECONDS:.0f} s and {SECOND_SHARE}", "", "", f"{PEAK_MB:,.0f}"))
    figures = {
        "scale": scale,
        **{
            name: {
                "wall": round(run.wall, 1),
                "cpu": round(run.cpu, 1),
                "peak_rss_mb": round(run.peak_rss_mb),
                "peak_tree_mb": round(run.peak_tree_mb),
            }
            for name, run in (("first", first), ("second", second))
        },
        "second_over_first": {clock: round(value, 3) for clock, value in share.items()},
    }
    columns = ("run", "wall s", "CPU s", "peak of the run MB", "peak with all systems MB")
    report("demo", figures, make_table(f"demo at scale {scale:g}", columns, rows))
