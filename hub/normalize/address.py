"""Street addresses, English and Chinese: one spelling for what is often abbreviated, and the numbers apart."""

from collections.abc import Sequence

import polars as pl

from hub.normalize.generic import clean_words, drop_silent
from hub.normalize.latin import find_spelled
from hub.normalize.regions import find_start
from hub.normalize.text import fold_texts, scatter

_FORMS = {
    "street": "st", "str": "st", "strasse": "st", "straat": "st", "r": "rue", "bd": "blvd",
    "avenue": "ave", "av": "ave", "boulevard": "blvd", "blv": "blvd", "boul": "blvd", "road": "rd",
    "drive": "dr", "drv": "dr", "lane": "ln", "place": "pl", "court": "ct", "crt": "ct", "circuit": "cct", "circle": "cir",
    "crescent": "cres", "square": "sq", "highway": "hwy", "parkway": "pkwy", "pky": "pkwy", "terrace": "ter", "terr": "ter",
    "close": "cl", "plaza": "plz", "expressway": "expy", "center": "ctr", "centre": "ctr", "building": "bldg", "floor": "fl",
    "suite": "ste", "apartment": "apt", "room": "rm", "unit": "apt", "saint": "st", "mount": "mt", "fort": "ft",
    "north": "n", "south": "s", "east": "e", "west": "w", "northeast": "ne", "northwest": "nw", "southeast": "se",
    "southwest": "sw", "first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th", "sixth": "6th",
    "seventh": "7th", "eighth": "8th", "ninth": "9th", "tenth": "10th",
}  # fmt: skip
#: left out of the core: a third of all lists leave out the kind of street or its direction
_WEAK = "st|ave|rue|blvd|rd|dr|ln|pl|ct|cct|cir|cres|sq|hwy|pkwy|ter|cl|plz|expy|way|n|s|e|w|ne|nw|se|sw"

#: a part of a house: unit 8, flat b, 2nd floor
_UNIT = r"\b(?:(?:apt|ste|rm|fl|flat|level|lot) ([a-z]?[0-9]{1,4}[a-z]?|[a-z])|([0-9]+)(?:st|nd|rd|th) fl)\b"

#: beside the main part
PARTS = ("unit", "number", "core", "door", "house", "street", "postcode", "province", "city")


def parse_address(values: pl.Series) -> pl.DataFrame:
    """main: words in their short forms; unit: 8 of unit 8, 322 Church Lane, without which all but main are; number: the first
    number; core: number and name of the street alone; door: core where it is in other letters than Chinese and has a number;
    house: number there; street: longest word there; postcode;
    province, city: of China, at the start, or behind a comma where they are spelled."""
    folded = fold_texts(values.cast(pl.String))
    frame = pl.DataFrame({"text": folded}).with_row_index("row").with_columns(drop_silent(pl.col("text")))
    is_han = pl.col("text").str.contains(r"\p{Han}").fill_null(value=False)
    others = frame.filter(~is_han)
    parsed = _parse_han(frame.filter(is_han))
    # a list without any spares their patterns, a tenth of what a small addition costs to parse
    parsed = pl.concat([parsed, _parse_words(others)]) if others.height else parsed
    return parsed.sort("row").drop("row")


def join_address(lines: Sequence[pl.Series]) -> pl.DataFrame:
    """The parts of parse_address from the lines of an address; shown: the lines as one."""
    whole = pl.select(pl.concat_str([pl.lit(line.cast(pl.String)) for line in lines], separator=" ", ignore_nulls=True))
    shown = whole.to_series().str.replace_all(r"\s+", " ").str.strip_chars()
    return parse_address(shown).with_columns(shown=pl.when(pl.lit(shown) != "").then(pl.lit(shown)))


