"""Which record has which id, in a table that somebody gives: a crosswalk, or the truth. Public door."""

import polars as pl

RECORD = ["source", "source_key"]
_CURRENT = "is_current"


def read_crosswalk(table: pl.DataFrame, what: str) -> pl.DataFrame:
    """source, source_key and id as text, of the current rows alone where there is `is_current`.

    The id is in gid or a column that ends in _gid, else in id or one that ends in _id, else in the only other column. what: what
    the table is, for errors.

    Raises:
        ValueError: there is no such column, or a record is there twice.
    """
    others = _list_others(table)
    named = [
        *(column for column in others if column == "gid" or column.endswith("_gid")),
        *(column for column in others if column == "id" or column.endswith("_id")),
    ]
    return _read(table, [*named, *(others if len(others) == 1 else [])], what)


def read_truth(table: pl.DataFrame) -> pl.DataFrame:
    """source, source_key and true id as read_crosswalk gives them; the id is in the first other column."""
    return _read(table, _list_others(table), "truth")


def _list_others(table: pl.DataFrame) -> list[str]:
    return [column for column in table.columns if column not in (*RECORD, _CURRENT)]


def _read(table: pl.DataFrame, ids: list[str], what: str) -> pl.DataFrame:
    if not ids or not {*RECORD} <= {*table.columns}:
        raise ValueError(
            f"the {what} needs source, source_key and an id: gid, a column that ends in _gid or _id, or the only other one; "
            f"it has {', '.join(table.columns)}"
        )
    # CSV writes truth as text
    current = pl.col(_CURRENT).cast(pl.String).str.to_lowercase() == "true"
    rows = table.filter(current) if _CURRENT in table.columns else table
    own = rows.select(pl.col(*RECORD).cast(pl.String), id=pl.col(ids[0]).cast(pl.String))
    twice = own.filter(own.select(RECORD).is_duplicated())
    if twice.height:
        source, key, _ = twice.row(0)
        raise ValueError(f"the {what} has {source}:{key} twice: a record has one id")
    return own
