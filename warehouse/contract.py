"""A stream's contract as SQL: how landed text becomes typed columns, and why a row is refused.

Typing one field takes three expressions, each over the columns of the step before, so that no text is parsed twice:
`text` (vendor columns -> trimmed text), `value` (text -> type), `reason` (text and value -> null or a sentence).
Surrounding white space is dropped, an empty text is null, a vendor value may be mapped to a canonical one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from warehouse.errors import ContractError
from warehouse.protocols import FieldLike, StreamLike
from warehouse.sql import identifier, literal, literal_list

# raise when the meaning of typing changes: every stream is then loaded again
TYPING_VERSION = 1

SQL_TYPES = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "decimal": "DECIMAL(18,4)",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "epoch_ms": "TIMESTAMPTZ",
    "epoch_s": "TIMESTAMPTZ",
    "json": "VARCHAR",
}
BLANKS = " \t\r\n\v\f\u00a0\u3000\ufeff"
PADDED_PATTERN = r"^[\s\v\x{a0}\x{3000}\x{feff}]|[\s\v\x{a0}\x{3000}\x{feff}]$"
FULL_WIDTH, HALF_WIDTH = "０１２３４５６７８９．，－＋：／", "0123456789.,-+:/"
TRUE_TEXTS = ("true", "t", "yes", "y", "1", "1.0", "是", "有")
FALSE_TEXTS = ("false", "f", "no", "n", "0", "0.0", "否", "无")
NUMBER_PATTERN = r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?([eE][+-]?\d{1,2})?"
INTEGER_PATTERN = r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.0*)?"
CURRENCY_PATTERN = r"^(￥|¥|人民币|RMB|CNY)\s*|\s*元$"
DATE_PATTERN = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
TIME_PATTERN = r"[T ]\d{1,2}:\d{2}(:\d{2}(\.\d{1,9})?)?"
OFFSET_PATTERN = r" ?([zZ]|UTC|[+-]\d{2}(:?\d{2})?)"
FIRST_DAY, END_DAY, LAST_EPOCH = "1970-01-01", "2100-01-01", 4_102_444_800
SHOWN_CHARACTERS = 40


@dataclass(frozen=True)
class FieldSql:
    """The expressions of one field; `value` and `reason` refer to `text_name`, `reason` to the field's own column."""

    name: str
    text_name: str
    text: str
    value: str
    reason: str


