"""How Chinese characters sound: pinyin without tones, for names typed by sound (hub/data/pinyin.csv, made from pypinyin, MIT)."""

from functools import cache
from importlib.resources import files

import polars as pl


@cache
def load_sounds() -> tuple[list[str], list[str]]:
    """Simplified characters and the commonest reading of each."""
    table = pl.read_csv((files("hub") / "data" / "pinyin.csv").read_bytes()).with_columns(pl.col("characters").str.split(""))
    table = table.explode("characters").filter(pl.col("characters") != "")
    return table["characters"].to_list(), table["sound"].to_list()


def spell(expression: pl.Expr) -> pl.Expr:
    """Folded text by sound: 楷飞 and 凯飞 are kaifei; other scripts stay as they are, without blanks."""
    return expression.str.replace_many(*load_sounds()).str.replace_all(" ", "", literal=True)
