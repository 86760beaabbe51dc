"""Publication: build beside, audit, swap in. What is served is always the ledger's newest publication, whole."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy as sa

from warehouse import tables
from warehouse.described import Comments, write_comments, write_description
from warehouse.durable import replace_durably, sync_directory
from warehouse.errors import PublicationHeld, PublicationRefused, WarehouseError
from warehouse.home import Home
from warehouse.ledger import Ledger, utc_now
from warehouse.sql import identifier, literal
from warehouse.working import NO_EXTENSIONS, open_working

KEPT = 5  # runs
# older DuckDB clients of BI tools read this version
STORAGE_VERSION = "v1.0.0"


@dataclass(frozen=True)
class Publication:
    """One row of the ledger's publication log. After a rollback `run_id` and `published_at` are those of the data
    that are served again, and `restored_seq` is the publication they come from."""

    seq: int
    run_id: str
    action: str  # publish | rollback
    file: str
    restored_seq: int | None
    author: str | None
    reason: str | None
    code_version: str
    rule_version: str
    n_rows: dict[str, int]
    published_at: datetime
    at: datetime

    @property
    def data_seq(self) -> int:
        """The publication that these data were first published as."""
        return self.seq if self.restored_seq is None else self.restored_seq


def publish(
    home: Home,
    ledger: Ledger,
    run_id: str,
    published_tables: Sequence[tuple[str, str]],
    code_version: str,
    rule_version: str,
    *,
    comments: Mapping[str, Comments] | None = None,
    ends_hold: bool = False,
    keep: int = KEPT,
) -> Publication:
    """Publish tables (schema, name) of the working file, with comments by table, and commit the run's identity events with them.

    Raises PublicationRefused unless the newest verdict of this run is "pass" and no other run has begun since (its data
    would be in the working file), and PublicationHeld after a rollback: only a caller that `ends_hold`, for a person, may
    publish over that. Killed anywhere, readers go on with the previous file or have the new one.
    """
    with home.hold_publication_lock():
        if not ends_hold:
            _refuse_while_held(ledger)
        with ledger.write() as connection:
            _refuse_unless_passed(connection, run_id)
            seq = _next_seq(connection)
        now = utc_now()
        n_rows: dict[str, int] = {}

        def build(path: Path) -> None:
            n_rows.update(_build(home, path, seq, run_id, now, published_tables, (code_version, rule_version), comments or {}))

        file = _make_history_file(home, seq, run_id, build)
        publication = Publication(seq, run_id, "publish", file, None, None, None, code_version, rule_version, n_rows, now, now)
        with ledger.write() as connection:
            _refuse_unless_passed(connection, run_id)
            _record(connection, publication)
            log = tables.identity_batch
            connection.execute(
                log.update().where(log.c.run_id == run_id, log.c.state == "pending").values(state="committed", at=now)
            )
        _serve(home, publication)
        _prune(home, ledger, keep)
    return publication


def rollback(home: Home, ledger: Ledger, *, author: str, reason: str, to: str | None = None, keep: int = KEPT) -> Publication:
    """Serve an earlier publication again: that of run `to`, or the newest of a run before the data served now.

    Recorded in the ledger and in the served `_publication` row. Raises PublicationRefused when there is none.
    """
    with home.hold_publication_lock():
        history = list_publications(ledger)
        if not history:
            raise PublicationRefused("nothing was published yet, so there is nothing to roll back to")
        target = _find_rollback_target(home, history, to)
        now = utc_now()
        with ledger.write() as connection:
            seq = _next_seq(connection)
        restored = (seq, target.data_seq, now, author, reason)
        file = _make_history_file(home, seq, target.run_id, lambda path: _rebuild(home.history / target.file, path, restored))
        publication = Publication(
            seq,
            target.run_id,
            "rollback",
            file,
            target.data_seq,
            author,
            reason,
            target.code_version,
            target.rule_version,
            target.n_rows,
            target.published_at,
            now,
        )
        with ledger.write() as connection:
            _record(connection, publication)
        _serve(home, publication)
        _prune(home, ledger, keep)
    return publication


def ensure_served(home: Home, ledger: Ledger, *, keep: int = KEPT) -> Publication | None:
    """Make the served file the ledger's newest publication, whatever was killed before; sweep what was left half-built."""
    with home.hold_publication_lock():
        history = list_publications(ledger)
        if history:
            _serve(home, history[-1])
        _prune(home, ledger, keep)
    return history[-1] if history else None


def list_publications(ledger: Ledger) -> list[Publication]:
    """Every publication and rollback, oldest first; the last one is served."""
    return [Publication(**row) for row in ledger.read(sa.select(tables.publication).order_by(tables.publication.c.seq))]


def find_hold(ledger: Ledger) -> Publication | None:
    """The rollback that is served, which runs must not publish over; None: there is none."""
    history = list_publications(ledger)
    return history[-1] if history and history[-1].action == "rollback" else None


def _refuse_while_held(ledger: Ledger) -> None:
    hold = find_hold(ledger)
    if hold:
        raise PublicationHeld(
            f"not published: {hold.author} rolled back to run {hold.run_id} at {hold.at:%Y-%m-%d %H:%M} UTC ({hold.reason}). "
            "When what was wrong is mended, `goldthread run` and then `goldthread publish` serve the new data."
        )


