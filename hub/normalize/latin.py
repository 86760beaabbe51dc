"""Company names in Latin letters taken apart: place, trade name, industry, legal form, branch."""

from functools import cache
from importlib.resources import files

import polars as pl

from hub.normalize.generic import drop_accents
from hub.normalize.regions import load_regions
from hub.normalize.sound import spell
from hub.normalize.text import scatter
from hub.normalize.words import list_words, match_words

#: legal forms that stand before the name, and what stands for a firm there
_BEFORE = "sarl|sasu|sas|eurl|sci|snc|gmbh|ooo|zao|pt|fa|firma|ste|societe|주식회사|유한회사|주"
_OFFICE = "(?:sub )?branch(?: office)?|(?:rep|representative|liaison|sales|regional) office"
#: legal forms that are words as well, and end no company's name before its branch
_WORDS = ("the", "as", "se", "ab", "sa", "co")
_DOUBLE = "new|san|los|las|hong|kuala|abu|sao|st|saint|port|cape|tel|ho chi|north|south|east|west"
#: places whose names are read otherwise than their characters mostly are, or are written so abroad
_READ = {
    "厦门": ["xiamen"], "重庆": ["chongqing"], "佛山": ["foshan"], "成都": ["chengdu"], "昌都": ["changdu"], "长沙": ["changsha"],
    "长春": ["changchun"], "长治": ["changzhi"], "六安": ["luan"], "西藏": ["xizang", "tibet"], "蚌埠": ["bengbu"],
    "乐清": ["yueqing"], "番禺": ["panyu"], "喀什": ["kashi", "kashgar"], "和田": ["hetian", "hotan"], "陕西": ["shaanxi"],
    "哈尔滨": ["haerbin", "harbin"], "拉萨": ["lasa", "lhasa"], "乌鲁木齐": ["wulumuqi", "urumqi"],
    "呼和浩特": ["huhehaote", "hohhot"], "齐齐哈尔": ["qiqihaer", "qiqihar"], "香港": ["xianggang", "hong kong", "hongkong"],
    "澳门": ["aomen", "macau", "macao"], "台北": ["taibei", "taipei"], "高雄": ["gaoxiong", "kaohsiung"],
}  # fmt: skip
#: industry words that tell no two companies of a trade name apart
_NEUTRAL = ("group", "international", "holdings", "holding", "global", "inc", "partners", "associates", "enterprises")


#: words in Latin letters, one of them of three letters, and a text that is all in brackets
_PHRASE = r"(?:{long}(?: +{word})+|{word} +{long}(?: +{word})*)".format(
    long=r"\(?[a-z][a-z0-9&.,'’/-]{2,}\)?", word=r"\(?[a-z0-9&][a-z0-9&.,'’/-]*\)?"
)
_WRAPPED = r"^ *\(((?:[^()]|\([^()]*\))*)\) *$"


def drop_translation(text: pl.Expr) -> pl.Expr:
    """丰立天贸易有限公司 of `Fenglitian Trading Co., Ltd (丰立天贸易有限公司)`; TCL 科技 stays as it is."""
    left = text.str.replace_all(_PHRASE, " ").str.replace_all(r"\( *\)", " ").str.strip_chars(" .").str.replace(_WRAPPED, "$1")
    is_whole = left.str.contains(r"\p{Han}{4}") | left.str.contains(r"\p{Han}{2}") & ~left.str.contains("公司|集团|有限")
    return pl.when(is_whole).then(left).otherwise(text)


@cache
def load_spelled_cities() -> tuple[list[str], list[str | None], list[str | None]]:
    """Cities and provinces by sound, with their province and city; null where two sound alike (suzhou)."""
    table = load_regions()
    mostly = pl.concat_list(pl.lit(spell(table["name"])))
    read = pl.col("name").replace_strict(_READ, default=mostly, return_dtype=pl.List(pl.String))
    table = table.with_columns(sound=read).explode("sound").filter(pl.col("sound").str.len_chars() >= 4)
    alone = pl.col("name").count() == 1
    spelled = table.group_by("sound").agg(
        province=pl.when(alone).then(pl.col("province").first()), city=pl.when(alone).then(pl.col("city").first())
    )
    spelled = spelled.sort(pl.col("sound").str.len_chars(), "sound", descending=[True, False])
    return spelled["sound"].to_list(), spelled["province"].to_list(), spelled["city"].to_list()


