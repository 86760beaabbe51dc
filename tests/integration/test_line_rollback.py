"""After a rollback: runs are derived and checked, but what is served stands until a person publishes."""

from __future__ import annotations

import dagster as dg
import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from tests.integration.line_harness import MARKS, PUBLICATION, VERDICT, Line, parse_json
from warehouse.ledger import CheckResult
from warehouse.publication import list_publications

pytestmark = MARKS

END = dg.AssetSelection.assets(VERDICT, PUBLICATION)
CONTRACT = dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey(["u8", "customers"]), "landing_contract"))


def ask(*arguments: str) -> dict:
    answer = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return parse_json(answer.stdout)


@pytest.fixture
def rolled_back(line: Line) -> Line:
    """A wrong publication was made, and a person serves the one before again."""
    ledger = line.stores.ledger
    ledger.start_run("wrong")
    ledger.record_checks("wrong", [CheckResult("a", True)])
    ledger.decide("wrong")
    ask("publish")
    ask("rollback", "--reason", "错的汇率", "--by", "reviewer")
    return line


def test_a_run_of_the_schedule_passes_and_publishes_nothing_until_a_person_does(rolled_back):
    before = rolled_back.hash_served()
    for _ in range(2):
        outcome = rolled_back.run_part(END)
        assert outcome.success
        assert rolled_back.verdict(outcome.run_id)[0] == "pass"
        assert rolled_back.hash_served() == before
    assert "held" in CliRunner().invoke(app, ["status"], catch_exceptions=False).stdout
    assert ask("status")["publication"]["restored_reason"] == "错的汇率"
    assert ask("publish")["run_id"] == outcome.run_id
    freed = rolled_back.run_part(END)
    assert rolled_back.read("select run_id from _publication") == [(freed.run_id,)]
    assert [item.action for item in list_publications(rolled_back.stores.ledger)] == [
        *("publish", "publish", "rollback", "publish", "publish")
    ]


def test_a_run_without_news_is_checked_all_the_same_while_the_rollback_holds(rolled_back):
    """Else there would be no verdict that a person's `publish` could go by."""
    held = rolled_back.run_part(CONTRACT, passed=False)
    assert set(rolled_back.check(held.run_id, "landing_contract")) == {"u8/customers"}
    rolled_back.run_part(END)
    ask("publish")
    free = rolled_back.run_part(CONTRACT, passed=False)
    assert not rolled_back.check(free.run_id, "landing_contract")
