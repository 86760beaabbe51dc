"""Company names taken apart: region, trade name (字号), industry, group word, legal form, branch (spec §5.1-5.2)."""

import polars as pl

from hub.normalize.regions import build_prefix_pattern, build_region_patterns, load_regions
from hub.normalize.text import drop_placeholders, fold_text
from hub.normalize.words import ABBREVIATIONS, INDUSTRY_FORMS, list_words, match_words

#: a remark that ends so is a company, whatever it starts with
_COMPANY_END = "(?:公司|集团|科技|厂|行|院|店|中心|电子|机械|设备|贸易|实业|工业)$"

#: columns of parse_company_names
NAME_FIELDS = [
    "name_display",
    "name_text",
    "name_key",
    "parent_key",
    "is_han",
    "has_legal",
    "group_word",
    "branch",
    "name_province",
    "name_city",
    "core",
    "brand",
    "name_industry",
    "remark_person",
]


def _strip_notes(folded: pl.Expr) -> pl.Expr:
    text = folded.str.replace_all(rf"\((?:{match_words('note')})\)", "").str.replace_all(
        rf"[-_ /]+(?:{match_words('note')})$", ""
    )
    text = text.str.replace(r"^(?:\*?st|s\*?st|sst|xd|xr|dr)(\p{Han})", "$1")
    text = text.str.replace(r"(\p{Han})(?:-?(?:a|b|h|w|u|sw))$", "$1")
    return text.str.strip_chars(" -_,.;:/|'\"?!。，；、")


def _match_person() -> str:
    surname, title = f"[{''.join(list_words('surname'))}]", f"(?:{match_words('title')})"
    return rf"(?:{surname}\p{{Han}}{{0,2}}|\p{{Han}}){title}|{surname}\p{{Han}}{{1,2}}"


def _split_remark(frame: pl.DataFrame) -> pl.DataFrame:
    """`公司-姓名` and `姓名-公司` remarks: the company in `text`, the person in `remark_person`."""
    person = _match_person()
    titled = rf"^\p{{Han}}{{1,3}}(?:{match_words('title')})$"
    after = pl.col("text").str.extract_groups(rf"^(?P<company>.*\p{{Han}}.+?)[-_ /|:,、]+(?P<person>{person})$")
    before = pl.col("text").str.extract_groups(rf"^(?P<person>{person})[-_ /|:,、]+(?P<company>.*\p{{Han}}.+)$")
    frame = frame.with_columns(after=after, before=before)

    def is_company(side: str) -> pl.Expr:
        found = pl.col(side).struct.field("person")
        return found.is_not_null() & ~found.str.contains(_COMPANY_END)

    return frame.with_columns(
        text=pl.when(is_company("after"))
        .then(pl.col("after").struct.field("company").str.strip_chars(" -_/|:,、"))
        .when(is_company("before"))
        .then(pl.col("before").struct.field("company").str.strip_chars(" -_/|:,、"))
        .when(pl.col("text").str.contains(titled))
        .then(None)
        .otherwise(pl.col("text")),
        remark_person=pl.when(is_company("after"))
        .then(pl.col("after").struct.field("person"))
        .when(is_company("before"))
        .then(pl.col("before").struct.field("person"))
        .when(pl.col("text").str.contains(titled))
        .then(pl.col("text")),
    ).drop("after", "before")


