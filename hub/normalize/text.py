"""Text that compares: width, script, case and punctuation made uniform (spec identity §5.2)."""

from functools import cache

import opencc
import polars as pl

from hub.normalize.words import list_words


@cache
def load_script_table() -> tuple[list[str], list[str]]:
    """Traditional characters and their simplified forms, one to one, from OpenCC's t2s dictionary."""
    characters = [chr(code) for start, end in ((0x3400, 0x4DC0), (0x4E00, 0xA000)) for code in range(start, end)]
    converted = opencc.OpenCC("t2s").convert("\n".join(characters)).split("\n")
    changed = [(old, new) for old, new in zip(characters, converted, strict=True) if old != new and len(new) == 1]
    return [old for old, _ in changed], [new for _, new in changed]


def fold_text(expression: pl.Expr) -> pl.Expr:
    """NFKC, simplified script, lower case, one kind of bracket and dash, single spaces; '' becomes null."""
    old, new = load_script_table()
    folded = (
        expression.cast(pl.String)
        .str.normalize("NFKC")
        .str.replace_many(old, new)
        .str.to_lowercase()
        .str.replace_all(r"[\[【〔〖{<《「『]", "(")
        .str.replace_all(r"[\]】〕〗}>》」』]", ")")
        .str.replace_all(r"[—–―‐‑−ー~]+", "-")
        .str.replace_all(r"[\s\u200b\ufeff·•・]+", " ")
        .str.strip_chars()
    )
    return pl.when(folded != "").then(folded)


def drop_placeholders(expression: pl.Expr) -> pl.Expr:
    """Null where a folded text says nothing."""
    return pl.when(~expression.is_in(list_words("placeholder"))).then(expression)


def map_distinct(series: pl.Series, mapped: pl.DataFrame, key: str) -> pl.DataFrame:
    """Spread a table about distinct values (its column `key`) over the rows of `series`, in their order."""
    return pl.DataFrame({key: series}).join(mapped, on=key, how="left", maintain_order="left")
