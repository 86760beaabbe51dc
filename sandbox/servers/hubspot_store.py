"""What the simulated HubSpot holds at one moment: typed frames to filter by, text frames to answer from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from sandbox.servers.versions import select_live

OBJECT_TYPES = ("companies", "contacts", "leads", "deals", "calls", "meetings", "emails", "notes", "tasks", "tickets")
LINK_COLUMNS = {"companies": "company_ids", "contacts": "contact_ids", "deals": "deal_ids"}
ASSOCIATION_TYPE_ID = 1
#: calculated from the association of parent and child; a change of it alone does not move the child's modification time here
PARENT = "hs_parent_company_id"
ISO_MS = "%Y-%m-%dT%H:%M:%S%.3fZ"


@dataclass(frozen=True)
class ObjectTable:
    """Records of one type, ordered by id; row n of `typed`, `text` and `envelope` is the same record.

    typed: properties as vendor types plus hs_object_id (Int64), archived (Boolean).
    text: every property as HubSpot sends it: a string or null.
    envelope: id, createdAt, updatedAt, archived, archivedAt (null while live).
    """

    typed: pl.DataFrame
    text: pl.DataFrame
    envelope: pl.DataFrame
    links: pl.DataFrame
    row_of: Mapping[str, int]
    survivor_of: Mapping[str, str]
    created: str
    modified: str


class HubSpotStore:
    """All object types, owners and stage histories as they are at `at`."""

    def __init__(self, tables: Mapping[str, pl.DataFrame], at: datetime) -> None:
        self.objects = {name: _build_table(name, tables[f"hubspot.{name}"], at) for name in OBJECT_TYPES}
        self.owners = _build_owners(tables["hubspot.owners"], at)
        history = tables["hubspot.deal_stage_history"].filter((pl.col("_valid_from") <= at) & (pl.col("entered_at") <= at))
        self._stages = (
            history.unique(subset=["deal_id", "entered_at"], keep="last")
            .sort("entered_at", descending=True)
            .with_columns(pl.col("deal_id").cast(pl.String), pl.col("entered_at").dt.strftime(ISO_MS))
        )
        self._pairs: dict[tuple[str, str], dict[str, list[int]]] = {}

    def counts(self) -> dict[str, int]:
        """Live (not archived) records by type."""
        return {name: int((~table.envelope["archived"]).sum()) for name, table in self.objects.items()}

    def stage_history(self, deal_ids: list[str]) -> dict[str, list[dict[str, Any]]]:
        """dealstage values of each deal, newest first, as propertiesWithHistory lists them."""
        found: dict[str, list[dict[str, Any]]] = {deal_id: [] for deal_id in deal_ids}
        for row in self._stages.filter(pl.col("deal_id").is_in(deal_ids)).iter_rows(named=True):
            entry = {"value": row["stage"], "timestamp": row["entered_at"], "sourceType": row.get("source_type")}
            if row.get("updated_by_user_id") is not None:
                entry["updatedByUserId"] = int(row["updated_by_user_id"])
            found[row["deal_id"]].append(entry)
        return found

    def associations(self, source: str, target: str) -> dict[str, list[int]]:
        """Record id of type `source` -> ids of associated `target` records; both directions of a link exist."""
        if (source, target) not in self._pairs:
            self._pairs[source, target] = self._collect_pairs(source, target)
        return self._pairs[source, target]

    def _collect_pairs(self, source: str, target: str) -> dict[str, list[int]]:
        forward, backward = LINK_COLUMNS.get(target), LINK_COLUMNS.get(source)
        links = self.objects[source].links
        if forward in links.columns:
            pairs = links.select(pl.col("id").alias("from"), pl.col(forward).alias("to"))
        elif backward in self.objects[target].links.columns:
            pairs = self.objects[target].links.select(pl.col(backward).alias("from"), pl.col("id").alias("to"))
        else:
            return {}
        pairs = pairs.explode("from") if pairs.schema["from"] == pl.List(pl.String) else pairs.explode("to")
        grouped = (
            pairs.drop_nulls().unique(maintain_order=True).group_by("from", maintain_order=True).agg(pl.col("to").cast(pl.Int64))
        )
        return dict(grouped.iter_rows())


def _build_table(name: str, versions: pl.DataFrame, at: datetime) -> ObjectTable:
    created = "createdate" if "createdate" in versions.columns else "hs_createdate"
    modified = "lastmodifieddate" if name == "contacts" else "hs_lastmodifieddate"
    live = (
        select_live(versions, ("id",), at)
        # HubSpot keeps milliseconds: what is compared must be what is sent
        .with_columns(pl.selectors.datetime().dt.truncate("1ms"))
        .with_columns(pl.col("id").cast(pl.String), hs_object_id=pl.col("id").cast(pl.Int64), archived=pl.col("_op") == "archive")
        .sort("hs_object_id")
    )
    survivor_of = _map_survivors(live)
    if PARENT in live.columns:
        live = live.with_columns(_follow_parents(live, survivor_of))
    links = live.filter(~pl.col("archived")).select("id", *[column for column in LINK_COLUMNS.values() if column in live.columns])
    links = links.with_columns(pl.exclude("id").cast(pl.List(pl.String)))
    envelope = live.select(
        "id",
        pl.col(created).dt.strftime(ISO_MS).alias("createdAt"),
        pl.col(modified).dt.strftime(ISO_MS).alias("updatedAt"),
        "archived",
        pl.when("archived").then(pl.col("_valid_from").dt.strftime(ISO_MS)).alias("archivedAt"),
    )
    properties = live.drop("id", "_op", "_valid_from", "archived", *links.columns[1:])
    return ObjectTable(
        typed=properties.with_columns(live["archived"]),
        text=properties.select(_as_text(column, dtype) for column, dtype in properties.schema.items()),
        envelope=envelope,
        links=links,
        row_of={record_id: row for row, record_id in enumerate(live["id"].to_list())},
        survivor_of=survivor_of,
        created=created,
        modified=modified,
    )


def _as_text(column: str, dtype: pl.DataType) -> pl.Expr:
    value = pl.col(column)
    if isinstance(dtype, pl.Datetime):
        return value.dt.strftime(ISO_MS)
    if isinstance(dtype, pl.List):
        return pl.when(value.list.len() > 0).then(value.cast(pl.List(pl.String)).list.join(";")).alias(column)
    if isinstance(dtype, pl.Decimal):
        # HubSpot sends 1200 and 1200.5, without trailing zeros
        return value.cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
    return value.cast(pl.String)


def _map_survivors(live: pl.DataFrame) -> dict[str, str]:
    if "hs_merged_object_ids" not in live.columns:
        return {}
    merged = live.select("id", _as_text("hs_merged_object_ids", live.schema["hs_merged_object_ids"])).drop_nulls()
    pairs = merged.with_columns(pl.col("hs_merged_object_ids").str.split(";")).explode("hs_merged_object_ids")
    return {old: survivor for survivor, old in pairs.iter_rows() if old}


def _follow_parents(live: pl.DataFrame, survivor_of: Mapping[str, str]) -> pl.Expr:
    """The parent of each company as its association stands: with the survivor of a merge, with nobody that is archived."""
    parent = pl.col(PARENT).replace(dict(survivor_of))
    present = live.filter(~pl.col("archived"))["id"]
    return pl.when(parent.is_in(present.implode()) & (parent != pl.col("id"))).then(parent).alias(PARENT)


def _build_owners(versions: pl.DataFrame, at: datetime) -> list[dict[str, Any]]:
    first = versions.group_by("id").agg(pl.col("_valid_from").min().dt.strftime(ISO_MS).alias("created_at"))
    live = select_live(versions, ("id",), at).join(first, on="id").sort(pl.col("id").cast(pl.Int64))
    live = live.with_columns(pl.col("_valid_from").dt.strftime(ISO_MS))
    return [
        {
            "id": row["id"],
            "type": "PERSON",
            "email": row["email"],
            "firstName": row["firstName"],
            "lastName": row["lastName"],
            "userId": int(row["userId"]) if row["userId"] else None,
            "teams": json.loads(row["teams"] or "[]"),
            "createdAt": row["created_at"],
            "updatedAt": row["_valid_from"],
            "archived": row["_op"] == "archive",
        }
        for row in live.iter_rows(named=True)
    ]
