"""What a publication was made from, so that a run which finds nothing new need not derive everything again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

ROOT = Path(__file__).resolve().parents[2]
SUFFIXES = (".py", ".toml", ".csv")
SHOWN = 12  # digits of a fingerprint, as of a commit
PACKAGES = ("connectors", "hub", "warehouse", "orchestration")


def fingerprint_code(manifest: Mapping[str, Any]) -> str:
    """Changes with any module, rule or table of our packages, and with the dbt project."""
    sources = {path: text for name in PACKAGES for path, text in _read_package(name).items()}
    nodes = {unique_id: node["checksum"]["checksum"] for unique_id, node in manifest["nodes"].items() if "checksum" in node}
    macros = {unique_id: macro["macro_sql"] for unique_id, macro in manifest["macros"].items() if ".goldthread." in unique_id}
    text = json.dumps([sources, nodes, macros], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint_package(name: str) -> str:
    """Changes with any module, rule or table of one of our packages."""
    return hashlib.sha256(json.dumps(_read_package(name), sort_keys=True).encode()).hexdigest()


def _read_package(name: str) -> dict[str, str]:
    paths = [path for path in sorted((ROOT / name).rglob("*")) if path.suffix in SUFFIXES]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}


def describe_code(fingerprint: str) -> str:
    """What a publication says of the code that made it: the package's version and the start of its fingerprint."""
    return f"{version('goldthread')}+{fingerprint[:SHOWN]}"


def describe_inputs(con: duckdb.DuckDBPyConnection, code: str, rules: str, now: datetime, decided: int = 0) -> str:
    """Newest batch and contract of every stream, the clock, the code, the hub's rules, the number of the newest decision."""
    loaded = con.execute("select source, stream, batch_seq, contract_hash from landing._loaded order by all").fetchall()
    return hashlib.sha256(json.dumps([loaded, now.isoformat(), code, rules, decided]).encode()).hexdigest()


def read_published_inputs(con: duckdb.DuckDBPyConnection) -> str | None:
    """The inputs of the newest publication; None where the working file made none."""
    known = con.execute("select 1 from information_schema.tables where table_name = '_published_inputs'").fetchall()
    rows = con.execute("select inputs from gate._published_inputs").fetchall() if known else []
    return str(rows[0][0]) if rows else None


def drop_published_inputs(con: duckdb.DuckDBPyConnection) -> None:
    """Forget the note."""
    con.execute("drop table if exists gate._published_inputs")


def write_published_inputs(con: duckdb.DuckDBPyConnection, inputs: str) -> None:
    """Replace the note."""
    con.execute("create schema if not exists gate")
    con.execute("create or replace table gate._published_inputs as select ? as inputs", [inputs])