def hash_contract(stream: StreamLike) -> str:
    """Fingerprint of everything that decides how landed rows of a stream are loaded, and what they feed."""
    fields = [
        (f.name, f.kind, f.required, f.headers, f.formats, f.zone, str(f.scale), f.values, f.allowed, f.minimum, f.maximum)
        for f in stream.fields
    ]
    feeds = [(feed.entity, feed.columns, feed.when, feed.key) for feed in stream.feeds]
    text = json.dumps([TYPING_VERSION, stream.key, stream.version, fields, feeds], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def find_headers(field: FieldLike, columns: Sequence[str]) -> list[str]:
    """The vendor columns that may hold a field, best first. Case does not count, as in SQL."""
    known = {column.casefold(): column for column in reversed(columns)}
    names = field.headers or (field.name,)
    return [known[name.casefold()] for name in names if name.casefold() in known]


def find_field(stream: StreamLike, name: str) -> FieldLike | None:
    """The declared field of that name."""
    return next((field for field in stream.fields if field.name == name), None)


def key_headers(stream: StreamLike, columns: Sequence[str]) -> list[list[str]]:
    """For each part of the key, the vendor columns that may hold it, best first."""
    parts = []
    for name in stream.key:
        field = find_field(stream, name)
        found = find_headers(field, columns) if field else [column for column in columns if column == name]
        parts.append(found)
    return parts


def coalesce_text(headers: Sequence[str], prefix: str = "") -> str:
    """The first of some vendor columns that holds more than white space, trimmed; null when none exists."""
    texts = [_trimmed(prefix + identifier(header)) for header in headers]
    if not texts:
        return "null::VARCHAR"
    return texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"


def _trimmed(column: str) -> str:
    # trim() with a set beyond ASCII takes 5x the time of a scan, so only what needs it goes there
    padded = f"regexp_matches({column}, {literal(PADDED_PATTERN)})"
    return f"nullif(case when {padded} then trim({column}, {literal(BLANKS)}) else {column} end, '')"


def key_sql(stream: StreamLike, columns: Sequence[str], prefix: str = "") -> str:
    """`_key`: a JSON array of the key's texts; null when a part is missing."""
    parts = [coalesce_text(headers, prefix) for headers in key_headers(stream, columns)]
    missing = " or ".join(f"{part} is null" for part in parts)
    return f"case when {missing} then null else json_array({', '.join(parts)})::VARCHAR end"


def field_sql(stream: StreamLike, field: FieldLike, columns: Sequence[str]) -> FieldSql:
    """The expressions of one field. Raises ContractError for a kind that is not known."""
    if field.kind not in SQL_TYPES:
        raise ContractError(f"{stream.name}.{field.name}: unknown kind {field.kind!r}; use one of {', '.join(SQL_TYPES)}")
    text_name = f"_text_{field.name}"
    text = coalesce_text(find_headers(field, columns))
    if field.values:
        cases = " ".join(f"when {literal(vendor)} then {literal(canonical)}" for vendor, canonical in field.values)
        text = f"nullif(case {text} {cases} else {text} end, '')"
    column = identifier(text_name)
    reason = _reason(field, column, identifier(field.name), required=field.required or field.name in stream.key)
    return FieldSql(field.name, text_name, text, _value(field, column), reason)


def feed_reasons(stream: StreamLike, fields: Sequence[FieldSql]) -> list[str]:
    """Why a row cannot be the entity that it is fed as: the entity's key is empty. For fields that may be empty otherwise."""
    texts = {field.name: identifier(field.text_name) for field in fields}
    needed = {field.name for field in stream.fields if field.required} | set(stream.key)
    reasons = []
    for feed in stream.feeds:
        fed = "".join(f"{identifier(name)} is not null and " for name in feed.when)
        for name in dict.fromkeys(feed.key):
            if name in texts and name not in needed:
                sentence = f"{name}: empty, but the key of {feed.entity} (feeds.{feed.entity}.when says which rows are one)"
                reasons.append(f"case when {fed}{texts[name]} is null then {literal(sentence)} end")
    return reasons


def _value(field: FieldLike, text: str) -> str:
    """Text -> type, null where it cannot be."""
    half_width = f"translate({text}, {literal(FULL_WIDTH)}, {literal(HALF_WIDTH)})"
    match field.kind:
        case "text":
            return text
        case "json":
            return f"case when json_valid({text}) then {text} end"
        case "boolean":
            yes, no = (", ".join(map(literal, texts)) for texts in (TRUE_TEXTS, FALSE_TEXTS))
            return f"case when lower({half_width}) in ({yes}) then true when lower({half_width}) in ({no}) then false end"
        case "integer":
            return _integer(half_width)
        case "decimal":
            return _decimal(half_width, field.scale)
        case "epoch_ms" | "epoch_s":
            per_second = 1000 if field.kind == "epoch_ms" else 1
            number = _integer(half_width)
            # the bounds keep the multiplication from overflowing
            in_range = f"{number} between 0 and {LAST_EPOCH * per_second - 1}"
            return f"case when {in_range} then make_timestamptz({number} * {1_000_000 // per_second}) end"
        case "date":
            return _date(half_width, field)
        case _:
            return _timestamp(half_width, field)


def _integer(text: str) -> str:
    matches = f"regexp_full_match({text}, {literal(INTEGER_PATTERN)})"
    return f"case when {matches} then try_cast(replace({text}, ',', '') as BIGINT) end"


def _decimal(text: str, scale: Decimal) -> str:
    bare = f"regexp_replace({text}, {literal(CURRENCY_PATTERN)}, '', 'g')"
    number = f"case when regexp_full_match({bare}, {literal(NUMBER_PATTERN)}) then replace({bare}, ',', '') end"
    if scale == 1:
        return f"try_cast({number} as DECIMAL(18,4))"
    # 20 + 18 digits: the product of any two fits DECIMAL(38,12), so it cannot raise
    product = f"try_cast({number} as DECIMAL(20,6)) * cast({literal(str(scale))} as DECIMAL(18,6))"
    return f"try_cast({product} as DECIMAL(18,4))"


def _timestamp(text: str, field: FieldLike) -> str:
    zone = literal(field.zone)
    if field.formats:
        zoned = [pattern for pattern in field.formats if "%z" in pattern or "%Z" in pattern]
        naive = [pattern for pattern in field.formats if pattern not in zoned]
        attempts = [f"try_cast(try_strptime({text}, {literal_list(zoned)}) as TIMESTAMPTZ)"] if zoned else []
        attempts += [f"timezone({zone}, try_strptime({text}, {literal_list(naive)}))"] if naive else []
        return f"coalesce({', '.join(attempts)})"
    with_offset = f"regexp_full_match({text}, {literal(DATE_PATTERN + TIME_PATTERN + OFFSET_PATTERN)})"
    without = f"regexp_full_match({text}, {literal(f'{DATE_PATTERN}({TIME_PATTERN})?')})"
    return (
        f"case when {with_offset} then try_cast({text} as TIMESTAMPTZ) "
        f"when {without} then timezone({zone}, try_cast({text} as TIMESTAMP)) end"
    )


def _date(text: str, field: FieldLike) -> str:
    """A calendar date in the field's zone; a time of day is cut off."""
    if field.formats:
        return f"try_cast(timezone({literal(field.zone)}, {_timestamp(text, field)}) as DATE)"
    plain = f"regexp_full_match({text}, {literal(DATE_PATTERN)})"
    return (
        f"case when {plain} then try_cast({text} as DATE) "
        f"else try_cast(timezone({literal(field.zone)}, {_timestamp(text, field)}) as DATE) end"
    )


def _reason(field: FieldLike, text: str, value: str, *, required: bool) -> str:
    """Null for a good value, else the sentence that quarantine shows; the first fault counts."""
    cases = []
    if required:
        headers = f" (headers {', '.join(field.headers)})" if field.headers else ""
        cases.append((f"{text} is null", literal(f"{field.name}: required, but empty{headers}")))
    if field.kind in ("date", "timestamp", "epoch_ms", "epoch_s"):
        cases.append(
            (_outside_calendar(field, text, value), _sentence(field, text, "is out of range", "1970-01-01 to 2099-12-31"))
        )
    cases.append((f"{value} is null and {text} is not null", _sentence(field, text, f"is not {_noun(field)}", _shape(field))))
    if field.allowed:
        allowed = ", ".join(map(literal, field.allowed))
        cases.append(
            (
                f"{value}::VARCHAR not in ({allowed})",
                _sentence(field, text, "is not allowed", f"one of {', '.join(field.allowed)}"),
            )
        )
    bounds = [(bound, sign) for bound, sign in ((field.minimum, "<"), (field.maximum, ">")) if bound is not None]
    if bounds:
        outside = " or ".join(f"{value} {sign} {_bound(field, bound)}" for bound, sign in bounds)
        expected = f"{field.minimum or 'anything'} to {field.maximum or 'anything'}"
        cases.append((outside, _sentence(field, text, "is out of range", expected)))
    return "case " + " ".join(f"when {condition} then {sentence}" for condition, sentence in cases) + " end"


def _outside_calendar(field: FieldLike, text: str, value: str) -> str:
    if field.kind in ("epoch_ms", "epoch_s"):
        return f"{value} is null and regexp_full_match({text}, '-?[0-9]{{1,18}}')"
    sql_type = "DATE" if field.kind == "date" else "TIMESTAMPTZ"
    suffix = "" if field.kind == "date" else " 00:00:00+00"
    first, end = (f"cast({literal(day + suffix)} as {sql_type})" for day in (FIRST_DAY, END_DAY))
    return f"{value} < {first} or {value} >= {end}"


def _bound(field: FieldLike, bound: str) -> str:
    """A minimum or maximum as a typed constant, in the field's own (scaled, zoned) kind."""
    constant = literal(bound)
    if field.kind in ("timestamp", "epoch_ms", "epoch_s"):
        return f"timezone({literal(field.zone)}, cast({constant} as TIMESTAMP))"
    return f"cast({constant} as {SQL_TYPES[field.kind]})"


def _sentence(field: FieldLike, text: str, fault: str, expected: str) -> str:
    shown = f"left({text}, {SHOWN_CHARACTERS})"
    return f"{literal(field.name + ': ' + chr(39))} || {shown} || {literal(f'{chr(39)} {fault} (expected {expected})')}"


def _noun(field: FieldLike) -> str:
    nouns = {"integer": "an integer", "epoch_ms": "a time", "epoch_s": "a time", "timestamp": "a time", "json": "JSON"}
    return nouns.get(field.kind, f"a {field.kind}")


def _shape(field: FieldLike) -> str:
    if field.kind in ("date", "timestamp"):
        return " or ".join(field.formats) if field.formats else "ISO 8601"
    shapes = {
        "integer": "digits",
        "decimal": "digits with at most 14 before the point",
        "boolean": "true, false, 1, 0, yes, no, 是, 否",
        "epoch_ms": "milliseconds since 1970",
        "epoch_s": "seconds since 1970",
        "json": "a JSON text",
    }
    return shapes.get(field.kind, field.kind)
