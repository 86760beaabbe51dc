"""What a connector is: streams it declares, batches it yields, errors it raises.

A connector turns one vendor system into rows. It knows HTTP, SQL drivers and files and nothing else of ours:
no store, no Dagster, no environment. Credentials and addresses arrive as plain values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol

import polars as pl

FieldKind = Literal["text", "integer", "decimal", "boolean", "date", "timestamp", "epoch_ms", "epoch_s", "json"]
CursorKind = Literal["watermark", "window", "token", "manifest", "full"]
DeleteKind = Literal["flag", "tombstone_api", "event", "id_reconcile", "none"]
Cursor = Mapping[str, Any]

REJECT_SCHEMA = {"position": pl.String, "reason": pl.String, "payload": pl.String}


@dataclass(frozen=True)
class Field:
    """One column of a stream, as the contract wants it.

    `name` is the column of the loaded table; `headers` are the vendor's names for it, first match wins
    (empty: the vendor calls it `name`). Values land as text and are typed by `kind` when they are loaded;
    a value that cannot be typed sends its row to quarantine, naming this field.
    """

    name: str
    kind: FieldKind = "text"
    required: bool = False
    headers: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()  # strptime formats, tried in order; empty: ISO 8601
    zone: str = "UTC"  # zone of times that carry none
    scale: Decimal = Decimal(1)  # 万元 -> 10000
    values: tuple[tuple[str, str], ...] = ()  # vendor value -> canonical value; a value not listed is kept
    allowed: tuple[str, ...] = ()  # canonical values; anything else is quarantined
    minimum: str | None = None  # inclusive, in the field's own kind
    maximum: str | None = None


@dataclass(frozen=True)
class Feed:
    """How one file stream fills one canonical entity: canonical column -> field name, or "=constant".

    `when`: fields that must be present for the row to count as this entity; without any, every row is one.
    `key`: fields that hold the entity's key; a row that is this entity and lacks one breaks the contract.
    """

    entity: str
    columns: tuple[tuple[str, str], ...]
    when: tuple[str, ...] = ()
    key: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stream:
    """One table-like thing of a source. `key` identifies a record, `version` orders the versions of one key."""

    name: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    cursor: CursorKind
    deletes: DeleteKind
    description: str
    version: str | None = None  # None: a later batch is the newer version
    feeds: tuple[Feed, ...] = ()


@dataclass(frozen=True)
class Batch:
    """Rows of one stream that become visible together, with the cursor that they bring the stream to.

    rows: every column String, vendor headers verbatim, no column that starts with "_".
    deleted: the key columns (vendor names) of records that the source reports as gone.
    live_keys: the complete list of keys that the source holds now; what we hold beyond it is gone (id_reconcile).
    rejects: what could not even become a row, columns REJECT_SCHEMA; payload is the raw text or a JSON object.
    vendor_types: column -> the vendor's own type name, to notice a retyped column.
    rereads: True when rows may repeat what an earlier batch brought (overlap): identical rows are then dropped.
    replaces: files (rows name theirs in `file.name`, rejects in their position) of which this batch holds all there is, which
        is nothing for one that is gone: what earlier batches had of them and this one has not is no longer in quarantine.
    lists_refused: True when every file that is refused as a whole is among the rejects: earlier such rejects are over.
    """

    stream: str
    rows: pl.DataFrame
    cursor: Cursor
    deleted: pl.DataFrame | None = None
    live_keys: pl.DataFrame | None = None
    rejects: pl.DataFrame | None = None
    vendor_types: Mapping[str, str] = field(default_factory=dict)
    rereads: bool = False
    replaces: tuple[str, ...] = ()
    lists_refused: bool = False


class Connector(Protocol):
    """One configured source system."""

    source: str

    def streams(self) -> tuple[Stream, ...]:
        """Declare every stream; touches no network."""

    def read(self, stream: str, cursor: Cursor | None, *, full: bool = False) -> Iterator[Batch]:
        """Yield batches from `cursor` on (None or `full`: from the beginning), oldest first.

        Raises a `connectors.errors.ConnectorError`; whatever was yielded before it stays valid.
        """

    def retry(self, stream: str, rejects: pl.DataFrame) -> Batch | None:
        """Parse rejected payloads again under today's contract; None where the source cannot."""

    def close(self) -> None:
        """Release connections."""
