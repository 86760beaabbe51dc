"""Builders of small record sets for the hub's tests."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import polars as pl
import pytest
from stdnum.cn import uscc

from hub.resolve import Resolution, resolve
from hub.rules.model import Rules
from hub.rules.read import load_rules

DAY_ONE = datetime(2026, 1, 1, tzinfo=UTC)
_FIRMS = (
    ("上海云帆科技有限公司", "上海云帆科技", "云帆科技-王总"),
    ("杭州云帆贸易有限公司", "杭州云帆贸易", "云帆贸易"),
    ("苏州精卓机械设备有限公司", "精卓机械设备", "苏州市精卓机械设备(老客户)"),
    ("广东省深圳市鹏翔自动化有限公司", "深圳鹏翔自动化", "鹏翔自动化"),
    ("北京中科瑞丰仪器股份有限公司", "中科瑞丰仪器", "北京中科瑞丰仪器有限公司"),
)


def make_credit_code(number: int) -> str:
    """A credit code with both check characters, different for each number below 10**8."""
    body = f"{number:08d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    check = 11 - total % 11
    inner = "0" if check == 11 else "X" if check == 10 else str(check)
    front = "91310000" + body + inner
    return front + uscc.calc_check_digit(front)


def make_parties(*rows: dict[str, Any]) -> pl.DataFrame:
    """Records of organisations; `source` and `source_key` are filled in where a row names none."""
    filled = [{"source": "crm", "source_key": f"k{number:04d}", **row} for number, row in enumerate(rows)]
    columns = dict.fromkeys(key for row in filled for key in row)
    return pl.DataFrame([{column: row.get(column) for column in columns} for row in filled], infer_schema_length=None)


def make_company_records(choices: list[tuple[int, int, bool, bool]]) -> pl.DataFrame:
    """Noisy records of five firms from (firm, spelling, has code, has mobile) choices."""
    rows = []
    for number, (firm, spelling, has_code, has_mobile) in enumerate(choices):
        rows.append(
            {
                "source": ("crm", "erp", "wecom")[number % 3],
                "source_key": f"r{number:03d}",
                "company_name": _FIRMS[firm][spelling],
                "tax_no": make_credit_code(71000001 + firm) if has_code else None,
                "mobile": f"1391234{firm}00{firm}" if has_mobile else None,
                "created_at": DAY_ONE + timedelta(hours=number % 7),
            }
        )
    schema = {
        **dict.fromkeys(["source", "source_key", "company_name", "tax_no", "mobile"], pl.String),
        "created_at": pl.Datetime("us", "UTC"),
    }
    return pl.DataFrame(rows, schema=schema)


def load_few_rules() -> Rules:
    """The rules of organisations for name, credit code and mobile alone: a resolution by them takes half of the time."""
    rules = load_rules("organisation")

    def is_kept(part: str) -> bool:
        return part.partition(".")[0] in ("name", "tax", "mobile")

    comparisons = tuple(comparison for comparison in rules.comparisons if is_kept(comparison.field))
    names = {comparison.name for comparison in comparisons}
    survivors = (replace(one, values=tuple(value for value in one.values if is_kept(value[1]))) for one in rules.survivors)
    return replace(
        rules,
        fields=tuple(field for field in rules.fields if is_kept(field.name)),
        comparisons=comparisons,
        block_keys=tuple(key for key in rules.block_keys if all(map(is_kept, key.parts))),
        interactions=tuple(one for one in rules.interactions if {level.partition(".")[0] for level in one.when} <= names),
        survivors=tuple(one for one in survivors if one.values),
    )


class Hub:
    """A hub that remembers: each run adds its events to the log, as the pipeline does."""

    def __init__(self, entity: str = "organisation", rules: Rules | None = None) -> None:
        self.rules = rules or load_rules(entity)
        self.history: pl.DataFrame | None = None
        self.runs = 0

    def run(self, records: pl.DataFrame, **options: Any) -> Resolution:
        """Resolve and commit."""
        result = self.peek(records, **options)
        self.history = pl.concat([frame for frame in (self.history, result.events) if frame is not None])
        self.runs += 1
        return result

    def peek(self, records: pl.DataFrame, rules: Rules | None = None, **options: Any) -> Resolution:
        """Resolve without committing."""
        at = DAY_ONE + timedelta(days=self.runs)
        return resolve(records, rules=rules or self.rules, history=self.history, run_id=f"run{self.runs}", at=at, **options)


@pytest.fixture(scope="session")
def parties() -> Callable[..., pl.DataFrame]:
    return make_parties


@pytest.fixture(scope="session")
def credit_code() -> Callable[[int], str]:
    return make_credit_code


@pytest.fixture(scope="session")
def company_records() -> Callable[..., pl.DataFrame]:
    return make_company_records


@pytest.fixture(scope="session")
def new_hub() -> Callable[..., Hub]:
    return Hub


@pytest.fixture(scope="session")
def new_small_hub() -> Callable[[], Hub]:
    """Hubs of the few rules, for what does not depend on which fields are compared."""
    return partial(Hub, rules=load_few_rules())
