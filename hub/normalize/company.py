"""Company names taken apart: region, trade name (字号), industry, group word, legal form, branch (spec §5.1-5.2)."""

from functools import cache

import numpy as np
import polars as pl

from hub.normalize.branches import drop_city, split_branch
from hub.normalize.latin import drop_translation, split_latin
from hub.normalize.regions import JILIN, build_region_patterns, load_counties, load_regions
from hub.normalize.remarks import split_remarks
from hub.normalize.seat import find_infix, list_bare_towns, split_region
from hub.normalize.sound import spell
from hub.normalize.text import CODE, NUMBER, cut_tail, drop_placeholders, fold_texts, match_traditional, replace_rows, scatter
from hub.normalize.usual import write_usual
from hub.normalize.words import INDUSTRY_FORMS, list_words, match_words
from hub.normalize.written import show_as_written

#: bytes of a Chinese name of four characters
_LONGEST_PERSON = 12

#: site of a company itself, beside the names of its branches
_HEAD_OFFICE = "总部"

#: city of a province's own body or company, which is none of a city's: 四川省人民医院 and 成都市人民医院
_OF_PROVINCE = "省级"

#: district of a city's own body or company, which is none of a county's: 苏州市公安局 and 昆山市公安局
_OF_CITY = "市级"

#: columns of parse_company_names
NAME_FIELDS = [
    "name_display",
    "name_text",
    "name_key",
    "parent_key",
    "is_han",
    "is_traditional",
    "has_legal",
    "group_word",
    "branch",
    "name_province",
    "name_city",
    "name_district",
    "core",
    "brand",
    "name_industry",
    "sound",
    "plain",
    "remark_person",
    "is_bare",
    "site",
    "words",
]


def _strip_notes(texts: pl.Series) -> pl.Series:
    """Folded texts without clerks' notes and security marks, null where one is a number; most names are not looked at twice."""
    may = texts.str.contains(r"^[^\p{Han}]|[^\p{Han}]$|[-_ /(:]").fill_null(value=False)
    text = drop_translation(pl.col("text")).str.replace_all(rf"\((?:{match_words('note')})\)", "")
    text = text.str.replace_all(rf"[-_ /]+(?:{match_words('note')})$", "")
    text = text.str.replace(r"^(?:曾用名|原名|公司名称|单位名称)[:：]\s*", "")
    text = text.str.replace(r"^(?:\*?st|s\*?st|sst|xd|xr|dr|[gns])(\p{Han})", "$1")
    text = text.str.replace(r"(\p{Han})(?:-(?:[a-z]{1,3}|new)|[abh])$", "$1")
    text = text.str.strip_chars(" -_,.;:/|'\"?!。，；、")
    stripped = texts.filter(may).to_frame("text").select(text)
    return replace_rows(
        texts, may, stripped.select(pl.when(~pl.col("text").str.contains(f"{CODE}|{NUMBER}")).then("text")).to_series()
    )


def _mark(frame: pl.DataFrame) -> pl.DataFrame:
    """group_word; is_marked: the name may have a word of a group, a stock company or a zone. Most have none."""
    marked = frame["flat"].str.contains("集团|控股|股份|区.").fill_null(value=False)
    found = frame.filter(marked).select(group_word=pl.col("flat").str.contains("集团|控股"))
    return scatter(frame, marked, found).with_columns(pl.col("group_word").fill_null(value=False), is_marked=marked)


