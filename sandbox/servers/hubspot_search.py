"""HubSpot's search request: checked, then turned into row numbers of an ObjectTable, in answer order."""

from __future__ import annotations

import json
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from sandbox.servers.hubspot_store import ObjectTable

MAX_LIMIT = 200
MAX_RESULTS = 10_000
MAX_GROUPS = 5
MAX_FILTERS = 6
_COMPARE = {
    "EQ": pl.Expr.eq,
    "NEQ": pl.Expr.ne,
    "LT": pl.Expr.lt,
    "LTE": pl.Expr.le,
    "GT": pl.Expr.gt,
    "GTE": pl.Expr.ge,
}
_CACHED_SEARCHES = 8


class BadRequestError(Exception):
    """A request that HubSpot answers with HTTP 400."""


class SearchIndex:
    """Runs searches over one ObjectTable; pages of one search share its sorted rows."""

    def __init__(self, table: ObjectTable) -> None:
        self._table = table
        self._found: OrderedDict[str, np.ndarray] = OrderedDict()

    def find_rows(self, body: dict[str, Any]) -> np.ndarray:
        """Row numbers of every match of `filterGroups` in the order of `sorts`. Archived records never match."""
        request = json.dumps([body.get("filterGroups"), body.get("filters"), body.get("sorts")], sort_keys=True)
        if request in self._found:
            self._found.move_to_end(request)
            return self._found[request]
        column, descending = self._read_sort(body.get("sorts") or [])
        frame = self._table.typed.with_row_index("_row").filter(~pl.col("archived") & self._read_groups(body))
        rows = frame.sort([column, "hs_object_id"], descending=[descending, False], nulls_last=True)["_row"].to_numpy()
        self._found[request] = rows
        if len(self._found) > _CACHED_SEARCHES:
            self._found.popitem(last=False)
        return rows

    def _read_groups(self, body: dict[str, Any]) -> pl.Expr:
        groups = body.get("filterGroups") or []
        if body.get("filters"):
            groups = [*groups, {"filters": body["filters"]}]
        if len(groups) > MAX_GROUPS:
            raise BadRequestError(f"too many filterGroups: {len(groups)}, at most {MAX_GROUPS} are allowed")
        if not groups:
            return pl.lit(True)
        return pl.any_horizontal([self._read_filters(group.get("filters") or []) for group in groups])

    def _read_filters(self, filters: list[dict[str, Any]]) -> pl.Expr:
        if len(filters) > MAX_FILTERS:
            raise BadRequestError(f"too many filters in a group: {len(filters)}, at most {MAX_FILTERS} are allowed")
        return pl.all_horizontal([self._read_filter(item) for item in filters] or [pl.lit(True)])

    def _read_filter(self, item: dict[str, Any]) -> pl.Expr:
        name, operator = item.get("propertyName"), item.get("operator")
        dtype = self._check_property(name)
        column = pl.col(str(name))
        if operator == "HAS_PROPERTY":
            return column.is_not_null()
        if operator == "NOT_HAS_PROPERTY":
            return column.is_null()
        if operator == "BETWEEN":
            low, high = _parse_value(item.get("value"), dtype), _parse_value(item.get("highValue"), dtype)
            return column.is_between(low, high)
        if operator in ("IN", "NOT_IN"):
            values = [_parse_value(value, dtype) for value in item.get("values") or []]
            if not values:
                raise BadRequestError(f"operator {operator} requires values")
            found = column.is_in(values)
            return found if operator == "IN" else ~found
        if operator not in _COMPARE:
            raise BadRequestError(f"operator {operator} is not a valid operator for property {name}")
        return _COMPARE[operator](column, _parse_value(item.get("value"), dtype))

    def _read_sort(self, sorts: list[Any]) -> tuple[str, bool]:
        if not sorts:
            return self._table.created, False
        if len(sorts) > 1:
            raise BadRequestError(f"sorts: {len(sorts)} given, only one sort is allowed")
        sort = sorts[0]
        if isinstance(sort, str):
            name, descending = sort.removeprefix("-"), sort.startswith("-")
        else:
            name, direction = sort.get("propertyName"), sort.get("direction", "ASCENDING")
            if direction not in ("ASCENDING", "DESCENDING"):
                raise BadRequestError(f"sorts: direction {direction} is neither ASCENDING nor DESCENDING")
            descending = direction == "DESCENDING"
        self._check_property(name)
        return name, descending

    def _check_property(self, name: Any) -> pl.DataType:
        dtype = self._table.typed.schema.get(name) if isinstance(name, str) and name != "archived" else None
        if dtype is None:
            raise BadRequestError(f"There was a problem with the request: property {name} does not exist")
        return dtype


def read_window(body: dict[str, Any]) -> tuple[int, int]:
    """(offset, limit) of a search. Raises BadRequestError past the page size or past the first 10,000 results."""
    limit = _read_int(body.get("limit", 10), "limit")
    if not 1 <= limit <= MAX_LIMIT:
        raise BadRequestError(f"limit {limit} is out of range: it must be between 1 and {MAX_LIMIT}")
    offset = _read_int(body.get("after") or 0, "after")
    if offset < 0 or offset + limit > MAX_RESULTS:
        raise BadRequestError(f"paging past {MAX_RESULTS} results is not possible: after {offset} + limit {limit}")
    return offset, limit


def _read_int(value: Any, name: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise BadRequestError(f"{name} must be a number, got {value!r}") from None


def _parse_value(value: Any, dtype: pl.DataType) -> Any:
    if value is None:
        raise BadRequestError("a filter without a value")
    if isinstance(dtype, pl.Datetime):
        return _parse_time(str(value))
    if dtype.is_numeric():
        try:
            return float(value)
        except (TypeError, ValueError):
            raise BadRequestError(f"{value!r} is not a number") from None
    if isinstance(dtype, pl.Boolean):
        return str(value).lower() == "true"
    return str(value)


def _parse_time(value: str) -> datetime:
    """Epoch milliseconds or ISO 8601, which is what HubSpot's search takes."""
    try:
        if value.lstrip("-").isdigit():
            return datetime.fromtimestamp(int(value) / 1000, UTC)
        moment = datetime.fromisoformat(value)
    except (ValueError, OverflowError):
        raise BadRequestError(f"{value!r} is neither epoch milliseconds nor an ISO 8601 time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
