"""Why two records are, or are not, one customer (I-6). Public door."""

from collections import deque
from typing import Any

import numpy as np
import polars as pl

from hub.prepare import align_records, prepare_aligned
from hub.resolve import Resolution
from hub.rules.first import UNITS_PER_BIT, Rules
from hub.score import list_fields, score_pairs

RecordRef = tuple[str, str]


def explain_pair(records: pl.DataFrame, a: RecordRef, b: RecordRef, rules: Rules) -> dict[str, Any]:
    """The fresh score of two records, given as (source, source_key).

    Returns: a, b, weight, match_bits, review_bits, prior (bits); verdict: match, grey, no match or veto; fields: per field its
    `bits` and the two normalised values that it compared; proposed_by: the candidate keys that the two share.

    Raises:
        KeyError: a record is not among the records.
    """
    refs = sorted((a, b))
    aligned = align_records(records, rules.entity)
    # all records, for a number is dropped where too many of them share it
    prepared = prepare_aligned(aligned, rules)
    ranks = [_find(aligned, ref) for ref in refs]
    score = score_pairs(prepared, np.array(ranks[:1]), np.array(ranks[1:]), rules).row(0, named=True)
    weight = score["weight"] / UNITS_PER_BIT
    first, second = (prepared.row(rank, named=True) for rank in ranks)
    shared = [
        key.name
        for key in rules.block_keys
        if all(first[column] is not None and first[column] == second[column] for column in key.columns)
    ]
    return {
        "a": (first["source"], first["source_key"]),
        "b": (second["source"], second["source_key"]),
        "weight": weight,
        "match_bits": rules.match_bits,
        "review_bits": rules.review_bits,
        "verdict": _judge(weight, rules, veto=score.get("e_tax", 0) <= rules.weights.get("tax.veto", -np.inf) * UNITS_PER_BIT),
        "prior": rules.weights["prior"],
        "fields": [
            {"field": field, "bits": score[f"e_{field}"] / UNITS_PER_BIT, "a": _show(first, field), "b": _show(second, field)}
            for field in list_fields(rules.entity)
        ],
        "proposed_by": shared,
    }


def _find(aligned: pl.DataFrame, ref: RecordRef) -> int:
    found = aligned.filter((pl.col("source") == ref[0]) & (pl.col("source_key") == ref[1]))
    if not found.height:
        raise KeyError(f"no record {ref[1]} of source {ref[0]}: check both with the crosswalk")
    return int(found["rank"].item())


def _judge(weight: float, rules: Rules, *, veto: bool) -> str:
    if veto:
        return "veto"
    if weight >= rules.match_bits:
        return "match"
    return "grey" if weight >= rules.review_bits else "no match"


#: the normalised columns that a field compares
_COMPARED = {
    "name": ("name_key", "full"),
    "region": ("name_city", "name_province"),
    "branch": ("branch",),
    "tax": ("tax_code", "tax_text"),
    "mobile": ("mobile",),
    "phone": ("phone",),
    "email": ("email", "domain"),
    "contact": ("contact_full", "contact_surname"),
    "place": ("city", "province"),
    "address": ("address_text",),
    "party": ("party",),
    "title": ("title",),
}


def _show(record: dict[str, Any], field: str) -> str | None:
    return next((str(record[column]) for column in _COMPARED[field] if record.get(column) is not None), None)


def explain_customer(resolution: Resolution, gid: str) -> dict[str, Any]:
    """Why a customer is what it is: its records, the edges among them, its golden values' sources, its events of this run.

    An id that was given up is followed to the one it resolves to (`asked` keeps the id that was asked for).

    Raises:
        KeyError: the id was never issued, or its customer is retired.
    """
    redirect = resolution.redirects.filter(pl.col("gid") == gid)
    live = redirect["target_gid"].item() if redirect.height else gid
    golden = resolution.golden.filter(pl.col("gid") == live)
    if not golden.height:
        raise KeyError(f"{gid} is not a live id: it was never issued, or its records are all gone (see the identity events)")
    history = resolution.crosswalk.filter(pl.col("gid") == live)
    current = history.filter("is_current").select("source", "source_key")
    return {
        "asked": gid,
        "gid": live,
        "golden": golden.row(0, named=True),
        "records": current.rows(),
        "left": history.filter(~pl.col("is_current")).select("source", "source_key", "valid_to").rows(),
        "edges": _edges_within(resolution, current).to_dicts(),
        "lineage": resolution.lineage.filter(pl.col("gid") == live).to_dicts(),
        "events": resolution.events.filter((pl.col("gid") == live) | (pl.col("other_gid") == live)).to_dicts(),
        "given_up_ids": resolution.redirects.filter(pl.col("target_gid") == live)["gid"].to_list(),
    }


def find_path(resolution: Resolution, a: RecordRef, b: RecordRef) -> list[dict[str, Any]]:
    """The fewest stored edges that lead from one record of a customer to another; empty where nothing joins them."""
    current = resolution.crosswalk.filter("is_current")
    owner = {(source, key): gid for source, key, gid in current.select("source", "source_key", "gid").iter_rows()}
    if a not in owner or b not in owner or owner[a] != owner[b]:
        return []
    members = current.filter(pl.col("gid") == owner[a]).select("source", "source_key")
    steps: dict[RecordRef, list[tuple[RecordRef, dict[str, Any]]]] = {}
    for edge in _edges_within(resolution, members).iter_rows(named=True):
        one, two = (edge["source_a"], edge["source_key_a"]), (edge["source_b"], edge["source_key_b"])
        steps.setdefault(one, []).append((two, edge))
        steps.setdefault(two, []).append((one, edge))
    came: dict[RecordRef, tuple[RecordRef, dict[str, Any]] | None] = {a: None}
    waiting = deque([a])
    while waiting and b not in came:
        here = waiting.popleft()
        for there, edge in steps.get(here, []):
            if there not in came:
                came[there] = (here, edge)
                waiting.append(there)
    path: list[dict[str, Any]] = []
    step = came.get(b)
    while step is not None:
        path.append(step[1])
        step = came[step[0]]
    return path[::-1]


def _edges_within(resolution: Resolution, members: pl.DataFrame) -> pl.DataFrame:
    edges = resolution.edges
    for side in ("a", "b"):
        names = {"source": f"source_{side}", "source_key": f"source_key_{side}"}
        edges = edges.join(members.rename(names), on=list(names.values()), how="semi")
    return edges.sort(
        "weight", "source_a", "source_key_a", "source_b", "source_key_b", descending=[True, False, False, False, False]
    )
