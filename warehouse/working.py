"""The working DuckDB file: derived, private to the run, opened late and closed early."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from warehouse.errors import HomeBusyError
from warehouse.home import Home

#: what DuckDB may hold before it spills to `working.duckdb.tmp` beside the file; its own default is 80 % of the machine
MEMORY_LIMIT = "1GB"
BOOKKEEPING = """
create schema if not exists landing;
create schema if not exists files;
create table if not exists landing._quarantine (
    source VARCHAR, stream VARCHAR, key VARCHAR, reason VARCHAR, payload VARCHAR, position VARCHAR,
    batch_id VARCHAR, row_no BIGINT, extracted_at TIMESTAMPTZ
);
create table if not exists landing._fates (
    source VARCHAR, stream VARCHAR, rows_in BIGINT, accepted BIGINT, superseded BIGINT, quarantined BIGINT, tombstoned BIGINT
);
create table if not exists landing._loaded (source VARCHAR, stream VARCHAR, batch_seq BIGINT, contract_hash VARCHAR);
"""


@contextmanager
def open_working(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """Connect to the working file and let go of it at the end.

    Always read-write: within one process DuckDB refuses connections of different modes to one file.
    Raises HomeBusyError when another process has it open.
    """
    home.create()
    try:
        connection = duckdb.connect(str(home.working))
    except duckdb.IOException as error:
        if "lock" not in str(error):
            raise
        raise HomeBusyError(f"{home.working} is in use by a run or a tool: wait for it to end, or close it. {error}") from error
    home.working.chmod(0o600)
    try:
        connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
        connection.execute("set timezone = 'UTC'")
        connection.execute(BOOKKEEPING)
        yield connection
    finally:
        connection.close()
