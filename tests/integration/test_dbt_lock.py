"""dbt takes its turn at the working file."""

import pytest

from tests.holding import hold_elsewhere
from tests.integration.dbt_harness import create_sources, query, run_dbt

pytestmark = pytest.mark.integration


def test_dbt_waits_while_a_reading_command_has_the_file(tmp_path):
    file = tmp_path / "busy.duckdb"
    create_sources(file)
    # dbt leaves its log file open, which pytest reports as an error
    quietly = ("--log-level-file", "none")
    run_dbt(file, *quietly, "parse")
    with hold_elsewhere(file, 8):
        run_dbt(file, *quietly, "seed", "--select", "ref_alert_rule")
    assert query(file, "select count(*) > 0 from policy.ref_alert_rule") == [(True,)]
