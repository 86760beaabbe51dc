"""Rules from a TOML file: every mistake is reported with its file, its place and what to write. Public door."""

import tomllib
from dataclasses import dataclass, replace
from fnmatch import filter as find_matching
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.columns.prepare import TIMES, VALUE, list_columns
from hub.rules import model
from hub.rules.aliases import add_aliases, read_aliases
from hub.rules.check import check_rules, list_reading
from hub.rules.model import UNLESS, RulesError
from hub.scoring.compare import lay_out

_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
_Bits = Annotated[float, Field(ge=-model.MOST_BITS, le=model.MOST_BITS, allow_inf_nan=False)]
_Order = Literal["completeness", "precedence", "majority", "recency"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Records(_Table):
    source: str | None = None
    source_key: str | None = None
    value: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


class _Aliases(_Table):
    file: str


class _Field(_Table):
    kind: str
    columns: list[str] = Field(min_length=1)


class _Comparison(_Table):
    field: str | None = None
    levels: list[str] = Field(min_length=1)
    frequency: bool = False


class _Key(_Table):
    parts: list[str] = Field(min_length=1)
    cap: int = Field(default=100, ge=2)
    pivots: int = Field(default=0, ge=0)


class _Survivor(_Table):
    attributes: list[str] = Field(min_length=1)
    order: list[_Order] = Field(min_length=1)


class _Rules(_Table):
    entity: _Name
    id_prefix: str = Field(pattern=r"^[A-Za-z]{1,6}_?$")
    records: _Records = _Records()
    aliases: _Aliases | None = None
    training: model.Training = "em"
    guards: list[str] = []
    barriers: list[str] = []
    vetoes: list[str] = []
    certain: list[str] = []
    uncertain: list[str] = []
    source_precedence: list[str] = []
    match_bits: _Bits = 0.0
    review_bits: _Bits = -3.0
    review_limit: int = Field(default=200, ge=0)
    silence_bits: _Bits = 0.5
    fields: dict[_Name, _Field] = Field(min_length=1)
    comparisons: dict[_Name, _Comparison] = Field(min_length=1)
    keys: dict[_Name, _Key] = Field(min_length=1)
    survivors: list[_Survivor] = []
    interactions: dict[_Name, list[str]] = {}
    weights: dict[str, _Bits] = {}


@dataclass(frozen=True)
class RulesFile:
    """Rules, and the columns of the file that have a record's source, its key, its value to whoever reviews it and its times,
    where they have other names."""

    rules: model.Rules
    source: str | None = None
    source_key: str | None = None
    value: str | None = None
    created_at: str | None = None
    updated_at: str | None = None

    def list_records(self) -> dict[str, str]:
        """What a record has beside its fields, and the column of each that the rules name."""
        named = {"source": self.source, "source_key": self.source_key, VALUE: self.value}
        named |= {"created_at": self.created_at, "updated_at": self.updated_at}
        return {own: column for own, column in named.items() if column}

    def list_compared_too(self) -> dict[str, list[str]]:
        """The comparisons of the columns that have a record's key or value: these do not tell who is who."""
        named = {"source_key": "source_key", **self.list_records()}
        found = {own: list_reading(self.rules, named[own]) for own in ("source_key", VALUE) if own in named}
        return {own: comparisons for own, comparisons in found.items() if comparisons}


def read_rules(path: Path) -> RulesFile:
    """The rules of a TOML file."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RulesError(f"{path}: cannot be read: {error.strerror}") from error
    return parse_rules(text, str(path))


def load_rules(entity: str) -> model.Rules:
    """The rules that come with the hub for an entity: person, organisation."""
    source = files("hub") / "rules" / f"{entity}.toml"
    if not source.is_file():
        raise RulesError(f"no rules for '{entity}' come with the hub; name a rules file")
    return parse_rules(source.read_text(encoding="utf-8"), f"{entity}.toml").rules


def parse_rules(text: str, file: str) -> RulesFile:
    """The rules of a TOML text; `file` is its name for errors."""
    try:
        read = _Rules.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise RulesError(f"{file}: not valid TOML: {error}") from error
    except ValidationError as error:
        raise RulesError("\n".join(f"{file}: {_describe(mistake)}" for mistake in error.errors())) from error
    rules = _build(read, file)
    check_rules(rules, file)
    rules = replace(rules, weights=MappingProxyType(_spread_weights(rules, file)))
    if read.aliases:
        rules = add_aliases(rules, read_aliases(Path(file).parent / read.aliases.file, f"{file}: aliases.file"))
    found = RulesFile(rules, **read.records.model_dump())
    _check_records(found, file)
    return found


def _check_records(found: RulesFile, file: str) -> None:
    """What a field or a golden value takes by a name of `[records]` is no other column."""
    read = {column for field in found.rules.fields for column in field.columns} | {*list_columns(found.rules)} - {*TIMES}
    for own, column in found.list_records().items():
        if own in (VALUE, *TIMES) and column != own and own in read:
            raise RulesError(f"{file}: records.{own}: a field reads a column called {own}: only that one can be the {own}")


def _describe(mistake: Any) -> str:
    place = ".".join(str(step) for step in mistake["loc"] if step != "[key]")
    if mistake["type"] == "missing":
        return f"{place} is missing; write it"
    if mistake["type"] == "extra_forbidden":
        return f"{place} is not known here; remove it or correct its spelling"
    return f"{place}: {mistake['msg']}, not {mistake['input']!r}"


def _build(read: _Rules, file: str) -> model.Rules:
    return model.Rules(
        entity=read.entity,
        id_prefix=read.id_prefix,
        fields=tuple(model.Field(name, field.kind, tuple(field.columns)) for name, field in read.fields.items()),
        comparisons=tuple(
            model.Comparison(
                name,
                comparison.field or name,
                tuple(_split_level(level, f"{file}: comparisons.{name}.levels") for level in comparison.levels),
                comparison.frequency,
            )
            for name, comparison in read.comparisons.items()
        ),
        block_keys=tuple(model.BlockKey(name, tuple(key.parts), key.cap, key.pivots) for name, key in read.keys.items()),
        survivors=tuple(
            model.Survivor(tuple(_split_value(value) for value in row.attributes), tuple(row.order)) for row in read.survivors
        ),
        interactions=tuple(model.Interaction(name, tuple(when)) for name, when in read.interactions.items()),
        guards=tuple(read.guards),
        barriers=tuple(read.barriers),
        vetoes=tuple(read.vetoes),
        certain=tuple(read.certain),
        uncertain=tuple(read.uncertain),
        source_precedence=tuple(read.source_precedence),
        training=read.training,
        weights=MappingProxyType(dict(read.weights)),
        match_bits=read.match_bits,
        review_bits=read.review_bits,
        review_limit=read.review_limit,
        silence_bits=read.silence_bits,
    )


def _split_level(text: str, place: str) -> model.Level:
    name, colon, test = text.partition(":")
    if not name.strip() or (colon and not test.strip()):
        raise RulesError(f"{place}: '{text}' is no level; write its name, a colon and its test: typo: osa <= 1")
    return model.Level(name.strip(), test.strip() or name.strip())


def _split_value(text: str) -> tuple[str, str]:
    """`phone`, or `phone: phone.landline`: a golden attribute's name, and the part or column that it is taken from."""
    name, colon, part = text.partition(":")
    return name.strip(), part.strip() if colon else name.strip()


def _spread_weights(rules: model.Rules, file: str) -> dict[str, float]:
    """Bits by level: a pattern (`name.same*`) adds to every level that it matches."""
    layout = lay_out(rules)
    levels = [f"{name}.{level}" for name, names in zip(layout.comparisons, layout.names, strict=True) for level in names[1:]]
    known = {interaction.name for interaction in rules.interactions} | {"prior"}
    bits: dict[str, float] = {}
    for pattern, weight in rules.weights.items():
        meant = [pattern] if pattern in known else find_matching(levels, pattern)
        if not meant:
            raise RulesError(f"{file}: weights: '{pattern}' is no level; write comparison.level, an interaction, or prior")
        for name in meant:
            bits[name] = bits.get(name, 0.0) + weight
    patterns = [(f"interactions.{interaction.name}", when) for interaction in rules.interactions for when in interaction.when]
    patterns += [
        (place, when) for place in ("vetoes", "uncertain") for veto in getattr(rules, place) for when in veto.split(UNLESS)
    ]
    for place, when in patterns:
        if not find_matching(levels, when):
            raise RulesError(f"{file}: {place}: '{when}' is no level; write comparison.level, * stands for anything")
    return bits
