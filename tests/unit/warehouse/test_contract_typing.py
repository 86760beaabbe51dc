"""Typing, case by case: what each kind takes, what it makes of it, and what it says of the rest."""

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pytest

from connectors.base import Field, Stream
from warehouse.contract import field_sql, hash_contract
from warehouse.errors import ContractError


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as opened:
        opened.execute("set timezone = 'America/New_York'")  # no result may depend on it
        yield opened


def type_value(connection, field, value):
    """(typed value, reason) of one landed text; the value is None where there is a reason."""
    sql = field_sql(Stream("s", ("id",), (field,), "full", "none", ""), field, ["v"])
    typed, reason = connection.execute(
        f'with texts as (select {sql.text} as "{sql.text_name}" from (select ? as v)), '
        f"typed as (select {sql.value} as v, * from texts) select v, {sql.reason} from typed",
        [value],
    ).fetchall()[0]
    return (None if reason else typed), reason


def at(*parts):
    return datetime(*parts, tzinfo=UTC)


SHANGHAI = {"zone": "Asia/Shanghai"}
GOOD = [
    (Field("v"), " 上海\u3000", "上海"),
    (Field("v"), "00123", "00123"),
    (Field("v"), "\u00a0 ", None),
    (Field("v", "integer"), "1,234", 1234),
    (Field("v", "integer"), "12.0", 12),
    (Field("v", "integer"), "－３", -3),
    (Field("v", "decimal"), "1,234.56", Decimal("1234.5600")),
    (Field("v", "decimal"), "￥１，２３４．５元", Decimal("1234.5000")),
    (Field("v", "decimal"), "1E3", Decimal("1000.0000")),
    (Field("v", "decimal"), "-.5", Decimal("-0.5000")),
    (Field("v", "decimal"), "12345678901234.5678", Decimal("12345678901234.5678")),
    (Field("v", "decimal", scale=Decimal(10000)), "12.3456", Decimal("123456.0000")),
    (Field("v", "decimal", scale=Decimal(10000)), "0.29", Decimal("2900.0000")),
    (Field("v", "decimal", scale=Decimal("0.01")), "1234", Decimal("12.3400")),
    (Field("v", "boolean"), "是", True),
    (Field("v", "boolean"), "FALSE", False),
    (Field("v", "boolean", values=(("成交", "true"), ("丢单", "false"))), "丢单", False),
    (Field("v", "date"), "2025-01-05", date(2025, 1, 5)),
    (Field("v", "date"), "2025/1/5", date(2025, 1, 5)),
    (Field("v", "date"), "2025-01-05 23:59:59", date(2025, 1, 5)),
    (Field("v", "date", **SHANGHAI), "2025-01-05 23:59:59", date(2025, 1, 5)),
    (Field("v", "date", **SHANGHAI), "2025-01-05T20:00:00Z", date(2025, 1, 6)),
    (Field("v", "date", formats=("%Y年%m月%d日", "%d.%m.%Y")), "2025年1月5日", date(2025, 1, 5)),
    (Field("v", "date", formats=("%Y年%m月%d日", "%d.%m.%Y"), **SHANGHAI), "05.01.2025", date(2025, 1, 5)),
    (Field("v", "timestamp"), "2025-01-05T10:00:00.5Z", at(2025, 1, 5, 10, 0, 0, 500000)),
    (Field("v", "timestamp"), "2025-01-05T10:00+08:00", at(2025, 1, 5, 2)),
    (Field("v", "timestamp"), "2025-01-05 10:00:00+0800", at(2025, 1, 5, 2)),
    (Field("v", "timestamp", **SHANGHAI), "2025-01-05 10:00:00", at(2025, 1, 5, 2)),
    (Field("v", "timestamp", **SHANGHAI), "2025-01-05", at(2025, 1, 4, 16)),
    (Field("v", "timestamp", formats=("%d/%m/%Y %H:%M",), **SHANGHAI), "05/01/2025 10:00", at(2025, 1, 5, 2)),
    (Field("v", "timestamp", formats=("%Y%m%d%H%M%S %z", "%Y%m%d"), **SHANGHAI), "20250105100000 +0900", at(2025, 1, 5, 1)),
    (Field("v", "timestamp", formats=("%Y%m%d%H%M%S %z", "%Y%m%d"), **SHANGHAI), "20250105", at(2025, 1, 4, 16)),
    (Field("v", "epoch_s"), "1750000000", at(2025, 6, 15, 15, 6, 40)),
    (Field("v", "epoch_ms"), "1750000000123", at(2025, 6, 15, 15, 6, 40, 123000)),
    (Field("v", "epoch_ms", values=(("0", ""),)), "0", None),
    (Field("v", "json"), '{"a": [1, "二"]}', '{"a": [1, "二"]}'),
    (Field("v", allowed=("A", "B"), values=(("甲", "A"),)), "甲", "A"),
    (Field("v", "integer", minimum="0", maximum="10"), "10", 10),
    (Field("v", "date", minimum="2025-01-01"), "2025-01-01", date(2025, 1, 1)),
    (Field("v", "timestamp", minimum="2025-01-05 08:00", **SHANGHAI), "2025-01-05T00:00:00Z", at(2025, 1, 5)),
]
BAD = [
    (Field("v", required=True), " ", "v: required, but empty"),
    (Field("v", required=True, headers=("公司名称", "v")), "", "v: required, but empty (headers 公司名称, v)"),
    (Field("v", "integer"), "12.5", "v: '12.5' is not an integer (expected digits)"),
    (Field("v", "integer"), "99999999999999999999", "v: '99999999999999999999' is not an integer"),
    (Field("v", "decimal"), "1.234,56", "v: '1.234,56' is not a decimal"),
    (Field("v", "decimal"), "1,2,3", "v: '1,2,3' is not a decimal"),
    (Field("v", "decimal"), "面议", "v: '面议' is not a decimal"),
    (Field("v", "decimal"), "元", "v: '元' is not a decimal"),
    (Field("v", "decimal"), "1e30", "v: '1e30' is not a decimal"),
    (Field("v", "decimal", scale=Decimal(10000)), "99999999999999", "is not a decimal"),
    (Field("v", "boolean"), "maybe", "v: 'maybe' is not a boolean"),
    (Field("v", "date"), "2025-02-30", "v: '2025-02-30' is not a date (expected ISO 8601)"),
    (Field("v", "date"), "2999-12-31", "v: '2999-12-31' is out of range (expected 1970-01-01 to 2099-12-31)"),
    (Field("v", "date"), "1969-12-31", "out of range"),
    (Field("v", "date"), "epoch", "is not a date"),
    (Field("v", "date"), "infinity", "is not a date"),
    (Field("v", "date", formats=("%Y年%m月%d日",)), "2025-01-05", "is not a date (expected %Y年%m月%d日)"),
    (Field("v", "timestamp"), "2100-01-01T00:00:00Z", "out of range"),
    (Field("v", "timestamp"), "10:00", "v: '10:00' is not a time"),
    (Field("v", "epoch_ms"), "9750000000000", "out of range"),
    (Field("v", "epoch_s"), "-1", "out of range"),
    (Field("v", "epoch_s"), "soon", "v: 'soon' is not a time (expected seconds since 1970)"),
    (Field("v", "json"), "{'a': 1}", "v: '{'a': 1}' is not JSON"),
    (Field("v", allowed=("A", "B")), "C", "v: 'C' is not allowed (expected one of A, B)"),
    (Field("v", "integer", minimum="0", maximum="10"), "11", "v: '11' is out of range (expected 0 to 10)"),
    (Field("v", "decimal", minimum="0"), "-0.01", "v: '-0.01' is out of range (expected 0 to anything)"),
    (Field("v", "integer"), "x" * 60, f"v: '{'x' * 40}' is not"),
]


