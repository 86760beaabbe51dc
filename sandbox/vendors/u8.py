"""Yonyou U8: customers with tax numbers, staff, products, documents, stock. No `ufts`: the server assigns it."""

from __future__ import annotations

import numpy as np
import polars as pl

from sandbox.clock import AS_OF, DAY, HORIZON, HOUR, NEVER, START, Ints, as_dates, as_times, epoch
from sandbox.noise import ERP_HABIT, GARBAGE_NAMES, blank, draw_words, write_mobiles, write_names, write_tax_numbers
from sandbox.orders import USD_RATE
from sandbox.staff import REGIONS, TEAMS
from sandbox.vendors.hubspot_deals import deal_ids
from sandbox.vendors.shape import (
    Tables,
    World,
    chance,
    const,
    draw_one_time,
    draw_updates,
    number_records,
    stamp,
    take,
)
from sandbox.words import PRODUCT_LINES, PRODUCTS

_LONG_AGO = epoch(START) - 900 * DAY
WAREHOUSES = ("W01", "W02", "W03")


def shape_customers(rng: np.random.Generator, world: World) -> tuple[pl.DataFrame, pl.Series, pl.DataFrame]:
    """Customer rows; the code that documents use, by customer number; and (source_key, customer_no) of every code."""
    customers = world.sales.customers
    n = customers.height
    since = np.where(customers["is_new"].to_numpy() | (rng.random(n) > 0.62), NEVER, customers["known_since"].to_numpy())
    since = np.where(since < NEVER, np.minimum(since + 20 * DAY, epoch(START) - DAY), NEVER)
    for frame in (world.trade.quotes, world.trade.orders):
        np.minimum.at(since, frame["customer_no"].to_numpy(), frame["at"].to_numpy() - 2 * HOUR)
    main = np.flatnonzero(since < NEVER)
    copied = main[rng.random(len(main)) < 0.03]
    n_junk = max(1, len(main) // 300)
    customer = np.r_[main, copied, np.full(n_junk, -1)]
    later = np.maximum(since[copied], epoch(START)) + (rng.random(len(copied)) * 330 * DAY).astype(np.int64)
    every = np.r_[since[main], later, epoch(START) + rng.integers(0, 300 * DAY, n_junk)]
    code = "K" + number_records(every, 100_001)
    # documents name the first code, so only second and worthless ones are ever deleted
    spare = np.arange(len(customer)) >= len(main)
    gone = draw_one_time(rng, every, 0.3, spare)
    rows = _write_customers(rng, world, customer, code, every, gone)
    position = np.full(n, -1)
    position[main] = np.arange(len(main))
    return rows, take(code, position), pl.DataFrame({"source_key": code, "customer_no": customer})


def _write_customers(
    rng: np.random.Generator, world: World, customer: Ints, code: pl.Series, since: Ints, gone: Ints
) -> pl.DataFrame:
    n = len(customer)
    firms = world.sales.customers[np.maximum(customer, 0)]
    people = world.market.people
    first = np.searchsorted(people["customer_no"].to_numpy(), np.maximum(customer, 0))
    buyer = people[first]
    mobile = pl.select(pl.coalesce(const(buyer["agent_mobile"]), const(buyer["mobile"]))).to_series()
    junk = const(customer < 0)
    person = const(firms["kind"] == "person")
    names = write_names(rng, firms, ERP_HABIT)
    base = pl.DataFrame({"cCusCode": code}).with_columns(
        cCusName=pl.when(junk).then(const(draw_words(rng, GARBAGE_NAMES, n))).otherwise(const(names)),
        cCusAbbName=pl.when(junk | person)
        .then(None)
        .otherwise(const(firms["short_head"] + firms["trade"] + firms["short_tail"])),
        cCusRegCode=pl.when(junk).then(None).otherwise(const(write_tax_numbers(rng, firms, 0.95))),
        late_tax=const(firms["tax_no"]),
        cCusPhone=pl.when(junk).then(None).otherwise(const(blank(rng, firms["phone"], 0.72))),
        cCusHand=pl.when(junk).then(None).otherwise(const(write_mobiles(rng, mobile, 0.42))),
        cCusPerson=pl.when(junk).then(None).otherwise(const(blank(rng, buyer["full_name"], 0.6))),
        cCusEmail=pl.when(junk).then(None).otherwise(const(blank(rng, buyer["email"], 0.32))),
        cCusAddress=pl.when(junk).then(None).otherwise(const(blank(rng, firms["address"], 0.85))),
        cProvince=pl.when(junk).then(None).otherwise(const(blank(rng, firms["province"], 0.83))),
        cCity=pl.when(junk).then(None).otherwise(const(blank(rng, firms["city"], 0.83))),
        cCCCode=const(take(pl.Series(["01", "02", "03"]), np.array([REGIONS.index(r) for r in firms["region"]]))),
        cCusPPerson=const(take(world.staff["person_code"], firms["owner_no"])),
        dCusDevDate=as_dates(since),
    )
    versions = [stamp(base.with_columns(dModifyDate=as_times(since)), since)]
    for at in draw_updates(rng, since, 60.0):
        at = np.where(at < gone, at, NEVER)
        edited = base.with_columns(
            dModifyDate=as_times(at), cCusRegCode=pl.when(junk).then(None).otherwise(pl.coalesce("cCusRegCode", "late_tax"))
        )
        versions.append(stamp(edited, at))
    versions.append(stamp(base.with_columns(dModifyDate=as_times(gone)), gone, "delete"))
    return pl.concat(versions)


def shape_masters(world: World) -> Tables:
    """Staff, departments, products: there from the beginning."""
    staff = world.staff
    persons = staff.select(
        cPersonCode="person_code",
        cPersonName="full_name",
        cDepCode=pl.lit("D") + pl.col("department_no").cast(pl.String).str.zfill(2),
        cPersonPhone="mobile",
        cPersonEmail="email",
    )
    departments = pl.DataFrame(
        {
            "cDepCode": [f"D{k + 2:02d}" for k in range(len(REGIONS))] + [f"D{k + 11:02d}" for k in range(len(TEAMS))],
            "cDepName": [f"{region}大区" for region in REGIONS] + list(TEAMS),
        }
    )
    products = pl.DataFrame(
        {
            "cInvCode": product_codes(),
            "cInvName": [p[1] for p in PRODUCTS],
            "cInvStd": [p[2] for p in PRODUCTS],
            "cInvCCode": [p[0] for p in PRODUCTS],
            "iInvSPrice": [p[3] for p in PRODUCTS],
        }
    )
    frames = {"u8.persons": persons, "u8.departments": departments, "u8.products": products}
    return {name: stamp(frame, np.full(frame.height, _LONG_AGO)) for name, frame in frames.items()}


def product_codes() -> list[str]:
    """Inventory codes in the order of PRODUCTS."""
    per_line = len(PRODUCTS) // len(PRODUCT_LINES)
    return [f"{k // per_line + 1:02d}{k % per_line + 1:03d}" for k in range(len(PRODUCTS))]


def _two(values: pl.Series | np.ndarray) -> pl.Series:
    return pl.Series(values).cast(pl.Float64).round(2).cast(pl.Decimal(18, 2))


def _codes(prefix: str, at: Ints) -> pl.Series:
    """Document codes: prefix, year and month, running number."""
    month = as_dates(at).dt.strftime("%y%m")
    return prefix + month + pl.Series(np.arange(1, len(at) + 1)).cast(pl.String).str.zfill(6)


def _currency(usd: pl.Series) -> pl.Series:
    return pl.select(pl.when(const(usd)).then(pl.lit("美元")).otherwise(pl.lit("人民币"))).to_series()


def _with_deletes(rng: np.random.Generator, rows: pl.DataFrame, at: Ints, share: float) -> pl.DataFrame:
    """A small share of the documents is deleted again later."""
    gone = draw_one_time(rng, at, share, wait=DAY)
    return pl.concat([stamp(rows, at), stamp(rows.filter(pl.Series(gone < NEVER)), gone[gone < NEVER], "delete")])


def shape_documents(rng: np.random.Generator, world: World, code_of: pl.Series) -> Tables:
    """Quotes, orders, lines, deliveries, invoices, receipts."""
    quotes = world.trade.quotes
    at = quotes["at"].to_numpy()
    rate = np.where(quotes["usd"].to_numpy(), USD_RATE, 1.0)
    quote_rows = pl.DataFrame(
        {
            "ID": np.arange(quotes.height) + 1001,
            "cCode": _codes("BJ", at),
            "cCusCode": take(code_of, quotes["customer_no"]),
            "cPersonCode": take(world.staff["person_code"], quotes["rep_no"]),
            "cDefine1": take(deal_ids(world), quotes["deal_no"]),
            "cexch_name": _currency(quotes["usd"]),
            "dDate": as_dates(at),
            "iSum": _two(quotes["amount"].to_numpy() / rate),
            "iStdSum": _two(quotes["standard_amount"].to_numpy() / rate),
        }
    )
    return {"u8.quotes": _with_deletes(rng, quote_rows, at, 0.015), **_shape_orders(rng, world, code_of)}


def _shape_orders(rng: np.random.Generator, world: World, code_of: pl.Series) -> Tables:
    orders, lines, trade = world.trade.orders, world.trade.lines, world.trade
    at = orders["at"].to_numpy()
    n = orders.height
    ids, so_code = pl.Series(np.arange(n) + 50001), _codes("SO", at)
    customer = take(code_of, orders["customer_no"])
    person = take(world.staff["person_code"], orders["rep_no"])
    deal = take(deal_ids(world), orders["deal_no"])
    team = take(world.staff["department_no"], orders["rep_no"]).cast(pl.String).str.zfill(2)
    contract = pl.select(
        pl.when(const(deal).is_null())
        .then(pl.lit("LX") + const(so_code).str.slice(2))
        .otherwise(pl.lit("HT") + const(deal).str.slice(2))
    ).to_series()
    base = pl.DataFrame(
        {
            "ID": ids,
            "cSOCode": so_code,
            "cCusCode": customer,
            "cPersonCode": person,
            "cDepCode": "D" + team,
            "cexch_name": _currency(orders["usd"]),
            "cDefine1": deal,
            "cDefine2": contract,
            "iExchRate": pl.Series(np.where(orders["usd"].to_numpy(), USD_RATE, 1.0)),
            "dDate": as_dates(at),
            "dPreDateBT": as_dates(orders["promised_at"].to_numpy()),
            "dPreReceiptDate": as_dates(orders["payment_at"].to_numpy()),
            "dcreatesystime": as_times(at),
        }
    )
    paid = np.full(n, 0)
    np.maximum.at(paid, trade.receipts["order_no"].to_numpy(), trade.receipts["at"].to_numpy())
    closed = np.where((paid > 0) & (paid > orders["promised_at"].to_numpy()) & (rng.random(n) < 0.6), paid + 9 * DAY, NEVER)
    nobody, clerk = pl.lit(None, dtype=pl.String), pl.lit("系统管理员")
    order_rows = pl.concat(
        [
            stamp(base.with_columns(iStatus=pl.lit(0), cCloser=nobody), at),
            stamp(base.with_columns(iStatus=pl.lit(1), cCloser=nobody), at + rng.integers(HOUR, 20 * HOUR, n)),
            stamp(base.with_columns(iStatus=pl.lit(1), cCloser=clerk), closed),
        ]
    )
    order = lines["order_no"]
    line_rows = pl.DataFrame(
        {
            "iSOsID": np.arange(lines.height) + 200_001,
            "ID": take(ids, order),
            "cInvCode": take(pl.Series(product_codes()), lines["product_no"]),
            "iQuantity": _two(lines["quantity"]),
            "iTaxUnitPrice": _two(lines["unit_price"]),
            "iSum": _two(lines["amount"]),
        }
    )
    several = lines.select((pl.len().over("order_no") > 1) & pl.col("order_no").is_last_distinct()).to_series()
    gone = draw_one_time(rng, at[order.to_numpy()], 0.03, several.to_numpy(), wait=DAY)
    # who corrects a line deletes it and enters it anew: the order stays worth what is invoiced
    moved = np.flatnonzero(gone < NEVER)
    entered_anew = line_rows[moved].with_columns(iSOsID=pl.Series(np.arange(len(moved)) + 200_001 + lines.height))
    line_table = pl.concat(
        [stamp(line_rows, at[order.to_numpy()]), stamp(line_rows, gone, "delete"), stamp(entered_anew, gone[moved])]
    )
    order_facts = pl.DataFrame(
        {"cSOCode": so_code, "cCusCode": customer, "cPersonCode": person, "cexch_name": base["cexch_name"]}
    )
    return {"u8.orders": order_rows, "u8.order_lines": line_table, **_shape_billing(rng, world, order_facts)}


def _shape_billing(rng: np.random.Generator, world: World, order_facts: pl.DataFrame) -> Tables:
    deliveries, invoices, receipts = world.trade.deliveries, world.trade.invoices, world.trade.receipts
    sent, billed, paid = (frame["at"].to_numpy() for frame in (deliveries, invoices, receipts))
    delivery_rows = order_facts[deliveries["order_no"].to_numpy()].with_columns(
        DLID=pl.Series(np.arange(deliveries.height) + 30_001), cDLCode=_codes("FH", sent), dDate=as_dates(sent)
    )
    invoice_rows = order_facts[invoices["order_no"].to_numpy()].with_columns(
        SBVID=pl.Series(np.arange(invoices.height) + 70_001),
        cSBVCode=_codes("FP", billed),
        dDate=as_dates(billed),
        dGatheringDate=as_dates(invoices["due_at"].to_numpy()),
        iSum=_two(invoices["amount"]),
    )
    settled = take(invoice_rows["cSBVCode"], receipts["invoice_no"])
    receipt_rows = (
        order_facts[receipts["order_no"].to_numpy()]
        .rename({"cCusCode": "cDwCode", "cPersonCode": "cPerson"})
        .with_columns(
            iID=pl.Series(np.arange(receipts.height) + 90_001),
            cVouchID=_codes("SK", paid),
            cVouchType=pl.lit("48"),
            cSBVCode=const(settled),
            dVouchDate=as_dates(paid),
            iAmount=_two(receipts["amount"]),
        )
    )
    return {
        "u8.deliveries": stamp(delivery_rows, sent),
        "u8.invoices": stamp(invoice_rows, billed),
        "u8.receipts": _with_deletes(rng, receipt_rows, paid, 0.02),
    }


def shape_stock(rng: np.random.Generator) -> pl.DataFrame:
    """Stock of every product in every warehouse: the state at the clock, then a change of a third of them every two days."""
    n = len(PRODUCTS) * len(WAREHOUSES)
    number = np.arange(n)
    quantity = rng.integers(0, 60, n)
    base = pl.DataFrame(
        {
            "AutoID": number + 1,
            "cWhCode": take(pl.Series(WAREHOUSES), number % len(WAREHOUSES)),
            "cInvCode": take(pl.Series(product_codes()), number // len(WAREHOUSES)),
        }
    )
    versions = [stamp(base.with_columns(iQuantity=_two(quantity)), np.full(n, _LONG_AGO))]
    for at in range(epoch(AS_OF) - 30 * DAY, epoch(HORIZON), 2 * DAY):
        quantity = np.maximum(quantity + rng.integers(-8, 9, n), 0)
        changed = chance(rng, n, 0.33)
        rows = base.with_columns(iQuantity=_two(quantity), at=pl.Series(at + rng.integers(0, 9 * HOUR, n))).filter(changed)
        versions.append(stamp(rows.drop("at"), rows["at"]))
    return pl.concat(versions)
