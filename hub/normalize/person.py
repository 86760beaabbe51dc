"""Names of persons, Chinese and Western, in one column or in two."""

from functools import cache
from importlib.resources import files

import polars as pl

from hub.normalize.contact import is_firm, split_person_names
from hub.normalize.generic import clean_words, drop_silent
from hub.normalize.sound import space_names, split_pinyin
from hub.normalize.text import fold_texts, replace_rows, scatter

_SUFFIXES = "jr|sr|ii|iii|iv|phd|md|dr|mr|mrs|ms|miss|prof|sir"

#: beside the main part
PARTS = ("surname", "given", "sorted", "called", "formal", "rough", "whole")


def parse_person_name(values: pl.Series) -> pl.DataFrame:
    """main: the full name, null where only a surname is known; surname; given; sorted: its words by the alphabet; formal: these,
    Robert for Bob; rough: what misspelling mostly leaves of formal, in any order: how Chinese characters sound, pinyin by its
    syllables, how other words begin; whole: 1, and 0 of 王总.

    `Smith, John` is read as John Smith. Of a Chinese name the surname is the first character, or a double surname.
    """
    raw = values.cast(pl.String).alias("raw")
    han = raw.str.contains(r"\p{Han}")
    other = (~han).fill_null(value=False)
    frame = scatter(split_person_names(values).with_columns(is_han=han), other, _read_western(raw.filter(other)))
    full = pl.when("is_han").then("full").otherwise("western")
    frame = frame.with_columns(full=pl.when(full.str.len_chars() >= 2).then(full))
    formal = pl.col("full").str.split(" ").list.eval(pl.element().replace(load_nicknames()))
    frame = frame.with_columns(formal=formal.list.join(" "))
    return frame.select(
        pl.col("full").alias(""),
        surname=pl.when("is_han").then("surname").otherwise(pl.col("full").str.extract(r"(\S+)$")),
        given=pl.when("is_han")
        .then(pl.col("full").str.slice(pl.col("surname").str.len_chars()))
        .otherwise(pl.col("full").str.extract(r"^(\S+) ")),
        sorted=_sort_words(pl.col("full")),
        called=pl.when("is_han").then("called").otherwise("full"),
        formal=_sort_words(pl.col("formal")),
        rough=_roughen(frame["formal"]),
        whole=pl.when(pl.coalesce("called", "full").is_not_null()).then(pl.col("full").is_not_null().cast(pl.Int8)),
    )


@cache
def load_nicknames() -> dict[str, str]:
    """The names that English nicknames and other spellings stand for, where they stand for one."""
    return dict(pl.read_csv((files("hub") / "data" / "nicknames.csv").read_bytes()).iter_rows())


def _roughen(names: pl.Series) -> pl.Series:
    is_han = names.str.contains(r"\p{Han}").fill_null(value=False)
    pinyin = split_pinyin(names)
    starts = names.str.replace(r" .* ", " ").str.replace_all(r"([^ ]{3})[^ ]+", "$1")
    starts = starts.zip_with(pinyin.is_null(), pinyin)
    words = replace_rows(starts, is_han, space_names(names.filter(is_han)))
    return words.to_frame("words").select(_sort_words(pl.col("words").str.strip_chars())).to_series()


def _sort_words(text: pl.Expr) -> pl.Expr:
    # list.sort() takes 17 times as long
    return text.str.split(" ").list.eval(pl.element().sort()).list.join(" ")


def _read_western(names: pl.Series) -> pl.DataFrame:
    commas = pl.col("folded").str.replace(r"^([^,]+),\s*(.+)$", "$2 $1")
    commas = pl.when(~is_firm(commas)).then(commas)
    words = clean_words(commas).str.replace_all(rf"\b(?:{_SUFFIXES})\b", "").str.replace_all(" +", " ").str.strip_chars()
    said = drop_silent(commas).is_not_null()
    return fold_texts(names).to_frame("folded").select(western=drop_silent(pl.when(said).then(words)))


def _clean_single_name(folded: pl.Expr) -> pl.Expr:
    """A given name or a surname as compared: letters only, words between single spaces."""
    words = clean_words(drop_silent(folded)).str.replace_all(r"[0-9]", "").str.strip_chars()
    return pl.when(words != "").then(words)


def join_names(given: pl.Series, surname: pl.Series) -> pl.DataFrame:
    """The parts of parse_person_name from two columns, and how both begin; the main part and what is sorted are null where
    either is missing. shown: both as they are written."""
    written = pl.DataFrame({"g": given.cast(pl.String), "s": surname.cast(pl.String)})
    folded = pl.DataFrame({"g": fold_texts(written["g"]), "s": fold_texts(written["s"])})
    frame = folded.select(given=_clean_single_name(pl.col("g")), surname=_clean_single_name(pl.col("s")))
    is_han = pl.col("s").str.contains(r"\p{Han}").fill_null(value=False)
    together = pl.concat_str("s", "g", ignore_nulls=True)
    joined = pl.when(is_han).then(together).otherwise(pl.concat_str("g", "s", separator=" ", ignore_nulls=True))
    shown = written.select(shown=joined.str.strip_chars()).select(pl.when(pl.col("shown") != "").then("shown")).to_series()
    parsed = parse_person_name(shown)
    full = pl.concat_str("given", pl.lit(" "), "surname")
    return frame.select(
        full.alias(""),
        "surname",
        "given",
        sorted=full.str.split(" ").list.sort().list.join(" "),
        given_start=pl.col("given").str.slice(0, 3),
        surname_start=pl.col("surname").str.slice(0, 4),
    ).with_columns(parsed["called"], parsed["formal"], parsed["rough"], parsed["whole"], shown)