def _split_branch(frame: pl.DataFrame) -> pl.DataFrame:
    _, _, places = build_region_patterns()
    branch = match_words("branch")
    tail = rf"(?:第?[\p{{Han}}\d]{{1,3}})?(?:{branch})"
    legal = pl.col("flat").str.extract_groups(rf"^(?P<head>.{{2,}}?公司)(?P<branch>.{{0,14}}(?:{branch}))$")
    bank = pl.col("flat").str.extract_groups(r"^(?P<head>.{2,}?银行)(?P<branch>.{1,14}(?:支行|分行|营业部|营业厅))$")
    place = pl.col("flat").str.extract_groups(
        rf"^(?P<head>.{{3,}}?)(?P<branch>(?:(?:{places})[省市]?)+(?:\p{{Han}}{{2}}[区县])?{tail}"
        rf"|第[\p{{Han}}\d]{{1,3}}(?:{branch})|(?:{branch}))$"
    )
    frame = frame.with_columns(legal=legal, bank=bank, place=place)
    sides = ("legal", "bank", "place")
    return frame.with_columns(
        head=pl.coalesce(*(pl.col(side).struct.field("head") for side in sides), "flat"),
        branch=pl.coalesce(*(pl.col(side).struct.field("branch") for side in sides)).str.replace_all("[省市()]", ""),
    ).drop(*sides)


def _split_han(frame: pl.DataFrame) -> pl.DataFrame:
    _, _, places = build_region_patterns()
    bracket = rf"\((?:中国)?({places})[省市]?\)"
    frame = frame.with_columns(flat=pl.col("text").str.replace_all(r"[^\p{Han}a-z0-9()&]", ""))
    frame = frame.with_columns(pl.col("flat").str.replace_many({f"({short})": "" for short in ("中国", "集团", "控股", "总部")}))
    for short, full in ABBREVIATIONS.items():
        frame = frame.with_columns(pl.col("flat").str.replace(rf"^{short}", full))
    frame = _split_branch(frame).with_columns(
        bracket_place=pl.col("head").str.extract(bracket),
        group_word=pl.col("text").str.contains("集团|控股"),
        head=pl.col("head").str.replace_all(rf"\((?:{match_words('legal')})\)$", "有限公司").str.replace_all(r"\(.*?\)|[()]", ""),
    )
    legal = pl.col("head").str.extract_groups(rf"^(?P<rest>.{{2,}}?)(?P<form>{match_words('legal')})$")
    frame = frame.with_columns(legal=legal).with_columns(
        has_legal=pl.col("legal").struct.field("form").is_not_null(),
        stem=pl.coalesce(pl.col("legal").struct.field("rest"), "head"),
    )
    grouped = pl.col("stem").str.extract_groups(rf"^(?P<rest>.{{2,}}?)(?P<word>(?:{match_words('group')})+)$")
    frame = frame.with_columns(stem=pl.coalesce(grouped.struct.field("rest"), "stem"))
    frame = frame.with_columns(region=pl.col("stem").str.extract_groups(build_prefix_pattern()))
    return _name_parts(frame)


def _name_parts(frame: pl.DataFrame) -> pl.DataFrame:
    _, _, places = build_region_patterns()
    region = {side: pl.col("region").struct.field(side) for side in ("province", "city", "town", "rest")}
    industry_end = rf"^(?P<brand>.{{2,}}?)(?P<industry>(?:{match_words('industry')})+)$"
    frame = frame.with_columns(core=pl.when(region["rest"].str.len_chars() >= 2).then(region["rest"]).otherwise(pl.col("stem")))
    # 中粮唐山糖业: a place behind the trade name, where none stands before it
    infix = pl.col("core").str.extract_groups(rf"^(?P<brand>\p{{Han}}{{2,4}}?)(?P<place>{places})市?(?P<rest>\p{{Han}}{{2,}})$")
    frame = frame.with_columns(infix=pl.when(region["province"].is_null() & region["city"].is_null()).then(infix))
    frame = frame.with_columns(
        core=pl.coalesce(pl.col("infix").struct.field("brand") + pl.col("infix").struct.field("rest"), "core"),
        place=pl.coalesce(region["city"], region["town"], "bracket_place", pl.col("infix").struct.field("place")),
    )
    only_industry = pl.col("core").str.contains(rf"^(?:{match_words('industry')})+$")
    frame = frame.with_columns(
        core=pl.when(only_industry).then(pl.col("stem")).otherwise(pl.col("core")), only_industry=only_industry
    )
    parts = pl.col("core").str.extract_groups(industry_end)
    table = load_regions()
    names = table["name"].to_list()
    city = pl.coalesce("place", region["province"]).replace_strict(
        names, table["city"].to_list(), default=None, return_dtype=pl.String
    )
    province = pl.col("place").replace_strict(names, table["province"].to_list(), default=None, return_dtype=pl.String)
    frame = frame.with_columns(
        name_province=pl.coalesce(region["province"], province),
        name_city=city,
        brand=pl.when("only_industry").then(pl.col("core")).otherwise(pl.coalesce(parts.struct.field("brand"), "core")),
        name_industry=pl.when(~pl.col("only_industry")).then(parts.struct.field("industry").str.replace_many(INDUSTRY_FORMS)),
    )
    where = pl.coalesce("name_city", "name_province").fill_null("")
    group = pl.when("group_word").then(pl.lit("集团")).otherwise(pl.lit(""))
    head_key = pl.concat_str(where, pl.lit("|"), "core", pl.lit("|"), group)
    return frame.with_columns(
        name_key=pl.concat_str(head_key, pl.lit("|"), pl.col("branch").fill_null("")),
        parent_key=pl.when(pl.col("branch").is_not_null()).then(pl.concat_str(head_key, pl.lit("|"))),
    )


