"""Text, names of things, codes, numbers and categories of any table; each function takes raw values, '' is the main part."""

import polars as pl

from hub.normalize.text import fold_texts, undo_spreadsheet
from hub.normalize.words import list_words


def drop_silent(folded: pl.Expr, keep_short: bool = False) -> pl.Expr:
    """Null where a folded value says nothing; `keep_short` leaves letters and digits alone that may be a value: 1, x, 123."""
    words = [*list_words("placeholder"), *list_words("silent")]
    if keep_short:
        words = [word for word in words if len(word) > 3 or not word.isalnum() or not word.isascii() or word in ("n/a", "nil")]
    return folded.replace([*words, ""], None)


def drop_accents(expression: pl.Expr) -> pl.Expr:
    """Letters without their accents; ß is ss. Kana and hangul stay whole."""
    bare = expression.str.normalize("NFKD").str.replace_all(r"[\x{0300}-\x{036f}]", "").str.normalize("NFC")
    return bare.str.replace_all("ß", "ss", literal=True)


def clean_words(expression: pl.Expr) -> pl.Expr:
    """Folded words between single spaces: no accents, no punctuation, `&` as and, O'Neil as oneil."""
    return (
        drop_accents(expression)
        .str.replace_all("&", " and ")
        .str.replace_all(r"['’`.]", "")
        .str.replace_all(r"[^\p{L}\p{N}]+", " ")
        .str.strip_chars()
    )


def _null_empty(expression: pl.Expr) -> pl.Expr:
    return expression.replace("", None)


def pick_longest(words: pl.Expr) -> pl.Expr:
    """The two longest words of a text, by the alphabet."""
    by_length = pl.element().sort_by([pl.element().str.len_chars(), pl.element()], descending=True)
    return words.str.split(" ").list.eval(by_length).list.head(2).list.sort().list.join(" ")


def parse_text(values: pl.Series) -> pl.DataFrame:
    """main: cleaned words; first: the first word; long: the two longest words, in order of the alphabet."""
    frame = pl.DataFrame({"raw": fold_texts(values.cast(pl.String))}).select(text=drop_silent(pl.col("raw")))
    frame = frame.select(_null_empty(clean_words(pl.col("text"))).alias(""))
    return frame.with_columns(
        first=pl.col("").str.extract(r"^(\S+)"),
        long=pl.when(pl.col("").str.contains(" ")).then(pick_longest(pl.col(""))),
    )


def parse_name(values: pl.Series) -> pl.DataFrame:
    """main: cleaned words but for the, and; sorted: the words by the alphabet; first; prefix: 4 characters; long: as of text."""
    frame = pl.DataFrame({"raw": fold_texts(values.cast(pl.String))}).select(text=drop_silent(pl.col("raw")))
    frame = frame.select(text=_null_empty(clean_words(pl.col("text"))))
    bare = pl.concat_str(pl.lit(" "), "text", pl.lit(" ")).str.replace_all(" (?:and|the) ", " ").str.strip_chars()
    frame = frame.select(pl.coalesce(_null_empty(bare), "text").alias(""))
    words = pl.col("").str.split(" ")
    return frame.with_columns(
        sorted=words.list.sort().list.join(" "),
        first=pl.col("").str.extract(r"^(\S+)"),
        prefix=pl.when(pl.col("").str.len_chars() >= 4).then(pl.col("").str.replace_all(" ", "").str.slice(0, 4)),
        long=pl.when(pl.col("").str.contains(" ")).then(pick_longest(pl.col(""))),
    )


def parse_code(values: pl.Series) -> pl.DataFrame:
    """main: letters and digits in upper case, M8×20 as M8X20; null for fillers such as 00000 and single characters repeated."""
    folded = drop_silent(pl.col("raw"), keep_short=True)
    code = (
        folded.str.replace_all(r"([0-9])\s*[×*]\s*([0-9])", "${1}X$2").str.to_uppercase().str.replace_all(r"[^0-9A-Z\p{Han}]", "")
    )
    # the regex engine has no back references: a repeated character is what its first character leaves empty
    repeated = code.str.strip_chars(code.str.slice(0, 1)) == ""
    filler = repeated & (code.str.len_chars() >= 4) | code.is_in(["123456", "1234567", "12345678", "123456789", "1234567890"])
    return pl.DataFrame({"raw": fold_texts(undo_spreadsheet(values.cast(pl.String)))}).select(
        pl.when(~filler & (code != "")).then(code).alias("")
    )


def parse_number(values: pl.Series) -> pl.DataFrame:
    """main: the number as plain text, without currency, thousands separators and trailing zeros."""
    text = pl.col("raw").str.normalize("NFKC").str.replace_all(r"[,\s]", "").str.extract(r"^[^0-9.+-]{0,4}([+-]?[0-9]*\.?[0-9]+)")
    number = text.cast(pl.Float64, strict=False)
    plain = (
        pl.when(number == number.round(0))
        .then(number.cast(pl.Int64, strict=False).cast(pl.String))
        .otherwise(number.cast(pl.String))
    )
    return pl.DataFrame({"raw": values}).select(plain.alias(""))


def parse_category(values: pl.Series) -> pl.DataFrame:
    """main: folded text, as it is typed otherwise."""
    folded = drop_silent(pl.col("raw"), keep_short=True)
    return pl.DataFrame({"raw": fold_texts(values.cast(pl.String))}).select(_null_empty(clean_words(folded)).alias(""))


def parse_zip(values: pl.Series) -> pl.DataFrame:
    """main: letters and digits, a US ZIP+4 without its last four; area: all but the last two characters."""
    text = drop_silent(pl.col("raw"), keep_short=True).str.to_uppercase().str.replace(r"\.0$", "")
    code = text.str.replace(r"^([0-9]{5})-[0-9]{4}$", "$1").str.replace_all(r"[^0-9A-Z]", "")
    filler = code.str.contains(r"^0+$|^9{5,}$") | (code.str.len_chars() < 3)
    frame = pl.DataFrame({"raw": fold_texts(values.cast(pl.String))}).select(pl.when(~filler).then(code).alias(""))
    return frame.with_columns(area=pl.col("").str.head(-2))


def parse_place(values: pl.Series) -> pl.DataFrame:
    """main: a town's or region's name as compared; first: its first four letters."""
    folded = drop_silent(pl.col("raw"))
    words = clean_words(folded).str.replace(r"^(?:city|town|county) of ", "").str.replace_all(r"\bst\b", "saint")
    han = words.str.replace_all(r"^(\p{Han}{2,})(?:省|市|区|县)$", "$1")
    frame = pl.DataFrame({"raw": fold_texts(values.cast(pl.String))}).select(_null_empty(han).alias(""))
    return frame.with_columns(first=pl.col("").str.slice(0, 4))
