"""Names of persons, Chinese and Western, in one column or in two."""

import polars as pl

from hub.normalize.contact import is_firm, split_person_names
from hub.normalize.generic import clean_words, drop_silent
from hub.normalize.text import fold_text, fold_texts, scatter

_SUFFIXES = "jr|sr|ii|iii|iv|phd|md|dr|mr|mrs|ms|miss|prof|sir"


def parse_person_name(values: pl.Series) -> pl.DataFrame:
    """main: the full name, null where only a surname is known; surname; given; sorted: its words by the alphabet.

    `Smith, John` is read as John Smith. Of a Chinese name the surname is the first character, or a double surname.
    """
    raw = values.cast(pl.String).alias("raw")
    han = raw.str.contains(r"\p{Han}")
    other = (~han).fill_null(value=False)
    frame = scatter(split_person_names(values).with_columns(is_han=han), other, _read_western(raw.filter(other)))
    full = pl.when("is_han").then("full").otherwise("western")
    frame = frame.with_columns(full=pl.when(full.str.len_chars() >= 2).then(full))
    return frame.select(
        pl.col("full").alias(""),
        surname=pl.when("is_han").then("surname").otherwise(pl.col("full").str.extract(r"(\S+)$")),
        given=pl.when("is_han")
        .then(pl.col("full").str.slice(pl.col("surname").str.len_chars()))
        .otherwise(pl.col("full").str.extract(r"^(\S+) ")),
        sorted=pl.col("full").str.split(" ").list.sort().list.join(" "),
        called=pl.when("is_han").then("called").otherwise("full"),
    )


def _read_western(names: pl.Series) -> pl.DataFrame:
    commas = pl.col("folded").str.replace(r"^([^,]+),\s*(.+)$", "$2 $1")
    commas = pl.when(~is_firm(commas)).then(commas)
    words = clean_words(commas).str.replace_all(rf"\b(?:{_SUFFIXES})\b", "").str.replace_all(" +", " ").str.strip_chars()
    said = drop_silent(commas).is_not_null()
    return fold_texts(names).to_frame("folded").select(western=drop_silent(pl.when(said).then(words)))


def clean_single_name(values: pl.Expr) -> pl.Expr:
    """A given name or a surname as compared: letters only, words between single spaces."""
    words = clean_words(drop_silent(fold_text(values))).str.replace_all(r"[0-9]", "").str.strip_chars()
    return pl.when(words != "").then(words)


def join_names(given: pl.Series, surname: pl.Series) -> pl.DataFrame:
    """The parts of parse_person_name from two columns; the main part is null where either is missing."""
    frame = pl.DataFrame({"g": given.cast(pl.String), "s": surname.cast(pl.String)}).select(
        given=clean_single_name(pl.col("g")), surname=clean_single_name(pl.col("s"))
    )
    full = pl.concat_str("given", pl.lit(" "), "surname")
    return frame.select(
        full.alias(""),
        "surname",
        "given",
        sorted=full.str.split(" ").list.sort().list.join(" "),
        given_start=pl.col("given").str.slice(0, 3),
        surname_start=pl.col("surname").str.slice(0, 4),
    )
