"""What every test gets: the same generated examples each time, however busy the machine is."""

import pytest
from hypothesis import settings

settings.register_profile("goldthread", derandomize=True, deadline=None, database=None)
settings.load_profile("goldthread")

#: `make test` hands out whole files in this order and then the others: long ones early, so that both workers end together;
#: the second worker begins with what needs no published home, for the first one is making it
LONG = (
    "test_line_again",
    *("test_dbt_rules", "test_dbt_core", "test_dbt_lock"),
    *("test_line_decisions", "test_line_defects", "test_line_gate", "test_dev", "test_line_erasure", "test_line_trouble"),
    *("test_hub_properties", "test_public_sales", "test_line_rollback", "test_line_dbt", "test_line_published"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONG)))
