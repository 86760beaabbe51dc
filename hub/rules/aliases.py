"""Rules with a table of aliases: alias, name, valid_from, valid_to, source. Public door."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from hub.columns.prepare import RecordsError
from hub.files import read_table
from hub.normalize.aliases import KNOWN
from hub.rules.model import Alias, BlockKey, Rules, RulesError

COLUMNS = ("alias", "name", "valid_from", "valid_to", "source")
_NEEDED = COLUMNS[:2]
_DATES = ("valid_from", "valid_to")
_DATE_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日")


def read_aliases(path: Path, place: str) -> pl.DataFrame:
    """The table of a file as records are read (hub.files); `place` is where the rules name it."""
    if not path.is_file():
        raise RulesError(f"{place}: {path} is missing; write a CSV file with the columns {', '.join(COLUMNS)}")
    try:
        return read_table(path)
    except RecordsError as error:
        raise RulesError(f"{place}: {error}") from error


def add_aliases(rules: Rules, table: pl.DataFrame) -> Rules:
    """The rules with these aliases: a record under an alias is compared with those under the registered name.

    Columns that are missing count as empty; a row of nothing says nothing. Raises RulesError without `alias` and `name`, for a
    date that is none or an end before its beginning, or where no field is a company.
    """
    missing = [column for column in _NEEDED if column not in table.columns]
    if missing:
        raise RulesError(f"aliases have no column {', '.join(missing)}; write {', '.join(COLUMNS)}")
    companies = [field.name for field in rules.fields if field.kind == "company"]
    if not companies:
        raise RulesError("aliases need a field of kind company; write one, or leave the aliases out")
    known = [column for column in COLUMNS if column in table.columns]
    rows = table.select(_read_column(table[column]) for column in known).with_row_index("row", 1)
    rows = rows.filter(~pl.all_horizontal(pl.col(known).is_null()))
    _refuse(rows.filter(pl.any_horizontal(pl.col(_NEEDED).is_null())), "an alias and the name that it stands for are both needed")
    if set(_DATES) <= set(known):
        _refuse(rows.filter(pl.col("valid_to") < pl.col("valid_from")), "valid_to is before valid_from")
    rows = rows.drop("row").unique().sort(known)
    keys = [key for key in rules.block_keys if key.name != "alias"]
    key = BlockKey("alias", (f"{companies[0]}.{KNOWN}",), cap=50, pivots=4)
    return replace(rules, aliases=tuple(Alias(**row) for row in rows.to_dicts()), block_keys=(*keys, key))


def _read_column(values: pl.Series) -> pl.Series:
    """Text without blanks around it, empty as null; dates as YYYY-MM-DD."""
    if values.dtype.is_temporal():
        return values.cast(pl.Date).cast(pl.String)
    text = values.cast(pl.String).str.strip_chars().replace("", None)
    if values.name not in _DATES:
        return text
    dates = pl.select(pl.coalesce(text.str.to_date(form, strict=False) for form in _DATE_FORMATS)).to_series()
    unread = (dates.is_null() & text.is_not_null()).arg_true()
    if len(unread):
        row = unread[0]
        raise RulesError(
            f"aliases row {row + 1}: {values.name} {text[row]!r} is no date: write it as 2015-01-31, or leave it empty"
        )
    return dates.cast(pl.String).alias(values.name)


def _refuse(rows: pl.DataFrame, why: str) -> None:
    if rows.height:
        raise RulesError(f"aliases row {rows['row'][0]}: {why}: correct it or leave the row out")