def find_spelled(addresses: pl.Series) -> pl.DataFrame:
    """province, city of Chinese addresses in Latin letters, where they stand between commas: 8 Chunxi Road, Chengdu, Sichuan."""
    spelled, provinces, cities = load_spelled_cities()
    place = rf", *({'|'.join(spelled)})(?: (?:city|shi|province))?(?: [0-9]{{6}})? *(?:,|$)"
    found = addresses.to_frame("text").select(place=pl.col("text").str.extract(place))
    lookup = pl.DataFrame({"place": spelled, "province": provinces, "city": cities})
    return found.join(lookup, on="place", how="left", maintain_order="left").drop("place")


@cache
def load_short_words() -> tuple[list[str], list[str]]:
    """Words that names are written short by, and what each becomes: nothing, for words that others leave out."""
    table = pl.read_csv((files("hub") / "data" / "latin_words.csv").read_bytes()).fill_null("")
    return table["word"].to_list(), table["short"].to_list()


def _match_place() -> str:
    cities = "|".join(load_spelled_cities()[0])
    return rf"^({cities}) |\(({cities})\)"


@cache
def _find_place() -> pl.Expr:
    return pl.col("text").str.extract_groups(_match_place())


@cache
def _look_up_place() -> tuple[pl.Expr, pl.Expr]:
    """The province and the city of `place`."""
    spelled, provinces, cities = load_spelled_cities()
    province, city = (
        pl.col("place").replace_strict(spelled, side, default=None, return_dtype=pl.String) for side in (provinces, cities)
    )
    return province, city


def split_latin(frame: pl.DataFrame) -> pl.DataFrame:
    """Shanghai ABC Trading Co., Ltd. and ABC (Shanghai) Trading Limited have one key; ABC Trading Shanghai Branch is a branch."""
    frame = frame.with_columns(pl.col("text").str.replace(rf"^((?:[^ ]+ ){{0,3}}(?:{_OFFICE})) of (.+)$", "$2 $1"))
    frame = frame.with_columns(found=_find_place()).with_columns(
        place=pl.coalesce(pl.col("found").struct.field("1"), pl.col("found").struct.field("2"))
    )
    tokens = (
        drop_accents(
            pl.when(pl.col("place").is_not_null()).then(pl.col("text").str.replace(_match_place(), " ")).otherwise("text")
        )
        .str.replace_all("&", " and ")
        .str.replace_all(r"['’`.]", "")
        .str.replace_all(r"[^\p{L}\p{N}]+", " ")
        .str.strip_chars()
        # a name typed without blanks
        .str.replace(r"^([^ ]{4,}?)(holdings|group)?(limited|incorporated|corporation|inc|ltd)$", "$1 $2 $3")
        .str.replace("  ", " ", literal=True)
    )
    frame = _split_branch(frame.with_columns(tokens=tokens).with_columns(tokens=_join_letters(pl.col("tokens"))))
    legal = rf"(?:(?: and| und| et)?(?: (?:{match_words('latin_legal')}))+)+$"
    core = pl.col("head").str.replace(r"^the ", "").str.replace(rf"^(?:{_BEFORE}) (.{{3,}})$", "$1").str.replace(legal, "")
    brand = core.str.replace(rf"(?: (?:{match_words('latin_weak')}))+$", "")
    said = core.str.tail(core.str.len_chars() - brand.str.len_chars()).str.replace_all(rf" (?:{'|'.join(_NEUTRAL)})\b", "")
    key = pl.concat_str(pl.when(pl.col("place").is_not_null()).then(pl.col("place") + "|").otherwise(pl.lit("")), core)
    province, city = _look_up_place()
    return frame.with_columns(
        name_key=pl.when(pl.col("branch").is_not_null()).then(key + "|" + pl.col("branch")).otherwise(key),
        parent_key=pl.when(pl.col("branch").is_not_null()).then(key),
        has_legal=pl.col("head").str.contains(f"^(?:{_BEFORE}) |{legal}"),
        group_word=pl.col("head").str.contains(r"\b(?:group|holdings?)\b"),
        name_province=province,
        name_city=city,
        name_district=pl.lit(None, dtype=pl.String),
        core=core,
        brand=brand,
        name_industry=said.str.strip_chars(" ").replace("", None),
        sound=brand.str.replace_all(" ", "", literal=True),
        plain=core,
        is_bare=pl.lit(value=False),
        site=pl.lit(None, dtype=pl.String),
        words=_list_words(core),
    )


