"""Aliases: former names, brands and short names that share no character with the registered name (spec §5.2)."""

from collections.abc import Sequence

import polars as pl

from hub.normalize.company import parse_company_names
from hub.rules.model import Alias

#: part of a company's name: its key, or that of the name that it is an alias of
KNOWN = "known"


def replace_aliases(keys: pl.Series, aliases: Sequence[Alias]) -> pl.Series:
    """Name keys with those of aliases replaced by the key of the name that each stands for.

    Of two companies that bore a name in turn it stands for the one that still bears it, else for the last; where two bear it
    since the same day it stands for neither.
    """
    names = [name for alias in aliases for name in (alias.alias, alias.name)]
    key_of = dict(parse_company_names(pl.Series(names, dtype=pl.String).unique()).select("raw", "name_key").iter_rows())
    borne: dict[str, dict[str, str]] = {}
    for alias in aliases:
        own, target = key_of[alias.alias], key_of[alias.name]
        if own and target and own != target:
            since = borne.setdefault(own, {})
            since[target] = max(since.get(target, ""), f"{alias.valid_to or '9999'} {alias.valid_from or ''}")
    found = {}
    for own, since in borne.items():
        last = max(since.values())
        targets = [target for target, start in since.items() if start == last]
        if len(targets) == 1:
            found[own] = targets[0]
    return keys.replace(list(found), list(found.values()))
