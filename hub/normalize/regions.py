"""Provinces and cities: what a name or a place column says about where (hub/data/regions.csv)."""

from functools import cache
from importlib.resources import files

import polars as pl

#: a city that has the name of its province, and keeps 市 for it
JILIN = "吉林市"

_PROVINCE_END = "(?:省|市|壮族自治区|回族自治区|维吾尔自治区|自治区|特别行政区)?"
_CITY_END = "(?:市|地区|自治州|州|盟)?"
_DISTRICT = r"\p{Han}{2}(?:新区|区|县)"
#: what follows a region's name in that of a street: 上海路, 中山东一路
_STREET = r"^(?:[东西南北中一二三四五六七八九十]{0,2}|\p{Han})(?:[路街道巷弄里村城园区县]|大[街道路厦])"


@cache
def load_regions() -> pl.DataFrame:
    """name, province, city (null where the name is a province): every prefecture and some county-level cities."""
    return pl.read_csv((files("hub") / "data" / "regions.csv").read_bytes(), schema_overrides={"city": pl.String}).with_columns(
        pl.when(pl.col("city") != "").then(pl.col("city")).alias("city")
    )


@cache
def load_counties() -> pl.DataFrame:
    """name, province, city of the other county-level cities, which names tell by 市 alone: 东方 is a word, 东方市 a place."""
    return pl.read_csv((files("hub") / "data" / "counties.csv").read_bytes())


@cache
def build_region_patterns() -> tuple[str, str, str]:
    """Regex alternations of province names, of city names, and of both, longest first."""
    table = load_regions()
    provinces = sorted(table["province"].unique().to_list(), key=lambda name: (-len(name), name))
    cities = sorted(table["name"].unique().to_list(), key=lambda name: (-len(name), name))
    return "|".join(provinces), "|".join(cities), "|".join(sorted({*provinces, *cities}, key=lambda name: (-len(name), name)))


@cache
def build_prefix_pattern(*, groups: bool = True) -> str:
    """Regex of the region at the start of a company's name, with groups province, seat, former, city, town or without any.

    A county has the name of its city, 长沙县, and a district that of the town it was, 萧山区; but 朝阳区 is no part of 朝阳.
    A city's own towns are told behind it, 苏州昆山; 上海永康 is none.
    """
    provinces, cities, _ = build_region_patterns()
    inner = load_regions().filter(pl.col("name") != pl.col("city"))
    towns = "|".join(inner["name"])
    within = inner.group_by("city", maintain_order=True).agg(pl.col("name").str.join("|"))
    pairs = "|".join(f"{city}市?(?:{names})" for city, names in within.iter_rows())
    # split_pairs has taken these from what is read by groups
    paired = "" if groups else f"(?:{pairs})(?:市|新区|区|县)?|"
    counties = "|".join(sorted([*cities.split("|"), *load_counties()["name"]], key=lambda name: (-len(name), name)))

    def part(name: str, words: str) -> str:
        return f"(?P<{name}>{words})" if groups else f"(?:{words})"

    return (
        f"^(?:中国)?{part('province', provinces)}?{_PROVINCE_END}"
        f"(?:{paired}{part('seat', cities)}(?:县|新区)|{part('former', towns)}区|{_DISTRICT}"
        f"|{part('city', cities)}?{_CITY_END}(?:{part('town', counties)}市)?(?:{_DISTRICT})?)"
    )


def split_pairs(starts: pl.DataFrame) -> pl.DataFrame:
    """`outer` and `inner` of starts that end with a city and its town, 苏州市 and 昆山; else all of it is outer."""
    towns = load_regions().filter(pl.col("name") != pl.col("city"))
    tails = (pl.col("start").str.tail(length) for length in (2, 3, 4))
    inner = pl.coalesce(pl.when(tail.is_in(towns["name"].to_list())).then(tail) for tail in tails)
    starts = starts.with_columns(inner=inner)
    outer = pl.col("start").str.head(pl.col("start").str.len_chars() - pl.col("inner").str.len_chars())
    lies = pl.col("inner").replace_strict(towns["name"], towns["city"], default=None, return_dtype=pl.String)
    is_pair = outer.str.strip_suffix("市").str.ends_with(lies).fill_null(value=False)
    return starts.with_columns(inner=pl.when(is_pair).then("inner"), outer=pl.when(is_pair).then(outer).otherwise("start"))


