"""What was erased does not come back: a batch against the keyed hashes of erased records, before anything of it lands."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import polars as pl
import sqlalchemy as sa

from warehouse import tables
from warehouse.contract import coalesce_text, find_field, find_headers, key_sql
from warehouse.erasure.keys import HASH_CHARACTERS, Keyed, key_file, open_key
from warehouse.erasure.traces import EMAIL, MOBILE, REDACTED
from warehouse.errors import WarehouseError
from warehouse.home import Home
from warehouse.ledger import Ledger
from warehouse.protocols import StreamLike
from warehouse.sql import identifier
from warehouse.working import NO_EXTENSIONS

KEY = ""  # the field of an entry that is about the stream's key
SEEN_AT_MOST = 100  # contents of one record by which repeats are known
HAN = re.compile(r"[\u3400-\u9fff·]+")
WORD = re.compile(r"\w+(?:-\w+)*")
LONGEST_HAN_NAME = 6


@dataclass(frozen=True)
class Entry:
    """A row of the ledger's table `erased_record`."""

    source: str
    stream: str
    kind: str
    field: str
    hash: str
    hashes: tuple[str, ...] = ()


def hash_value(keyed: Keyed, text: str) -> str:
    """Of a value as it is looked for again: a mobile by its digits, an e-mail in small letters."""
    mobile = MOBILE.fullmatch(text.strip())
    plain = re.sub(r"\D", "", mobile[1]) if mobile else text.strip().lower()
    return keyed.hash("value", plain)


def hash_content(keyed: Keyed, row: Mapping[str, Any]) -> str:
    """Of all that a row holds, whatever its columns are called by us."""
    cells = sorted((name, value) for name, value in row.items() if value is not None and not name.startswith("_"))
    return keyed.hash("content", json.dumps(cells, ensure_ascii=False))


def read_erased(home: Home, ledger: Ledger, source: str, stream: str) -> Erased | None:
    """What was erased of a stream; None for nothing. Raises WarehouseError where the key is not that of the hashes."""
    table = tables.erased_record
    rows = ledger.read(sa.select(table).where(table.c.source == source, table.c.stream == stream))
    if not rows:
        return None
    keyed = open_key(home)
    refuse_other_key(ledger, keyed, home)
    return Erased(keyed, [Entry(**{name: row[name] for name in Entry.__dataclass_fields__}) for row in rows])


def refuse_other_key(ledger: Ledger, keyed: Keyed, home: Home) -> None:
    """With another key no erased record would be known again."""
    checks = {row["key_check"] for row in ledger.read(sa.select(tables.erasure.c.key_check).distinct())}
    if checks - {keyed.check}:
        raise WarehouseError(
            f"the key of erased records is not the one that they were erased under, so they would come back; nothing was landed. "
            f"Set GOLDTHREAD_ERASURE_KEY to it, or put it back at {key_file(home)}"
        )


