"""Numbers of types in titles: what tells a KDL-37XBR6 from a KDL-46XBR6 where all other words agree."""

import polars as pl

from hub.normalize.text import fold_texts

#: the part that find_models is for
MODELS = "models"
#: letters before a digit or on both sides of digits, or five digits; 500gb, 1080p and 1920x1080 are measures
_NUMBER = r"^(?:[a-z]+[0-9][a-z0-9]*|[0-9]+[a-z]+[0-9][a-z0-9]*|[0-9]{5,}[a-z]*)$"
#: so are pages 322-331
_MEASURE = r"^[0-9]+x[0-9]+|^[0-9./-]*[./-][0-9./-]*$"
_SHORTEST = 4


def find_models(values: pl.Series) -> pl.DataFrame:
    """model: the longest number of a type in a text; models: all of them by the alphabet. KDL-37XBR6 is kdl37xbr6."""
    text = fold_texts(values.cast(pl.String)).to_frame("text")
    tokens = pl.col("text").str.extract_all(r"[a-z0-9]+(?:[-/.][a-z0-9]+)*")
    tokens = tokens.list.eval(pl.element().filter(~pl.element().str.contains(_MEASURE)).str.replace_all("[-/.]", ""))
    is_number = pl.element().str.contains(_NUMBER) & (pl.element().str.len_chars() >= _SHORTEST)
    numbers = text.select(found=tokens.list.eval(pl.element().filter(is_number)).list.unique().list.sort())
    longest = pl.col("found").list.eval(pl.element().sort_by(pl.element().str.len_chars(), descending=True, maintain_order=True))
    return numbers.select(model=longest.list.first(), models=pl.col("found").list.join(" ").replace("", None))
