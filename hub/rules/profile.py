"""What a column of an unknown table seems to hold: its kind, from its header and its values."""

import re
from dataclasses import dataclass
from functools import cache

import polars as pl

from hub.normalize.contact import split_numbers
from hub.normalize.text import fold_texts
from hub.normalize.words import match_words

#: when a record was written, and by whom: Created Date, LastModifiedById, gmt_create, 创建日期, 修改人
_WRITTEN = (
    r"(last_)?(created?|modified|updated?|changed)_?(date|time|date_?time|timestamp|on|by(_(id|name))?)"
    r"|(date|time|gmt)_(last_)?(created?|modified|updated?|changed)|system_modstamp|.*(创建|新建|建档|录入|修改|更新)(日期|人)"
)
#: headers of what a register or a maker gives to one company, person or thing alone
_IDENTIFIER = (
    r"(^|_)(vat|ein|tin|gstin|abn|duns|lei|siret|siren|imei|vin|isbn|gtin|ssn|passport|iban)(_(no|nr|num|number|id|code|reg|ein|vat))*$"
    r"|tax_?(id|no|num|number|code)|(registration|registry)_?(no|num|number|id)|serial(_?(no|num|number))?$"
    r"|asset_?(tag|id|no|num|number)|national_?id|登记号|注册号|序列号|资产编号|护照|身份证|车架号|书号"
)
#: the first of two given names, or of two surnames
_COMPONENT = r"(_?c?[12])?"
#: parts of an address that are places
_WHERE = "city|town|suburb|local|county|state$|province|region|country|district|neighbou?rhood"
#: header patterns, first match wins; kind 'skip' is what no two records of one entity share
_HEADERS = (
    ("skip", rf"^(row|index|unnamed.*|updated|created|modified|.*_at|.*时间|序号|备注|remarks?|notes?|comments?|{_WRITTEN})$"),
    ("email", r"e-?mail|邮箱|邮件|电邮"),
    ("mobile", r"mobile|cell|手机|行动电话"),
    ("phone", r"phone|tel(ephone)?\b|fax|电话|传真|座机"),
    ("code", r"model_?(no|num|number)s?$|^mpn$|part_?(no|num|number)$|型号|料号|货号"),
    ("credit_code", r"信用代码|税号|纳税人|统一编号|统编|税籍编号|uscc"),
    ("code", _IDENTIFIER),
    ("zip", r"zip|post_?al|post_?code|^plz$|^pin_?code$|邮编|邮政编码|邮递区号"),
    ("given", rf"^((given|first|fore)_?(names?|nm)|f_?name|given|vorname){_COMPONENT}$|(^|_)name_(first|given)$|^名$"),
    ("surname", rf"^((sur|last|family)_?(names?|nm)|l_?name|surname|nachname){_COMPONENT}$|(^|_)name_(last|family)$|^姓$"),
    ("date", r"date|dob|birth|valid_until|日期|生日|出生"),
    ("domain", r"web_?site|url|domain|homepage|网址|网站|官网|域名"),
    ("address", rf"addr(?!.*({_WHERE}|type))|street(?!_?(no|nr|num))|地址|住址|住所"),
    (
        "place",
        rf"{_WHERE}|birth_?place|place_?of_?birth|城市|县市|省|地区|^市$|^区$|籍贯|出生地",
    ),
    ("company", r"公司|企业|单位|客户名|供应商|厂商|机构"),
    (
        "person_name",
        r"full_?name|contact|person|director|owner|author|manager|employee|patient|姓名|联[系络]人|连络人|负责人|法人|法定代表",
    ),
    ("name", r"name|title|company|organi[sz]|firm|business|vendor|supplier|agency|brand|maker|manufactur|名称|标题|品牌"),
    (
        "number",
        r"price|amount|insured|balance|revenue|turnover|(^|_)(cost|fee|sum|value)s?(_|$)|价|额|费用|成本"
        r"|qty|quantity|size|age$|year|(?<!ac)count|enrol|number_per|数量|年龄",
    ),
    ("category", r"type|categor|class|kind|gender|sex$|industry|status|cuisine|genre|option|level|类|行业|性别|状态|等级"),
    ("code", r"(^|_)(id|no|num|number|code|key|ssn|sku|isbn|upc|ean)$|_id_|soc_sec|passport|licen[cs]e|编号|编码|号码|证号|号$"),
    ("text", r"descr|abstract|summary|text|简介|描述|说明"),
)
_EMAIL = r"^\S+@\S+\.\S+$"
_DATE = r"^\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}|^\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|^(?:19|20)\d{2}[01]\d[0-3]\d$"
#: May 6, 2014 and 18-May-15
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[\s.,-]*"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?[\s.,-]*"
_SPOKEN_DATE = rf"(?i)^(?:{_MONTH}{_DAY}\d{{4}}|{_DAY}{_MONTH}(?:\d{{4}}|\d{{2}}))$"
_PHONE = r"^[+(]?\d[\d\s().+-]{5,20}(?:\s*(?:x|ext|转)\.?\s*\d+)?$"
_CREDIT = r"^[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}$"
#: a person's: region, date of birth, three digits and a check
_IDENTITY = r"^[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]$"
#: VAT numbers, those of American employers, of telephones and of books
_IDENTIFIERS = r"^(?:[A-Z]{2}\d{8,12}|\d{2}-\d{7}|\d{15}|97[89][\d-]{10,14})$"
_SHAPES = (("email", _EMAIL), ("code", _IDENTITY), ("credit_code", _CREDIT))
_NUMBER = r"^[^\d\s]{0,3}\s?-?\d[\d,]*(?:\.\d+)?$"
#: a measure: 12.50, but not 12345.0, which is what a spreadsheet makes of a code
_DECIMALS = r"[.]\d*[1-9]\d*$"
#: 1234 may be an amount; a code begins with a letter, or with 0, or has as many digits as the others
_WHOLE = r"^[$€£¥￥]?\s?([1-9][\d,]*)(?:\.0*)?$"
_SAME_LENGTH = 0.95
#: running numbers have no such gaps
_GAPS = 5
#: numbers of which there are so few, as shares of the rows, are names of classes
_FEW = 0.02
#: share of Chinese names from which on what the hub knows about them beats what a table teaches by itself
LEAST_HAN = 0.3
#: share of the numbers of a column of mobiles that are known to be mobile
_MOBILES = 0.9
_COMPANY_HEADER = r"company|organi[sz]|firm|vendor|supplier|customer|account"
_COMPANY = r"(?:公司|集团|厂|有限合伙|合作社|事务所|研究院|银行)"


