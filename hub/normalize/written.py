"""A folded text as it was written: in its case and script."""

import polars as pl

from hub.normalize.text import replace_rows

_BLANKS = r"\s\s+|[^\S ]|[\u200b\ufeff]+"


def show_as_written(raw: pl.Series, folded: pl.Series, kept: pl.Series) -> pl.Series:
    """What was kept of each folded text, as the raw text has it, blanks and width tidied.

    Where what was cut away cannot be told apart in the raw text, the folded text stands.
    """
    frame = pl.DataFrame({"raw": raw, "folded": folded, "kept": kept})
    is_whole = (pl.col("folded") == pl.col("kept")) | (pl.col("folded") == pl.col("kept") + ".")
    whole = frame.select((is_whole & (pl.col("raw") != pl.col("kept"))).fill_null(value=False)).to_series()
    cut = frame.select((~is_whole).fill_null(value=False)).to_series()
    written = pl.col("raw").str.normalize("NFKC").str.replace_all(_BLANKS, " ").str.strip_chars(" ")
    pieces = pl.col("folded").str.splitn(pl.col("kept"), 2)
    aligned = (pl.col("written").str.len_chars() == pl.col("folded").str.len_chars()) & pieces.struct.field(
        "field_1"
    ).is_not_null()
    part = pl.col("written").str.slice(pieces.struct.field("field_0").str.len_chars(), pl.col("kept").str.len_chars())
    shown = replace_rows(kept, whole, frame.filter(whole).select(written).to_series())
    parts = frame.filter(cut).with_columns(written=written).select(pl.when(aligned).then(part).otherwise("kept"))
    return replace_rows(shown, cut, parts.to_series())