class Erased:
    """The erased records of one stream."""

    def __init__(self, keyed: Keyed, entries: Iterable[Entry]) -> None:
        self._keyed = keyed
        self._by_kind: dict[str, dict[tuple[str, str], Entry]] = {"record": {}, "content": {}, "values": {}}
        for entry in entries:
            self._by_kind[entry.kind][entry.field, entry.hash] = entry
        self._news: dict[tuple[str, str], list[str]] = {}

    def withhold_rows(self, stream: StreamLike, rows: pl.DataFrame, *, rereads: bool) -> tuple[pl.DataFrame, int, int]:
        """The rows that may land, those that hold values of somebody erased without them; how many may not and are news, how
        many were seen before. `rows` have `_row_hash`."""
        if not rows.height:
            return rows, 0, 0
        names = self._name_rows(stream, rows)
        found = [self._find(named) for named in names.iter_rows(named=True)]
        keyless = names[KEY].is_null().to_list()
        n_news = n_seen = 0
        kept: list[int] = []
        cleaned: dict[int, dict[str, Any]] = {}
        for place, entry in enumerate(found):
            if entry is None and not keyless[place]:
                kept.append(place)
                continue
            row = rows.row(place, named=True)
            if entry is None:
                if (KEY, hash_content(self._keyed, row)) in self._by_kind["content"]:
                    n_seen += 1
                else:
                    kept.append(place)
            elif entry.kind == "values":
                cleaned[place] = self._clean(row, entry)
                kept.append(place)
            elif self._is_news(entry, row["_row_hash"]) or not rereads:
                n_news += 1
            else:
                n_seen += 1
        for place, row in cleaned.items():
            rows = rows.with_columns(
                pl.when(pl.int_range(pl.len()) == place).then(pl.lit(value, pl.String)).otherwise(pl.col(name)).alias(name)
                for name, value in row.items()
            )
        return rows if len(kept) == rows.height else rows[kept], n_news, n_seen

    def withhold_rejects(self, rejects: pl.DataFrame) -> tuple[pl.DataFrame, int]:
        """The rejects that may land, and how many may not."""
        held = [
            (KEY, hash_content(self._keyed, row)) in self._by_kind["content"]
            for row in rejects.select("position", "payload").iter_rows(named=True)
        ]
        return (rejects.filter(~pl.Series(held)), sum(held)) if any(held) else (rejects, 0)

    def withhold_deletes(self, stream: StreamLike, deletes: pl.DataFrame) -> tuple[pl.DataFrame, int]:
        """The deletes that may land; one of an erased record ends nothing."""
        if not deletes.height:
            return deletes, 0
        found = [self._find(named) for named in self._name_rows(stream, deletes).iter_rows(named=True)]
        held = pl.Series([entry is not None and entry.kind == "record" for entry in found])
        return deletes.filter(~held), int(held.sum())

    def remember(self, ledger: Ledger) -> None:
        """Note the contents that came anew, so that the next time they are repeats."""
        table = tables.erased_record
        with ledger.write() as connection:
            for (name, hashed), news in self._news.items():
                entry = self._by_kind["record"][name, hashed]
                where = (
                    table.c.source == entry.source,
                    table.c.stream == entry.stream,
                    table.c.kind == "record",
                    table.c.field == name,
                    table.c.hash == hashed,
                )
                connection.execute(table.update().where(*where).values(hashes=[*entry.hashes, *news][-SEEN_AT_MOST:]))

    def _name_rows(self, stream: StreamLike, rows: pl.DataFrame) -> pl.DataFrame:
        """A column per field that entries are about, by its name; KEY for the stream's key."""
        columns = [name for name in rows.columns if not name.startswith("_")]
        selected = [f"{key_sql(stream, columns)} as {identifier('_key')}"]
        fields = sorted({name for kind in self._by_kind.values() for name, _ in kind} - {KEY})
        for name in fields:
            declared = find_field(stream, name)
            headers = find_headers(declared, columns) if declared else []
            selected.append(f"{coalesce_text(headers)} as {identifier(name)}")
        with duckdb.connect(config=NO_EXTENSIONS) as connection:
            connection.register("incoming", rows.select(columns))
            named: pl.DataFrame = connection.sql(f"select {', '.join(selected)} from incoming").pl()  # noqa: S608 (quoted)
        return named.rename({"_key": KEY})

    def _find(self, named: Mapping[str, str | None]) -> Entry | None:
        for name, text in named.items():
            if text is None:
                continue
            hashed = self._keyed.hash("record", text)
            entry = self._by_kind["record"].get((name, hashed)) or self._by_kind["values"].get((name, hashed))
            if entry:
                return entry
        return None

    def _is_news(self, entry: Entry, row_hash: str) -> bool:
        hashed = self._keyed.hash("seen", row_hash)
        news = self._news.setdefault((entry.field, entry.hash), [])
        if hashed in entry.hashes or hashed in news:
            return False
        news.append(hashed)
        return True

    def _clean(self, row: Mapping[str, Any], entry: Entry) -> dict[str, Any]:
        """Cells without the entry's values. The row's own fingerprint would let them be found by trying, so it is keyed."""
        hashes = set(entry.hashes)
        cleaned = {
            name: self._clean_text(value, hashes) for name, value in row.items() if isinstance(value, str) and name != "_row_hash"
        }
        changed = {name: value for name, value in cleaned.items() if value != row[name]}
        return {**changed, "_row_hash": key_row_hash(self._keyed, row["_row_hash"])}

    def _clean_text(self, text: str, hashes: set[str]) -> str | None:
        if hash_value(self._keyed, text) in hashes:
            return None

        def check(match: re.Match[str]) -> str:
            return REDACTED if hash_value(self._keyed, match.group()) in hashes else match.group()

        for pattern in (EMAIL, MOBILE, WORD):
            text = pattern.sub(check, text)
        return HAN.sub(lambda match: _hide_name(match.group(), lambda part: hash_value(self._keyed, part) in hashes), text)


def key_row_hash(keyed: Keyed, row_hash: str) -> str:
    """The fingerprint of a row that was cleaned: known again, but not to be found by trying values."""
    return row_hash if len(row_hash) == HASH_CHARACTERS else keyed.hash("row", row_hash)


def _hide_name(run: str, is_erased: Callable[[str], bool]) -> str:
    """A run of Chinese characters without the names in it, of which nobody tells where they begin."""
    place = 0
    while place < len(run):
        for length in range(min(LONGEST_HAN_NAME, len(run) - place), 1, -1):
            if is_erased(run[place : place + length]):
                run = run[:place] + REDACTED + run[place + length :]
                place += len(REDACTED) - 1
                break
        place += 1
    return run
