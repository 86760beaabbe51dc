"""Company names taken apart: region, trade name (字号), industry, group word, legal form, branch (spec §5.1-5.2)."""

import polars as pl

from hub.normalize import words
from hub.normalize.regions import build_prefix_pattern, build_region_patterns, load_regions
from hub.normalize.text import PLACEHOLDER_TEXT, drop_placeholders, fold_text

_PERSON = (
    rf"(?:[{words.SURNAMES}]\p{{Han}}{{0,2}}|\p{{Han}})(?:先生|女士|小姐|总经理|总|经理|主任|厂长|工|老师|老板|师傅|姐|哥|采购)"
    rf"|[{words.SURNAMES}]\p{{Han}}{{1,2}}"
)
_COMPANY_END = "(?:公司|集团|科技|厂|行|院|店|中心|电子|机械|设备|贸易|实业|工业)$"

#: columns of parse_company_names
NAME_FIELDS = (
    "name_display name_text name_key parent_key is_han has_legal group_word branch name_province name_city core brand name_industry remark_person"
).split()


def _strip_notes(folded: pl.Expr) -> pl.Expr:
    text = folded.str.replace_all(rf"\((?:{words.NOTES})\)", "").str.replace_all(rf"[-_ /]+(?:{words.NOTES})$", "")
    text = text.str.replace(r"^(?:\*?st|s\*?st|sst|xd|xr|dr)(\p{Han})", "$1")
    text = text.str.replace(r"(\p{Han})(?:-?(?:a|b|h|w|u|sw))$", "$1")
    return text.str.strip_chars(" -_,.;:/|'\"?!。，；、")


def _split_remark(frame: pl.DataFrame) -> pl.DataFrame:
    """`公司-姓名` and `姓名-公司` remarks: the company in `text`, the person in `remark_person`."""
    after = pl.col("text").str.extract_groups(rf"^(?P<company>.*\p{{Han}}.+?)[-_ /|:,、]+(?P<person>{_PERSON})$")
    before = pl.col("text").str.extract_groups(rf"^(?P<person>{_PERSON})[-_ /|:,、]+(?P<company>.*\p{{Han}}.+)$")
    frame = frame.with_columns(after=after, before=before)

    def is_company(side: str) -> pl.Expr:
        person = pl.col(side).struct.field("person")
        return person.is_not_null() & ~person.str.contains(_COMPANY_END)

    return frame.with_columns(
        text=pl.when(is_company("after"))
        .then(pl.col("after").struct.field("company").str.strip_chars(" -_/|:,、"))
        .when(is_company("before"))
        .then(pl.col("before").struct.field("company").str.strip_chars(" -_/|:,、"))
        .otherwise(pl.col("text")),
        remark_person=pl.when(is_company("after"))
        .then(pl.col("after").struct.field("person"))
        .when(is_company("before"))
        .then(pl.col("before").struct.field("person")),
    ).drop("after", "before")


