"""Answers to "why" without a project: from a hub in a folder, or from the files that a resolution wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hub.columns.prepare import prepare
from hub.decisions import describe_decisions
from hub.explain import add_reasons, read_pairs, read_told
from hub.explain import explain_pair as score_pair
from hub.files import read_table
from hub.ids.identify import build_crosswalk
from hub.kept.outcome import list_crosswalk, order_present, write_pair_evidence
from hub.results.golden import Members, choose_winners, trace_lineage
from hub.results.hierarchy import link_parents
from hub.results.reasons import grow_tree, list_holding
from hub.rules.model import Rules
from hub.standalone import ID_COLUMN, name_golden
from hub.store import read_events
from orchestration.lib.desk import Record
from orchestration.lib.hub_folder import Folder
from orchestration.project import ProjectError

_RECORD = ["source", "source_key"]
_ENDS = ["source_a", "source_key_a", "source_b", "source_key_b"]
#: the files that tell of a pair
_TOLD = ("crosswalk", "edges", "golden", "decisions")
_UNKNOWN = "no record and no ID of the hub: look for it in crosswalk.parquet"


def explain_hub_pair(folder: Path, rules: Rules, a: Record, b: Record) -> dict[str, Any]:
    """The evidence for and against two records that a hub holds, as orchestration.lib.explain has it for the line."""
    hub = Folder(folder, rules)
    for record in (a, b):
        if hub.find_holder(record) is None:
            _, told = follow_record(read_events(folder), record)
            raise ProjectError(f"{folder}: {'; '.join(told or [f'{record[0]}:{record[1]} is {_UNKNOWN}'])}")
    score = score_pair(hub.read_records(rules.entity, _frame([a, b])), a, b, rules, hub.model, hub.read_log())
    customers = [str(hub.find_holder(record)) for record in (a, b)]
    sides = {gid: hub.list_members(gid) for gid in customers}
    pairs = read_pairs(hub.state, [record for side in sides.values() for record in side], rules)
    holders = {gid: hub.read_records(rules.entity, _frame(side)) for gid, side in sides.items()}
    return add_reasons(score, sides, pairs, hub.read_decisions(), holders, rules)


def explain_hub_customer(folder: Path, rules: Rules, subject: str) -> dict[str, Any]:
    """A customer of a hub, by its ID or by one of its records as SOURCE:KEY.

    An ID that was given up is followed, and `became` says so; of one that was retired there is only what it was. A record that
    was deleted stands for the customer that it was of.
    """
    hub, events = Folder(folder, rules), read_events(folder)
    source, colon, key = subject.partition(":")
    holder = hub.find_holder((source, key)) if colon else None
    gid, became = (holder, []) if holder else follow_record(events, (source, key)) if colon else follow_id(events, subject)
    if gid not in events["gid"]:
        raise ProjectError(f"{folder}: {subject} is {_UNKNOWN}")
    members = hub.list_members(gid)
    crosswalk = build_crosswalk(events).filter(pl.col("gid") == gid).rename({"gid": ID_COLUMN})
    told = events.filter((pl.col("gid") == gid) | (pl.col("other_gid") == gid)).to_dicts()
    if not members:
        gone: dict[str, Any] = {name: [] for name in ("golden", "records", "lineage", "tree", "edges", "decisions")}
        return {"asked": subject, "became": became, ID_COLUMN: None, **gone, "records": crosswalk.to_dicts(), "events": told}
    holders = list_crosswalk(hub.state, order_present(hub.state))
    golden = name_golden(link_parents(hub.state.golden, holders).filter(pl.col("gid") == gid))
    aligned, parts = prepare(hub.read_records(rules.entity, _frame(members)), rules)
    rows = np.arange(len(members), dtype=np.int32)
    owned = Members(pl.Series([gid]), np.zeros_like(rows), rows, rows[:1])
    lineage = trace_lineage(parts, aligned, owned, choose_winners(parts, aligned, owned, rules), rules)
    pairs, decisions = read_pairs(hub.state, members, rules), hub.read_decisions()
    return {
        "asked": subject,
        "became": became,
        ID_COLUMN: gid,
        "golden": golden.to_dicts(),
        "records": crosswalk.to_dicts(),
        "lineage": lineage.drop("gid").sort("attribute", "is_winner", descending=[False, True], maintain_order=True).to_dicts(),
        "tree": grow_tree(pairs, list_holding(decisions, rules.entity), rules.match_bits, members),
        "edges": _list_edges(hub, rules, pairs),
        "decisions": _name_decisions(decisions, members),
        "events": told,
    }


def follow_id(events: pl.DataFrame, gid: str) -> tuple[str, list[str]]:
    """The ID that one leads to, and what became of it on the way; neither is to be had of events before those given."""
    told: list[str] = []
    ending = events.filter(pl.col("kind").is_in(["merged", "redirected", "restored", "retired"]))
    while (ends := ending.filter(pl.col("gid") == gid)).height:
        last = ends.sort("event_no").row(-1, named=True)
        if last["kind"] == "restored":
            break
        if last["kind"] == "retired":
            told.append(f"{gid} was retired on {last['at']:%Y-%m-%d}: its records were gone")
            break
        told.append(f"{gid} was merged into {last['other_gid']} on {last['at']:%Y-%m-%d}")
        gid = last["other_gid"]
    return gid, told


def follow_record(events: pl.DataFrame, record: Record) -> tuple[str, list[str]]:
    """The ID that leads on from the last one of a record that was deleted, and when that was; neither of one that never was."""
    steps = events.filter(pl.col("kind").is_in(["attached", "detached"]), source=record[0], source_key=record[1])
    if not steps.height:
        return "", []
    last = steps.sort("event_no").row(-1, named=True)
    gid, became = follow_id(events, last["gid"])
    return gid, [f"{':'.join(record)} was deleted on {last['at']:%Y-%m-%d}: it was of {last['gid']}", *became]


def _list_edges(hub: Folder, rules: Rules, pairs: pl.DataFrame) -> list[dict[str, Any]]:
    """Those at or above the review threshold, the heaviest first."""
    pairs = pairs.filter(pl.col("weight") >= rules.review_bits).select(*_ENDS, "weight")
    log = hub.read_log()
    said = [describe_decisions(log, row[:2], row[2:4], rules.entity) for row in pairs.iter_rows()]
    edges = pairs.with_columns(
        write_pair_evidence(hub.state, pairs, rules, hub.model),
        pl.Series("decision", said, dtype=pl.String),
    )
    return edges.sort("weight", *_ENDS, descending=[True, *(False for _ in _ENDS)]).to_dicts()


def explain_written_pair(out: Path, rules: Rules, a: Record, b: Record) -> dict[str, Any]:
    """The evidence for two records as edges.parquet has it: bits by comparison, without the values, which are not there.

    Two records of one customer need no edge of their own: then weight and verdict are null.
    """
    a, b = sorted((a, b))
    crosswalk, edges, golden, decisions = (read_table(out / f"{name}.parquet") for name in _TOLD)
    customers = [_find_owner(out, crosswalk, f"{source}:{key}") for source, key in (a, b)]
    sides = {gid: crosswalk.filter(pl.col(ID_COLUMN) == gid).select(_RECORD).rows() for gid in customers}
    edge = edges.filter(**dict(zip(_ENDS, (*a, *b), strict=True)))
    is_told = edge.drop_nulls("weight").height > 0
    score = {
        "a": a,
        "b": b,
        **(_read_edge(edge.row(0, named=True), rules) if is_told else _read_nothing(rules)),
        "decision": edge["decision"][0] if edge.height else None,
        "proposed_by": None,
    }
    members = _frame([record for side in sides.values() for record in side])
    for side in ("a", "b"):
        edges = edges.join(members, left_on=[f"source_{side}", f"source_key_{side}"], right_on=_RECORD, how="semi")
    pairs = read_told(edges)
    holders = {gid: _stand_in(golden, gid) for gid in customers}
    answer = add_reasons(score, sides, pairs, decisions, holders, rules, "a hub knows (--hub)")
    if not is_told and not answer["path"] and {one["kind"] for one in answer["held_back"]} <= {"no match"}:
        raise ProjectError(
            f"{out}: edges.parquet has no evidence for {':'.join(a)} and {':'.join(b)}. It holds pairs at or above the "
            "review threshold; a hub tells of every pair: resolve with --hub, then explain with --hub"
        )
    return answer


def _read_edge(row: dict[str, Any], rules: Rules) -> dict[str, Any]:
    bits: dict[str, float] = json.loads(row["evidence"])
    names = [comparison.name for comparison in rules.comparisons]
    return {
        "weight": row["weight"],
        "match_bits": rules.match_bits,
        "review_bits": rules.review_bits,
        "verdict": "match" if row["weight"] >= rules.match_bits else "grey",
        "vetoes": [],
        "prior": bits.get("prior", 0.0),
        "fields": [{"field": name, "bits": bits[name], "level": None, "a": None, "b": None} for name in names if name in bits],
        "together": {name: added for name, added in bits.items() if name not in ("prior", *names)},
    }


def _read_nothing(rules: Rules) -> dict[str, Any]:
    """What the files tell of a pair that has no edge."""
    return {
        "weight": None,
        "match_bits": rules.match_bits,
        "review_bits": rules.review_bits,
        "verdict": None,
        "vetoes": [],
        "prior": None,
        "fields": [],
        "together": {},
    }


def _stand_in(golden: pl.DataFrame, gid: str) -> pl.DataFrame:
    """A golden record as a record: it has the guarded values of its customer."""
    return golden.filter(pl.col(ID_COLUMN) == gid).with_columns(source=pl.lit("golden"), source_key=pl.col(ID_COLUMN))


def explain_written_customer(out: Path, entity: str, subject: str) -> dict[str, Any]:
    """A customer as the files have it; they hold no lineage, and of a hub the events of the newest addition."""
    tables = {name: read_table(out / f"{name}.parquet") for name in ("crosswalk", "golden", "edges", "decisions", "events")}
    gid, became = (subject, []) if ":" in subject else _follow_written(out, subject)
    if became and gid not in tables["crosswalk"][ID_COLUMN]:
        raise ProjectError(f"{out}: {'; '.join(became)}: a hub tells what it was, with --hub")
    gid = _find_owner(out, tables["crosswalk"], gid)
    records = tables["crosswalk"].filter(pl.col(ID_COLUMN) == gid)
    edges = tables["edges"]
    for side in ("a", "b"):
        edges = edges.join(records, left_on=[f"source_{side}", f"source_key_{side}"], right_on=_RECORD, how="semi")
    return {
        "asked": subject,
        "became": became,
        ID_COLUMN: gid,
        "golden": tables["golden"].filter(pl.col(ID_COLUMN) == gid).to_dicts(),
        "records": records.to_dicts(),
        "lineage": None,
        # the threshold is not in the files: where matches do not reach, the strongest of the others do
        "tree": grow_tree(
            read_told(edges), list_holding(tables["decisions"], entity), float("-inf"), records.select(_RECORD).rows()
        ),
        "edges": edges.sort("weight", *_ENDS, descending=[True, *(False for _ in _ENDS)], nulls_last=True).to_dicts(),
        "decisions": _name_decisions(tables["decisions"], records.select(_RECORD).rows()),
        "events": tables["events"].filter((pl.col("gid") == gid) | (pl.col("other_gid") == gid)).to_dicts(),
    }


def _follow_written(out: Path, gid: str) -> tuple[str, list[str]]:
    """As follow_id, by the file of ids that were given up."""
    given_up = {row[0]: row[1:] for row in read_table(out / "redirects.parquet").select("gid", "target_gid", "since").iter_rows()}
    told: list[str] = []
    while gid in given_up:
        target, since = given_up[gid]
        told.append(
            f"{gid} was merged into {target} on {since:%Y-%m-%d}"
            if target
            else f"{gid} was retired on {since:%Y-%m-%d}: its records were gone"
        )
        if not target:
            break
        gid = target
    return gid, told


def _find_owner(out: Path, crosswalk: pl.DataFrame, subject: str) -> str:
    source, colon, key = subject.partition(":")
    named = (pl.col("source") == source) & (pl.col("source_key") == key) if colon else pl.col(ID_COLUMN) == subject
    found = crosswalk.filter(named)[ID_COLUMN]
    if not len(found) and colon:
        _, told = follow_record(read_table(out / "events.parquet"), (source, key))
        if told:
            raise ProjectError(f"{out}: {'; '.join(told)}: a hub tells what that is, with --hub")
    if not len(found):
        raise ProjectError(f"{out}: {subject} is no record and no ID of crosswalk.parquet, nor one of redirects.parquet")
    return str(found[0])


def _name_decisions(decisions: pl.DataFrame, members: list[Record]) -> list[dict[str, Any]]:
    """Those that name one of the records."""
    chosen = set(members)
    return [
        row
        for row in decisions.to_dicts()
        if chosen & {(one["source"], one["source_key"]) for one in (*row["group_a"], *row["group_b"])}
    ]


def _frame(records: list[Record]) -> pl.DataFrame:
    return pl.DataFrame(records, schema=dict.fromkeys(_RECORD, pl.String), orient="row")
