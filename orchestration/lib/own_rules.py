"""Rules of the hub that a project names instead of those that come with it: read, and held against what the pipeline needs."""

from pathlib import Path

from hub.rules.model import Rules, RulesError
from hub.rules.read import load_rules, read_rules


def read_own_rules(path: Path, entity: str) -> Rules:
    """The rules of a file for one entity of the pipeline.

    Raises RulesError where they are of something else, name other key columns than the pipeline's, or lack a golden attribute
    that the built-in rules give: models and readers of the publication take all of these.
    """
    found, built_in = read_rules(path), load_rules(entity)
    rules = found.rules
    if rules.entity != entity:
        raise RulesError(f"{path}: entity: these are rules of '{rules.entity}'; name rules of '{entity}'")
    if rules.id_prefix != built_in.id_prefix:
        raise RulesError(
            f"{path}: id_prefix: '{rules.id_prefix}' would part the IDs from those of before; write '{built_in.id_prefix}'"
        )
    if any(own != column for own, column in found.list_records().items()):
        raise RulesError(f"{path}: records: the pipeline's columns are source and source_key; remove the section")
    lacking = sorted({*list_attributes(built_in)} - {*list_attributes(rules)})
    if lacking:
        raise RulesError(
            f"{path}: survivors: the pipeline's tables need {', '.join(lacking)}; "
            f"take them over from `goldthread rules show {entity}`"
        )
    if entity == "organisation" and not _is_company_name(rules):
        raise RulesError(
            f"{path}: survivors: company_name must be taken from a field of kind company, which finds the parents of branches; "
            "write company_name: name.display"
        )
    return rules


def list_attributes(rules: Rules) -> list[str]:
    """The golden attributes that rules give."""
    return [name for survivor in rules.survivors for name, _ in survivor.values]


def _is_company_name(rules: Rules) -> bool:
    kinds = {field.name: field.kind for field in rules.fields}
    taken = {name: part for survivor in rules.survivors for name, part in survivor.values}
    return kinds.get(taken["company_name"].partition(".")[0]) == "company"
