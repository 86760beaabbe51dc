"""HubSpot's owners, companies and contacts, with duplicates, merges and archived records."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sandbox.clock import AS_OF, DAY, HOUR, NEVER, START, Ints, as_times, awake, epoch
from sandbox.noise import CRM_HABIT, GARBAGE_NAMES, blank, draw_words, write_mobiles, write_names, write_tax_numbers
from sandbox.sales import Sales
from sandbox.staff import TEAMS
from sandbox.vendors.shape import (
    Tables,
    World,
    add_merges,
    chance,
    const,
    draw_one_time,
    draw_updates,
    number_records,
    stamp,
    take,
)


@dataclass(frozen=True)
class CrmLinks:
    """What other CRM records refer to: ids by customer and person number (null: not in the CRM)."""

    company_of: pl.Series
    spare_company_of: pl.Series  # a second record that stays
    spare_since: pl.Series  # when that record came into being
    contact_of: pl.Series
    parties: pl.DataFrame  # source_key, customer_no (-1: nobody)
    contacts: pl.DataFrame  # source_key, person_no


def shape_owners(staff: pl.DataFrame) -> pl.DataFrame:
    """Every employee is a CRM user; `teams` is JSON as the API returns it."""
    names = pl.Series(["销售管理部", *TEAMS])
    team = staff.select(
        pl.concat_str(
            pl.lit('[{"id":"'),
            (pl.col("team_no") + 501).cast(pl.String),
            pl.lit('","name":"'),
            const(take(names, staff["team_no"] + 1)),
            pl.lit('","primary":true}]'),
        )
    )
    rows = staff.select(
        id="owner_id", email="email", firstName="given", lastName="surname", userId="hubspot_user_id", teams=team.to_series()
    )
    return stamp(rows, np.full(staff.height, epoch(START) - 700 * DAY))


def shape_parties(rng: np.random.Generator, world: World) -> tuple[Tables, CrmLinks]:
    """Companies and contacts."""
    records = _lay_out_companies(rng, world.sales)
    companies = _write_companies(rng, world, records)
    first = _first_of(records, world.sales.customers.height, ~records["is_copy"])
    lasting = records["is_copy"] & (records["merged_at"] >= NEVER) & (records["archived_at"] >= NEVER)
    spare = _first_of(records, world.sales.customers.height, lasting)
    spare_since = spare.replace_strict(records["id"], records["since"], default=NEVER, return_dtype=pl.Int64)
    people = _lay_out_contacts(rng, world)
    contacts = _write_contacts(rng, world, people, first)
    contact_of = np.full(world.market.people.height, -1)
    main = people.with_row_index("row").filter(~pl.col("is_copy"))
    contact_of[main["person_no"].to_numpy()] = main["row"].to_numpy()
    links = CrmLinks(
        company_of=first,
        spare_company_of=spare,
        spare_since=spare_since,
        contact_of=take(people["id"], contact_of),
        parties=records.select(source_key="id", customer_no="customer_no"),
        contacts=people.select(source_key="id", person_no="person_no"),
    )
    return {"hubspot.companies": companies, "hubspot.contacts": contacts}, links


def _first_of(records: pl.DataFrame, n: int, wanted: pl.Series) -> pl.Series:
    row = np.full(n, -1)
    chosen = records.with_row_index("row").filter(wanted & (records["customer_no"] >= 0))
    row[chosen["customer_no"].to_numpy()] = chosen["row"].to_numpy()
    return take(records["id"], row)


def _lay_out_companies(rng: np.random.Generator, sales: Sales) -> pl.DataFrame:
    """One record per CRM customer, second records for some (a part merged later), a few records of nobody."""
    customers = sales.customers.filter("in_crm", pl.col("known_since") < NEVER)
    first = customers["customer_no"].to_numpy()
    since = customers["known_since"].to_numpy()
    copied = rng.random(len(first)) < 0.08
    copied[: 2 if len(first) > 3 else 1] = True
    copy_since = np.maximum(since[copied] + 3 * DAY, epoch(AS_OF) - 400 * DAY)
    copy_since = copy_since + (rng.random(copied.sum()) * 340 * DAY).astype(np.int64)
    n_junk = max(1, len(first) // 150)
    junk_since = epoch(START) + (rng.random(n_junk) * 360 * DAY).astype(np.int64)
    every = np.r_[since, copy_since, junk_since]
    is_copy = np.r_[np.zeros(len(first), bool), np.ones(copied.sum(), bool), np.zeros(n_junk, bool)]
    junk = np.arange(len(every)) >= len(every) - n_junk
    merged = draw_one_time(rng, every, 0.5, is_copy)
    archived = draw_one_time(rng, every, 0.3, junk | (is_copy & (merged >= NEVER)))
    frame = pl.DataFrame(
        {
            "customer_no": np.r_[first, first[copied], np.full(n_junk, -1)],
            "since": every,
            "is_copy": is_copy,
            "merged_at": merged,
            "archived_at": archived,
        }
    )
    return frame.with_columns(id=number_records(every, 20_100_000_000, 137))


def _write_companies(rng: np.random.Generator, world: World, records: pl.DataFrame) -> pl.DataFrame:
    n = records.height
    customers = world.sales.customers
    firms = customers[np.maximum(records["customer_no"].to_numpy(), 0)]
    junk = const(records["customer_no"] < 0)
    names = write_names(rng, firms, CRM_HABIT)
    owner = take(world.staff["owner_id"], firms["owner_no"])
    bought = np.zeros(customers.height, bool)
    bought[world.sales.deals.filter("won")["customer_no"].to_numpy()] = True
    stage = np.where(bought[firms["customer_no"].to_numpy()], "customer", "opportunity")
    base = records.with_columns(
        name=pl.when(junk)
        .then(const(draw_words(rng, GARBAGE_NAMES, n)))
        .when(chance(rng, n, 0.002))
        .then(None)
        .otherwise(const(names)),
        clean_name=const(firms["legal_name"]),
        domain=pl.when(junk).then(None).otherwise(const(blank(rng, firms["domain"], 0.55))),
        tax_no=pl.when(junk).then(None).otherwise(const(write_tax_numbers(rng, firms, 0.45))),
        late_tax_no=pl.when(junk).then(None).otherwise(const(write_tax_numbers(rng, firms, 0.3))),
        phone=pl.when(junk).then(None).otherwise(const(blank(rng, firms["phone"], 0.53))),
        late_phone=const(blank(rng, firms["phone"], 0.3)),
        province=const(blank(rng, firms["province"], 0.8)),
        city=const(blank(rng, firms["city"], 0.8)),
        address=pl.when(junk).then(None).otherwise(const(blank(rng, firms["address"], 0.45))),
        industry=const(blank(rng, firms["industry"], 0.85)),
        customer_tier=const(blank(rng, firms["tier"], 0.92)),
        annual_purchase_band=const(blank(rng, firms["band"], 0.8)),
        lifecyclestage=pl.Series(stage.tolist(), dtype=pl.String),
        hubspot_owner_id=const(owner),
    )
    return _company_versions(rng, base)


def _company_versions(rng: np.random.Generator, base: pl.DataFrame) -> pl.DataFrame:
    """Creation, later edits (two thirds of the records within the last 30 days), merges, archived records."""
    since, merged = base["since"].to_numpy(), base["merged_at"].to_numpy()
    archived = base["archived_at"].to_numpy()
    created = base.with_columns(at=pl.Series(since), _op=pl.lit("upsert"))
    edits = []
    tidy = chance(rng, base.height, 0.03)
    for at in draw_updates(rng, since, 27.0):
        at = np.where(at < np.minimum(merged, archived), at, NEVER)
        edits.append(
            base.with_columns(
                at=pl.Series(at),
                _op=pl.lit("upsert"),
                tax_no=pl.coalesce("tax_no", "late_tax_no"),
                phone=pl.coalesce("phone", "late_phone"),
                name=pl.when(tidy & pl.col("name").is_not_null() & (pl.col("customer_no") >= 0))
                .then("clean_name")
                .otherwise("name"),
            )
        )
    survivors = base.filter(~pl.col("is_copy")).select("customer_no", survivor="id")
    merges = (
        base.filter(pl.col("merged_at") < NEVER)
        .select("customer_no", "merged_at", loser="id")
        .join(survivors, on="customer_no", maintain_order="left")
    )
    takes = edits[0].join(
        merges.select("survivor", taken_at="merged_at"), left_on="id", right_on="survivor", maintain_order="left"
    )
    gone = base.with_columns(at=pl.col("merged_at"), _op=pl.lit("merge"))
    hidden = base.with_columns(at=pl.Series(archived), _op=pl.lit("archive"))
    survived = takes.with_columns(at=pl.col("taken_at")).drop("taken_at")
    columns = created.columns
    rows = pl.concat([f.select(columns) for f in (created, *edits, survived, gone, hidden)]).filter(pl.col("at") < NEVER)
    return stamp_versions(rows.with_columns(hs_merged_object_ids=add_merges(rows, merges, "id", "at")), "hs_lastmodifieddate")


def stamp_versions(rows: pl.DataFrame, modified: str) -> pl.DataFrame:
    """Version rows with `since`, `at` (seconds) and `_op` -> createdate, the modification column and the version columns."""
    ops = rows["_op"]
    stamped = rows.with_columns(
        as_times(rows["since"].to_numpy()).alias("createdate"), as_times(rows["at"].to_numpy()).alias(modified), _kept_op=ops
    )
    return stamp(stamped, rows["at"]).with_columns(_op=pl.col("_kept_op")).drop("_kept_op", "since", "at")


def _lay_out_contacts(rng: np.random.Generator, world: World) -> pl.DataFrame:
    """One contact per person known to the CRM, second records for some, and a new one for who changed company."""
    people, sales = world.market.people, world.sales
    n = people.height
    use = np.full(n, NEVER)
    for frame, at in ((sales.leads, "created_at"), (sales.deals, "created_at"), (world.work.contacts, "at")):
        np.minimum.at(use, frame["person_no"].to_numpy(), frame[at].to_numpy() + 15)
    customer = people["customer_no"].to_numpy()
    known = sales.customers["known_since"].to_numpy()[customer]
    inside = sales.customers["in_crm"].to_numpy()[customer] & (known < NEVER) & ((use < NEVER) | (rng.random(n) < 0.8))
    entered = awake(known + (rng.random(n) * 200 * DAY).astype(np.int64))
    since = np.maximum(known + 10, np.minimum(use, entered))
    row = np.flatnonzero(inside)
    copied = row[(rng.random(len(row)) < 0.04) | (np.arange(len(row)) < 2)]
    target = people["moved_to"].to_numpy()
    there = sales.customers["known_since"].to_numpy()[np.maximum(target, 0)]
    movers = np.flatnonzero(
        (target >= 0) & inside & sales.customers["in_crm"].to_numpy()[np.maximum(target, 0)] & (there < NEVER)
    )
    person = np.r_[row, copied, movers]
    later = np.maximum(since[copied], epoch(START)) + (rng.random(len(copied)) * 300 * DAY).astype(np.int64)
    moved = np.maximum(there[movers], np.maximum(since[movers], epoch(START))) + (rng.random(len(movers)) * 200 * DAY).astype(
        np.int64
    )
    every = np.r_[since[row], later, moved]
    copy = np.r_[np.zeros(len(row), bool), np.ones(len(copied) + len(movers), bool)]
    same_company = copy & (np.arange(len(person)) < len(row) + len(copied))
    merged = draw_one_time(rng, every, 0.4, same_company)
    return pl.DataFrame(
        {
            "person_no": person,
            "customer_no": np.r_[customer[row], customer[copied], target[movers]],
            "since": every,
            "is_copy": copy,
            "merged_at": merged,
        }
    ).with_columns(id=number_records(every, 30_500_000_000, 53))


def _write_contacts(rng: np.random.Generator, world: World, rows: pl.DataFrame, company_of: pl.Series) -> pl.DataFrame:
    n = rows.height
    people = world.market.people[rows["person_no"].to_numpy()]
    customers = world.sales.customers
    number = pl.select(
        pl.when(chance(rng, n, 0.5) & const(people["agent_mobile"]).is_not_null())
        .then(const(people["agent_mobile"]))
        .when(const(rows["is_copy"]) | chance(rng, n, 0.04))
        .then(pl.coalesce(const(people["second_mobile"]), const(people["mobile"])))
        .otherwise(const(people["mobile"]))
    ).to_series()
    title, whole = chance(rng, n, 0.06), chance(rng, n, 0.08)  # "X 总"; the whole name in one field
    polite = pl.select(pl.when(title).then(pl.lit("总")).otherwise(const(people["given"]))).to_series()
    base = rows.with_columns(
        firstname=pl.when(whole).then(None).otherwise(const(polite)),
        lastname=pl.when(whole).then(const(people["full_name"])).otherwise(const(people["surname"])),
        mobilephone=const(write_mobiles(rng, number, 0.85)),
        phone=const(blank(rng, take(customers["phone"], rows["customer_no"]), 0.35)),
        email=const(blank(rng, people["email"], 0.5)),
        jobtitle=const(blank(rng, people["job"], 0.8)),
        buying_role=const(blank(rng, people["role"], 0.55)),
        associatedcompanyid=const(take(company_of, rows["customer_no"])),
        hubspot_owner_id=const(take(world.staff["owner_id"], take(customers["owner_no"], rows["customer_no"]))),
    )
    since, merged = rows["since"].to_numpy(), rows["merged_at"].to_numpy()
    archived = draw_one_time(rng, since, 0.3, rows["is_copy"].to_numpy() & (merged >= NEVER))
    created = base.with_columns(at=pl.Series(since), _op=pl.lit("upsert"))
    edited = [
        base.with_columns(
            at=pl.Series(np.where((at < np.minimum(merged, archived)) & (rng.random(n) < 0.4), at, NEVER)),
            _op=pl.lit("upsert"),
            email=pl.coalesce("email", const(blank(rng, people["email"], 0.3))),
        )
        for at in draw_updates(rng, since, 45.0)
    ]
    merges = (
        base.filter(pl.col("merged_at") < NEVER)
        .select("person_no", "merged_at", loser="id")
        .join(base.filter(~pl.col("is_copy")).select("person_no", survivor="id"), on="person_no", maintain_order="left")
    )
    survived = base.join(
        merges.select("survivor", at="merged_at"), left_on="id", right_on="survivor", maintain_order="left"
    ).with_columns(_op=pl.lit("upsert"))
    gone = base.with_columns(at=pl.col("merged_at"), _op=pl.lit("merge"))
    hidden = base.with_columns(at=pl.Series(archived), _op=pl.lit("archive"))
    every = pl.concat([f.select(created.columns) for f in (created, *edited, survived, gone, hidden)])
    every = every.filter(pl.col("at") < NEVER)
    return stamp_versions(every.with_columns(hs_merged_object_ids=add_merges(every, merges, "id", "at")), "lastmodifieddate")


def moments_after(rng: np.random.Generator, at: Ints, longest: int = HOUR) -> Ints:
    """When something that happened `at` was typed into the system."""
    return at + rng.integers(60, longest, len(at))
