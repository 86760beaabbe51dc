"""What tells of erased records in rows that stay, and taking it out of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

Record = tuple[str, str]

#: stands inside a longer text for a value that was taken out of it; a cell that was nothing but the value becomes null
REDACTED = "[erased]"
#: shorter keys ("17") are too common to be looked for outside of the columns that hold keys
UNMISTAKABLE_KEY = 6
MOBILE = re.compile(r"(?<![0-9])(?:\+?(?:00)?86[-\s]?)?(1[3-9][0-9](?:[-\s.]?[0-9]{4}){2})(?![0-9])")
EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_BETWEEN_DIGITS = r"[-\s.]?"
# so many expressions are looked for at once: a single pattern of thousands exceeds what regular expressions may take
_AT_ONCE = 100


@dataclass(frozen=True)
class Traces:
    """records: what stands for the key of each erased record of the hub, by (source, source_key).

    landed: (source, stream, key as the record's only or first text) -> the same; keys: texts of keys that nothing else bears
    -> the same. contacts: mobiles (digits) and e-mails that nobody else has. In a row that has any of these, or an id of gids
    (ids whose every record is erased), names go too, and values, where an attribute's column holds just them.
    """

    records: Mapping[Record, str] = field(default_factory=dict)
    landed: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    contacts: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    unique_names: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    gids: frozenset[str] = frozenset()


class Scrubber:
    """Takes traces out of rows, texts and nested values. One that finds nothing says so by giving back the same object."""

    def __init__(self, traces: Traces) -> None:
        self.traces = traces
        self._standins = _list_standins(traces)
        self._hidden = sorted(
            {spelt for name in traces.names | traces.unique_names for spelt in _spell(name)}, key=len, reverse=True
        )

    @cached_property
    def _marks(self) -> re.Pattern[str] | None:
        bounded = [rf"(?<![0-9A-Za-z]){_escape(text)}(?![0-9A-Za-z])" for text in _sort(self._standins)]
        contacts = [
            rf"(?<![0-9])(?:\+?(?:00)?86[-\s]?)?{expression}(?![0-9])" if contact.isdigit() else expression
            for contact, expression in ((contact, _express(contact)) for contact in _sort(self.traces.contacts))
        ]
        names = [re.escape(spelt) for name in _sort(self.traces.unique_names) for spelt in _spell(name)]
        expressions = [*bounded, *contacts, *names]
        return re.compile("|".join(expressions)) if expressions else None

    @cached_property
    def patterns(self) -> list[str]:
        """Expressions, plain enough for DuckDB and polars, of which one matches wherever something may have to go."""
        plain = [
            *map(_escape, _sort(self._standins)),
            *map(_express, _sort(self.traces.contacts)),
            *(re.escape(spelt) for name in _sort(self.traces.unique_names) for spelt in _spell(name)),
            *map(re.escape, sorted(self.traces.gids)),
        ]
        return ["|".join(plain[start : start + _AT_ONCE]) for start in range(0, len(plain), _AT_ONCE)]

    def find(self, text: str) -> list[str]:
        """The marks of a text: keys, contacts and unmistakable names, as they stand there."""
        return [match.group() for match in self._marks.finditer(text)] if self._marks else []

    def clean_row(self, row: Mapping[str, Any], attributes: Set[str] = frozenset()) -> Mapping[str, Any]:
        """The row without traces; `attributes`: columns of values that go where the row tells of an erased record."""
        cleaned = {name: self._clean(value) for name, value in _replace_keys(row, self.traces.records).items()}
        if not (any(cleaned[name] is not row[name] for name in row) or self._names_gid(row)):
            return row
        return {name: self._clean_linked(value, name in attributes) for name, value in cleaned.items()}

    def clean_text(self, text: str) -> str:
        """A free text without traces."""
        cleaned = self._replace(text)
        return cleaned if cleaned is text and not self._names_gid({"": text}) else self._hide_names(cleaned)

    def _names_gid(self, row: Mapping[str, Any]) -> bool:
        return bool(self.traces.gids) and any(isinstance(value, str) and value in self.traces.gids for value in row.values())

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return None if self._is_contact(value) else self._replace(value)
        return _clean_nested(value, self._clean, self.traces.records)

    def _clean_linked(self, value: Any, is_attribute: bool) -> Any:
        if isinstance(value, str):
            if value.strip() in self.traces.names or (is_attribute and value.strip() in self.traces.values):
                return None
            return self._hide_names(value)
        return _clean_nested(value, lambda inner: self._clean_linked(inner, is_attribute), {})

    def _is_contact(self, text: str) -> bool:
        """Whether a cell is a value that has to go and nothing else."""
        if not self._marks or not (match := self._marks.fullmatch(text.strip())):
            return False
        return self._find_standin(match) is None

    def _replace(self, text: str) -> str:
        if not self._marks or not self._marks.search(text):
            return text
        return self._marks.sub(lambda match: self._find_standin(match) or REDACTED, text)

    def _find_standin(self, match: re.Match[str]) -> str | None:
        return self._standins.get(match.group()) or self._standins.get(match.group().replace('\\"', '"'))

    def _hide_names(self, text: str) -> str:
        for name in self._hidden:
            if name in text:
                text = text.replace(name, REDACTED)
        return text


def _list_standins(traces: Traces) -> dict[str, str]:
    """Texts that name an erased record and nothing else -> the same with what stands for its key."""
    found = dict(traces.keys)
    for (source, key), token in traces.records.items():
        if key not in traces.keys:
            found[f"{source}:{key}"] = f"{source}:{token}"
    for (source, stream, key), token in traces.landed.items():
        if key not in traces.keys:
            found[f'{source}/{stream}/["{key}"'] = f'{source}/{stream}/["{token}"'
    return found | {spelt: standin for text, standin in found.items() for spelt in _spell(text) if spelt != text}


def _replace_keys(row: Mapping[str, Any], records: Mapping[Record, str]) -> dict[str, Any]:
    replaced = dict(row)
    for side in ("", "_a", "_b"):
        pair = (row.get(f"source{side}"), row.get(f"source_key{side}"))
        if pair in records:
            replaced[f"source_key{side}"] = records[pair]  # type: ignore[index]
    return replaced


def _clean_nested(value: Any, clean: Any, records: Mapping[Record, str]) -> Any:
    """Lists and structs cell by cell; the very same object where nothing changed."""
    if isinstance(value, list):
        cleaned = [clean(item) for item in value]
        return cleaned if any(a is not b for a, b in zip(cleaned, value, strict=True)) else value
    if isinstance(value, dict):
        replaced = {name: clean(item) for name, item in _replace_keys(value, records).items()}
        return replaced if any(replaced[name] is not value[name] for name in value) else value
    return value


def _express(contact: str) -> str:
    """A mobile in any spelling of its digits, an e-mail in any case."""
    return _BETWEEN_DIGITS.join(contact) if contact.isdigit() else f"(?i:{re.escape(contact)})"


def _escape(text: str) -> str:
    """Inside a JSON text a quote has a backslash before it."""
    return re.escape(text).replace('"', r'\\?"')


def _spell(text: str) -> list[str]:
    """A text, and as JSON spells it in ASCII."""
    return list(dict.fromkeys((text, json.dumps(text)[1:-1]))) if not text.isascii() else [text]


def _sort(texts: Iterable[str]) -> list[str]:
    """Longest first, so that of two that begin alike the longer is found."""
    return sorted(texts, key=lambda text: (-len(text), text))