@dataclass(frozen=True)
class Column:
    """filled: share of rows with a value; distinct: share of these values that are distinct; words: mean words of a value;
    identifies: header or values say that no two entities share one."""

    name: str
    kind: str
    filled: float
    distinct: float
    values: int
    words: float
    identifies: bool


@cache
def name_header(header: str) -> str:
    """The header as a name in a rules file: simplified, lower case, words joined by underscores; may be empty."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1_\2", header.strip())
    return re.sub(r"[^0-9a-z一-鿿]+", "_", fold_texts(pl.Series([spaced]))[0] or "").strip("_")


def profile_column(values: pl.Series) -> Column:
    """The column's kind and figures; kind 'skip' where nothing of it can be compared."""
    text = values.cast(pl.String).str.strip_chars()
    known = text.filter((text != "") & text.is_not_null())
    count = known.n_unique() if len(known) else 0
    filled = len(known) / max(len(values), 1)
    distinct = count / max(len(known), 1)
    words = float(known.str.count_matches(r"\S+").mean() or 0.0)  # type: ignore[arg-type]
    kind = "skip" if count < 2 else _guess_kind(values.name, known, count, words)
    shaped = float(known.str.contains(_IDENTIFIERS).mean() or 0.0) > 0.5  # type: ignore[arg-type]
    identifies = kind == "code" and (shaped or bool(re.search(_IDENTIFIER, name_header(values.name))))
    return Column(values.name, kind, filled, distinct, count, words, identifies)