def _split_latin(frame: pl.DataFrame) -> pl.DataFrame:
    tokens = (
        pl.col("text")
        .str.replace_all("&", " and ")
        .str.replace_all(r"['’`.]", "")
        .str.replace_all(r"[^\p{L}\p{N}]+", " ")
        .str.strip_chars()
    )
    legal = rf"(?: (?:{match_words('latin_legal')}))+$"
    core = tokens.str.replace(r"^the ", "").str.replace(legal, "")
    brand = core.str.replace(rf"(?: (?:{match_words('latin_weak')}))+$", "")
    return frame.with_columns(
        name_key=core,
        parent_key=pl.lit(None, dtype=pl.String),
        has_legal=tokens.str.contains(legal),
        group_word=tokens.str.contains(r"\b(?:group|holdings?)\b"),
        branch=pl.lit(None, dtype=pl.String),
        name_province=pl.lit(None, dtype=pl.String),
        name_city=pl.lit(None, dtype=pl.String),
        core=core,
        brand=brand,
        name_industry=pl.lit(None, dtype=pl.String),
    )


def parse_company_names(names: pl.Series) -> pl.DataFrame:
    """One row per distinct name of `names`: `raw` and NAME_FIELDS; all null where the name says nothing.

    name_key is equal for two spellings of one registered name; core is trade name + industry; brand is the trade name alone.
    """
    distinct = pl.DataFrame({"raw": names.cast(pl.String).unique().drop_nulls()})
    distinct = distinct.with_columns(text=drop_placeholders(_strip_notes(fold_text(pl.col("raw")))))
    distinct = _split_remark(distinct).with_columns(
        text=drop_placeholders(pl.col("text")), is_han=pl.col("text").str.contains(r"\p{Han}").fill_null(value=False)
    )
    distinct = distinct.with_columns(
        name_text=pl.col("text"), name_display=pl.col("text").str.replace_all(r"(\p{Han}) (\p{Han})", "$1$2")
    )
    # a name of only a person's (wecom) is no company: nothing of it but the person is left
    chinese = _split_han(distinct.filter("is_han")).select("raw", *NAME_FIELDS)
    latin = _split_latin(distinct.filter(~pl.col("is_han"))).select("raw", *NAME_FIELDS)
    parsed = pl.concat([chinese, latin])
    empty = pl.col("core").is_in([*list_words("placeholder"), ""]) | (pl.col("core").str.len_chars() < 2)
    fields = [field for field in NAME_FIELDS if field not in ("remark_person", "is_han")]
    return parsed.with_columns(pl.when(~empty).then(pl.col(field)).alias(field) for field in fields)