def _split_branch(frame: pl.DataFrame) -> pl.DataFrame:
    _, _, places = build_region_patterns()
    tail = rf"(?:第?[\p{{Han}}\d]{{1,3}})?(?:{words.BRANCH_WORDS})"
    legal = pl.col("flat").str.extract_groups(rf"^(?P<head>.{{2,}}?公司)(?P<branch>.{{0,14}}(?:{words.BRANCH_WORDS}))$")
    bank = pl.col("flat").str.extract_groups(r"^(?P<head>.{2,}?银行)(?P<branch>.{1,14}(?:支行|分行|营业部|营业厅))$")
    place = pl.col("flat").str.extract_groups(
        rf"^(?P<head>.{{3,}}?)(?P<branch>(?:(?:{places})[省市]?)+(?:\p{{Han}}{{2}}[区县])?{tail}|第[\p{{Han}}\d]{{1,3}}(?:{words.BRANCH_WORDS})|(?:{words.BRANCH_WORDS}))$"
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
    frame = _split_branch(frame)
    frame = frame.with_columns(
        bracket_place=pl.col("head").str.extract(bracket),
        is_group=pl.col("text").str.contains("集团|控股"),
        head=pl.col("head").str.replace_all(rf"\((?:{words.LEGAL_FORMS})\)$", "有限公司").str.replace_all(r"\(.*?\)|[()]", ""),
    )
    for short, full in words.ABBREVIATIONS.items():
        frame = frame.with_columns(pl.col("head").str.replace(rf"^{short}", full))
    legal = pl.col("head").str.extract_groups(rf"^(?P<rest>.{{2,}}?)(?P<form>{words.LEGAL_FORMS})$")
    frame = frame.with_columns(legal=legal).with_columns(
        has_legal=pl.col("legal").struct.field("form").is_not_null(),
        stem=pl.coalesce(pl.col("legal").struct.field("rest"), "head"),
    )
    grouped = pl.col("stem").str.extract_groups(rf"^(?P<rest>.{{2,}}?)(?P<word>(?:{words.GROUP_WORDS})+)$")
    frame = frame.with_columns(grouped=grouped).with_columns(
        stem=pl.coalesce(pl.col("grouped").struct.field("rest"), "stem"),
        region=pl.col("stem").str.extract_groups(build_prefix_pattern()),
    )
    # the group word may stand before another industry word; the region before either
    stem = frame["stem"].to_frame().select(region=pl.col("stem").str.extract_groups(build_prefix_pattern()))["region"]
    return _name_parts(frame.with_columns(stem.alias("region")))


def _name_parts(frame: pl.DataFrame) -> pl.DataFrame:
    table = load_regions()
    region = {side: pl.col("region").struct.field(side) for side in ("province", "city", "district", "rest")}
    place = pl.coalesce(region["city"], "bracket_place")
    names = table["name"].to_list()
    city_of = place.replace_strict(names, table["city"].to_list(), default=None, return_dtype=pl.String)
    province_of = place.replace_strict(names, table["province"].to_list(), default=None, return_dtype=pl.String)
    alone = region["province"].replace_strict(names, table["city"].to_list(), default=None, return_dtype=pl.String)
    frame = frame.with_columns(
        name_province=pl.coalesce(region["province"], province_of),
        name_city=pl.coalesce(city_of, alone),
        core=pl.when(region["rest"].str.len_chars() >= 2).then(region["rest"]).otherwise(pl.col("stem")),
    )
    parts = pl.col("core").str.extract_groups(rf"^(?P<brand>.{{2,}}?)(?P<industry>(?:{words.INDUSTRY_WORDS})+)$")
    only_industry = pl.col("core").str.contains(rf"^(?:{words.INDUSTRY_WORDS})+$")
    frame = frame.with_columns(parts=parts).with_columns(
        brand=pl.when(only_industry).then(pl.col("stem")).otherwise(pl.coalesce(pl.col("parts").struct.field("brand"), "core")),
        name_industry=pl.when(~only_industry).then(pl.col("parts").struct.field("industry")),
        core=pl.when(only_industry).then(pl.col("stem")).otherwise(pl.col("core")),
        group_word=pl.col("is_group"),
    )
    where = pl.coalesce("name_city", "name_province").fill_null("")
    head_key = pl.concat_str(
        where, pl.lit("|"), pl.col("core"), pl.lit("|"), pl.when("is_group").then(pl.lit("集团")).otherwise(pl.lit(""))
    )
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
    legal = rf"(?: (?:{words.LATIN_LEGAL_FORMS}))+$"
    core = tokens.str.replace(r"^the ", "").str.replace(legal, "")
    brand = core.str.replace(rf"(?: (?:{words.LATIN_WEAK_WORDS}))+$", "")
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
    empty = pl.col("core").is_in([*PLACEHOLDER_TEXT, ""]) | (pl.col("core").str.len_chars() < 2)
    fields = [field for field in NAME_FIELDS if field not in ("remark_person", "is_han")]
    return parsed.with_columns(pl.when(~empty).then(pl.col(field)).alias(field) for field in fields)
