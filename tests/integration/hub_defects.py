"""What breaks each invariant of the hub in a finished resolution, and what the verdict must say of it."""

from __future__ import annotations

from typing import Any

import polars as pl

from hub.kept.outcome import Whole

ENTITIES = ("organisation", "person")


def join_all(found: Whole) -> dict[str, Any]:
    return {"crosswalk": found.crosswalk.with_columns(gid=pl.lit(found.golden["gid"][0]))}


def join_two_codes(found: Whole) -> dict[str, Any]:
    first, second, *_ = found.golden.filter(pl.col("tax_no").str.len_chars() == 18).sort("gid")["gid"]
    return {"crosswalk": found.crosswalk.with_columns(gid=pl.col("gid").replace(second, first))}


def join_a_branch(found: Whole) -> dict[str, Any]:
    is_branch = pl.col("company_name").str.ends_with("分公司")
    branch, head = (
        found.golden.filter(which).sort("gid")["gid"][0]
        for which in (is_branch, pl.col("company_name").str.ends_with("有限公司"))
    )
    return {"crosswalk": found.crosswalk.with_columns(gid=pl.col("gid").replace(branch, head))}


def move_half(found: Whole) -> dict[str, Any]:
    moved = found.crosswalk.head(2).select(pl.lit("detached").alias("kind"), "source", "source_key")
    events = pl.concat([found.events, moved], how="diagonal")
    return {"report": {**found.report, "share_ids_changed": 0.5}, "events": events}


def lose_a_record(found: Whole) -> dict[str, Any]:
    return {"crosswalk": found.crosswalk.tail(-1)}


def issue_twice(found: Whole) -> dict[str, Any]:
    again = found.golden.head(1).select(kind=pl.lit("issued"), gid="gid")
    return {"events": pl.concat([found.events, again], how="diagonal")}


def forget_a_customer(found: Whole) -> dict[str, Any]:
    return {"golden": found.golden.tail(-1)}


def lead_a_customer_away(found: Whole) -> dict[str, Any]:
    gids = found.golden["gid"]
    led = pl.DataFrame({"gid": gids[:1], "target_gid": gids[-1:]}).with_columns(pl.lit(found.events["at"].max()).alias("since"))
    return {"redirects": pl.concat([found.redirects, led], how="vertical_relaxed")}


def invent_a_value(found: Whole) -> dict[str, Any]:
    name = found.rules.survivors[0].values[0][0]
    return {"golden": found.golden.with_columns(pl.lit("别的公司").alias(name))}


def be_its_own_parent(found: Whole) -> dict[str, Any]:
    first = pl.col("gid") == found.golden["gid"][0]
    return {"golden": found.golden.with_columns(parent_gid=pl.when(first).then("gid").otherwise("parent_gid"))}


def decide_otherwise(found: Whole) -> dict[str, Any]:
    first, second, *_ = (
        found.crosswalk.filter("is_current").unique("gid", maintain_order=True).select("source", "source_key").to_dicts()
    )
    row = {"decision_id": "d1", "entity": found.rules.entity, "kind": "merge", "state": "holds"}
    row |= {"group_a": [first], "group_b": [second]}
    schema = {name: found.decisions.schema[name] for name in row}
    return {"decisions": pl.concat([found.decisions, pl.DataFrame([row], schema=schema)], how="diagonal")}


HUB = {
    "one_credit_code": (join_two_codes, "hold two different values of tax.code"),
    "one_name_site": (join_a_branch, "hold two different values of name.site"),
    "decisions_hold": (decide_otherwise, "1 decisions of people do not hold: undo them, or tell the maintainers (d1)"),
    "largest_cluster": (join_all, "1 customers hold more than"),
    "share_ids_changed": (move_half, "50.0% of known records change their id, more than 10.0%"),
    "one_current_id": (lose_a_record, "1 records without exactly one current id"),
    "issued_once": (issue_twice, "1 ids were issued twice"),
    "every_id_resolves": (forget_a_customer, "1 issued ids lead to no live or retired customer"),
    "live_ids_stay": (lead_a_customer_away, "1 live ids lead to other customers"),
    "ids_in_log": (None, "1 live ids are not in the identity log handed in"),
    "parents_end": (be_its_own_parent, "1 customers are part of themselves through their parents"),
    "golden_from_lineage": (invent_a_value, "golden values differ from the winners of their lineage"),
}
OF_CUSTOMERS = ("one_credit_code", "one_name_site", "parents_end")
CASES = [(entity, name) for entity in ENTITIES for name in HUB if entity == "organisation" or name not in OF_CUSTOMERS]
