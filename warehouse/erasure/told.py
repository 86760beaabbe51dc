"""What the rows of an erased record tell: mobiles, e-mails, names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from warehouse.contract import find_field, find_headers
from warehouse.erasure.landed import Rows, Streams, iterate
from warehouse.erasure.plan import Carrier
from warehouse.erasure.traces import EMAIL, MOBILE

#: a name that nobody else has is looked for everywhere from so many characters on; Latin ones are longer
UNIQUE_NAME, UNIQUE_LATIN_NAME = 3, 8


@dataclass
class Told:
    """Texts of the rows that go."""

    contacts: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)


def read_texts(going: Sequence[Rows], carriers: Sequence[Carrier], streams: Streams, *, has_companies: bool) -> Told:
    """Contacts and names of rows; a company's name only where companies are erased."""
    told = Told()
    for rows in going:
        columns = [name for name in rows.frame.columns if not name.startswith("_")]
        combined = [
            [_list_headers(streams, rows, name, columns) for name in names]
            for carrier in list_carriers(carriers, rows.source, rows.stream)
            for names in (*carrier.names, *(carrier.company_names if has_companies else ()))
        ]
        for row in iterate(rows):
            texts = {str(row[name]).strip() for name in columns if row[name] and len(str(row[name]).strip()) > 1}
            told.contacts |= {contact for text in texts for contact in find_contacts(text)}
            for headers in combined:
                parts = [next((str(row[name]).strip() for name in found if row[name]), "") for found in headers]
                told.names |= {name for name in ("".join(parts), " ".join(parts), " ".join(parts[::-1])) if len(name.strip()) > 1}
    return told


def _list_headers(streams: Streams, rows: Rows, name: str, columns: Sequence[str]) -> list[str]:
    declared = streams.get((rows.source, rows.stream))
    found = find_field(declared, name) if declared else None
    return find_headers(found, columns) if found else []


def find_contacts(text: str) -> set[str]:
    """Mobiles, as digits, and e-mails of a text."""
    return {re.sub(r"\D", "", match) for match in MOBILE.findall(text)} | set(EMAIL.findall(text))


def list_texts(row: Mapping[str, Any]) -> list[str]:
    return [str(value) for name, value in row.items() if value and not name.startswith("_")]


def is_long(name: str) -> bool:
    return len(name) >= (UNIQUE_LATIN_NAME if name.isascii() else UNIQUE_NAME)


def list_carriers(carriers: Sequence[Carrier], source: str, stream: str) -> list[Carrier]:
    return [carrier for carrier in carriers if (carrier.source, carrier.stream.name) == (source, stream)]
