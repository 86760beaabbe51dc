"""What the simulated WeCom holds at one moment, in the shapes of its answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from sandbox.servers.versions import select_live

Record = dict[str, Any]
CONTACT_FIELDS = ("external_userid", "name", "position", "corp_name", "corp_full_name", "type", "gender", "unionid")
FOLLOW_FIELDS = (
    "userid",
    "remark",
    "description",
    "createtime",
    "tag_id",
    "remark_corp_name",
    "remark_mobiles",
    "add_way",
    "state",
)


@dataclass(frozen=True)
class WeComStore:
    """departments, users, tag_groups: ready to send. relations: by userid. checkins: frame with epoch seconds.

    approvals: sp_no -> detail, in submit order; approval_index: sp_no, apply_time, template_id, creator, department, sp_status.
    """

    departments: list[Record]
    users: list[Record]
    relations: dict[str, list[Record]]
    tag_groups: list[Record]
    checkins: pl.DataFrame
    approvals: dict[str, Record]
    approval_index: pl.DataFrame

    def counts(self) -> dict[str, int]:
        """Records by kind."""
        return {
            "departments": len(self.departments),
            "users": len(self.users),
            "external_contacts": sum(map(len, self.relations.values())),
            "checkins": self.checkins.height,
            "approvals": len(self.approvals),
        }


def build_store(tables: Mapping[str, pl.DataFrame], at: datetime) -> WeComStore:
    """The state of every WeCom table at `at`."""
    approvals = _live(tables, "approvals", ("sp_no",), at).sort("apply_time", "sp_no")
    return WeComStore(
        departments=[_shape_department(row) for row in _live(tables, "departments", ("id",), at).sort("id").to_dicts()],
        users=[_shape_user(row) for row in _live(tables, "users", ("userid",), at).sort("userid").to_dicts()],
        relations=_group_relations(_live(tables, "external_contacts", ("external_userid", "userid"), at)),
        tag_groups=_group_tags(_live(tables, "tags", ("id",), at)),
        checkins=_live(tables, "checkins", ("userid", "checkin_time", "checkin_type"), at).sort("checkin_time", "userid"),
        approvals={row["sp_no"]: _shape_approval(row) for row in approvals.to_dicts()},
        approval_index=approvals.select(
            "sp_no", "apply_time", "template_id", "applyer_userid", "applyer_partyid", pl.col("sp_status").cast(pl.String)
        ),
    )


def _live(tables: Mapping[str, pl.DataFrame], name: str, key: tuple[str, ...], at: datetime) -> pl.DataFrame:
    """Live rows, every time as epoch seconds."""
    frame = select_live(tables[f"wecom.{name}"], key, at).drop("_op", "_valid_from")
    return frame.with_columns(pl.selectors.datetime().dt.epoch("s"))


def _whole_numbers(texts: list[str] | None) -> list[int]:
    return [int(text) for text in texts or []]


def _shape_department(row: Record) -> Record:
    return {**row, "name_en": "", "department_leader": [], "parentid": row["parentid"] or 0}


def _shape_user(row: Record) -> Record:
    numbers = {name: _whole_numbers(row[name]) for name in ("department", "is_leader_in_dept")}
    return {**row, **numbers, "order": [0] * len(numbers["department"]), "direct_leader": row["direct_leader"] or []}


def _group_relations(rows: pl.DataFrame) -> dict[str, list[Record]]:
    relations: dict[str, list[Record]] = {}
    for row in rows.sort("createtime", "external_userid").iter_rows(named=True):
        contact = {name: row[name] for name in CONTACT_FIELDS if row[name] is not None}
        follow = {name: row[name] for name in FOLLOW_FIELDS if row[name] is not None}
        follow["tag_id"] = row["tag_id"] or []
        follow["remark_mobiles"] = row["remark_mobiles"] or []
        relations.setdefault(row["userid"], []).append({"external_contact": contact, "follow_info": follow})
    return relations


def _group_tags(rows: pl.DataFrame) -> list[Record]:
    groups: dict[str, Record] = {}
    for order, row in enumerate(rows.sort("group_id", "id").iter_rows(named=True)):
        empty = {"group_id": row["group_id"], "group_name": row["group_name"], "create_time": row["create_time"], "tag": []}
        tag = {"id": row["id"], "name": row["name"], "create_time": row["create_time"], "order": order, "deleted": False}
        groups.setdefault(row["group_id"], {**empty, "order": 0, "deleted": False})["tag"].append(tag)
    return list(groups.values())


def _shape_approval(row: Record) -> Record:
    return {
        "sp_no": row["sp_no"],
        "sp_name": row["sp_name"],
        "sp_status": row["sp_status"],
        "template_id": row["template_id"],
        "apply_time": row["apply_time"],
        "applyer": {"userid": row["applyer_userid"], "partyid": row["applyer_partyid"]},
        "sp_record": json.loads(row["sp_record"] or "[]"),
        "notifyer": [],
        "apply_data": json.loads(row["apply_data"] or "{}"),
        "comments": json.loads(row["comments"] or "[]"),
    }
