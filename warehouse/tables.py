"""The ledger's tables (SQLite or PostgreSQL). All times are UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa


class UtcTime(sa.TypeDecorator[datetime]):
    """An aware UTC time; SQLite keeps no zone, so it is put back on reading."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Refuse a naive time, store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the ledger stores aware times only, got {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        """Read as UTC."""
        if value is None:
            return None
        time: datetime = value
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


metadata = sa.MetaData()


def _serial(name: str) -> sa.Column[int]:
    # SQLite only autoincrements a column that it calls INTEGER
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, default=0)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, UtcTime, nullable=nullable)


run = sa.Table(
    "run",
    metadata,
    _serial("seq"),
    sa.Column("run_id", sa.Text, nullable=False, unique=True),
    _time("started_at"),
    _time("finished_at", nullable=True),
    _text("state"),  # running | succeeded | failed
    sqlite_autoincrement=True,
)
batch = sa.Table(
    "batch",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("batch_id", sa.Text, nullable=False, unique=True),
    _text("source"),
    _text("stream"),
    _text("run_id"),
    _text("file", nullable=True),  # relative to landing/; several batches share a compacted file
    _text("retry_of", nullable=True),  # batch whose rejects this one parses again
    _count("n_rows"),
    _count("n_upserts"),
    _count("n_deletes"),
    _count("n_rejects"),
    _count("n_repeats"),
    _count("n_erased"),  # of n_rows: taken out of the landing file by an erasure, or never let into it
    _count("n_bytes"),
    sa.Column("columns", sa.JSON, nullable=False),
    sa.Column("cursor", sa.JSON, nullable=True),
    _time("extracted_at"),
    sa.Index("batch_by_stream", "source", "stream"),
)
retried_reject = sa.Table(
    "retried_reject",
    metadata,
    sa.Column("batch_id", sa.Text, primary_key=True),
    sa.Column("row_no", sa.BigInteger, primary_key=True),
    _text("retry_batch_id"),
)
retired_rows = sa.Table(
    "retired_rows",
    metadata,
    _serial("seq"),
    sa.Column("batch_id", sa.Text, nullable=False, index=True),
    sa.Column("first_row", sa.BigInteger, nullable=False),
    sa.Column("last_row", sa.BigInteger, nullable=False),
    _text("cause"),  # replaced: their file changed or is gone | dismissed: a person gave them up
    _text("by_batch_id"),
    _text("actor", nullable=True),
    _text("reason", nullable=True),
    _time("at"),
)
stream_state = sa.Table(
    "stream_state",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("cursor", sa.JSON, nullable=True),
    sa.Column("columns", sa.JSON, nullable=False),  # every column ever seen -> vendor type ("" unknown)
    sa.Column("present", sa.JSON, nullable=False),  # columns of the last batch that had rows
    _time("fresh_at"),
)
stream_fates = sa.Table(
    "stream_fates",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    _count("rows_in"),
    _count("accepted"),
    _count("superseded"),
    _count("quarantined"),
    _count("tombstoned"),
    _count("erased"),
    _time("loaded_at"),
)
schema_change = sa.Table(
    "schema_change",
    metadata,
    _serial("seq"),
    _text("source"),
    _text("stream"),
    _text("run_id"),
    _text("batch_id"),
    _text("column_name"),
    _text("kind"),  # new_column | missing_column | retyped_column
    _text("old_type", nullable=True),
    _text("new_type", nullable=True),
    _time("at"),
)
reconciliation = sa.Table(
    "reconciliation",
    metadata,
    _serial("seq"),
    _text("run_id"),
    _text("source"),
    _text("stream"),
    _text("equality"),
    sa.Column("expected", sa.BigInteger, nullable=False),
    sa.Column("actual", sa.BigInteger, nullable=False),
    sa.Column("ok", sa.Boolean, nullable=False),
    _text("message"),
    _time("at"),
)
check_result = sa.Table(
    "check_result",
    metadata,
    _serial("seq"),
    _text("run_id"),
    _text("name"),
    _text("asset", nullable=True),
    _text("severity"),  # error | warn
    sa.Column("passed", sa.Boolean, nullable=False),
    _text("detail"),
    _time("at"),
)
verdict = sa.Table(
    "verdict",
    metadata,
    _serial("seq"),
    _text("run_id"),
    _text("verdict"),  # pass | fail
    _text("reason"),
    _time("at"),
)
publication = sa.Table(
    "publication",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    _text("run_id"),
    _text("action"),  # publish | rollback
    _text("file"),  # name inside publication/history
    sa.Column("restored_seq", sa.BigInteger, nullable=True),  # rollback: the publication whose data are served again
    _text("author", nullable=True),
    _text("reason", nullable=True),
    _text("code_version"),
    _text("rule_version"),
    sa.Column("n_rows", sa.JSON, nullable=False),
    _time("published_at"),  # when the data were published first
    _time("at"),
)
identity_batch = sa.Table(
    "identity_batch",
    metadata,
    _serial("seq"),
    _text("run_id"),
    _text("file"),  # name inside identity/
    _count("n_events"),
    _text("state"),  # pending | committed
    _time("at"),
)
decision_batch = sa.Table(
    "decision_batch",
    metadata,
    _serial("seq"),
    _text("file"),  # name inside identity/
    _count("n_decisions"),
    _time("at"),
)
erasure = sa.Table(
    "erasure",
    metadata,
    _serial("seq"),
    sa.Column("erasure_id", sa.Text, nullable=False, unique=True),
    _text("actor"),
    _text("reason"),
    _text("state"),  # pending | done
    _text("key_check"),  # tells whether the key of today is the one that the hashes below were made with
    _count("n_records"),
    _count("n_rows"),
    _count("n_cleaned"),
    _time("at"),
    _time("finished_at", nullable=True),
)
erased_record = sa.Table(
    "erased_record",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),  # record: not let in | content: not let in | values: let in without them
    sa.Column("field", sa.Text, primary_key=True),  # record: the field that names it; empty: the stream's key
    sa.Column("hash", sa.Text, primary_key=True),  # keyed, of the field, the key or the content
    sa.Column("hashes", sa.JSON, nullable=False),  # keyed; record: of contents that came before; values: of what is taken out
    _text("erasure_id"),
)
