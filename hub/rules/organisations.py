"""Rules for a table of Chinese companies: those of organisations that come with the hub, reading the table's columns."""

import re
from collections.abc import Sequence
from importlib.resources import files

import polars as pl

from hub.columns.prepare import is_part
from hub.normalize.words import match_words
from hub.rules.naming import quote_all
from hub.rules.profile import LEAST_HAN, Column, name_header
from hub.rules.read import load_rules

#: names in other letters are of companies if the header says so, or so many of them end in a legal form
_OF_FIRMS = r"company|organi[sz]|firm|vendor|supplier|business|merchant"
_LEGAL = 0.2
#: headers of a company's number in a register: what tells it beside its name, and is given to it
_TAX = r"vat|ein|tax|tin|gst|abn|duns|lei|siret|siren|regist|登记号|注册号"
#: kinds that do not tell entities apart
_TELLS_LITTLE = ("place", "zip", "category", "number", "text")
_PROVINCE = r"prov|state|省|自治区"
_CITY = r"city|town|市"
_REGION = r"region|area|location|地区|区域|所在地"
#: columns of persons whose list it is, and of persons who stand for the company that is listed
_PERSON = r"姓名|^full_?name$|^(?:person_?)?name$|employee|patient|student|member|会员|员工|患者|学生"
_OF_COMPANY = r"contact|联[系络]|法人|法定|负责|代表|经办|业务|销售|director|owner|manager"
#: share of the records by which contacts are better filled than companies where the list is one of contacts
_BETTER_FILLED = 0.2
#: and so many persons for each company where contacts as well filled say so: companies have spellings, and contacts namesakes
_MORE_PERSONS = 1.1
#: so many names of things for each company
_MORE_THINGS = 3


def list_fitting(columns: Sequence[Column], entity: str = "organisation") -> list[Column]:
    """The columns that the built-in rules can read: to them `address.city` is a part of their field address, and no column."""
    fields = {field.name for field in load_rules(entity).fields}
    return [column for column in columns if not is_part(column.name, fields)]


def find_chinese_names(table: pl.DataFrame, columns: Sequence[Column]) -> str | None:
    """The most filled column of company names, if enough of them are Chinese."""
    names = sorted((column for column in columns if column.kind == "company"), key=lambda column: -column.filled)
    for column in names:
        known = table[column.name].cast(pl.String).drop_nulls()
        if known.len() and known.str.contains(r"\p{Han}").sum() >= LEAST_HAN * known.len():
            return column.name
    return None


def find_lone_names(table: pl.DataFrame, kept: Sequence[Column]) -> str | None:
    """The column of company names where nothing else tells entities apart: a column cannot teach its own weights."""
    told = [column for column in kept if column.kind not in _TELLS_LITTLE and not _is_tax(column)]
    if len(told) != 1 or told[0].kind not in ("company", "name"):
        return None
    folded = table[told[0].name].cast(pl.String).drop_nulls().str.to_lowercase().str.replace_all(r"[.,]", "")
    legal = float(folded.str.contains(rf" (?:{match_words('latin_legal')})$").mean() or 0.0)  # type: ignore[arg-type]
    return told[0].name if legal >= _LEGAL or re.search(_OF_FIRMS, name_header(told[0].name)) else None


def _is_tax(column: Column) -> bool:
    return column.identifies and bool(re.search(_TAX, name_header(column.name)))


def are_persons(columns: Sequence[Column]) -> bool:
    """Whether the list is one of persons, though it also names companies: its persons' names say so, are far better filled, or
    are more than the companies."""
    companies = [column for column in columns if column.kind == "company"]
    filled = max((column.filled for column in companies), default=0.0)
    several = _MORE_PERSONS * max((column.values for column in companies), default=0)
    return any(
        column.filled >= filled + (0.0 if is_subject(column) or column.values >= several else _BETTER_FILLED)
        for column in columns
        if column.kind in ("person_name", "given")
    )


def are_things(columns: Sequence[Column], company: str) -> bool:
    """Whether the list is one of things with their makers or suppliers: it has far more names than companies."""
    companies = next(column.values for column in columns if column.name == company)
    return any(column.kind == "name" and column.values >= _MORE_THINGS * companies for column in columns)


def is_subject(column: Column) -> bool:
    """Whether the header names those whose list it is."""
    header = name_header(column.name)
    return column.kind == "given" or bool(re.search(_PERSON, header) and not re.search(_OF_COMPANY, header))


def write_organisations(columns: Sequence[Column], name: str, records: Sequence[str], entity: str, prefix: str | None) -> str:
    """The built-in rules as TOML text, with the columns that each field has in the table and the lines of [records]."""
    text = (files("hub") / "rules" / "organisation.toml").read_text(encoding="utf-8")
    for field, read in _assign(columns, name).items():
        text = re.sub(
            rf"^({field} = \{{ kind = \"\w+\", columns = )\[.*?\]",
            lambda found, read=read: found[1] + quote_all(read),  # type: ignore[misc]
            text,
            flags=re.MULTILINE,
        )
    text = re.sub(r"^entity = .*$", f'entity = "{entity}"', text, count=1, flags=re.MULTILINE)
    if prefix:
        text = re.sub(r"^id_prefix = .*$", f'id_prefix = "{prefix}"', text, count=1, flags=re.MULTILINE)
    head = "# suggested: the hub's rules of organisations over this table's columns; correct the fields\n"
    return head + text.replace("[fields]\n", "\n".join(["[records]", *records, "", "[fields]\n"]), 1)


def _assign(columns: Sequence[Column], name: str) -> dict[str, list[str]]:
    """Columns by field, the better filled ones first; a field that the table does not have keeps what other fields say."""
    ordered = sorted(columns, key=lambda column: -column.filled)

    def find(kind: str, header: str = "") -> list[str]:
        return [column.name for column in ordered if column.kind == kind and re.search(header, name_header(column.name))]

    mobile, phone = find("mobile"), find("phone")
    provinces, cities = find("place", _PROVINCE), find("place", _CITY) or find("place", _REGION)
    found = {
        "name": [name],
        "tax": (find("credit_code") or [column.name for column in ordered if _is_tax(column)])[:1],
        "mobile": [*mobile, *phone],
        "phone": [*phone, *mobile],
        "email": find("email"),
        "domain": [*find("domain"), "email.domain"],
        "contact": [*find("person_name")[:1], "name.person"],
        "address": find("address")[:1],
    }
    if provinces or cities:
        province, city = (provinces or cities)[0], (cities or provinces)[0]
        found["place"] = [province, city, "address.province", "address.city", "name.province", "name.city"]
    return {field: read for field, read in found.items() if read}
