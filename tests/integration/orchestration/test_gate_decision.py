"""The decision counts what did not run, and asks of the checks only what they answer for."""

import pytest

from orchestration.lib.gate import decide, find_feed_models, find_staging_models, list_blocking_tests
from warehouse.home import Home
from warehouse.ledger import CheckResult, open_ledger

pytestmark = pytest.mark.integration


def test_a_check_that_had_to_run_and_did_not_fails_the_run(tmp_path):
    ledger = open_ledger(Home(tmp_path / "home"))
    ledger.record_checks("r", [CheckResult("ran", True, asset="a")])
    assert decide(ledger, "r", [("a", "ran")])["verdict"] == "pass"
    decision = decide(ledger, "r", [("a", "ran"), ("a", "left_out")])
    assert (decision["verdict"], decision["not run"]) == ("fail", 1)
    assert decision["reason"] == "left_out: did not run"


def test_a_warning_does_not_fail_the_run(tmp_path):
    ledger = open_ledger(Home(tmp_path / "home"))
    ledger.record_checks("r", [CheckResult("ran", True), CheckResult("weak", False, "old", "warn")])
    assert decide(ledger, "r", [(None, "ran"), (None, "weak")])["verdict"] == "pass"


def test_only_error_tests_block_and_only_vendor_staging_answers_for_a_stream():
    def model(name, schema, *parents):
        return {"resource_type": "model", "schema": schema, "name": name, "depends_on": {"nodes": list(parents)}}

    manifest = {
        "nodes": {
            "model.p.stg": model("stg_crm__deals", "staging", "source.p.crm.deals"),
            "model.p.files": model("stg_files__leads", "staging", "source.p.files.leads"),
            "model.p.int": model("int_deals", "intermediate", "model.p.stg"),
            "test.p.e": {"resource_type": "test", "name": "e", "config": {"severity": "ERROR"}},
            "test.p.w": {"resource_type": "test", "name": "w", "config": {"severity": "warn"}},
        },
        "sources": {
            "source.p.crm.deals": {"schema": "landing", "source_name": "crm", "name": "deals"},
            "source.p.files.leads": {"schema": "files", "source_name": "files", "name": "leads"},
        },
    }
    assert list_blocking_tests(manifest) == ["e"]
    assert find_staging_models(manifest) == {("crm", "deals"): "stg_crm__deals"}
    assert find_feed_models(manifest) == {"leads": "stg_files__leads"}
