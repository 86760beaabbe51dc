"""The demo company: `build_company(scale, seed)`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from sandbox.schema import SCHEMAS, TRUTH, VERSION

AS_OF = datetime(2026, 6, 30, 10, tzinfo=UTC)
HORIZON = datetime(2026, 7, 31, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Company:
    """What every vendor system of the made-up company holds at any time, and the truth behind it."""

    as_of: datetime
    horizon: datetime
    tables: dict[str, pl.DataFrame]
    truth: dict[str, pl.DataFrame]


def build_company(scale: float = 1.0, seed: int = 7) -> Company:
    """Make the company."""
    tables = {name: pl.DataFrame(schema=columns | VERSION) for name, columns in SCHEMAS.items()}
    truth = {name: pl.DataFrame(schema=columns) for name, columns in TRUTH.items()}
    return Company(AS_OF, HORIZON, tables, truth)
