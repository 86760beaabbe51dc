"""Provinces and cities: what a name or a place column says about where (hub/data/regions.csv)."""

from functools import cache
from importlib.resources import files

import polars as pl

_PROVINCE_END = "(?:省|市|壮族自治区|回族自治区|维吾尔自治区|自治区|特别行政区)?"
_CITY_END = "(?:市|地区|自治州|州|盟)?"


@cache
def load_regions() -> pl.DataFrame:
    """name, province, city (null where the name is a province): every prefecture and some county-level cities."""
    return pl.read_csv((files("hub") / "data" / "regions.csv").read_bytes(), schema_overrides={"city": pl.String}).with_columns(
        pl.when(pl.col("city") != "").then(pl.col("city")).alias("city")
    )


@cache
def build_region_patterns() -> tuple[str, str, str]:
    """Regex alternations of province names, of city names, and of both, longest first."""
    table = load_regions()
    provinces = sorted(table["province"].unique().to_list(), key=lambda name: (-len(name), name))
    cities = sorted(table["name"].unique().to_list(), key=lambda name: (-len(name), name))
    return "|".join(provinces), "|".join(cities), "|".join(sorted({*provinces, *cities}, key=lambda name: (-len(name), name)))


def build_prefix_pattern() -> str:
    """Regex with groups province, city, town, rest: the region at the start of a company's name."""
    provinces, cities, _ = build_region_patterns()
    return (
        f"^(?:中国)?(?P<province>{provinces})?{_PROVINCE_END}(?P<city>{cities})?{_CITY_END}(?:(?P<town>{cities})市)?"
        r"(?P<district>\p{Han}{2}(?:新区|区|县))?(?P<rest>.*)$"
    )


def locate(province: pl.Expr, city: pl.Expr) -> pl.Expr:
    """struct(province, city) of short names, from two texts of which either may be null or carry 省 and 市."""
    provinces, cities, both = build_region_patterns()
    table = load_regions()
    city_name = city.str.extract(f"({cities})").fill_null(province.str.extract(f"^(?:{provinces}){_PROVINCE_END}({cities})"))
    first = province.str.extract(f"^({both})")
    by_name = pl.DataFrame(table)
    names = by_name["name"].to_list()
    as_city = city_name.replace_strict(names, by_name["city"].to_list(), default=None, return_dtype=pl.String)
    as_province = city_name.replace_strict(names, by_name["province"].to_list(), default=None, return_dtype=pl.String)
    first_province = first.replace_strict(names, by_name["province"].to_list(), default=None, return_dtype=pl.String)
    first_city = first.replace_strict(names, by_name["city"].to_list(), default=None, return_dtype=pl.String)
    # 吉林 is a province and a city: a name beside another province's is not believed
    fits = first_province.is_null() | as_province.is_null() | (first_province == as_province)
    return pl.struct(
        pl.coalesce(first_province, as_province).alias("province"),
        pl.when(fits).then(pl.coalesce(as_city, first_city)).alias("city"),
    )
