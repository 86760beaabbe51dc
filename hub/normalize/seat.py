"""The region of a company's name: at its start, or behind the trade name (spec §5.2)."""

from functools import cache

import polars as pl

from hub.normalize.regions import JILIN, build_prefix_pattern, build_region_patterns, load_regions, split_pairs
from hub.normalize.text import cut_tail, replace_rows, scatter
from hub.normalize.words import OFFICE_FORMS, match_words

#: the legal forms that a short name leaves out; 股份, 集团 and 控股 tell two companies of one trade name apart
_LIMITED = "有限责任公司|有限公司|公司"
#: names that are registered in a district, and are many's in a city
_SHOP = "(?:[店厂部馆坊铺屋吧社]|[^银]行|超市|工作室)(?:个体工商户)?$"
#: 苏州工业园区, 上海外高桥保税区: a zone stands for a district, and is called by what it is
_ZONE = (
    r"(?:\p{Han}{2,3})?(?:高新技术产业开发区|高新技术开发区|新技术开发区|经济技术开发区|经济开发区|工业园区|科技园区|综合保税区|保税港区"
    "|保税区|高新区|经开区)"
)
_ZONE_FORMS = {"经济技术开发": "经开", "经济开发": "经开"}
#: how names of companies and universities end that are complete
_WHOLE_ENDS = ("公司", "大学", "学院")
#: how the names of a district's own companies begin behind it, and those of any other
_OWN = "^(?:国有|国资|城市|城建|城投|城乡|市政|公用|公共|人才|招商|建设|投资|开发|发展)"


@cache
def _find_region() -> pl.Expr:
    return pl.col("outer").str.extract_groups(build_prefix_pattern())


@cache
def _look_up_province() -> pl.Expr:
    """The province of `start_city`."""
    table = load_regions()
    return pl.col("start_city").replace_strict(table["name"], table["province"], default=None, return_dtype=pl.String)


@cache
def list_bare_towns() -> list[str]:
    """The county-level cities that names tell without 市 too."""
    return load_regions().filter(pl.col("name") != pl.col("city"))["name"].to_list()


def _find_bare_town() -> pl.Expr:
    return pl.when(pl.col("start_city").is_in(list_bare_towns())).then("start_city")


def split_region(frame: pl.DataFrame) -> pl.DataFrame:
    """`rest`, the province, city and town before it, and a shop's district.

    A few thousand distinct beginnings are taken apart for all names.
    """
    frame = _keep_words(frame.with_columns(rest=pl.col("stem").str.replace(build_prefix_pattern(groups=False), "")))
    marked = frame["is_marked"]
    behind = pl.col("rest").str.replace(rf"^{_ZONE}(.{{2,}})$", "$1")
    # 张江高科技园区开发 is the zone's own company
    own = behind.str.contains(f"^(?:{match_words('industry')})+$")
    zoned = frame.filter(marked).select(pl.when(own).then("rest").otherwise(behind)).to_series()
    frame = frame.with_columns(replace_rows(frame["rest"], marked, zoned))
    frame = frame.with_columns(start=pl.col("stem").str.head(pl.col("stem").str.len_chars() - pl.col("rest").str.len_chars()))
    plain = cut_tail(pl.col("head"), _LIMITED).str.slice(pl.col("start").str.len_chars())
    plain = pl.when(pl.col("head").str.contains("集团|控股|股份")).then(plain)
    frame = scatter(frame, marked, frame.filter(marked).select(plain=plain))
    starts = _read_starts(frame.select(pl.col("start").unique()))
    return _keep_district(_keep_inner(frame.join(starts, on="start", how="left", maintain_order="left")))


def _read_starts(starts: pl.DataFrame) -> pl.DataFrame:
    """start_province, start_city, start_town, district, county of the beginnings of names; inner: a town that has no 市."""
    starts = split_pairs(starts).with_columns(region=_find_region())
    zone = pl.col("start").str.extract(r"(高新|经济技术开发|经济开发|经开|工业园|科技园|保税|开发)\p{Han}*区$")
    district = pl.coalesce(zone.replace(_ZONE_FORMS), pl.col("start").str.extract(r"(\p{Han}{2})(?:新区|区|县)$"))
    district = pl.when(~pl.col("start").str.ends_with("自治区")).then(district)
    county = pl.coalesce("start_town", _find_bare_town(), pl.col("start").str.extract(r"(\p{Han}{2})县$"))
    sides = ("province", "city", "seat", "former", "town")
    province, *cities, town = (pl.col("region").struct.field(side) for side in sides)
    is_jilin = pl.col("start").str.contains(f"{JILIN}|吉林省吉林")
    city = pl.when(is_jilin).then(pl.lit(JILIN)).otherwise(pl.coalesce(cities))
    town = pl.coalesce(town, "inner")
    starts = starts.select("start", "inner", start_province=province, start_city=city, start_town=town, district=district)
    # 北京朝阳 is a district of 北京 and not the city of 辽宁
    fits = (_look_up_province() == pl.col("start_province")).fill_null(value=True)
    starts = starts.with_columns(
        start_city=pl.when(fits).then("start_city"), district=pl.coalesce("district", pl.when(~fits).then("start_city"))
    )
    # 玉环人民医院 is 玉环市人民医院, but 东方人民医院 need not be 东方市's: such a name keeps what it says in either form
    spoken = pl.when(~pl.col("start_town").is_in(list_bare_towns())).then("start_town")
    return starts.with_columns(district=pl.coalesce("district", spoken), county=county)


