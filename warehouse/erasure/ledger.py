"""The ledger's own texts, the identity log and the decisions under an erasure: what happened stays, values and keys go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import polars as pl
import sqlalchemy as sa

from warehouse import tables
from warehouse.durable import replace_durably
from warehouse.erasure.plan import Plan
from warehouse.erasure.traces import Scrubber
from warehouse.home import Home
from warehouse.ledger import Ledger, utc_now


def begin_erasure(ledger: Ledger, plan: Plan, key_check: str) -> None:
    """Record the erasure, and from now on let nothing of it land. Beginning it again is harmless."""
    erasure, erased = tables.erasure, tables.erased_record
    with ledger.write() as connection:
        known = connection.execute(sa.select(erasure.c.seq).where(erasure.c.erasure_id == plan.erasure_id)).first()
        if known:
            return
        connection.execute(
            erasure.insert().values(
                erasure_id=plan.erasure_id,
                actor=plan.actor,
                reason=plan.reason,
                state="pending",
                key_check=key_check,
                n_records=len(plan.traces.records) or len(plan.traces.landed),
                n_rows=sum(plan.n_rows.values()),
                n_cleaned=sum(plan.n_cleaned.values()),
                at=plan.at,
            )
        )
        for entry in plan.entries:
            where = [erased.c[name] == getattr(entry, name) for name in ("source", "stream", "kind", "field", "hash")]
            held = connection.execute(sa.select(erased.c.hashes).where(*where)).scalar()
            if held is None:
                values = {**vars(entry), "hashes": list(entry.hashes), "erasure_id": plan.erasure_id}
                connection.execute(erased.insert().values(**values))
            else:
                hashes = list(dict.fromkeys([*held, *entry.hashes]))
                connection.execute(erased.update().where(*where).values(hashes=hashes))


def end_erasure(ledger: Ledger, plan: Plan) -> None:
    """Record that nothing is left to do."""
    table = tables.erasure
    with ledger.write() as connection:
        done = table.update().where(table.c.erasure_id == plan.erasure_id)
        connection.execute(done.values(state="done", finished_at=utc_now()))


def clean_identity_files(home: Home, ledger: Ledger, scrubber: Scrubber) -> int:
    """Write the files of the identity log and of the decisions that have traces anew; returns rows changed.

    Each takes its place in one transaction, after which the old one is removed.
    """
    changed = 0
    for table in (tables.identity_batch, tables.decision_batch):
        for row in ledger.read(sa.select(table.c.seq, table.c.file)):
            path = home.identity / row["file"]
            frame = pl.read_parquet(path)
            cleaned = {
                place: new for place, one in _find_candidates(frame, scrubber) if (new := scrubber.clean_row(one)) is not one
            }
            if not cleaned:
                continue
            rows = [cleaned.get(place) or one for place, one in enumerate(frame.iter_rows(named=True))]
            name = f"{path.stem.partition('~')[0]}~{row['seq']}-{utc_now():%H%M%S%f}.parquet"
            temporary = home.identity / f"{name}.tmp"
            pl.DataFrame(rows, schema=frame.schema).write_parquet(temporary)
            replace_durably(temporary, home.identity / name)
            with ledger.write() as connection:
                connection.execute(table.update().where(table.c.seq == row["seq"]).values(file=name))
            path.unlink()
            changed += len(cleaned)
    return changed


def _find_candidates(frame: pl.DataFrame, scrubber: Scrubber) -> Iterator[tuple[int, dict[str, Any]]]:
    """Place and content of the rows in which there may be something; rows that name records in a list are few."""
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    whole = frame.select(pl.concat_str(pl.col(texts).fill_null(""), separator="\x1f")).to_series()
    found = pl.Series(["group_a" in frame.columns] * frame.height, dtype=pl.Boolean)
    for pattern in scrubber.patterns:
        found |= whole.str.contains(pattern)
    if "source_key" in texts:
        keys = pl.Series(sorted({key for _, key in scrubber.traces.records}), dtype=pl.String)
        found |= frame["source_key"].is_in(keys.implode()).fill_null(value=False)
    for place in found.arg_true():
        yield place, frame.row(place, named=True)


def clean_ledger(ledger: Ledger, scrubber: Scrubber) -> int:
    """Take traces out of every text of the ledger; returns rows changed.

    A cursor that names an erased record is forgotten: its stream is then read from the beginning once.
    """
    changed = 0
    for table in tables.metadata.sorted_tables:
        keys = list(table.primary_key.columns)
        texts = [column for column in table.c if isinstance(column.type, sa.Text | sa.JSON) and not column.primary_key]
        if not texts:
            continue
        for row in ledger.read(sa.select(*keys, *texts)):
            new = {column.name: _clean_cell(row[column.name], column.name, scrubber) for column in texts}
            differing = {name: value for name, value in new.items() if value != row[name]}
            if differing:
                where = sa.and_(*(column == row[column.name] for column in keys))
                with ledger.write() as connection:
                    connection.execute(table.update().where(where).values(**differing))
                changed += 1
    return changed


def _clean_cell(value: Any, column: str, scrubber: Scrubber) -> Any:
    if value is None:
        return None
    if isinstance(value, str):
        return scrubber.clean_text(value)
    text = json.dumps(value, ensure_ascii=False)
    cleaned = scrubber.clean_text(text)
    if cleaned is text:
        return value
    return None if column == "cursor" else json.loads(cleaned)
