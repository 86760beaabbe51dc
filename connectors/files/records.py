"""JSON: one object a file, a list of objects, or JSON lines. Nested objects flatten to dotted headers (data.company).

Numbers keep the digits that the file has; lists stay JSON; a broken line or entry is rejected alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import polars as pl

from connectors.files.contract import Contract
from connectors.files.delimited import decode
from connectors.files.parsed import FileRefusedError, Parsed, Reject, frame_rejects, name_columns

LINE_SUFFIXES = {".jsonl", ".ndjson"}
Entry = tuple[int, Any]


class Number(str):
    """The digits of a number as the file has them."""

    __slots__ = ()


def read_records(contract: Contract, data: bytes, name: str) -> Parsed:
    """Rows and rejects of one file; a reject's position is its line (JSON lines) or entry (list). Raises FileRefusedError."""
    text = decode(data, contract.encoding)
    entries, rejects = load_entries(text, name, by_line=PurePath(name).suffix.lower() in LINE_SUFFIXES)
    kept = [(at, entry) for at, entry in entries if isinstance(entry, dict)]
    rejects += [Reject(f"{name}:{at}", "is no JSON object", dump(entry)) for at, entry in entries if not isinstance(entry, dict)]
    return Parsed(
        frame_objects([flatten(entry) for _, entry in kept]),
        pl.Series([at for at, _ in kept], dtype=pl.Int64),
        frame_rejects(sorted(rejects, key=lambda reject: int(reject.position.rpartition(":")[2]))),
    )


def load_entries(text: str, name: str, *, by_line: bool) -> tuple[list[Entry], list[Reject]]:
    """(place, value) of every entry; text that is no single JSON document is taken as lines if all of them look like objects."""
    lines = [(at, line) for at, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not by_line:
        try:
            whole = parse(text)
        except ValueError as error:
            if not lines or not all(line.lstrip().startswith("{") for _, line in lines) or len(lines) == 1:
                raise FileRefusedError(f"is no JSON ({error}): half-written?") from None
        else:
            return list(enumerate(whole if isinstance(whole, list) else [whole], start=1)), []
    entries: list[Entry] = []
    rejects: list[Reject] = []
    for at, line in lines:
        try:
            entries.append((at, parse(line)))
        except ValueError as error:
            rejects.append(Reject(f"{name}:{at}", f"is no JSON: {error}", line))
    return entries, rejects


def parse(text: str) -> Any:
    """JSON with numbers as their digits. Raises ValueError."""
    try:
        return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def flatten(entry: dict[str, Any], prefix: str = "") -> dict[str, str | None]:
    """Dotted header -> text."""
    flat: dict[str, str | None] = {}
    for name, value in entry.items():
        if isinstance(value, dict):
            flat.update(flatten(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value if value is None or isinstance(value, str) else dump(value)
    return flat


def dump(value: Any) -> str:
    """A parsed value as JSON text again, numbers with their own digits."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name, ensure_ascii=False)}:{dump(item)}" for name, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def frame_objects(objects: Sequence[dict[str, str | None]]) -> pl.DataFrame:
    """One String column per header that any object has."""
    headers = list(dict.fromkeys(header for entry in objects for header in entry))
    data = {name: [entry.get(header) for entry in objects] for name, header in zip(name_columns(headers), headers, strict=True)}
    return pl.DataFrame(data, schema=dict.fromkeys(data, pl.String))
