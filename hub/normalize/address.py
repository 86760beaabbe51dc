"""Street addresses, English and Chinese: one spelling for what is often abbreviated, and the numbers apart."""

import polars as pl

from hub.normalize.generic import clean_words, drop_silent
from hub.normalize.text import fold_text

_FORMS = {
    "street": "st", "str": "st", "avenue": "ave", "av": "ave", "boulevard": "blvd", "blv": "blvd", "boul": "blvd", "road": "rd",
    "drive": "dr", "drv": "dr", "lane": "ln", "place": "pl", "court": "ct", "crt": "ct", "circuit": "cct", "circle": "cir",
    "crescent": "cres", "square": "sq", "highway": "hwy", "parkway": "pkwy", "pky": "pkwy", "terrace": "ter", "terr": "ter",
    "close": "cl", "plaza": "plz", "expressway": "expy", "center": "ctr", "centre": "ctr", "building": "bldg", "floor": "fl",
    "suite": "ste", "apartment": "apt", "room": "rm", "unit": "apt", "saint": "st", "mount": "mt", "fort": "ft",
    "north": "n", "south": "s", "east": "e", "west": "w", "northeast": "ne", "northwest": "nw", "southeast": "se",
    "southwest": "sw", "first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th", "sixth": "6th",
    "seventh": "7th", "eighth": "8th", "ninth": "9th", "tenth": "10th",
}  # fmt: skip
#: left out of the core: a third of all lists leave out the kind of street or its direction
_WEAK = "st|ave|blvd|rd|dr|ln|pl|ct|cct|cir|cres|sq|hwy|pkwy|ter|cl|plz|expy|way|n|s|e|w|ne|nw|se|sw"


def parse_address(values: pl.Series) -> pl.DataFrame:
    """main: words in their short forms; number: the first number; core: number and name of the street alone; postcode."""
    frame = pl.DataFrame({"raw": values}).select(raw="raw", text=drop_silent(fold_text(pl.col("raw"))))
    # 中山路12号3楼: numbers and what ends a part of a Chinese address stand apart as words do
    spaced = clean_words(
        pl.col("text")
        .str.replace_all(r"(\p{Han})(\d)", "$1 $2")
        .str.replace_all(r"(省|市|区|县|镇|路|街|道|号|弄|巷|栋|幢|楼|室)", "$1 ")
    )
    frame = frame.with_columns(spaced=spaced)
    words = pl.col("spaced").str.split(" ").list.eval(pl.element().replace(list(_FORMS), list(_FORMS.values())))
    frame = frame.with_columns(main=words.list.join(" "))
    padded = pl.concat_str(pl.lit(" "), "main", pl.lit(" ")).str.replace_all(" ", "  ")
    core = (
        padded.str.replace_all(rf" (?:{_WEAK}) ", " ")
        .str.replace_all(r" (\d+)(?:st|nd|rd|th) ", " $1 ")
        .str.replace_all(" +", " ")
    )
    return frame.select(
        pl.when(pl.col("main") != "").then("main").alias(""),
        number=pl.col("main").str.extract(r"(\d+)"),
        core=pl.when(core.str.strip_chars().str.len_chars() >= 4).then(core.str.strip_chars()),
        postcode=pl.col("main").str.extract(r"\b(\d{5,6})$"),
    )
