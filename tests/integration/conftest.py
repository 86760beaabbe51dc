"""One company and one publication for every test of the line."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sandbox.serve import Sandbox
    from tests.integration.line_harness import Line

with warnings.catch_warnings():
    # the libraries below the line warn about each other when they are imported
    warnings.simplefilter("ignore")
    import orchestration.lib.explain
    import orchestration.lib.translator  # noqa: F401

#: beside the published home: the environment of the process that made it
MADE_WITH = "environment.json"


@pytest.fixture(scope="session", autouse=True)
def project_read_once() -> Iterator[None]:
    """dbt reads its project once per process, 4 s, and not once per home: what it reads names no home."""
    from orchestration.lib import dbt

    real, known = dbt._parse, {}

    def parse(target: Path, working: Path, changed_at: float) -> Any:
        manifest = target / "manifest.json"
        is_written = manifest.exists() and manifest.stat().st_mtime >= changed_at
        if not is_written or changed_at not in known:
            known[changed_at] = real(target, working, changed_at)
        return known[changed_at]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dbt, "_parse", parse)
        yield


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The company of every test; its clock is never moved, for the homes hold what it held at its start."""
    from tests.integration.line_harness import start_company

    with start_company(tmp_path_factory.mktemp("company")) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def published(company: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Line:
    """A home with one run of the whole line, published. Not to be changed: work on `line`.

    Whichever process of the test run comes first makes it, against its own company; each works on a copy of its own.
    """
    from tests.integration.line_harness import Line, describe_environment

    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    made, folder = place / "published", tmp_path_factory.mktemp("line")
    with (place / "published.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made / MADE_WITH).exists():
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir()
            publish_into(made, company)
    shutil.copytree(made, folder, dirs_exist_ok=True)
    return Line(folder / "home", describe_environment(company, folder))


def publish_into(folder: Path, company: Sandbox) -> None:
    """One run of the whole line; the environment that it was told is written down last."""
    from tests.integration.line_harness import Line, describe_environment, trap_network

    made = Line(folder / "home", describe_environment(company, folder))
    with pytest.MonkeyPatch.context() as patch, trap_network() as attempts:
        line = made.enter(patch)
        outcome = line.run()
    assert outcome.success, outcome.errors
    assert attempts == []
    (folder / MADE_WITH).write_text(json.dumps(dict(line.environment)), encoding="utf-8")


@pytest.fixture
def line(published: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Line:
    """A copy of the published home, which is the project of this process while the test lasts."""
    return published.copy_to(tmp_path / "home").enter(monkeypatch)


@pytest.fixture
def look(published: Line, monkeypatch: pytest.MonkeyPatch) -> Line:
    """The published home itself, to look at."""
    return published.enter(monkeypatch)
