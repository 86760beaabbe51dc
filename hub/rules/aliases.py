"""Rules with a table of aliases: alias, name, valid_from, valid_to, source. Public door."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from hub.normalize.aliases import KNOWN
from hub.rules.model import Alias, BlockKey, Rules, RulesError

COLUMNS = ("alias", "name", "valid_from", "valid_to", "source")
_NEEDED = COLUMNS[:2]


def read_aliases(path: Path, place: str) -> pl.DataFrame:
    """The table of a CSV file; `place` is where the rules name it."""
    if not path.is_file():
        raise RulesError(f"{place}: {path} is missing; write a CSV file with the columns {', '.join(COLUMNS)}")
    return pl.read_csv(path, infer_schema=False)


def add_aliases(rules: Rules, table: pl.DataFrame) -> Rules:
    """The rules with these aliases: a record under an alias is compared with those under the registered name.

    Columns that are missing count as empty. Raises RulesError without `alias` and `name`, or where no field is a company.
    """
    missing = [column for column in _NEEDED if column not in table.columns]
    if missing:
        raise RulesError(f"aliases have no column {', '.join(missing)}; write {', '.join(COLUMNS)}")
    companies = [field.name for field in rules.fields if field.kind == "company"]
    if not companies:
        raise RulesError("aliases need a field of kind company; write one, or leave the aliases out")
    known = [column for column in COLUMNS if column in table.columns]
    rows = table.select(pl.col(known).cast(pl.String)).drop_nulls(list(_NEEDED)).unique().sort(known)
    keys = [key for key in rules.block_keys if key.name != "alias"]
    key = BlockKey("alias", (f"{companies[0]}.{KNOWN}",), cap=50, pivots=4)
    return replace(rules, aliases=tuple(Alias(**row) for row in rows.to_dicts()), block_keys=(*keys, key))
