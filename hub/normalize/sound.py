"""How Chinese characters sound: pinyin without tones, for names typed by sound (hub/data/pinyin.csv, made from pypinyin, MIT)."""

from functools import cache
from importlib.resources import files

import polars as pl

from hub.normalize.text import replace_characters


@cache
def load_sounds() -> dict[str, str]:
    """The commonest reading of each simplified character."""
    table = pl.read_csv((files("hub") / "data" / "pinyin.csv").read_bytes()).with_columns(pl.col("characters").str.split(""))
    table = table.explode("characters").filter(pl.col("characters") != "")
    return dict(zip(table["characters"].to_list(), table["sound"].to_list(), strict=True))


def spell(texts: pl.Series) -> pl.Series:
    """Folded texts by sound: 楷飞 and 凯飞 are kaifei; other scripts stay as they are, without blanks."""
    return replace_characters(texts, load_sounds()).str.replace_all(" ", "", literal=True)


@cache
def load_syllables() -> dict[str, str]:
    """load_sounds with a blank behind each."""
    return {character: f"{sound} " for character, sound in load_sounds().items()}


def space_syllables(texts: pl.Series) -> pl.Series:
    """Folded Chinese texts by sound, a blank behind each syllable: 楷飞 is `kai fei `."""
    return replace_characters(texts, load_syllables())
