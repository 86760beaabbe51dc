"""How suggested rules call the entity, which columns of its table name a record, and how names are written."""

import json
import re
from collections.abc import Sequence

import polars as pl

from hub.columns.times import read_times
from hub.rules.model import RulesError
from hub.rules.profile import Column, name_header

#: headers of a record's own key; one that is only the place of the row serves where there is no other
_KEY = (
    r"(^|_)(id|key|uid|uuid|guid|pk|no)$|^(rec|record|row|unique)_?|[一-鿿]id$|(编号|编码|代码|主键)$|[学工]号$"
    r"|(客户|会员|用户|员工|职工|供应商|商户|档案|记录)[号码]$"
)
_PLACE = r"(序号|行号|流水号)$"
#: headers of when a record was written first, and last
_TIMES = {
    "created_at": r"((date|time)_?)?(created?|creation|opened|entered|added|inserted)(_?(at|on|date|time|date_?time|timestamp))?"
    r"|(date|gmt|time)_(created?|opened|entered|added)|.*(创建|新建|建档|建立|录入|新增|添加|开户)(时间|日期)|(创建|建立|录入)(于|日)",
    "updated_at": r"(last_?)?(updated?|modified|modification|changed|edited)(_?(at|on|date|time|date_?time|timestamp))?"
    r"|(date|gmt|time)_(last_)?(updated?|modified|changed)|system_modstamp|.*(更新|修改|变更|编辑)(时间|日期)|(更新|修改)(于|日)",
}
#: headers of what is at stake with whoever the record is of; prices are of things, and compared
_WORTH = (
    r"value|insured(_(sum|value|amount))?|(account_)?balance|revenue|turnover|credit_limit|contract_value"
    r"|(annual|total|yearly)_(sales|spend|revenue|value|turnover)|余额|保额|.*(采购|销售|营业|合同|成交|消费|交易|保险)金?额"
)
#: share of the values that are times
_READ = 0.5
#: headers that end so and speak of something else: papers, taxes, telephones, posts, regions, trades, whose it is
_OTHERS_KEY = r"证|税|信用|手机|电话|邮箱|机构代码|邮政|邮编|区|城市|省份|行业|类|上级|所属|股票"


def name_entity(entity: str) -> str:
    """As rules have it: `Sales Boat` is sales_boat. Raises RulesError where letters would be lost."""
    name = name_header(entity)
    if not entity.isascii() or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise RulesError(f"{entity!r} cannot be an entity: call it in letters from a to z, digits and _, as in student")
    return name


def name_prefix(entity: str) -> str:
    """Three letters and an underscore, as the built-in entities have it."""
    return re.sub("[^a-z]", "", name_entity(entity))[:3] + "_"


def quote(text: str) -> str:
    """A text as TOML has it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def quote_all(texts: Sequence[str]) -> str:
    """Texts as a list of TOML."""
    return "[" + ", ".join(quote(text) for text in texts) + "]"


def note_columns(what: str, names: Sequence[str]) -> str:
    """A comment in one line about columns, nothing about none."""
    return f"# {what}: {', '.join(quote(name)[1:-1] for name in names)}\n" if names else ""


def find_source(columns: list[Column], table: pl.DataFrame) -> str | None:
    """The column that names the source of each row."""
    for column in columns:
        named = re.search(
            r"^(source|source_?dataset|dataset|system|source_?system|来源|数据源|来源系统)$", name_header(column.name)
        )
        if named and column.filled > 0.99 and column.values <= max(table.height // 10, 2):
            return column.name
    return None


def find_value(columns: list[Column]) -> str | None:
    """The column of what a record is worth to whoever reviews it."""
    numbers = [column.name for column in columns if column.kind == "number"]
    return next((name for name in numbers if re.fullmatch(_WORTH, name_header(name))), None)


def find_times(table: pl.DataFrame) -> dict[str, str]:
    """The columns that tell when a record was written, where they are called otherwise and hold times that can be read."""
    found = {}
    for own, pattern in _TIMES.items():
        named = [column for column in table.columns if re.fullmatch(pattern, name_header(column))]
        column = None if own in named else next((column for column in named if _are_times(table[column])), None)
        if column:
            found[own] = column
    return found


def _are_times(values: pl.Series) -> bool:
    known = values.cast(pl.String).str.strip_chars().replace("", None).count()
    return bool(known) and read_times(values).count() >= _READ * known


def find_source_key(columns: list[Column], source: str | None) -> str | None:
    """The first column that differs in every row and is named like a key, else the table's first one if it holds such codes;
    what names the entity is no key of a record."""
    own = _list_own(columns, source)
    named = next(
        (column.name for pattern in (_KEY, _PLACE) for column in own if re.search(pattern, name_header(column.name))), None
    )
    leads = bool(own) and own[0] is columns[0] and own[0].kind == "code"
    return named or (own[0].name if leads else None)


def ask_for_key(columns: list[Column], source: str | None) -> str:
    """A comment where no key was found, with the columns that could be one."""
    own = [column.name for column in _list_own(columns, source) if column.words == 1]
    return (
        "# no column looks like the key of a record: say which one it is\n"
        + note_columns("each row has its own", own)
        + '# source_key = "COLUMN"'
    )


def _list_own(columns: list[Column], source: str | None) -> list[Column]:
    """The columns that differ in every row and do not speak of something else."""
    unique = [column for column in columns if column.filled == 1.0 and column.distinct == 1.0 and column.name != source]
    return [c for c in unique if c.kind != "credit_code" and not re.search(_OTHERS_KEY, name_header(c.name))]
