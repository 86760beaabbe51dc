"""Doing an erasure in the stores of a home, from its journal: every step can be done again, so a killed one is completed."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence, Set
from pathlib import Path

import duckdb

from warehouse.compaction import sweep
from warehouse.erasure.databases import clean_duckdb, clean_sqlite, vacuum_sqlite
from warehouse.erasure.keys import open_key
from warehouse.erasure.landed import Streams, list_landed, rewrite_stream
from warehouse.erasure.ledger import begin_erasure, clean_identity_files, clean_ledger, end_erasure
from warehouse.erasure.plan import Plan, drop_journal, write_journal
from warehouse.erasure.suppression import refuse_other_key
from warehouse.erasure.traces import Scrubber
from warehouse.home import Home, RunLock
from warehouse.ledger import Ledger
from warehouse.publication import STORAGE_VERSION, ensure_served
from warehouse.sql import literal
from warehouse.working import NO_EXTENSIONS

SQLITE_SUFFIXES = {".db", ".sqlite"}
# columns of a golden table that are no values of anybody
NO_VALUES = {"customer_gid", "person_gid", "parent_gid", "status"}
GOLDEN = ("golden_customers", "golden_persons")


def erase(home: Home, ledger: Ledger, lock: RunLock, plan: Plan, streams: Streams, folders: Sequence[Path]) -> dict[str, int]:
    """Erase in every store of the home, and in the texts and SQLite files of `folders` (artefacts of tools, logs).

    The caller holds the run lock. Returns what was changed, by store. The working file is removed: the next run derives it.
    """
    keyed = open_key(home)
    refuse_other_key(ledger, keyed, home)
    write_journal(home, plan)
    begin_erasure(ledger, plan, keyed.check)
    scrubber = Scrubber(plan.traces)
    done = {"rows_erased": 0, "rows_cleaned": 0}
    for source, stream in list_landed(ledger):
        own = [target for target in plan.targets if (target.source, target.stream) == (source, stream)]
        out, cleaned = rewrite_stream(home, ledger, source, stream, streams.get((source, stream)), own, scrubber, keyed)
        done["rows_erased"] += out
        done["rows_cleaned"] += cleaned
    with home.hold_decision_lock():
        done["identity_rows"] = clean_identity_files(home, ledger, scrubber)
    done["ledger_rows"] = clean_ledger(ledger, scrubber)
    done["published_rows"] = clean_publications(home, ledger, scrubber)
    remove_working(home)
    done["texts"] = sum(clean_folder(folder, scrubber) for folder in folders)
    sweep(home, ledger, lock)
    end_erasure(ledger, plan)
    if ledger.engine.dialect.name == "sqlite":
        vacuum_sqlite(home.path / "ledger.db")
    drop_journal(home)
    return done


def clean_publications(home: Home, ledger: Ledger, scrubber: Scrubber) -> int:
    """Write every kept publication that has traces anew and swap the served one; returns rows changed."""
    with home.hold_publication_lock():
        files = sorted(home.history.glob("[!.]*.duckdb"))
        changed = sum(clean_duckdb(path, scrubber, list_attributes(path), STORAGE_VERSION) for path in files)
    ensure_served(home, ledger)
    return changed


def list_attributes(path: Path) -> Set[str]:
    """The columns of a publication that hold values of customers and persons."""
    with duckdb.connect(config=NO_EXTENSIONS) as connection:
        connection.execute(f"attach {literal(str(path))} as old (read_only)")
        names = connection.execute(
            "select distinct column_name from duckdb_columns() where database_name = 'old' and table_name in (?, ?)", GOLDEN
        ).fetchall()
    return {name for (name,) in names} - NO_VALUES | {"value"}


def remove_working(home: Home) -> None:
    """The working file is derived from the others."""
    for path in home.path.glob(f"{home.working.name}*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def clean_folder(folder: Path, scrubber: Scrubber) -> int:
    """Take traces out of the texts and SQLite files below a folder; returns texts changed. A file that is neither goes whole."""
    changed = 0
    for path in _list_files(folder):
        if path.suffix in SQLITE_SUFFIXES:
            changed += clean_sqlite(path, scrubber)
            vacuum_sqlite(path)
        else:
            changed += _clean_file(path, scrubber)
    return changed


def _list_files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm")))


def _clean_file(path: Path, scrubber: Scrubber) -> int:
    content = path.read_bytes()
    try:
        text = content.decode()
    except UnicodeDecodeError:
        if not scrubber.find(content.decode("latin-1")):
            return 0
        path.unlink()
        return 1
    cleaned = "".join(scrubber.clean_text(line) for line in text.splitlines(keepends=True)) if scrubber.find(text) else text
    if cleaned == text:
        return 0
    temporary = path.with_name(path.name + ".erasing")
    temporary.write_text(cleaned, encoding="utf-8")
    shutil.copymode(path, temporary)
    temporary.replace(path)
    return 1
