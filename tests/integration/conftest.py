"""One company and one publication for every test of the line."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox.serve import Sandbox
    from tests.integration.line_harness import Line

with warnings.catch_warnings():
    # the libraries below the line warn about each other when they are imported
    warnings.simplefilter("ignore")
    import orchestration.lib.explain
    import orchestration.lib.translator  # noqa: F401


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The company of every test; its clock is never moved, for the homes hold what it held at its start."""
    from tests.integration.line_harness import start_company

    with start_company(tmp_path_factory.mktemp("company")) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def published(company: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Line:
    """A home with one run of the whole line, published. Not to be changed: work on `line`."""
    from tests.integration.line_harness import Line, describe_environment, trap_network

    folder = tmp_path_factory.mktemp("line")
    made = Line(folder / "home", describe_environment(company, folder))
    with pytest.MonkeyPatch.context() as patch, trap_network() as attempts:
        line = made.enter(patch)
        outcome = line.run()
    assert outcome.success, outcome.errors
    assert attempts == []
    return line


@pytest.fixture
def line(published: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Line:
    """A copy of the published home, which is the project of this process while the test lasts."""
    return published.copy_to(tmp_path / "home").enter(monkeypatch)


@pytest.fixture
def look(published: Line, monkeypatch: pytest.MonkeyPatch) -> Line:
    """The published home itself, to look at."""
    return published.enter(monkeypatch)
