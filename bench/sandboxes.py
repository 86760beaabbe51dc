"""A running sandbox company and a project that reads it, both in a home of their own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from orchestration.lib.sandbox import SandboxOptions, run_sandbox

ROOT = Path(__file__).resolve().parents[1]
UNLIMITED = 100_000  # calls: no budget is met


def write_project(home: Path) -> Path:
    """The demo's project without the clients' rate budgets, so that the pipeline and not the vendors' limits is measured."""
    project = yaml.safe_load((ROOT / "goldthread.yaml").read_text(encoding="utf-8"))
    sources = project["sources"]
    sources["hubspot"] |= {"calls_per_10s": UNLIMITED, "searches_per_second": UNLIMITED}
    sources["wecom"] |= {"calls_per_minute": UNLIMITED}
    sources["forms"] |= {"contracts": str(ROOT / sources["forms"]["contracts"])}
    path = home / "goldthread.yaml"
    path.write_text(yaml.safe_dump(project, allow_unicode=True), encoding="utf-8")
    return path


@contextmanager
def serve_company(home: Path, scale: float) -> Iterator[None]:
    """The company's systems, with limits so wide that they are never met and no failing answers."""
    with run_sandbox(home, SandboxOptions(scale=scale, error_rate=0.0, rate_scale=UNLIMITED)):
        yield


def command(*arguments: str) -> list[str]:
    """`goldthread` of this environment."""
    return [str(Path(sys.executable).parent / "goldthread"), *arguments]


def environment(home: Path, project: Path) -> dict[str, str]:
    """The environment of a pipeline that lives in `home`."""
    return {
        **os.environ,
        "GOLDTHREAD_HOME": str(home),
        "DAGSTER_HOME": str(home / "dagster"),
        "GOLDTHREAD_PROJECT": str(project),
    }