def _keep_inner(frame: pl.DataFrame) -> pl.DataFrame:
    """金华永康机械 is of the trade name 永康, and 杭州萧山医院 is 萧山医院: what is left without the town is many's name."""
    inner = frame["inner"].is_not_null()
    if not inner.any():
        return frame.drop("inner")
    whose = rf"{_OWN}|^(?:{match_words('industry')})+$|(?:{match_words('public_end')})$"
    kept = inner.clone().scatter(inner.arg_true(), frame["rest"].filter(inner).str.contains(whose))
    named = frame.filter(kept).select(pl.col("inner") + pl.col("rest")).to_series()
    none = pl.Series([None] * len(named), dtype=pl.String)
    return frame.with_columns(replace_rows(frame["rest"], kept, named), replace_rows(frame["county"], kept, none)).drop("inner")


def _keep_words(frame: pl.DataFrame) -> pl.DataFrame:
    """深圳区块链, 长沙县域 and 苏州市政工程 are of no district and no 市: a word begins there."""
    begun = frame["rest"].str.contains("^(?:[块域场]|政[^府协法务策])").fill_null(value=False)
    word = pl.col("stem").str.tail(pl.col("rest").str.len_chars() + 1)
    # 东方市场 is no market of 东方: what is left before the word may be no region
    before = pl.col("stem").str.head(pl.col("stem").str.len_chars() - word.str.len_chars())
    whole = before.str.replace(build_prefix_pattern(groups=False), "") + word
    kept = (
        frame.filter(begun)
        .select(pl.when(word.str.contains("^(?:[区县][块域]|市[场政])")).then(whole).otherwise("rest"))
        .to_series()
    )
    return frame.with_columns(replace_rows(frame["rest"], begun, kept))


def _keep_district(frame: pl.DataFrame) -> pl.DataFrame:
    """武侯区人民医院 is 武侯人民医院: what is left of a public body without its district is many's name. 三中 is 第三中学.

    So is what is left of a district's own company. A shop may leave its district out, and keeps it beside its name.
    is_provincial: a public body is a province's. is_whole: it, a registered company or a university (is_named) says where it
    is: what names no district is of none.
    """
    public = frame["rest"].str.contains(f"(?:{match_words('public_end')})$").fill_null(value=False)
    rest = pl.col("rest").str.replace_many(OFFICE_FORMS).str.replace(r"^第?([一二三四五六七八九十0-9]+)([中小])$", "第${1}${2}学")
    rest = pl.concat_str(pl.col("district").fill_null(""), rest)
    # 浙江省新昌中学 is the town's, whose name is in none of the lists
    is_provincial = pl.col("start").str.contains("(?:省|自治区)$") & ~pl.col("rest").str.contains("[学校园]$")
    county = pl.when(pl.col("district").is_null()).then("county")
    found = frame.filter(public).select(rest=rest, is_provincial=is_provincial, name_district=county)
    frame = scatter(frame, public, found.select("is_provincial", "name_district"))
    frame = frame.with_columns(replace_rows(frame["rest"], public, found["rest"]))
    placed = (frame["district"].is_not_null() | frame["county"].is_not_null()) & ~public
    own = pl.col("rest").str.contains(_OWN) & pl.col("district").is_not_null()
    beside = frame.filter(placed).select(
        own=pl.when(own).then(pl.col("district") + pl.col("rest")).otherwise("rest"),
        name_district=pl.coalesce("county", pl.when(pl.col("head").str.contains(_SHOP)).then("district")),
    )
    frame = frame.with_columns(
        replace_rows(frame["rest"], placed, beside["own"]), replace_rows(frame["name_district"], placed, beside["name_district"])
    )
    is_named = pl.any_horizontal(pl.col("head").str.ends_with(end) for end in _WHOLE_ENDS)
    is_whole = pl.col("district").is_null() & (pl.lit(public) | is_named)
    return frame.with_columns(is_whole=is_whole, is_named=is_named).drop("district", "county", "start")


@cache
def _find_infix() -> pl.Expr:
    _, _, places = build_region_patterns()
    return pl.col("core").str.extract_groups(
        rf"^(?P<brand>\p{{Han}}{{2,4}}?)(?P<place>{places})[省市]?(?P<rest>\p{{Han}}{{2,}})$"
    )


def find_infix(frame: pl.DataFrame) -> pl.DataFrame:
    """中粮唐山糖业: a place behind the trade name, where none stands before it. Columns infix_place, infix_core."""
    _, _, places = build_region_patterns()
    may = frame["start_province"].is_null() & frame["start_city"].is_null()
    may &= frame["core"].str.contains(rf"^\p{{Han}}{{2,4}}(?:{places})[省市]?\p{{Han}}{{2,}}$").fill_null(value=False)
    found = frame.filter(may).select(parts=_find_infix())
    found = found.select(
        infix_place=pl.col("parts").struct.field("place"),
        infix_core=pl.col("parts").struct.field("brand") + pl.col("parts").struct.field("rest"),
    )
    return scatter(frame, may, found)
