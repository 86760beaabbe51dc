"""The YAML contract of a file stream: how any spreadsheet, export or form post enters, without code.

One file per stream; `read_contracts(folder)` gives them checked. Every mistake is a ConfigurationError that names the
file, the place in it and what to write instead. Spec: connectors §2.8.
"""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from connectors.base import Feed, FieldKind, Stream
from connectors.base import Field as StreamField
from connectors.errors import ConfigurationError
from connectors.files.entities import ENTITIES

Unit = Literal["元", "千元", "万元", "亿元", "percent"]
SCALES: dict[str, Decimal] = {
    "元": Decimal(1),
    "千元": Decimal(1_000),
    "万元": Decimal(10_000),
    "亿元": Decimal(100_000_000),
    "percent": Decimal("0.01"),
}
FILE_COLUMNS = ("file.name", "file.stem", "file.row", "file.row_id")
# what a real date cell of a workbook reads as, whatever the contract expects of texts
CELL_DATES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d")
READING = ("format", "encoding", "separator", "sheet", "header_row", "header_rows", "footer", "overflow", "null_values")


def _number_text(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


NumberText = Annotated[str, BeforeValidator(_number_text)]


class Strict(BaseModel):
    """Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Footer(Strict):
    """Rows whose `column` starts with one of `starts_with` are totals, not data."""

    column: str
    starts_with: list[str] = Field(min_length=1)


class Column(Strict):
    """One field: where it stands in the file and what its texts mean. `join` glues several headers to one text."""

    headers: list[str] = []
    join: list[str] = []
    join_with: str = "/"
    required: bool = False
    kind: FieldKind = "text"
    unit: Unit | None = None
    formats: list[str] = []
    zone: str = "UTC"
    values: dict[str, str] = {}
    allowed: list[str] = []
    minimum: NumberText | None = None
    maximum: NumberText | None = None

    @field_validator("zone")
    @classmethod
    def check_zone(cls, zone: str) -> str:
        """A zone of the tz database."""
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"'{zone}' is no time zone; write one like Asia/Shanghai") from None
        return zone

    @model_validator(mode="after")
    def check_parts(self) -> Column:
        """A unit belongs to a number, a format to a date, and a joined column has no other header."""
        if self.unit and self.kind != "decimal":
            raise ValueError(f"unit {self.unit} needs kind: decimal (it is {self.kind})")
        if self.formats and self.kind not in ("date", "timestamp"):
            raise ValueError(f"formats need kind: date or timestamp (it is {self.kind})")
        if self.join and self.headers:
            raise ValueError("write either headers or join")
        return self

    @property
    def joined_header(self) -> str:
        """Name of the column that `join` makes."""
        return "file.join(" + ",".join(self.join) + ")"


class Contract(Strict):
    """One file stream, as written in YAML."""

    stream: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    description: str = ""
    files: str
    format: Literal["csv", "excel", "json"]
    encoding: str = "utf-8"
    separator: str = Field(default=",", min_length=1, max_length=1)
    sheet: str | None = None
    header_row: int = Field(default=1, ge=1)
    header_rows: int = Field(default=1, ge=1)
    footer: Footer | None = None
    overflow: str | None = None
    null_values: list[str] = []
    key: list[str] = Field(min_length=1)
    version: str | None = None
    columns: dict[str, Column] = Field(min_length=1)
    feeds: dict[str, dict[str, str | list[str]]] = {}

    @field_validator("encoding")
    @classmethod
    def check_encoding(cls, encoding: str) -> str:
        """A text encoding that Python knows."""
        try:
            return codecs.lookup(encoding).name
        except LookupError:
            raise ValueError(f"'{encoding}' is no encoding; write utf-8 or gb18030") from None

    @model_validator(mode="after")
    def check_references(self) -> Contract:
        """Every name that one part uses exists in the other."""
        if self.header_rows > self.header_row:
            raise ValueError(f"header_row is the last of {self.header_rows} header rows, so it is at least {self.header_rows}")
        only = {"overflow": "csv", "sheet": "excel"}
        for name, kind in only.items():
            if getattr(self, name) is not None and self.format != kind:
                raise ValueError(f"{name} is for format: {kind} (it is {self.format})")
        for name in (*self.key, *([self.version] if self.version else [])):
            if name not in self.columns:
                raise ValueError(f"key and version are fields, '{name}' is none; there are {', '.join(self.columns)}")
        for entity, feed in self.feeds.items():
            self._check_feed(entity, feed)
        return self

    def _check_feed(self, entity: str, feed: dict[str, str | list[str]]) -> None:
        if entity not in ENTITIES:
            raise ValueError(f"feeds.{entity}: no such entity; there are {', '.join(ENTITIES)}")
        kinds, keys = ENTITIES[entity]
        for column, value in feed.items():
            if column == "when":
                fields = [value] if isinstance(value, str) else value
            elif column not in kinds:
                raise ValueError(f"feeds.{entity}.{column}: {entity} has no such column; it has {', '.join(kinds)}")
            elif not isinstance(value, str):
                raise ValueError(f"feeds.{entity}.{column}: write one field name or '=constant'")
            else:
                fields = [] if value.startswith("=") else [value]
            for name in fields:
                if name not in self.columns:
                    raise ValueError(f"feeds.{entity}.{column}: no field '{name}'; there are {', '.join(self.columns)}")
                if column != "when" and kinds[column] != "text" and self.columns[name].kind == "text":
                    raise ValueError(f"feeds.{entity}.{column} is a {kinds[column]}: give columns.{name} that kind")
        missing = [key for key in keys if key not in feed]
        if missing:
            raise ValueError(f"feeds.{entity}: lacks its key {', '.join(missing)}")

    def declare(self) -> Stream:
        """The stream as the rest of the pipeline sees it."""
        return Stream(
            name=self.stream,
            key=tuple(self.key),
            fields=tuple(self._field(name, column) for name, column in self.columns.items()),
            cursor="manifest",
            deletes="none",
            description=self.description or f"Files {self.files}.",
            version=self.version,
            feeds=tuple(_declare_feed(entity, feed) for entity, feed in self.feeds.items()),
        )

    def required_headers(self) -> dict[str, list[str]]:
        """Field -> its possible headers, for the fields that a table cannot do without."""
        return {
            name: column.join or column.headers or [name]
            for name, column in self.columns.items()
            if (column.required or name in self.key) and not set(column.headers) & set(FILE_COLUMNS)
        }

    def find_headers(self, name: str) -> list[str]:
        """The headers that a field name or a header stands for."""
        column = self.columns.get(name)
        return [*(column.headers if column else []), name]

    def fingerprint(self) -> str:
        """Changes when the same file would be cut into other rows or cells, so that it must be read again."""
        joins = [(column.join, column.join_with) for column in self.columns.values() if column.join]
        text = self.model_dump_json(include=set(READING)) + repr(joins)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _field(self, name: str, column: Column) -> StreamField:
        cell_dates = CELL_DATES if self.format == "excel" and column.formats else ()
        return StreamField(
            name=name,
            kind=column.kind,
            required=column.required or name in self.key,
            headers=(column.joined_header,) if column.join else tuple(column.headers),
            formats=(*column.formats, *(pattern for pattern in cell_dates if pattern not in column.formats)),
            zone=column.zone,
            scale=SCALES[column.unit] if column.unit else Decimal(1),
            values=tuple(column.values.items()),
            allowed=tuple(column.allowed),
            minimum=column.minimum,
            maximum=column.maximum,
        )


def _declare_feed(entity: str, feed: dict[str, str | list[str]]) -> Feed:
    when = feed.get("when", [])
    return Feed(
        entity=entity,
        columns=tuple((column, value) for column, value in feed.items() if isinstance(value, str) and column != "when"),
        when=(when,) if isinstance(when, str) else tuple(when),
        key=tuple(str(feed[column]) for column in ENTITIES[entity][1] if not str(feed[column]).startswith("=")),
    )


def read_contracts(folder: Path) -> tuple[Contract, ...]:
    """Every `*.yaml` of a folder, in the order of their names. Raises ConfigurationError."""
    if not folder.is_dir():
        raise ConfigurationError(f"{folder}: no such folder; setting 'contracts' names the folder of the YAML contracts")
    paths = sorted((*folder.glob("*.yaml"), *folder.glob("*.yml")))
    if not paths:
        raise ConfigurationError(f"{folder}: holds no *.yaml; write one contract for each kind of file")
    contracts = tuple(read_contract(path) for path in paths)
    seen: dict[str, Path] = {}
    for path, contract in zip(paths, contracts, strict=True):
        if contract.stream in seen:
            raise ConfigurationError(f"{path}: stream '{contract.stream}' is already in {seen[contract.stream].name}; rename one")
        seen[contract.stream] = path
    return contracts


def read_contract(path: Path) -> Contract:
    """One contract. Raises ConfigurationError with every mistake in it."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: holds no contract; it starts with 'stream: <name>'")
    try:
        return Contract.model_validate(content)
    except ValidationError as error:
        faults = "; ".join(_explain(fault["loc"], fault["type"], fault["msg"]) for fault in error.errors())
        raise ConfigurationError(f"{path}: {faults}") from None


def _explain(place: Iterable[int | str], kind: str, message: str) -> str:
    parts = [str(part) for part in place]
    where = ".".join(part for part in parts if part not in ("str", "list[str]"))
    if kind == "extra_forbidden":
        model = Column if len(parts) == 3 and parts[0] == "columns" else Footer if parts[0] == "footer" else Contract
        return f"{where}: no such setting; there are {', '.join(model.model_fields)}"
    if kind == "string_type":
        return f"{where}: must be a text; put it in quotes"
    if kind == "missing":
        return f"{where}: is missing"
    text = message.removeprefix("Value error, ")
    return f"{where}: {text}" if where else text
