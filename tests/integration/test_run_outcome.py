"""What a run that failed says: the cause in its own words, without Dagster's classes and steps."""

from __future__ import annotations

import dagster as dg
import pytest

from connectors.errors import ConfigurationError
from orchestration.lib.runs import RunOutcome, load_job, run_job
from warehouse.errors import HomeBusyError, WarehouseError

pytestmark = pytest.mark.integration


def run(*assets: dg.AssetsDefinition, **resources: object) -> RunOutcome:
    definitions = dg.Definitions(assets=assets, jobs=[dg.define_asset_job("all_of_them")], resources=resources)
    with dg.DagsterInstance.ephemeral() as instance:
        return run_job(definitions.resolve_job_def("all_of_them"), instance)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (WarehouseError("the disk is full"), "the disk is full"),
        (dg.Failure("stg_a: no such column"), "stg_a: no such column"),
        (KeyError("x"), "KeyError: 'x'"),
        (KeyboardInterrupt(), "interrupted: what was read so far is kept, and the next run goes on from there"),
    ],
)
def test_a_step_that_breaks_tells_its_cause_and_no_class_of_ours(error, words):
    @dg.asset
    def breaks() -> None:
        raise error

    outcome = run(breaks)
    assert (outcome.success, outcome.errors, outcome.unsaid) == (False, (words,), (words,))


def test_what_a_blocking_check_found_is_left_to_the_check():
    @dg.asset(check_specs=[dg.AssetCheckSpec("whole", asset="broken", blocking=True)])
    def broken() -> dg.MaterializeResult:
        return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=False)])

    outcome = run(broken)
    assert not outcome.success
    assert outcome.errors
    assert outcome.unsaid == ()


def test_a_resource_that_does_not_come_up_tells_why():
    @dg.resource
    def stores(_context):
        raise HomeBusyError("another run holds the home")

    @dg.asset(required_resource_keys={"stores"})
    def waits() -> None:
        pass

    outcome = run(waits, stores=stores)
    assert (outcome.success, outcome.unsaid) == (False, ("another run holds the home",))


def test_a_mistake_that_is_met_while_the_definitions_load_is_raised_as_itself(monkeypatch):
    mistake = ConfigurationError("orders.yaml: key: no field 'x'")

    def load() -> dg.Definitions:
        try:
            raise mistake
        except ConfigurationError as error:
            raise RuntimeError("a component tree broke") from error

    monkeypatch.setattr("orchestration.definitions.defs", load)
    with pytest.raises(ConfigurationError) as raised:
        load_job("sync")
    assert raised.value is mistake
