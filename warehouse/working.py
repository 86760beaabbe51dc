"""The working DuckDB file: derived, private to the run, opened late and closed early."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from warehouse.errors import HomeBusyError
from warehouse.home import Home

#: what DuckDB may hold before it spills to `working.duckdb.tmp` beside the file; its own default is 80 % of the machine
MEMORY_LIMIT = "1GB"
#: seconds to wait until another process lets go of the file: longer than a reading command or a short step takes
WAIT = 20.0
BETWEEN_TRIES = 0.2  # seconds
#: the line brings all it needs: DuckDB fetches nothing from the network and loads nothing from the user's folder
NO_EXTENSIONS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
BOOKKEEPING = """
create schema if not exists landing;
create schema if not exists files;
create table if not exists landing._quarantine (
    source VARCHAR, stream VARCHAR, key VARCHAR, reason VARCHAR, payload VARCHAR, position VARCHAR,
    batch_id VARCHAR, row_no BIGINT, extracted_at TIMESTAMPTZ
);
create table if not exists landing._fates (
    source VARCHAR, stream VARCHAR, rows_in BIGINT, accepted BIGINT, superseded BIGINT, quarantined BIGINT, tombstoned BIGINT,
    erased BIGINT
);
alter table landing._fates add column if not exists erased BIGINT default 0;
create table if not exists landing._loaded (source VARCHAR, stream VARCHAR, batch_seq BIGINT, contract_hash VARCHAR);
"""


@contextmanager
def open_working(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """Connect to the working file, when it is free, and let go of it at the end.

    Always read-write: within one process DuckDB refuses connections of different modes to one file.
    Raises HomeBusyError when another process still has it open after WAIT seconds.
    """
    home.create()
    connection = _connect(home)
    home.working.chmod(0o600)
    try:
        connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
        for name, value in NO_EXTENSIONS.items():  # as config they would differ from dbt's connection to the same file
            connection.execute(f"set {name} = {value}")
        connection.execute("set timezone = 'UTC'")
        connection.execute(BOOKKEEPING)
        yield connection
    finally:
        connection.close()


def _connect(home: Home) -> duckdb.DuckDBPyConnection:
    retrying = Retrying(
        retry=retry_if_exception(_is_lock_conflict), stop=stop_after_delay(WAIT), wait=wait_fixed(BETWEEN_TRIES), reraise=True
    )
    try:
        return retrying(duckdb.connect, str(home.working))
    except duckdb.IOException as error:
        if not _is_lock_conflict(error):
            raise
        raise HomeBusyError(
            f"{home.working} is in use by a run or a tool, for {WAIT:.0f} s now: wait for it to end, or close it. {error}"
        ) from error


def _is_lock_conflict(error: BaseException) -> bool:
    return isinstance(error, duckdb.IOException) and "lock" in str(error)