def _join_letters(tokens: pl.Expr) -> pl.Expr:
    """A legal form at the end that is written letter by letter as one word: philips n v."""
    forms = [word for word in list_words("latin_legal") if len(word) <= 4 and word.isascii()]
    letters = tokens.str.extract(r"[^ ]{2}((?: [a-z]){2,4})$")
    form = letters.str.replace_all(" ", "", literal=True)
    name = tokens.str.head(tokens.str.len_chars() - letters.str.len_chars())
    return pl.when(form.is_in(forms)).then(pl.concat_str(name, pl.lit(" "), form)).otherwise(tokens)


def _list_words(core: pl.Expr) -> pl.Expr:
    """The words of a name by the alphabet, each once, as they compare: Müller, Mueller, St Mary's and Saint Mary are alike."""
    plain = core.str.replace_all(r"\b(child|day|health|home) care\b", "${1}care")
    plain = (
        plain.str.replace_all("([ao])e", "$1").str.replace_all("([^jqxy ])ue", "${1}u").str.replace_all(r"(\w{2}[^s ])s\b", "$1")
    )
    words = plain.str.split(" ").list.eval(pl.element().replace(*load_short_words()))
    words = words.list.eval(pl.element().filter(pl.element() != ""))
    kept = pl.when(words.list.len() > 0).then(words).otherwise(plain.str.split(" "))
    return kept.list.unique().list.sort().list.join(" ")


@cache
def _find_branch() -> tuple[pl.Expr, pl.Expr]:
    legal = "|".join(word for word in list_words("latin_legal") if word not in _WORDS)
    registered = pl.col("tokens").str.extract_groups(
        rf"^(?P<head>.+?(?: co)?(?: (?:{legal}))+)(?P<branch>(?: \S+){{0,4}} (?:{_OFFICE}))$"
    )
    short = pl.col("tokens").str.extract_groups(rf"^(?P<head>.{{3,}}?)(?P<branch> (?:(?:{_DOUBLE}) )?\S+ (?:{_OFFICE}))$")
    return registered, short


def _split_branch(frame: pl.DataFrame) -> pl.DataFrame:
    """`head` and `branch` (null: none) of `tokens`: acme trading co ltd shanghai branch, hsbc bank new york branch."""
    registered, short = _find_branch()
    ends = frame["tokens"].str.contains(rf" (?:{_OFFICE})$").fill_null(value=False)
    sides = ("registered", "short")
    found = (
        frame.filter(ends)
        .select(registered=registered, short=short)
        .select(
            found_head=pl.coalesce(*(pl.col(side).struct.field("head") for side in sides)),
            branch=pl.coalesce(*(pl.col(side).struct.field("branch") for side in sides))
            .str.strip_chars(" ")
            .str.replace("branch office", "branch"),
        )
        .with_columns(pl.when(pl.col("found_head") != "the").then(pl.all()))
    )
    return scatter(frame, ends, found).with_columns(head=pl.coalesce("found_head", "tokens")).drop("found_head")
