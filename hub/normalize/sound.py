"""How Chinese characters sound: pinyin without tones, for names typed by sound (hub/data/pinyin.csv, made from pypinyin, MIT)."""

from functools import cache
from importlib.resources import files

import polars as pl

from hub.normalize.text import replace_characters
from hub.normalize.words import match_words

#: surnames that sound otherwise than the character mostly does
_SURNAMES = {
    "曾": "zeng", "单": "shan", "仇": "qiu", "解": "xie", "查": "zha", "区": "ou", "乐": "yue", "朴": "piao", "翟": "zhai",
    "缪": "miao", "覃": "qin",
}  # fmt: skip
#: 吕 is Lü, Lv, Lu and Lyu
_UMLAUT = r"([ln])[vü]|(l)yu|\b(n)yu"


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


def space_names(names: pl.Series) -> pl.Series:
    """Folded Chinese names by sound, 曾 as a surname is read: 曾楷飞 is `zeng kai fei `."""
    first = names.str.slice(0, 1).replace({character: f"{sound} " for character, sound in _SURNAMES.items()})
    return _spell_plainly(space_syllables(first + names.str.slice(1)))


def split_pinyin(names: pl.Series) -> pl.Series:
    """Folded names in pinyin, syllable by syllable: yanjie gao is `yan jie gao `. Null for others."""
    plain, syllable = _spell_plainly(names), _match_syllable()
    is_pinyin = plain.str.contains(f"^(?:(?:{syllable})+(?: |$))+$")
    spaced = plain.to_frame("name").select(
        pl.when(pl.lit(is_pinyin)).then(pl.col("name").str.replace_all(syllable, "$0 ").str.replace_all(" +", " "))
    )
    return spaced.to_series()


def match_spelling(han: pl.Series, letters: pl.Series) -> pl.Series:
    """Whether letters spell the whole Chinese name beside them, the surname first or last, syllables joined or not."""
    characters = space_names(han).str.strip_chars().str.split(" ")
    n = han.str.extract(f"^({match_words('double_surname')})").str.len_chars().fill_null(1)
    frame = pl.DataFrame({"all": characters, "n": n, "typed": _spell_plainly(letters).str.replace_all(" ", "", literal=True)})
    surname, given = (side.list.join("") for side in (pl.col("all").list.head("n"), pl.col("all").list.slice("n")))
    is_whole = pl.col("all").list.len() > pl.col("n")
    return frame.select(is_whole & ((pl.col("typed") == surname + given) | (pl.col("typed") == given + surname))).to_series()


@cache
def _match_syllable() -> str:
    sounds = {sound.replace("v", "u") for sound in load_sounds().values()}
    return "|".join(sorted(sounds, key=lambda sound: (-len(sound), sound)))


def _spell_plainly(letters: pl.Series) -> pl.Series:
    return letters.str.replace_all(_UMLAUT, "${1}${2}${3}u")