def _parse_han(frame: pl.DataFrame) -> pl.DataFrame:
    """中山路12号3楼: what ends a part of a Chinese address ends a word; the core is the street with its number."""
    frame = frame.with_columns(flat=pl.col("text").str.replace_all(r"[^\p{L}\p{N}]+", ""))
    spaced = pl.col("flat").str.replace_many({end: f"{end} " for end in "省市区县镇路街道号弄巷栋幢楼室"}).str.strip_chars()
    # what stands before is a district's: 西湖区文三路90号
    street = r"([\p{Han}--[省市区县镇乡]]{2,4}[路街道巷弄] ?[0-9]+)"
    # 珠江路291号 lies in 新街口街道
    core = pl.col("text").str.replace(r"街道(\p{Han})", "街道 $1").str.extract(street).str.replace(" ", "", literal=True)
    return frame.select(
        "row",
        _null_empty(spaced).alias(""),
        unit=pl.lit(None, dtype=pl.String),
        number=pl.col("text").str.extract(r"([0-9]+)"),
        core=core,
        door=pl.lit(None, dtype=pl.String),
        house=pl.lit(None, dtype=pl.String),
        street=pl.lit(None, dtype=pl.String),
        postcode=pl.col("text").str.extract(r"\b([1-9][0-9]{5})$"),
        **find_start(frame["flat"]).to_dict(),
    )


def _parse_words(frame: pl.DataFrame) -> pl.DataFrame:
    # 322 Church Lane #8
    text = pl.col("text").str.replace("([0-9].*)#", "$1 apt ")
    # Goethestr. is Goethestrasse
    apart = clean_words(text).str.replace_all(r"(\p{L}{2})(?:strasse|straat|str)\b", "$1 st")
    frame = frame.with_columns(spaced=apart)
    words = pl.col("spaced").str.split(" ").list.eval(pl.element().replace(list(_FORMS), list(_FORMS.values())))
    frame = frame.with_columns(main=words.list.join(" ").str.replace(r"\b(apt|ste|rm|fl|flat|level|lot) apt\b", "$1"))
    frame = _cut_unit(frame)
    padded = pl.concat_str(pl.lit(" "), "house", pl.lit(" ")).str.replace_all(" ", "  ")
    core = (
        padded.str.replace_all(rf" (?:{_WEAK}) ", " ")
        .str.replace_all(r" ([0-9]+)(?:st|nd|rd|th) ", " $1 ")
        .str.replace_all(" +", " ")
    )
    core = pl.when(core.str.strip_chars().str.len_chars() >= 4).then(core.str.strip_chars())
    return frame.select(
        "row",
        _null_empty(pl.col("main")).alias(""),
        "unit",
        number=pl.col("house").str.extract(r"([0-9]+)"),
        core=core,
        door=pl.when(pl.col("house").str.contains(r"[0-9]")).then(core),
        house=pl.col("house").str.extract(r"([0-9]+)"),
        street=_pick_street(core),
        postcode=pl.col("main").str.extract(r"\b([0-9]{5,6})$"),
        **find_spelled(frame["text"]).to_dict(),
    )


def _cut_unit(frame: pl.DataFrame) -> pl.DataFrame:
    """`house`: main without a unit, and `unit`, where a number is left: unit 8, Church Lane has no other."""
    may = frame["main"].str.contains(_UNIT).fill_null(value=False)
    found = frame.filter(may).select(
        house=pl.col("main").str.replace_all(_UNIT, ""),
        unit=pl.coalesce(pl.col("main").str.extract(_UNIT, group) for group in (1, 2)),
    )
    frame = scatter(frame, may, found.select(pl.when(pl.col("house").str.contains("[0-9]")).then(pl.all())))
    return frame.with_columns(house=pl.coalesce("house", "main"))


def _pick_street(core: pl.Expr) -> pl.Expr:
    """The longest word of five letters and more, the first of several."""
    words = core.str.extract_all(r"[\p{L}]{5,}")
    return words.list.get(words.list.eval(pl.element().str.len_chars()).list.arg_max(), null_on_oob=True)


def _null_empty(expression: pl.Expr) -> pl.Expr:
    return expression.replace("", None)
