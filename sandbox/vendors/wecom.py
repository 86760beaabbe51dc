"""WeCom (企业微信): organisation, external contacts with remarks, tags, check-ins, callbacks."""

from __future__ import annotations

import numpy as np
import polars as pl

from sandbox.clock import AS_OF, DAY, NEVER, START, as_times, awake, epoch
from sandbox.noise import WECOM_HABIT, blank, write_mobiles, write_names
from sandbox.staff import REGIONS, TEAMS
from sandbox.vendors.shape import Tables, World, chance, const, draw_one_time, stamp, take
from sandbox.words import CITIES

_FOUNDED = epoch(START) - 900 * DAY
_TAGS = (
    ("客户等级", ("A类", "B类", "C类")),
    ("客户来源", ("官网", "展会", "转介绍", "名片")),
    ("意向产品", ("数控机床", "工业机器人", "输送系统", "检测设备")),
)
_ADD_WAYS = (1, 2, 3, 6, 202)


def shape_organisation(world: World) -> Tables:
    """Departments root -> regions -> teams; every employee as a member; tags."""
    staff = world.staff
    departments = pl.DataFrame(
        {
            "id": [1, *range(2, 5), *range(11, 17)],
            "name": ["金线智能装备", *REGIONS, *TEAMS],
            "parentid": [0, 1, 1, 1, *(2 + k // 2 for k in range(len(TEAMS)))],
            "order": [100, *range(99, 96, -1), *range(96, 90, -1)],
        }
    )
    boss = take(staff["userid"], staff["boss_no"])
    title = {"director": "区域总监", "manager": "销售经理", "rep": "销售工程师"}
    users = staff.select(
        userid="userid",
        name="full_name",
        position=pl.col("role").replace_strict(title),
        mobile="mobile",
        email="email",
        status=pl.lit(1),
        main_department="department_no",
        department=pl.concat_list(pl.col("department_no").cast(pl.String)),
        is_leader_in_dept=pl.concat_list(pl.when(pl.col("role") == "rep").then(pl.lit("0")).otherwise(pl.lit("1"))),
        direct_leader=pl.when(pl.col("role") == "director")
        .then(pl.lit([], dtype=pl.List(pl.String)))
        .otherwise(pl.concat_list(const(boss))),
    )
    names = [(group, name) for group, members in _TAGS for name in members]
    tags = pl.DataFrame(
        {
            "id": [f"etTAG{k:04d}" for k in range(len(names))],
            "name": [name for _, name in names],
            "group_id": [f"etGRP{[g for g, _ in _TAGS].index(group):04d}" for group, _ in names],
            "group_name": [group for group, _ in names],
            "create_time": as_times(np.full(len(names), _FOUNDED)),
        }
    )
    frames = {"wecom.departments": departments, "wecom.users": users, "wecom.tags": tags}
    return {name: stamp(frame, np.full(frame.height, _FOUNDED)) for name, frame in frames.items()}


def external_ids(world: World) -> pl.Series:
    """external_userid of every person, by person number."""
    code = world.market.people["code"]
    tail = (code * 2_654_435_761 % 36**6).cast(pl.String).str.zfill(10)
    return "wmQ1x" + code.cast(pl.String).str.zfill(10) + "A" + tail


def shape_external_contacts(rng: np.random.Generator, world: World) -> tuple[Tables, pl.DataFrame]:
    """Relations of reps with external contacts and the callbacks about them; truth (source_key, customer_no, person_no)."""
    links = _lay_out_relations(rng, world)
    rows = _write_relations(rng, world, links)
    since = links["since"].to_numpy()
    lost = draw_one_time(rng, since, 0.05)
    edited = np.where(
        rng.random(links.height) < 0.12, since + (rng.random(links.height) * 200 * DAY).astype(np.int64) + DAY, NEVER
    )
    edited = np.where(edited < lost, edited, NEVER)
    again = rows.with_columns(description=pl.lit("已发方案"), remark=pl.coalesce("remark", "name"))
    table = pl.concat([stamp(rows, since), stamp(again, edited), stamp(rows, lost, "delete")])
    by_customer = rng.random(links.height) < 0.7
    kinds = (
        ("add_external_contact", since),
        ("edit_external_contact", edited),
        ("del_follow_user", np.where(by_customer, lost, NEVER)),
        ("del_external_contact", np.where(by_customer, NEVER, lost)),
    )
    events = pl.concat(
        [
            rows.select(
                event=pl.lit("change_external_contact"),
                change_type=pl.lit(kind),
                user_id="userid",
                external_user_id="external_userid",
                at=const(at),
            )
            for kind, at in kinds
        ]
    )
    events = events.filter(pl.col("at") < NEVER, pl.col("at") >= epoch(START)).sort(
        "at", "user_id", "external_user_id", "change_type"
    )
    events = events.with_columns(
        event_id=pl.lit("EV") + pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(8),
        create_time=as_times(events["at"].to_numpy()),
    )
    truth = links.with_columns(source_key=rows["external_userid"]).unique("source_key", keep="first", maintain_order=True)
    tables = {"wecom.external_contacts": table, "wecom.events": stamp(events.drop("at"), events["at"])}
    return tables, truth.select("source_key", "customer_no", "person_no")


def _lay_out_relations(rng: np.random.Generator, world: World) -> pl.DataFrame:
    """(person, rep) pairs with the moment of the friend-add: answers to leads, contacts of deals, old acquaintances."""
    people, customers = world.market.people, world.sales.customers
    owner = take(customers["owner_no"], people["customer_no"]).to_numpy()
    known = take(customers["known_since"], people["customer_no"]).to_numpy()
    n = people.height
    added = world.work.contacts.filter(pl.col("kind") == "wecom")
    stranger = np.ones(n, dtype=bool)
    stranger[added["person_no"].to_numpy()] = False  # a friend-add that answers a lead must be the first one
    old = np.flatnonzero(stranger & (known < epoch(AS_OF) - 20 * DAY) & (rng.random(n) < 0.5))
    since_old = awake(known[old] + DAY + (rng.random(len(old)) * 240 * DAY).astype(np.int64))
    second = old[rng.random(len(old)) < 0.07]
    frame = pl.DataFrame(
        {
            "person_no": np.r_[added["person_no"].to_numpy(), old, second],
            "rep_no": np.r_[added["rep_no"].to_numpy(), owner[old], rng.permutation(owner[second])],
            "since": np.r_[
                added["at"].to_numpy(),
                since_old,
                np.full(len(second), epoch(START) + 90 * DAY) + rng.integers(0, 300 * DAY, len(second)),
            ],
        }
    )
    pairs = frame.group_by("person_no", "rep_no").agg(pl.col("since").min()).sort("since", "person_no", "rep_no")
    return pairs.with_columns(customer_no=take(people["customer_no"], pairs["person_no"]))


def _write_relations(rng: np.random.Generator, world: World, links: pl.DataFrame) -> pl.DataFrame:
    n = links.height
    person_no = links["person_no"].to_numpy()
    people = world.market.people[person_no]
    firms = world.sales.customers[links["customer_no"].to_numpy()]
    # what the contact itself shows is the same for every rep who follows it
    own = rng.random((world.market.people.height, 3))[person_no]
    called = pl.Series(np.select([own[:, 0] < 0.3, own[:, 0] < 0.42], ["polite", "nick"], "full").tolist())
    name = (
        pl.when(const(called) == "polite")
        .then(const(people["surname"] + "总"))
        .when(const(called) == "nick")
        .then(pl.lit("小") + const(people["given"]).str.slice(0, 1))
        .otherwise(const(people["full_name"]))
    )
    company = write_names(rng, firms, WECOM_HABIT)
    style = pl.Series(rng.random(n))
    remark = (
        pl.when(const(style) < 0.55)
        .then(const(company) + "-" + const(people["full_name"]))
        .when(const(style) < 0.68)
        .then(const(company) + " " + const(people["surname"]) + "总")
        .when(const(style) < 0.85)
        .then(const(people["full_name"]))
        .otherwise(None)
    )
    staffed = const(own[:, 1] < 0.18)  # contacts who use WeCom themselves show their company
    mobile = write_mobiles(rng, people["mobile"], 0.64)
    tag = pl.Series([f"etTAG{k:04d}" for k in range(11)])
    return pl.select(
        external_userid=const(take(external_ids(world), person_no)),
        userid=const(take(world.staff["userid"], links["rep_no"])),
        name=name,
        position=pl.when(staffed).then(const(people["job"])).otherwise(None),
        corp_name=pl.when(staffed).then(const(firms["short_head"] + firms["trade"] + firms["short_tail"])).otherwise(None),
        corp_full_name=pl.when(staffed).then(const(firms["legal_name"])).otherwise(None),
        type=pl.when(staffed).then(pl.lit(2)).otherwise(pl.lit(1)),
        gender=const(people["gender"]),
        unionid=pl.when(const(own[:, 2] < 0.5)).then(pl.lit("ozynq") + const(people["code"]).cast(pl.String)).otherwise(None),
        remark=remark,
        description=pl.when(chance(rng, n, 0.2)).then(const(people["job"])).otherwise(None),
        remark_corp_name=const(blank(rng, company, 0.45)),
        add_way=const(take(pl.Series(_ADD_WAYS), rng.integers(0, len(_ADD_WAYS), n))),
        state=pl.when(chance(rng, n, 0.1)).then(pl.lit("qr_expo")).otherwise(None),
        remark_mobiles=pl.when(const(mobile).is_null())
        .then(pl.lit([], dtype=pl.List(pl.String)))
        .otherwise(pl.concat_list(const(mobile))),
        tag_id=pl.concat_list(const(take(tag, rng.integers(0, 3, n))), const(take(tag, rng.integers(7, 11, n)))),
        createtime=const(as_times(links["since"].to_numpy())),
    )


def shape_checkins(rng: np.random.Generator, world: World) -> pl.DataFrame:
    """Check-ins beside 85 % of the onsite visits, within two hours, at the customer's place; 4 % are elsewhere."""
    visits = world.work.contacts.filter(pl.col("kind") == "meeting", ~pl.col("online"))
    visits = visits.filter(chance(rng, visits.height, 0.85))
    n = visits.height
    customers = world.sales.customers
    city = take(customers["city_no"], visits["customer_no"]).to_numpy()
    place = np.where(rng.random(n) < 0.04, rng.integers(0, len(CITIES), n), city)
    lat = np.array([c[4] for c in CITIES])[place] + 0.05 * rng.normal(size=n)
    lng = np.array([c[5] for c in CITIES])[place] + 0.05 * rng.normal(size=n)
    at = visits["at"].to_numpy() + rng.integers(-2400, 3600, n)
    photo = pl.Series(rng.integers(10**11, 10**12, n)).cast(pl.String)
    rows = pl.select(
        userid=const(take(world.staff["userid"], visits["rep_no"])),
        checkin_type=pl.lit("外出打卡"),
        groupname=pl.lit("销售外勤"),
        exception_type=pl.lit(""),
        location_title=const(take(customers["district"], visits["customer_no"])),
        location_detail=const(take(customers["address"], visits["customer_no"])),
        notes=pl.when(chance(rng, n, 0.4)).then(pl.lit("客户拜访")).otherwise(pl.lit("")),
        deviceid=pl.lit("dev-") + const(take(world.staff["code"], visits["rep_no"])),
        mediaids=pl.when(chance(rng, n, 0.9))
        .then(pl.concat_list(pl.lit("WWCISP_") + const(photo)))
        .otherwise(pl.lit([], dtype=pl.List(pl.String))),
        lat=const((lat * 1e6).astype(np.int64)),
        lng=const((lng * 1e6).astype(np.int64)),
        checkin_time=const(as_times(at)),
        at=const(at),
    ).unique(["userid", "at"], keep="first", maintain_order=True)
    return stamp(rows.drop("at"), rows["at"].to_numpy() + 5)
