"""Yonyou U8 / U8+ by direct SQL read of one account set (`UFDATA_<account>_<year>`), streams of `u8_streams`.

Source: the account-set database, read-only login. Streams, paging, cursor `{"ufts": n}` and overlap: see `connectors.sql`.
Deletes: the complete list of keys comes with the last page of every read but the first (id_reconcile).
Versions of U8 differ in columns: only columns that the table has are read, all of them land, and a declared column that
is missing is reported by the landing contract. Proven on PostgreSQL; SQL Server is proven by statement text only.
"""

from __future__ import annotations

from connectors.erp.u8_streams import STREAMS, TABLES
from connectors.sql import BATCH_ROWS, OVERLAP, SqlConnector, Table

# money received; 49 in the same table is money paid
RECEIVED = (("cVouchType", "48"),)


class U8(SqlConnector):
    """One U8 account set."""

    def __init__(
        self, source: str, url: str, *, schema: str = "public", batch_rows: int = BATCH_ROWS, overlap: int = OVERLAP
    ) -> None:
        super().__init__(source, url, list_tables(), schema=schema, batch_rows=batch_rows, overlap=overlap)


def list_tables() -> tuple[Table, ...]:
    """Every stream with its table and filter."""
    return tuple(Table(stream, TABLES[stream.name], where=RECEIVED if stream.name == "receipts" else ()) for stream in STREAMS)