@pytest.mark.parametrize(("field", "value", "expected"), GOOD, ids=[f"{f.kind}:{v.strip()[:24]}" for f, v, _ in GOOD])
def test_a_good_value_is_typed(connection, field, value, expected):
    assert type_value(connection, field, value) == (expected, None)


@pytest.mark.parametrize(("field", "value", "reason"), BAD, ids=[f"{f.kind}:{v.strip()[:24]}" for f, v, _ in BAD])
def test_a_bad_value_is_refused_with_its_name_value_and_what_was_expected(connection, field, value, reason):
    assert reason in type_value(connection, field, value)[1]


def test_all_faults_of_a_row_are_told_and_its_payload_kept(store):
    stream = Stream("s", ("id",), (Field("id"), Field("a", "integer"), Field("b", "date")), "full", "none", "")
    store.land([{"id": "1", "a": "x", "b": "y", "多": "余"}], stream=stream)
    assert store.load(stream).quarantined == 1
    [(reason, payload, key)] = store.query("select reason, payload, key from landing._quarantine")
    assert reason.startswith("a: 'x' is not an integer")
    assert "; b: 'y' is not a date" in reason
    assert payload == '{"id":"1","a":"x","b":"y","多":"余"}'
    assert key == '["1"]'


def test_the_first_header_that_holds_something_wins(store):
    stream = Stream("s", ("id",), (Field("id"), Field("name", headers=("公司名称", "Company", "缺"))), "full", "none", "")
    store.land([{"id": "1", "公司名称": " ", "company": "云帆"}, {"id": "2", "公司名称": "甲", "company": "乙"}], stream=stream)
    store.load(stream)
    assert store.query("select name from landing.erp__s order by id") == [("云帆",), ("甲",)]


def test_a_declared_column_that_never_came_is_typed_null(store):
    stream = Stream("s", ("id",), (Field("id"), Field("amount", "decimal")), "full", "none", "")
    store.land([{"id": "1"}], stream=stream)
    store.load(stream)
    assert store.query("select amount, typeof(amount) from landing.erp__s") == [(None, "DECIMAL(18,4)")]


def test_gb18030_text_survives(connection):
    assert type_value(connection, Field("v"), "䶮㙍有限公司".encode("gb18030").decode("gb18030")) == ("䶮㙍有限公司", None)


def test_quotes_in_names_and_values_stay_text(store):
    field = Field('v"', headers=('it\'s "x"',), values=(("o'k", "fine'"),), allowed=("fine'",))
    stream = Stream("s", ("id",), (Field("id"), field), "full", "none", "")
    store.land([{"id": "1", 'it\'s "x"': "o'k"}, {"id": "2", 'it\'s "x"': "'; drop"}], stream=stream)
    assert (store.load(stream).accepted, store.load(stream).quarantined) == (1, 1)


def test_the_fingerprint_follows_the_contract():
    plain = Stream("s", ("id",), (Field("id"),), "full", "none", "a")
    assert hash_contract(plain) == hash_contract(Stream("s", ("id",), (Field("id"),), "full", "none", "b"))
    assert hash_contract(plain) != hash_contract(Stream("s", ("id",), (Field("id", required=True),), "full", "none", "a"))


def test_an_unknown_kind_is_a_contract_error(store):
    stream = Stream("s", ("id",), (Field("id", "money"),), "full", "none", "")  # type: ignore[arg-type]
    store.land([{"id": "1"}], stream=stream)
    with pytest.raises(ContractError, match="unknown kind 'money'"):
        store.load(stream)