@cache
def _take_apart() -> pl.Expr:
    return pl.col("outer").str.extract_groups(build_prefix_pattern())


def find_start(addresses: pl.Series) -> pl.DataFrame:
    """province, city of short names per Chinese address: the region it begins with, 成都市武侯区人民南路9号.

    A few thousand distinct beginnings are taken apart for all addresses.
    """
    table = pl.concat([load_regions(), load_counties()])
    frame = addresses.to_frame("text").with_columns(rest=addresses.str.replace(build_prefix_pattern(groups=False), ""))
    frame = frame.with_columns(start=pl.col("text").str.head(pl.col("text").str.len_chars() - pl.col("rest").str.len_chars()))
    starts = split_pairs(frame.select(pl.col("start").unique())).with_columns(region=_take_apart())
    province, *names = (pl.col("region").struct.field(side) for side in ("province", "seat", "former", "city", "town"))
    place = pl.coalesce(*names, province)
    is_jilin = pl.col("start").str.contains(f"{JILIN}|吉林省吉林")
    found = starts.select(
        "start",
        province=pl.coalesce(province, place.replace_strict(table["name"], table["province"], default=None)),
        city=pl.when(is_jilin).then(pl.lit(JILIN)).otherwise(place.replace_strict(table["name"], table["city"], default=None)),
        is_bare=~pl.col("start").str.contains("[省市区县盟]") & pl.col("inner").is_null(),
    )
    frame = frame.join(found, on="start", how="left", maintain_order="left")
    bare = frame["is_bare"].fill_null(value=False)
    streets = bare.clone().scatter(bare.arg_true(), frame["rest"].filter(bare).str.contains(_STREET))
    return frame.select(pl.when(~pl.lit(streets)).then(pl.col(side)).alias(side) for side in ("province", "city"))


def locate(provinces: pl.Series, cities: pl.Series) -> pl.DataFrame:
    """province, city of short names per row, from two columns of which either may be null or carry 省 and 市.

    Where the city lies in another province than the one named, the province is believed and the city is dropped.
    """
    _, city_words, words = build_region_patterns()
    table = load_regions()
    names = table["name"].to_list()
    typed = pl.DataFrame({"a": provinces.cast(pl.String), "b": cities.cast(pl.String)})
    # 吉林 is a province and a city: beside a province column it is the city
    inside = pl.col("a").str.extract(rf"^(?:{words})(?:省|市|自治区|特别行政区)((?:{city_words})区?)")
    distinct = typed.unique().with_columns(
        first=pl.col("a").str.extract(f"^({words})(?:[^区]|$)"),
        place=pl.coalesce(pl.col("b").str.extract(f"((?:{city_words})区?)"), inside),
    )
    distinct = distinct.with_columns(second=pl.col("place").str.extract(f"^({city_words})"))

    def look_up(column: str, side: str) -> pl.Expr:
        return pl.col(column).replace_strict(names, table[side].to_list(), default=None, return_dtype=pl.String)

    distinct = distinct.with_columns(
        province_a=look_up("first", "province"),
        city_a=look_up("first", "city"),
        province_b=look_up("second", "province"),
        # 吉林 names a province and a city
        city_b=pl.when(pl.col("second") == "吉林").then("second").otherwise(look_up("second", "city")),
    )
    # 朝阳区 is a district of 北京 or 长春, and 荆州区 beside 湖北 one of 荆州
    is_district = (pl.col("place") != pl.col("second")) & (pl.col("city_b").fill_null(pl.col("second")) == pl.col("second"))
    elsewhere = is_district & pl.col("province_a").ne_missing(pl.col("province_b"))
    distinct = distinct.with_columns(pl.when(~elsewhere).then(pl.col(side)) for side in ("province_b", "city_b"))
    fits = pl.col("province_a").is_null() | pl.col("province_b").is_null() | (pl.col("province_a") == pl.col("province_b"))
    found = distinct.select(
        "a", "b", province=pl.coalesce("province_a", "province_b"), city=pl.when(fits).then(pl.coalesce("city_b", "city_a"))
    )
    return typed.join(found, on=["a", "b"], how="left", nulls_equal=True, maintain_order="left").select("province", "city")
