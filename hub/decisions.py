"""The log of decisions (hub.decide): its columns, what of it stands, and what that says of records. Public door."""

from typing import Any

import polars as pl

from hub.clustering.standing import Decision, RecordRef, Standing, join_moves

_GROUP = pl.List(pl.Struct({"source": pl.String(), "source_key": pl.String()}))
DECISION_SCHEMA = pl.Schema(
    {
        "decision_id": pl.String(),
        "at": pl.Datetime("us", "UTC"),
        "entity": pl.String(),
        "kind": pl.String(),  # merge | split | never | undo
        "group_a": _GROUP,
        "group_b": _GROUP,
        "actor": pl.String(),
        "reason": pl.String(),
        "undoes": pl.String(),
    }
)
#: labels of one decision about large groups: more of them would teach little else
MOST_LABELS = 25


def align_log(log: pl.DataFrame | None) -> pl.DataFrame:
    """A log as DECISION_SCHEMA, in its order."""
    if log is None:
        return pl.DataFrame(schema=DECISION_SCHEMA)
    return log.select(pl.col(name).cast(dtype) for name, dtype in DECISION_SCHEMA.items())


def list_standing(log: pl.DataFrame, entity: str) -> list[Decision]:
    """The decisions of an entity that nobody took back, oldest first."""
    own = log.filter(pl.col("entity") == entity)
    undone = own["undoes"].drop_nulls().implode()
    rows = own.filter((pl.col("kind") != "undo") & ~pl.col("decision_id").is_in(undone))
    return join_moves([_read(row) for row in rows.iter_rows(named=True)])


def list_undone(log: pl.DataFrame, entity: str) -> frozenset[str]:
    """The decisions of an entity that people took back."""
    return frozenset(log.filter(pl.col("entity") == entity)["undoes"].drop_nulls().to_list())


def list_named(log: pl.DataFrame, entity: str) -> pl.DataFrame:
    """source, source_key of every record that a decision of an entity names, also of those taken back."""
    own = align_log(log).filter(pl.col("entity") == entity)
    named = [own.select(pl.col(side).explode()).drop_nulls().unnest(side) for side in ("group_a", "group_b")]
    return pl.concat(named).unique().sort("source", "source_key")


def list_decisions(log: pl.DataFrame | None, entity: str | None = None) -> pl.DataFrame:
    """One row per decision, oldest first, with the undo of each: undone_by (its id), undone_at, undone_actor, undone_reason."""
    aligned = align_log(log)
    own = aligned if entity is None else aligned.filter(pl.col("entity") == entity)
    undo = own.filter(pl.col("kind") == "undo").select(
        decision_id="undoes", undone_by="decision_id", undone_at="at", undone_actor="actor", undone_reason="reason"
    )
    made = own.filter(pl.col("kind") != "undo").drop("undoes")
    return made.join(undo, on="decision_id", how="left", maintain_order="left")


def describe_decisions(log: pl.DataFrame | None, a: RecordRef, b: RecordRef, entity: str) -> str | None:
    """What the standing decisions say about two records, also through others; None where they say nothing."""
    standing = Standing(list_standing(align_log(log), entity))
    against = standing.find_apart([a], [b]) or standing.find_never([a, b])
    path = standing.find_path(a, b) if against is None else [against]
    return " and ".join(decision.describe() for decision in path) or None


def to_labels(log: pl.DataFrame | None, entity: str) -> pl.DataFrame:
    """source_a, source_key_a, source_b, source_key_b, is_same: what the standing decisions teach about pairs of records.

    A decision (decision_id) about groups labels their pairs, the first MOST_LABELS of them.
    """
    rows: dict[tuple[str, ...], tuple[bool, str]] = {}
    for decision in list_standing(align_log(log), entity):
        pairs = [(a, b) for a in decision.group_a for b in decision.group_b if a != b]
        for a, b in sorted((min(pair), max(pair)) for pair in pairs[:MOST_LABELS]):
            rows[(*a, *b)] = decision.kind == "merge", decision.decision_id
    ends = dict.fromkeys(("source_a", "source_key_a", "source_b", "source_key_b"), pl.String)
    schema = {**ends, "is_same": pl.Boolean, "decision_id": pl.String}
    return pl.DataFrame([(*pair, *said) for pair, said in rows.items()], schema=schema, orient="row")


def _read(row: dict[str, Any]) -> Decision:
    groups = [tuple((item["source"], item["source_key"]) for item in row[side]) for side in ("group_a", "group_b")]
    return Decision(row["decision_id"], row["kind"], groups[0], groups[1], row["actor"], row["reason"], row["at"])
