"""Level tests of Chinese characters, and of names in two scripts, on frames with a value in `a` and in `b`."""

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.normalize.sound import match_spelling

Floats = npt.NDArray[np.float64]


def reorder_characters(frame: pl.DataFrame) -> Floats:
    """1 where both have the same Chinese characters."""
    held = np.zeros(frame.height)
    is_long = pl.col("a").str.contains(r"\p{Han}.*\p{Han}") & pl.col("b").str.contains(r"\p{Han}")
    rows = np.flatnonzero(frame.select(is_long).to_series().to_numpy())
    a, b = pl.col("a"), pl.col("b")
    left, right = (side.str.extract_all(r"\p{Han}").list.sort() for side in (a, b))
    held[rows] = frame[rows].select((left == right) & (a.str.len_chars() == b.str.len_chars())).to_series().to_numpy()
    return held


def find_spelled(frame: pl.DataFrame) -> Floats:
    """1 where one spells the Chinese characters of the other."""
    held = np.zeros(frame.height)
    first, second = frame.select(pl.col("a", "b").str.contains(r"\p{Han}")).get_columns()
    rows = np.flatnonzero((first != second).to_numpy())
    a, b, is_han = frame["a"][rows], frame["b"][rows], first[rows]
    held[rows] = match_spelling(a.zip_with(is_han, b), b.zip_with(is_han, a)).to_numpy()
    return held


def differ_in_script(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """Whether one alone is in Chinese characters, kana or hangul."""
    left, right = (side.str.contains(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]") for side in (a, b))
    return left != right
