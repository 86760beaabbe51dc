"""Erasing records from a kept hub, and their values from a frozen model (I-10). Public door.

A hub keeps ended records as dead rows and its log names every record by its key: both lose what tells of the person. Ids stay.
"""

import re
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hub.candidates.keys import find_rows, hash_records
from hub.columns.hashing import hash_texts
from hub.columns.parts import Parts, Table
from hub.columns.prepare import align_records, derive_parts
from hub.kept.erased import Standins, hide_in_decisions, keep_erased
from hub.kept.outcome import Outcome
from hub.kept.pieces import index_blocks, join_parts, read_block
from hub.kept.state import State
from hub.kept.versions import read_version, write_version
from hub.model import Model, find_model, read_model, write_model
from hub.rules.model import Rules
from hub.scoring.frequency import Frequencies, list_counted_texts
from hub.store import hold_lock, read_decisions, read_state, refuse_earlier, refuse_other_rules, resolve_into, write_decisions

_RECORD = ["source", "source_key"]
_CONTACT = re.compile(r"[^\s@,;]+@[^\s@,;]+|\+?[0-9][0-9 .-]{6,}")


def erase_records(folder: Path, records: pl.DataFrame, rules: Rules, run_id: str, at: datetime) -> Outcome:
    """Take records (source, source_key) out of a hub with all that it holds of them: present and earlier versions, golden values,
    keys in the log and in decisions, frequencies of values that nobody else has. They do not come back with later additions.

    Killed anywhere, it can be done again. Raises StoreError and RulesError as an addition does.
    """
    named = records.select(pl.col(_RECORD).cast(pl.String)).unique()
    refuse_other_rules(folder, rules)
    refuse_earlier(folder, at)
    with hold_lock(folder):
        # before they go, so that nobody adds them again while they do
        standins = keep_erased(folder, named.iter_rows()).make_standins(named.iter_rows())
    outcome = resolve_into(folder, None, rules, run_id, at, deleted=named, force=True)
    with hold_lock(folder):
        state = read_state(folder)
        rows = _find_versions(state, named)
        gone, _ = align_records(state.records[rows].unique(_RECORD, keep="last"), rules)
        version = read_version(folder)
        for number in range(1, version + 1):
            _rewrite_events(folder / "events" / f"{number}.parquet", standins)
        hidden = _find_contacts(gone)
        write_decisions(folder, hide_in_decisions(read_decisions(folder), standins, hidden))
        left = derive_parts(state.records.filter(pl.Series(np.asarray(state.alive))), rules)
        replace_model(forget_values(read_model(folder, rules), derive_parts(gone, rules), left), find_model(folder))
        shown = replace(outcome, events=outcome.events.clear(), decisions=hide_in_decisions(outcome.decisions, standins, hidden))
        write_version(folder, version + 1, _blank(state, rows, standins), lambda: shown, rules, at, keeps_before=False)
    return replace(outcome, events=hide_in_events(outcome.events, standins), decisions=shown.decisions)


def forget_values(model: Model, gone: Parts, left: Parts) -> Model:
    """A model without the frequencies of values that only erased records had.

    A hash is no secret: of all mobiles there are it takes minutes to find the one. No record that is left is scored otherwise.
    """
    tables = {}
    for part, (hashes, buckets) in model.frequencies.tables.items():
        own = np.setdiff1d(hash_texts(list_counted_texts(gone, part)), hash_texts(list_counted_texts(left, part)))
        kept = ~np.isin(hashes, own)
        tables[part] = (hashes[kept], buckets[kept])
    return replace(model, frequencies=Frequencies(tables))


def replace_model(model: Model, folder: Path) -> None:
    """Write a model over the one of a folder; killed anywhere, there is a whole one."""
    waiting = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(waiting, ignore_errors=True)
    write_model(model, waiting)
    for path in sorted(waiting.iterdir()):
        path.replace(folder / path.name)
    waiting.rmdir()


