"""One company and one publication for every test of the line."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
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
    import orchestration.lib.sources  # noqa: F401

SCALE = 0.02


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A small company's systems, with faults, and one forged callback among its events."""
    from sandbox.serve import CORP_ID, ServeOptions, start
    from sandbox.servers.wecom_callback import CallbackKeys, build_envelope, json, write_atomically

    with start(
        tmp_path_factory.mktemp("company"), scale=SCALE, options=ServeOptions(error_rate=0.01, rate_scale=1000)
    ) as sandbox:
        keys = CallbackKeys(sandbox.env["WECOM_CALLBACK_TOKEN"], sandbox.env["WECOM_CALLBACK_AES_KEY"], CORP_ID)
        event = {
            "event_id": "forged",
            "create_time": datetime(2025, 8, 1, tzinfo=UTC),
            "event": "change_external_contact",
            "change_type": "del_external_contact",
            "user_id": "nobody",
            "external_user_id": "nobody",
        }
        envelope = build_envelope(event, keys, forged=True)
        write_atomically(Path(sandbox.env["WECOM_INBOX"]) / "20250801T000000-forged.json", json.dumps(envelope).encode())
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
