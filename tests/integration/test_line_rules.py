"""Rules that a project names: the line resolves with them, keeps the IDs, and says so."""

from __future__ import annotations

from importlib.resources import files

import dagster as dg
import pytest

from orchestration.lib.runs import open_instance
from orchestration.project import current_project
from tests.integration.line_harness import MARKS, REPOSITORY, Line

pytestmark = MARKS


@pytest.fixture
def strict(line: Line, tmp_path, monkeypatch) -> Line:
    """The published home under a project whose own rules ask for more evidence (0.0 else) before two organisations are one."""
    rules = files("hub").joinpath("rules", "organisation.toml").read_text(encoding="utf-8")
    (tmp_path / "strict.toml").write_text(f"match_bits = 3.0\n{rules}", encoding="utf-8")
    written = (REPOSITORY / "goldthread.yaml").read_text(encoding="utf-8")
    contracts = written.replace("examples/sandbox", f"{REPOSITORY}/examples/sandbox")
    (tmp_path / "goldthread.yaml").write_text(f"{contracts}\nhub:\n  organisation: strict.toml\n", encoding="utf-8")
    return line.enter(monkeypatch, GOLDTHREAD_PROJECT=str(tmp_path))


def test_own_rules_resolve_the_line_anew_with_ids_kept_and_are_named(strict: Line):
    count = "select count(*) from hub.golden_customers"
    [[before]] = strict.query(count)
    outcome = strict.run_part(dg.AssetSelection.groups("hub"))
    assert outcome.success, strict.verdict(outcome.run_id)
    [[after]] = strict.query(count)
    assert after > before
    lost = strict.query(
        "select customer_gid from hub.identity_events where kind = 'issued' and starts_with(customer_gid, 'cus_') "
        "except select customer_gid from hub.golden_customers except select customer_gid from hub.redirects"
    )
    assert lost == []
    crosswalk = dg.AssetKey(["hub", "crosswalk"])
    event = open_instance(strict.home).get_latest_materialization_event(crosswalk)
    metadata = event.asset_materialization.metadata
    assert metadata["rule_version"].value == current_project().rule_version
    assert strict.read("select rule_version from _publication") != [(current_project().rule_version,)]
    assert metadata["resolved"].value == "all records"
