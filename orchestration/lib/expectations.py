"""Great Expectations over metrics frames: one row per table, so that a table of any size costs one aggregate query.

Imported inside the function: the library takes 4 s to import.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl


@dataclass(frozen=True)
class Rule:
    """`column` of every row must lie between `minimum` and `maximum` (None: open); null is allowed and means "not measured"."""

    column: str
    minimum: float | None
    maximum: float | None
    meaning: str


@dataclass(frozen=True)
class Finding:
    """One row that breaks one rule."""

    subject: str
    rule: Rule
    value: Any

    def describe(self, rows: str) -> str:
        """What is wrong, where, and the rows that are wrong."""
        found = float(f"{self.value:.4g}") if isinstance(self.value, float) else self.value
        return f"{self.subject}: {self.rule.meaning} (found {found}): {rows}"


def validate_metrics(name: str, metrics: pl.DataFrame, subject: str, rules: Sequence[Rule]) -> list[Finding]:
    """Run the suite `name` over a metrics frame; `subject` is the column that names a row. Empty list: all hold."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.expectations.core.expect_column_values_to_be_between import ExpectColumnValuesToBeBetween

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    batch = context.data_sources.add_pandas(name).add_dataframe_asset(name).add_batch_definition_whole_dataframe(name)
    suite = context.suites.add(gx.ExpectationSuite(name=name))
    for number, rule in enumerate(rules):
        suite.add_expectation(
            ExpectColumnValuesToBeBetween(
                column=rule.column, min_value=rule.minimum, max_value=rule.maximum, meta={"rule": number}
            )
        )
    definition = context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=suite))
    result = definition.run(
        batch_parameters={"dataframe": metrics.to_pandas()},
        result_format={"result_format": "SUMMARY", "unexpected_index_column_names": [subject], "partial_unexpected_count": 0},
    )
    findings = []
    for outcome in result.results:
        if outcome.exception_info.get("raised_exception"):
            raise RuntimeError(f"expectation suite {name} could not run: {outcome.exception_info.get('exception_message')}")
        if not outcome.success:
            findings += _find_rows(metrics, subject, rules[_read_rule_number(outcome)])
    return findings


def _read_rule_number(outcome: Any) -> int:
    number: int = outcome.expectation_config.meta["rule"]
    return number


def _find_rows(metrics: pl.DataFrame, subject: str, rule: Rule) -> list[Finding]:
    column = pl.col(rule.column)
    below = column < rule.minimum if rule.minimum is not None else pl.lit(False)
    above = column > rule.maximum if rule.maximum is not None else pl.lit(False)
    rows = metrics.filter(below | above).select(subject, rule.column)
    return [Finding(str(name), rule, value) for name, value in rows.iter_rows()]
