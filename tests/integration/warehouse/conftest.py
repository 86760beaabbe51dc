"""The fresh home of the unit tests, for stories that go through several stores."""

from tests.unit.warehouse.conftest import store

__all__ = ["store"]