def _split_han(frame: pl.DataFrame) -> pl.DataFrame:
    _, _, places = build_region_patterns()
    bracket = rf"\((?:中国)?({JILIN}|{places})[省市]?(?:\p{{Han}}*区)?\)"
    frame = frame.with_columns(flat=pl.col("text").str.replace_all(r"[^\p{Han}\p{Hiragana}\p{Katakana}a-z0-9()&]", ""))
    frame = _mark(frame)
    frame = frame.with_columns(pl.col("flat").str.replace_many({f"({short})": "" for short in ("中国", "集团", "控股", "总部")}))
    frame = split_branch(frame.with_columns(write_usual(frame["flat"]).alias("flat")))
    bracketed = frame["head"].str.contains("[()]").fill_null(value=False)
    opened = frame.filter(bracketed).select(
        bracket_place=pl.col("head").str.extract(bracket),
        opened=pl.col("head")
        .str.replace_all(rf"\((?:{match_words('legal')})\)$", "有限公司")
        .str.replace_all(r"\(.*?\)|[()]", ""),
    )
    frame = scatter(frame, bracketed, opened)
    frame = frame.with_columns(head=pl.coalesce("opened", "head")).drop("opened")
    frame = frame.with_columns(stem=cut_tail(pl.col("head"), match_words("legal")))
    # 中国银行 is as complete as a name with a legal form: it is not short for 中国农业银行
    whole = pl.col("stem").str.ends_with("银行") | pl.col("stem").str.ends_with("事务所")
    frame = frame.with_columns(
        has_legal=(pl.col("stem").str.len_bytes() < pl.col("head").str.len_bytes()) | whole,
        stem=cut_tail(pl.col("stem"), f"(?:{match_words('group')})+"),
    )
    return _name_parts(split_region(frame))


@cache
def _look_up_place() -> tuple[pl.Expr, pl.Expr]:
    """The province and the city of `place`; a start that names a province alone may be a city."""
    table = pl.concat([load_regions(), load_counties()])
    names, cities = [*table["name"], JILIN], [*table["city"], JILIN]
    city = pl.coalesce("place", "start_province").replace_strict(names, cities, default=None, return_dtype=pl.String)
    province = pl.col("place").replace_strict(names, [*table["province"], "吉林"], default=None, return_dtype=pl.String)
    return province, city


def _name_parts(frame: pl.DataFrame) -> pl.DataFrame:
    industry = f"(?:{match_words('industry')})+"
    frame = frame.with_columns(core=pl.when(pl.col("rest").str.len_chars() >= 2).then("rest").otherwise("stem"))
    frame = find_infix(frame)
    frame = frame.with_columns(
        core=pl.coalesce("infix_core", "core"),
        within=pl.coalesce("bracket_place", "infix_place"),
    )
    frame = frame.with_columns(place=pl.coalesce("start_city", "start_town", "within"))
    town = (frame["name_district"].is_null() & frame["within"].is_in(list_bare_towns())).fill_null(value=False)
    frame = frame.with_columns(replace_rows(frame["name_district"], town, frame["within"].filter(town)))
    frame = frame.with_columns(
        only_industry=pl.col("core").str.contains(f"^{industry}$"), brand=cut_tail(pl.col("core"), industry)
    )
    # 南方科技大学医院 is of another trade name than 南方科技大学
    frame = frame.with_columns(undivided=pl.col("only_industry") | pl.col("brand").str.ends_with("大学"))
    frame = frame.with_columns(core=pl.when("only_industry").then("stem").otherwise("core"))
    province, city = _look_up_place()
    frame = frame.with_columns(
        said=pl.col("core").str.tail(pl.col("core").str.len_chars() - pl.col("brand").str.len_chars())
    ).with_columns(
        name_province=pl.coalesce("start_province", province),
        name_city=city,
        brand=pl.when("undivided").then(pl.col("core")).otherwise("brand"),
        name_industry=pl.when(~pl.col("undivided") & (pl.col("said") != "")).then(
            pl.col("said").str.replace_many(INDUSTRY_FORMS)
        ),
    )
    where = pl.coalesce("name_city", "name_province")
    group = pl.when("group_word").then(pl.lit("|集团|")).otherwise(pl.lit("||"))
    frame = frame.with_columns(head_key=pl.concat_str(where, "name_district", pl.lit("|"), "core", group, ignore_nulls=True))
    person = rf"^(?:[{''.join(list_words('surname'))}]\p{{Han}}{{1,2}}|(?:{match_words('double_surname')})\p{{Han}}{{1,2}})$"
    brief = (frame["text"].str.len_bytes() <= _LONGEST_PERSON).fill_null(value=False)
    frame = scatter(frame, brief, frame.filter(brief).select(person=pl.col("text").str.contains(person)))
    is_bare = pl.col("name_industry").is_null() & ~pl.col("has_legal") & pl.col("person").fill_null(value=False)
    # 江苏宏力机械有限公司 is not 江阴宏力机械有限公司 either
    whole = pl.col("is_whole") & pl.col("is_named") & pl.col("name_province").is_not_null()
    of_province = frame.select(pl.col("is_provincial") | whole & pl.col("name_city").is_null()).to_series()
    of_city = frame.select(pl.col("is_whole") & pl.col("name_city").is_not_null() & pl.col("name_district").is_null()).to_series()
    frame = frame.with_columns(
        frame["name_city"].clone().scatter(of_province.arg_true(), _OF_PROVINCE),
        frame["name_district"].clone().scatter(of_city.arg_true(), _OF_CITY),
        words=pl.lit(None, dtype=pl.String),
        sound=spell(frame["brand"]),
        is_bare=is_bare,
        name_key=pl.concat_str("head_key", pl.col("branch").fill_null("")),
        parent_key=pl.when(pl.col("branch").is_not_null()).then("head_key"),
    )
    return drop_city(frame).with_columns(site=pl.coalesce("branch", pl.when(~is_bare).then(pl.lit(_HEAD_OFFICE))))


