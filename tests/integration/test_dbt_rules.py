"""Every rule that the dbt project states as a unit test holds, and every mart is described, fixed and tested."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.dbt_harness import PROJECT, create_sources, run_dbt

pytestmark = pytest.mark.integration


VERSIONED = (
    *("policy/ref_threshold", "policy/ref_stage", "policy/ref_stage_node", "policy/ref_stage_benchmark", "gate/ref_gate_limit"),
    *(
        "policy/ref_activity_outcome",
        "alerts/ref_alert_rule",
        "forecast/ref_forecast_parameter",
        "performance/ref_score_scheme",
        "performance/ref_score_weight",
    ),
)


def read_properties(folder: str, kind: str) -> list[dict[str, Any]]:
    files = sorted((PROJECT / folder).rglob("*.yml"))
    return [entry for file in files for entry in (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get(kind, [])]


def test_every_mart_states_its_grain_has_a_contract_and_a_unit_test():
    marts = {file.stem for file in (PROJECT / "models" / "marts").rglob("*.sql")}
    described = {model["name"]: model for model in read_properties("models/marts", "models")}
    config = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["models"]["goldthread"]["marts"]
    assert config["+contract"] == {"enforced": True}
    assert marts == set(described)
    assert [name for name, model in described.items() if "contract" in model.get("config", {})] == []
    assert [name for name, model in described.items() if not model["description"].strip().startswith("One row per ")] == []
    assert [name for name, model in described.items() if not all(column.get("data_type") for column in model["columns"])] == []
    assert marts - {rule["model"] for rule in read_properties("models", "unit_tests")} == set()


def test_every_description_of_an_intermediate_model_and_a_seed_states_its_grain():
    entries = read_properties("models/intermediate", "models") + read_properties("seeds", "seeds")
    assert len(entries) > 40
    assert [entry["name"] for entry in entries if not entry.get("description", "").strip().startswith("One row")] == []


@pytest.mark.parametrize("seed", VERSIONED)
def test_a_policy_has_versions_days_and_an_author(seed):
    with (PROJECT / "seeds" / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert all(row["version"] and row["valid_from"] and row["author"] and "valid_to" in row for row in rows)
    [described] = [entry for entry in read_properties("seeds", "seeds") if entry["name"] == seed.split("/")[1]]
    assert [test for test in described["data_tests"] if "one_version_a_day" in test]


def test_every_dbt_unit_test_passes(tmp_path: Path) -> None:
    path = tmp_path / "working.duckdb"
    create_sources(path)
    # a unit test takes its columns' types from the tables before it, which may be empty
    outcome = run_dbt(path, "build", "--exclude-resource-type", "test")
    results = [result for result in outcome.results if result.node.resource_type == "unit_test"]
    stated = Counter(rule["name"] for rule in read_properties("models", "unit_tests"))
    assert len(stated) > 20
    assert Counter(result.node.name for result in results) == stated
    assert {str(result.status) for result in results} == {"pass"}