def _guess_kind(header: str, known: pl.Series, count: int, words: float) -> str:
    sample = known.unique().sort().gather_every(max(count // 2000, 1))

    def share(pattern: str) -> float:
        return float(sample.str.contains(pattern).mean() or 0.0)  # type: ignore[arg-type]

    kinds = [kind for kind, pattern in _HEADERS if re.search(pattern, name_header(header))]
    # the place and the name of a birth are no dates
    named = next((kind for kind in kinds if kind != "date" or share(r"\d") > 0.5), None)
    if named == "skip":
        return "skip"
    for kind, pattern in _SHAPES if named else (*_SHAPES, ("code", _IDENTIFIERS)):
        if share(pattern) > 0.5:
            return kind
    if share(f"{_SPOKEN_DATE}|{_DATE}") > 0.7 and named in (None, "date", "number", "code", "category"):
        return "date"
    person = rf"^(?:{match_words('surname')}|{match_words('double_surname')})\p{{Han}}{{1,2}}$"
    if named in (None, "name", "company") and share(person) > 0.7:
        return "person_name"
    if named in (None, "name", "company", "text") and share(_COMPANY) > 0.4:
        return "company"
    if re.search(_COMPANY_HEADER, name_header(header)) and share(r"\p{Han}") >= LEAST_HAN and named == "name":
        return "company"
    if named == "mobile" and not _are_mobiles(sample):
        named = "phone"
    numeric = share(_NUMBER) > 0.9
    whole = named is None and count > _FEW * len(known) and _are_amounts(sample, count)
    if numeric and named != "zip" and (whole or share(_DECIMALS) > 0.3):
        return "number"
    if named == "company" and share(r"...") < 0.5:
        named = None  # 单位 is also what things are counted in: 个, 千克
    return _settle(named, numeric, share(_PHONE), share(r"\p{Han}"), count / len(known), words, count)


def _are_mobiles(values: pl.Series) -> bool:
    """Whether nearly all numbers are known to be mobile ones: an American mobile number looks like any other."""
    numbers = split_numbers(values)
    return numbers["mobile"].count() >= _MOBILES * (numbers["mobile"].count() + numbers["landline"].count())


def _are_amounts(values: pl.Series, count: int) -> bool:
    """Whether whole numbers, `count` of them, differ in length and lie far apart: those that are given to things do not."""
    digits = values.str.extract(_WHOLE).str.replace_all(",", "", literal=True).drop_nulls()
    if len(digits) < _SAME_LENGTH * len(values):
        return False
    lengths = digits.str.len_chars().value_counts(name="n")["n"].to_list()
    return bool(max(lengths) <= _SAME_LENGTH * len(digits) and max(digits.cast(pl.Float64)) > _GAPS * count)


def _settle(named: str | None, numeric: bool, phones: float, han: float, distinct: float, words: float, count: int) -> str:
    """The header's kind, where the values can be that; else what they look like."""
    fits = {
        "email": False,
        "date": not numeric,
        "mobile": phones > 0.5,
        "phone": phones > 0.5,
        "number": numeric,
        "company": han > 0.3,
        "domain": not numeric,
        "zip": words < 2.5,
    }
    if named in ("given", "surname", "person_name", "name", "company", "text", "place", "address", "category") and numeric:
        return "code"
    if named and fits.get(named, True):
        long = named in ("name", "text") and words > 12
        return "text" if long else named
    if numeric:
        return "code" if distinct > _FEW else "category"
    if words > 8:
        return "text"
    return "category" if distinct < 0.05 and count < 200 else "name"