def hide_in_events(events: pl.DataFrame, standins: Standins) -> pl.DataFrame:
    """Identity events with what stands for erased records' keys."""
    keys = pl.DataFrame(
        [(source, key, standin) for (source, key), standin in standins.items()],
        schema=dict.fromkeys([*_RECORD, "standin"], pl.String),
        orient="row",
    )
    joined = events.join(keys, on=_RECORD, how="left", maintain_order="left")
    return joined.with_columns(source_key=pl.coalesce("standin", "source_key")).select(events.columns)


def _find_contacts(gone: pl.DataFrame) -> frozenset[str]:
    """E-mails and numbers of the erased records, which a reason about somebody else may quote."""
    texts = [text for name in gone.columns if name not in _RECORD for text in gone[name].cast(pl.String).drop_nulls()]
    return frozenset(text for text in texts if _CONTACT.fullmatch(text))


def _find_versions(state: State, named: pl.DataFrame) -> Any:
    """All rows of the records, the dead ones too."""
    rows = find_rows(state.hashes, hash_records(named))
    held = state.records.select(pl.col(_RECORD).gather(pl.Series(rows))).with_columns(row=pl.Series(rows))
    return held.join(named, on=_RECORD, how="semi")["row"].to_numpy()


def _rewrite_events(path: Path, standins: Standins) -> None:
    events = pl.read_parquet(path)
    hidden = hide_in_events(events, standins)
    if not hidden.equals(events):
        waiting = path.with_suffix(".new")
        hidden.write_parquet(waiting)
        waiting.replace(path)


def _blank(state: State, rows: Any, standins: Standins) -> State:
    """The state whose rows of erased records hold nothing; no pair has them any more."""
    at = np.zeros(len(state.alive), dtype=bool)
    at[rows] = True
    mask = pl.Series(at)
    keys = state.records.select(_RECORD)
    names = [standins.get(record, record[1]) for record in keys.filter(mask).iter_rows()]
    held = pl.Series(keys["source_key"]).scatter(np.flatnonzero(at), names) if rows.size else keys["source_key"]
    others = [name for name in state.records.columns if name not in _RECORD]
    records = state.records.with_columns(pl.when(mask).then(None).otherwise(pl.col(name)).alias(name) for name in others)
    records = records.with_columns(held.alias("source_key"))
    hashes, guards = np.array(state.hashes), np.array(state.guards)
    hashes[at] = hash_records(records.filter(mask))
    guards[:, at] = 0
    blocks = [read_block(state.blocks, place) for place in range(len(state.blocks[0].starts) - 1)]
    return replace(
        state,
        records=_compact(records),
        hashes=hashes,
        guards=guards,
        parts=(_blank_parts(join_parts(state.parts), at),),
        blocks=(index_blocks([(own[~at[held]], held[~at[held]]) for own, held in blocks]),),
        portraits=_compact(state.golden),
        shown=np.arange(len(state.shown), dtype=np.int32),
        lineage=None if state.lineage is None else _compact(state.lineage),
        value=None if state.value is None else np.where(at, 0.0, state.value),
    )


def _blank_parts(parts: Parts, at: Any) -> Parts:
    """The parts of records of which some (`at`) hold nothing; values that only these had are gone."""
    tables = {}
    for name, table in parts.tables.items():
        ids = np.where(at, -1, table.ids)
        used, places = np.unique(ids, return_inverse=True)
        unknown = int((used < 0).sum())
        tables[name] = Table(_compact(table.rows[used[unknown:]]), (places - unknown).clip(-1).astype(np.int32))
    return Parts(parts.n, tables)


def _compact(table: pl.DataFrame) -> pl.DataFrame:
    """The table with texts of its own: rows share theirs with rows that are gone, and a file would be written with them."""
    texts = [name for name, kind in table.schema.items() if kind == pl.String]
    # what is null keeps its old text underneath, so it is overwritten first
    written = pl.from_arrow(table.select(pl.col(texts).fill_null("")).to_arrow(compat_level=pl.CompatLevel.oldest()))
    assert isinstance(written, pl.DataFrame)
    # polars gives a column without a name one
    written.columns = texts
    return table.with_columns(
        pl.when(table[name].is_null()).then(None).otherwise(written[name].cast(pl.String)).alias(name) for name in texts
    )
