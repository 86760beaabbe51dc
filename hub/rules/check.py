"""What rules must be beyond their form: what stands in one place is known in the other."""

from collections.abc import Iterator

from hub.candidates.pairs import MOST_KEYS
from hub.columns.prepare import SHOWN, TIMES, is_part
from hub.normalize.kinds import KINDS, list_parts
from hub.rules.model import Rules, RulesError
from hub.scoring.compare import check_levels

#: columns that golden records have beside their attributes (hub.results.golden, hub.results.hierarchy, hub.standalone)
RESERVED = (
    "gid",
    "organisation_gid",
    "n_records",
    "n_sources",
    "first_seen_at",
    "updated_at",
    "legal_name_key",
    "parent_key",
    "is_full",
    "parent_source",
    "parent_gid",
    "relation",
)


def check_rules(rules: Rules, file: str) -> None:
    """RulesError where something is named that is not there, or twice."""
    for field in rules.fields:
        if field.kind not in KINDS:
            raise RulesError(
                f"{file}: fields.{field.name}.kind: '{field.kind}' is no kind; write one of {', '.join(sorted(KINDS))}"
            )
        asked = KINDS[field.kind].columns
        if asked and len(field.columns) != len(asked):
            raise RulesError(
                f"{file}: fields.{field.name}.columns: {field.kind} is made of {len(asked)}: {', '.join(asked)}; "
                f"{len(field.columns)} are named"
            )
    parts = {part for field in rules.fields for part in list_parts(field)}
    shown = {f"{field.name}.{SHOWN}" for field in rules.fields if KINDS[field.kind].parse}
    for place, part in _list_used(rules):
        if part not in parts:
            raise RulesError(f"{file}: {place}: '{part}' is no part of a field; write one of {', '.join(sorted(parts))}")
    for place, part in _list_taken(rules):
        if part not in parts | shown:
            known = ", ".join(sorted(parts | shown))
            raise RulesError(f"{file}: {place}: '{part}' is no part of a field; write one of {known}, or a column of the records")
    for comparison in rules.comparisons:
        if len({level.name for level in comparison.levels} | {"missing", "different"}) < len(comparison.levels) + 2:
            raise RulesError(f"{file}: comparisons.{comparison.name}.levels: name each level once, none missing or different")
        check_levels(comparison, parts, f"{file}: comparisons.{comparison.name}.levels")
    _check_survivors(rules, file)
    _check_keys(rules, file)
    if rules.training == "certain" and not rules.certain:
        raise RulesError(
            f"{file}: training: 'certain' learns from parts whose agreement is certain; name them as certain = [...], or write em"
        )
    if rules.review_bits > rules.match_bits:
        raise RulesError(
            f"{file}: review_bits: {rules.review_bits:g} is above match_bits, {rules.match_bits:g}: what is a match would not be "
            "told of; write as much or less"
        )


def list_reading(rules: Rules, column: str) -> list[str]:
    """The comparisons of the fields that read a column."""
    fields = {field.name for field in rules.fields if column in field.columns}
    return [comparison.name for comparison in rules.comparisons if comparison.field.partition(".")[0] in fields]


def _list_used(rules: Rules) -> Iterator[tuple[str, str]]:
    """Where parts are named, and which."""
    for comparison in rules.comparisons:
        yield f"comparisons.{comparison.name}.field", comparison.field
    for key in rules.block_keys:
        yield from ((f"keys.{key.name}.parts", part) for part in key.parts)
    for name in ("guards", "barriers", "certain"):
        yield from ((name, part) for part in getattr(rules, name))


def _list_taken(rules: Rules) -> Iterator[tuple[str, str]]:
    """Where parts are taken as values, and which: a name with a dot is a column where its beginning is no field."""
    fields = {field.name for field in rules.fields}
    for field in rules.fields:
        yield from ((f"fields.{field.name}.columns", column) for column in field.columns if is_part(column, fields))
    for name, part in (value for survivor in rules.survivors for value in survivor.values):
        # these are read as text for no field, so nothing could be taken from them
        if is_part(part, fields) or (part not in fields and part in ("source", "source_key", *TIMES)):
            yield f"survivors.{name}", part


def _check_survivors(rules: Rules, file: str) -> None:
    names = [name for survivor in rules.survivors for name, _ in survivor.values]
    for name, part in (value for survivor in rules.survivors for value in survivor.values):
        if not name or not part:
            raise RulesError(f"{file}: survivors: an attribute has no name; write its name, or name: part")
        if name in RESERVED:
            raise RulesError(
                f"{file}: survivors: golden records have a column '{name}' of their own; call the attribute otherwise: "
                f"own_{name}: {part}"
            )
        if names.count(name) > 1:
            raise RulesError(f"{file}: survivors: '{name}' is chosen more than once; name each attribute once")


def _check_keys(rules: Rules, file: str) -> None:
    if len(rules.block_keys) > MOST_KEYS:
        raise RulesError(f"{file}: keys: {len(rules.block_keys)} are too many; write {MOST_KEYS} at most")
    for key in rules.block_keys:
        if key.pivots > key.cap:
            raise RulesError(
                f"{file}: keys.{key.name}.pivots: {key.pivots} is above the cap, {key.cap}: a block beyond it may have fewer "
                "records; write as many or fewer"
            )
