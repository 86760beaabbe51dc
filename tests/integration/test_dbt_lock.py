"""dbt takes its turn at the working file."""

import pytest

from tests.holding import hold_elsewhere
from tests.integration.dbt_harness import create_sources, query, read_project, run_dbt

pytestmark = pytest.mark.integration


def test_dbt_waits_while_a_reading_command_has_the_file(tmp_path):
    file = tmp_path / "working.duckdb"
    create_sources(file)
    read_project(file.stem)
    with hold_elsewhere(file, 8):
        run_dbt(file, "seed", "--select", "ref_alert_rule")
    assert query(file, "select count(*) > 0 from policy.ref_alert_rule") == [(True,)]
