"""SQL Server and PostgreSQL statements of the same read, as text."""

import pytest

from connectors.erp.u8 import list_tables
from connectors.erp.u8_streams import STREAMS
from connectors.errors import ConfigurationError
from connectors.sql import TableSelect, compile_sql, driver_url, parse_url

TABLES = {table.stream.name: table for table in list_tables()}
TYPES = {
    "iID": "int",
    "cVouchType": "nvarchar",
    "dVouchDate": "datetime",
    "iAmount": "money",
    "iRate": "float",
    "ufts": "timestamp",
}


def flat(text: str) -> str:
    return " ".join(text.split())


def test_sql_server_reads_money_dates_and_row_versions_without_loss() -> None:
    page = TableSelect(TABLES["receipts"], "dbo", TYPES, "mssql").page((7, None), 100)
    assert flat(compile_sql(page, "mssql")) == (
        "SELECT TOP 100 CAST(dbo.[Ap_CloseBill].[iID] AS NVARCHAR(4000)) AS [iID], "
        "dbo.[Ap_CloseBill].[cVouchType] AS [cVouchType], "
        "convert(NVARCHAR(4000), dbo.[Ap_CloseBill].[dVouchDate], 126) AS [dVouchDate], "
        "convert(NVARCHAR(4000), dbo.[Ap_CloseBill].[iAmount], 2) AS [iAmount], "
        "convert(NVARCHAR(4000), dbo.[Ap_CloseBill].[iRate], 3) AS [iRate], "
        "CAST(CAST(dbo.[Ap_CloseBill].ufts AS BIGINT) AS NVARCHAR(20)) AS ufts FROM dbo.[Ap_CloseBill] "
        "WHERE dbo.[Ap_CloseBill].[cVouchType] = '48' AND dbo.[Ap_CloseBill].ufts >= CAST(CAST(7 AS BIGINT) AS BINARY(8)) "
        "AND dbo.[Ap_CloseBill].ufts < min_active_rowversion() ORDER BY dbo.[Ap_CloseBill].ufts, dbo.[Ap_CloseBill].[iID]"
    )


def test_postgresql_goes_on_behind_the_last_version_and_key() -> None:
    page = TableSelect(TABLES["departments"], "public", {"cDepCode": "text", "ufts": "bigint"}, "postgresql").page((7, "5%'"), 9)
    assert flat(compile_sql(page, "postgresql")) == (
        'SELECT public."Department"."cDepCode" AS "cDepCode", CAST(public."Department".ufts AS TEXT) AS ufts '
        'FROM public."Department" '
        'WHERE public."Department".ufts > 7 OR public."Department".ufts = 7 AND public."Department"."cDepCode" > \'5%\'\'\' '
        'ORDER BY public."Department".ufts, public."Department"."cDepCode" LIMIT 9'
    )


def test_every_u8_stream_has_a_table() -> None:
    assert set(TABLES) == {stream.name for stream in STREAMS}


@pytest.mark.parametrize("text", ["postgresql://u:@/db?host=/run/pg", "postgresql://u:@%2Frun%2Fpg/db"])
def test_a_socket_directory_is_understood_by_both_drivers(text: str) -> None:
    url = parse_url("erp", text)
    assert (url.host or None, url.query["host"]) == (None, "/run/pg")
    assert driver_url(url) == "postgresql://u:@%2Frun%2Fpg/db"


@pytest.mark.parametrize("url", ["", "no url", "mysql://u@h/d"])
def test_a_wrong_url_names_source_and_setting(url: str) -> None:
    with pytest.raises(ConfigurationError, match="erp: setting 'url'"):
        parse_url("erp", url)
