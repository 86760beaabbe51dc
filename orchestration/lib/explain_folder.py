"""Answers to "why" without a project: from a hub in a folder, or from the files that a resolution wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hub.decide import describe_decisions
from hub.explain import explain_pair as score_pair
from hub.files import read_table
from hub.golden import Members, choose_winners, trace_lineage
from hub.hierarchy import link_parents
from hub.identify import build_crosswalk
from hub.outcome import write_pair_evidence
from hub.prepare import prepare
from hub.rules.model import Rules
from hub.standalone import ID_COLUMN, name_golden
from hub.store import read_events
from hub.weigh import UNITS_PER_BIT
from orchestration.lib.desk import Record
from orchestration.lib.hub_folder import Folder
from orchestration.project import ProjectError

_RECORD = ["source", "source_key"]
_ENDS = ["source_a", "source_key_a", "source_b", "source_key_b"]


def explain_hub_pair(folder: Path, rules: Rules, a: Record, b: Record) -> dict[str, Any]:
    """The evidence for and against two records that a hub holds, as orchestration.lib.explain has it for the line."""
    hub = Folder(folder, rules)
    wanted = pl.DataFrame([a, b], schema=dict.fromkeys(_RECORD, pl.String), orient="row")
    try:
        score = score_pair(hub.read_records(rules.entity, wanted), a, b, rules, hub.model, hub.read_log())
    except KeyError as error:
        raise ProjectError(f"{folder}: {error.args[0]}") from error
    return _add_customers(score, [str(hub.find_holder(record)) for record in (a, b)])


def explain_hub_customer(folder: Path, rules: Rules, subject: str) -> dict[str, Any]:
    """A customer of a hub, by its ID (one that was given up is followed) or by one of its records as SOURCE:KEY."""
    hub = Folder(folder, rules)
    source, colon, key = subject.partition(":")
    gid = hub.find_holder((source, key)) if colon else hub.follow(subject)
    members = hub.list_members(gid) if gid else []
    if not members:
        raise ProjectError(f"{folder}: {subject} is no record and no live ID of the hub: look for it in crosswalk.parquet")
    named = pl.DataFrame(members, schema=dict.fromkeys(_RECORD, pl.String), orient="row")
    events = read_events(folder)
    golden = name_golden(link_parents(hub.state.golden).filter(pl.col("gid") == gid))
    aligned, parts = prepare(hub.read_records(rules.entity, named), rules)
    rows = np.arange(len(members), dtype=np.int32)
    owned = Members(pl.Series([gid]), np.zeros_like(rows), rows, rows[:1])
    lineage = trace_lineage(parts, aligned, owned, choose_winners(parts, aligned, owned, rules), rules)
    crosswalk = build_crosswalk(events).filter(pl.col("gid") == gid).rename({"gid": ID_COLUMN})
    return {
        "asked": subject,
        ID_COLUMN: gid,
        "golden": golden.to_dicts(),
        "records": crosswalk.to_dicts(),
        "lineage": lineage.drop("gid").sort("attribute", "is_winner", descending=[False, True], maintain_order=True).to_dicts(),
        "edges": _list_edges(hub, rules, members),
        "decisions": _name_decisions(hub.read_decisions(), members),
        "events": events.filter((pl.col("gid") == gid) | (pl.col("other_gid") == gid)).to_dicts(),
    }


def _list_edges(hub: Folder, rules: Rules, members: list[Record]) -> list[dict[str, Any]]:
    """The pairs of some records at or above the review threshold, the heaviest first."""
    state = hub.state
    rows = hub.find_rows(members)
    inside = state.take(state.find_within(rows.astype(np.int32)))
    total = state.vectors["total"].to_numpy()[inside.vector]
    told = np.flatnonzero(total >= round(rules.review_bits * UNITS_PER_BIT))
    keys = state.records.select(_RECORD)
    ends = [keys[side[told]].rows() for side in (inside.left, inside.right)]
    pairs = pl.DataFrame(
        [(*min(pair), *max(pair)) for pair in zip(*ends, strict=True)], schema=dict.fromkeys(_ENDS, pl.String), orient="row"
    )
    log = hub.read_log()
    said = [describe_decisions(log, row[:2], row[2:], rules.entity) for row in pairs.iter_rows()]
    edges = pairs.with_columns(
        pl.Series("weight", total[told] / UNITS_PER_BIT),
        write_pair_evidence(state, pairs, rules, hub.model),
        pl.Series("decision", said, dtype=pl.String),
    )
    return edges.sort("weight", *_ENDS, descending=[True, *(False for _ in _ENDS)]).to_dicts()


def explain_written_pair(out: Path, rules: Rules, a: Record, b: Record) -> dict[str, Any]:
    """The evidence for two records as edges.parquet has it: bits by comparison, without the values, which are not there."""
    a, b = sorted((a, b))
    crosswalk = read_table(out / "crosswalk.parquet")
    customers = [_find_owner(out, crosswalk, f"{source}:{key}") for source, key in (a, b)]
    edge = read_table(out / "edges.parquet").filter(**dict(zip(_ENDS, (*a, *b), strict=True)))
    if not edge.drop_nulls("weight").height:
        said = f"; {edge['decision'][0]}" if edge.height else ""
        raise ProjectError(
            f"{out}: edges.parquet has no evidence for {':'.join(a)} and {':'.join(b)}{said}. It holds pairs at or above the "
            "review threshold; a hub tells of every pair: resolve with --hub, then explain with --hub"
        )
    row = edge.row(0, named=True)
    bits: dict[str, float] = json.loads(row["evidence"])
    names = [comparison.name for comparison in rules.comparisons]
    score = {
        "a": a,
        "b": b,
        "weight": row["weight"],
        "match_bits": rules.match_bits,
        "review_bits": rules.review_bits,
        "verdict": "match" if row["weight"] >= rules.match_bits else "grey",
        "prior": bits.get("prior", 0.0),
        "fields": [{"field": name, "bits": bits[name], "level": None, "a": None, "b": None} for name in names if name in bits],
        "together": {name: added for name, added in bits.items() if name not in ("prior", *names)},
        "decision": row["decision"],
        "proposed_by": None,
    }
    return _add_customers(score, customers)


def explain_written_customer(out: Path, subject: str) -> dict[str, Any]:
    """A customer as the files have it; they hold no lineage, and of a hub the events of the newest addition."""
    tables = {name: read_table(out / f"{name}.parquet") for name in ("crosswalk", "golden", "edges", "decisions", "events")}
    gid = _find_owner(out, tables["crosswalk"], subject)
    records = tables["crosswalk"].filter(pl.col(ID_COLUMN) == gid)
    edges = tables["edges"]
    for side in ("a", "b"):
        edges = edges.join(records, left_on=[f"source_{side}", f"source_key_{side}"], right_on=_RECORD, how="semi")
    return {
        "asked": subject,
        ID_COLUMN: gid,
        "golden": tables["golden"].filter(pl.col(ID_COLUMN) == gid).to_dicts(),
        "records": records.to_dicts(),
        "lineage": None,
        "edges": edges.sort("weight", *_ENDS, descending=[True, *(False for _ in _ENDS)], nulls_last=True).to_dicts(),
        "decisions": _name_decisions(tables["decisions"], records.select(_RECORD).rows()),
        "events": tables["events"].filter((pl.col("gid") == gid) | (pl.col("other_gid") == gid)).to_dicts(),
    }


def _find_owner(out: Path, crosswalk: pl.DataFrame, subject: str) -> str:
    source, colon, key = subject.partition(":")
    named = (pl.col("source") == source) & (pl.col("source_key") == key) if colon else pl.col(ID_COLUMN) == subject
    found = crosswalk.filter(named)[ID_COLUMN]
    if not len(found):
        raise ProjectError(f"{out}: {subject} is no record and no ID of crosswalk.parquet")
    return str(found[0])


def _name_decisions(decisions: pl.DataFrame, members: list[Record]) -> list[dict[str, Any]]:
    """Those that name one of the records."""
    chosen = set(members)
    return [
        row
        for row in decisions.to_dicts()
        if chosen & {(one["source"], one["source_key"]) for one in (*row["group_a"], *row["group_b"])}
    ]


def _add_customers(score: dict[str, Any], customers: list[str]) -> dict[str, Any]:
    return {**score, "customers": customers, "are_one_customer": customers[0] == customers[1]}