def parse_company_names(names: pl.Series) -> pl.DataFrame:
    """One row per name, in their order: `raw` and NAME_FIELDS; all null where the name says nothing. Names should be distinct.

    name_key is equal for two spellings of one registered name; core is trade name + industry; brand is the trade name alone;
    sound is how the trade name sounds; site is the branch, or 总部, null where a name may leave the branch out; plain is a name
    with 股份, 集团 or 控股 without region and 有限公司; is_bare: it could be a person's; name_display is the name as it was
    written, without notes.
    """
    raw = names.cast(pl.String).alias("raw")
    folded = fold_texts(raw)
    text = _strip_notes(folded).to_frame("text").select(drop_placeholders(pl.col("text"))).to_series()
    frame = split_remarks(text).with_columns(drop_placeholders(pl.col("text")))
    is_han = pl.col("text").str.contains(r"[\p{Han}\p{Hiragana}\p{Katakana}]").fill_null(value=False)
    rewritten = (raw != folded).fill_null(value=False)
    found = pl.DataFrame({"is_traditional": raw.filter(rewritten).str.contains(match_traditional())})
    frame = scatter(frame.with_columns(raw, name_text="text", is_han=is_han), rewritten, found)
    shown = show_as_written(raw, folded, frame["text"])
    # a name of only a person's (wecom) is no company: nothing of it but the person is left
    parsed = frame.with_columns(
        _take_apart(frame["text"], frame["is_han"]), name_display=shown.str.replace_all(r"(\p{Han}) (\p{Han})", "$1$2")
    )
    placeholder = pl.col("core").is_in(list_words("placeholder") + list_words("placeholder_name"))
    # one letter tells no company from another, and is still what its record is called
    is_letter = pl.col("core").str.contains(r"^\p{L}$") & ~placeholder
    said = ~(placeholder | (pl.col("core") == "") | (pl.col("core").str.len_chars() < 2))
    silent = parsed.select((~said).fill_null(value=True)).to_series().arg_true()
    kept = ("name_display", "remark_person", "is_han", "is_traditional", "is_bare")
    parsed = parsed.with_columns(name_display=pl.when(said | is_letter).then("name_display"))
    return parsed.select(
        "raw", *(parsed[name] if name in kept else parsed[name].clone().scatter(silent, None) for name in NAME_FIELDS)
    )


def _take_apart(texts: pl.Series, is_han: pl.Series) -> pl.DataFrame:
    """The fields of names of either script, in the order of the texts."""
    fields = [
        name for name in NAME_FIELDS if name not in ("name_display", "name_text", "is_han", "is_traditional", "remark_person")
    ]
    frame = texts.to_frame("text")
    chinese, latin = _split_han(frame.filter(is_han)).select(fields), split_latin(frame.filter(~is_han)).select(fields)
    taken, places = np.concatenate([is_han.arg_true(), (~is_han).arg_true()]), np.empty(len(texts), dtype=np.uint32)
    places[taken] = np.arange(len(texts), dtype=np.uint32)
    return pl.concat([chinese, latin]).select(pl.all().gather(pl.Series(places)))