def _refuse_unless_passed(connection: sa.Connection, run_id: str) -> None:
    run, verdict = tables.run, tables.verdict
    newest = connection.execute(sa.select(run.c.run_id).order_by(run.c.seq.desc()).limit(1)).scalar()
    if newest != run_id:
        raise PublicationRefused(
            f"run {run_id} is not the newest run ({newest} is), so the working file is not its work. "
            f"Publish {newest}, or run again."
        )
    query = sa.select(verdict).where(verdict.c.run_id == run_id).order_by(verdict.c.seq.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise PublicationRefused(f"run {run_id} has no verdict: it was not checked. `goldthread run` checks, then publish.")
    if row["verdict"] != "pass":
        raise PublicationRefused(f"the verdict of run {run_id} is {row['verdict']}: {row['reason']}. Repair that and run again.")


def _next_seq(connection: sa.Connection) -> int:
    return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(tables.publication.c.seq), 0))).scalar_one()) + 1


def _record(connection: sa.Connection, publication: Publication) -> None:
    connection.execute(tables.publication.insert().values(**vars(publication)))


def _make_history_file(home: Home, seq: int, run_id: str, build: Callable[[Path], None]) -> str:
    """Build a file beside, whole and on disk, then name it `<seq>-<run>.duckdb`; a crash leaves a `.build` file."""
    name = f"{seq:06d}-{''.join(c if c.isalnum() or c in '-_' else '_' for c in run_id)}.duckdb"
    temporary = home.history / f".build-{name}"
    temporary.unlink(missing_ok=True)
    build(temporary)
    if temporary.with_name(temporary.name + ".wal").exists():
        raise WarehouseError(f"{temporary} still has a write-ahead file after its checkpoint; nothing was published")
    temporary.chmod(0o444)
    replace_durably(temporary, home.history / name)
    return name


def _build(
    home: Home,
    path: Path,
    seq: int,
    run_id: str,
    now: datetime,
    published_tables: Sequence[tuple[str, str]],
    versions: tuple[str, str],
    comments: Mapping[str, Comments],
) -> dict[str, int]:
    names = [name for _, name in published_tables]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise WarehouseError(f"tables {doubled} come from two schemas; a publication has one schema, main")
    n_rows: dict[str, int] = {}
    with open_working(home) as connection:
        _attach(connection, path)
        try:
            for schema, name in published_tables:
                known = connection.execute(
                    "select 1 from information_schema.tables where (table_schema, table_name) = (?, ?)", [schema, name]
                )
                if not known.fetchall():
                    raise WarehouseError(f"{schema}.{name}, which is to be published, is not in the working file; build it first")
                select = f"select * from {identifier(schema)}.{identifier(name)}"  # noqa: S608
                made = connection.execute(f"create table publication.main.{identifier(name)} as {select}")
                n_rows[name] = made.fetchall()[0][0]
            write_description(connection, [seq, run_id, now, *versions, "pass", json.dumps(n_rows, sort_keys=True)])
            write_comments(connection, "publication", comments)
            connection.execute("checkpoint publication")
        finally:
            connection.execute("detach publication")
    return n_rows


def _rebuild(source: Path, path: Path, restored: tuple[Any, ...]) -> None:
    """Copy a publication and write into its description that it is served again."""
    shutil.copyfile(source, path)
    with duckdb.connect(config=NO_EXTENSIONS) as connection:
        _attach(connection, path)
        connection.execute(
            "update publication.main._publication"
            " set seq = ?, restored_seq = ?, restored_at = ?, restored_by = ?, restored_reason = ?",
            list(restored),
        )
        connection.execute("checkpoint publication")
        connection.execute("detach publication")


def _attach(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    connection.execute(f"attach {literal(str(path))} as publication (STORAGE_VERSION {literal(STORAGE_VERSION)})")


def _find_rollback_target(home: Home, history: Sequence[Publication], to: str | None) -> Publication:
    """The newest data of another run; without `to` never younger than what is served, so a second rollback goes further back."""
    served = history[-1]
    kept = [item for item in history if item.run_id != served.run_id and (home.history / item.file).exists()]
    fitting = [item for item in kept if (item.data_seq < served.data_seq if to is None else item.run_id == to)]
    if not fitting:
        runs = ", ".join(dict.fromkeys(item.run_id for item in sorted(kept, key=lambda item: item.data_seq))) or "none"
        wanted = "earlier than what is served" if to is None else f"of run {to}, other than what is served,"
        raise PublicationRefused(f"no publication {wanted} is kept; kept runs: {runs}")
    return max(fitting, key=lambda item: (item.data_seq, item.seq))


def _serve(home: Home, publication: Publication) -> None:
    """Swap the served file in one step."""
    source = home.history / publication.file
    if not source.exists():
        raise WarehouseError(f"{source} is missing: it is publication {publication.seq}. Publish again or roll back.")
    if home.served.exists() and home.served.samefile(source):
        return
    temporary = home.publication / ".swap"
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, temporary)
    # left by a client that opened the old file for writing; it would be applied to the new one
    home.served.with_name(home.served.name + ".wal").unlink(missing_ok=True)
    replace_durably(temporary, home.served)


def _prune(home: Home, ledger: Ledger, keep: int) -> None:
    """Keep the newest file of each of the last runs served; remove the others and what a killed build or swap left."""
    newest = {item.run_id: item for item in list_publications(ledger)}
    last = sorted(newest.values(), key=lambda item: item.seq)[-max(keep, 1) :]
    kept = {item.file for item in last}
    for path in home.history.iterdir():
        if path.name not in kept:
            path.unlink()
    (home.publication / ".swap").unlink(missing_ok=True)
    sync_directory(home.history)
