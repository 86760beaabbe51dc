"""From JSON records to a frame of text, verbatim."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import polars as pl

from connectors.errors import ContractBroken

JSON_TYPES: dict[type, str] = {str: "string", bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}


@contextmanager
def expect_shape(where: str) -> Iterator[None]:
    """Turn the failure to take a vendor's record apart into ContractBroken, so that only its own stream fails."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        raise ContractBroken(f"{where}: a record is not shaped as documented: {type(exc).__name__}: {exc}") from exc


def to_text(value: Any) -> str | None:
    """A JSON value as text: strings as they are, nested values and booleans as JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def to_frame(records: Sequence[Mapping[str, Any]], columns: Iterable[str] = ()) -> pl.DataFrame:
    """One String column per key, `columns` first (they exist even where no record has them).

    A key that starts with "_" would collide with landing's own columns and loses its underscores.
    """
    names = dict.fromkeys(columns)
    for record in records:
        names.update(dict.fromkeys(record))
    data = {name.lstrip("_") or "unnamed": [to_text(record.get(name)) for record in records] for name in names}
    return pl.DataFrame(data, schema=dict.fromkeys(data, pl.String))


def json_types(records: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Column -> the JSON type of its values ("number|string" if they differ); columns without a value are left out."""
    found: dict[str, set[str]] = {}
    for record in records:
        for name, value in record.items():
            if value is not None:
                found.setdefault(name.lstrip("_") or "unnamed", set()).add(JSON_TYPES[type(value)])
    return {name: "|".join(sorted(types)) for name, types in found.items()}
