"""Splink on the Chinese B2B records: `python -m bench.identity.peers.splink_b2b RECORDS OUT THRESHOLD [THRESHOLD ...]`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import polars as pl

from bench.identity.columns import normalise
from bench.identity.peers.splink import Plan, Stopwatch, run

#: DuckDB measures strings in UTF-8 bytes: .82 and .6 are the levels that served best on Chinese names
_CLOSE, _NEAR = 0.82, 0.6


def _level(sql: str, label: str, tf: str | None = None, weight: float = 1.0, **extra: Any) -> dict[str, Any]:
    level: dict[str, Any] = {"sql_condition": sql, "label_for_charts": label, **extra}
    if tf:
        level |= {"tf_adjustment_column": tf, "tf_adjustment_weight": weight}
    return level


def _compare(name: str, *levels: dict[str, Any], null: str) -> dict[str, Any]:
    missing = {"sql_condition": null, "label_for_charts": "missing", "is_null_level": True}
    rest = {"sql_condition": "ELSE", "label_for_charts": "else"}
    end = [] if levels[-1]["sql_condition"] == "ELSE" else [rest]
    return {"output_column_name": name, "comparison_levels": [missing, *levels, *end]}


def _missing(*columns: str) -> str:
    return " or ".join(f'"{column}_{side}" is null' for column in columns for side in "lr")


def _same(column: str) -> str:
    return f'"{column}_l" = "{column}_r"'


COMPARISONS = [
    _compare(
        "name",
        _level(_same("full_name"), "same full name", "full_name"),
        _level(f"{_same('core')} and is_legal_l and is_legal_r", "same core, both with legal form", "core"),
        _level(_same("core"), "same core", "core"),
        _level(_same("spoken"), "same sound", "spoken"),
        _level("starts_with(core_l, core_r) or starts_with(core_r, core_l)", "prefix", "two"),
        _level(f"jaro_winkler_similarity(core_l, core_r) >= {_CLOSE}", "close"),
        _level(_same("two"), "same two characters", "two"),
        _level(f"jaro_winkler_similarity(core_l, core_r) >= {_NEAR}", "near"),
        null=_missing("core"),
    ),
    _compare(
        "branch",
        _level("branch_l = branch_r", "same branch"),
        _level("(branch_l is null) != (branch_r is null)", "branch and parent"),
        null="branch_l is null and branch_r is null",
    ),
    _compare(
        "tax",
        _level(_same("tax"), "same", "tax"),
        _level("levenshtein(tax_l, tax_r) <= 1", "one character off"),
        _level("ELSE", "other", m_probability=0.02, fix_m_probability=True),
        null=_missing("tax"),
    ),
    _compare("mobile", _level(_same("mobile"), "same", "mobile"), null=_missing("mobile")),
    _compare("phone", _level(_same("phone"), "same", "phone"), null=_missing("phone")),
    _compare(
        "email",
        _level(_same("email"), "same", "email"),
        _level(_same("domain"), "same domain", "domain"),
        null=_missing("email"),
    ),
    _compare(
        "person",
        _level(_same("person"), "same person", "person"),
        _level(_same("surname"), "same surname", "surname"),
        null=_missing("surname"),
    ),
    _compare("city", _level(_same("city"), "same", "city"), null=_missing("city")),
]

BLOCKING = [
    "l.tax = r.tax",
    "l.mobile = r.mobile",
    "l.email = r.email",
    "l.phone = r.phone",
    "l.full_name = r.full_name",
    "l.core = r.core",
    "l.sound = r.sound and l.city = r.city",
    "l.sound = r.sound and l.surname = r.surname",
    "l.person = r.person and l.city = r.city",
]

PLAN = Plan(
    comparisons=COMPARISONS,
    blocking=BLOCKING,
    training=["l.tax = r.tax", "l.mobile = r.mobile", "l.email = r.email", "l.person = r.person and l.city = r.city"],
    certain=["l.tax = r.tax", "l.mobile = r.mobile and l.core = r.core", "l.email = r.email"],
    recall=0.4,
    em_pairs=2e6,
    em_counts=True,
)


def main(arguments: list[str]) -> None:
    """Normalise, link, write."""
    watch = Stopwatch()
    records = pl.read_parquet(arguments[0])
    out = Path(arguments[1])
    out.mkdir(parents=True, exist_ok=True)
    watch.lap("read")
    frame = normalise(records)
    watch.lap("normalise")
    run(records, frame, PLAN, [float(text) for text in arguments[2:]], out, watch)


if __name__ == "__main__":
    main(sys.argv[1:])
