"""From quote to money: quotes, orders with lines, deliveries, invoices, receipts. Times as in `sandbox.sales`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandbox.clock import DAY, HORIZON, HOUR, NEVER, Floats, Ints, draw_moments, epoch, to_worktime
from sandbox.sales import Sales
from sandbox.words import PRODUCT_LINES, PRODUCTS

USD_RATE = 7.15


@dataclass(frozen=True)
class Trade:
    """All documents that ever come into being before the horizon; `*_no` columns point into the frame named."""

    quotes: pl.DataFrame  # deal_no, customer_no, rep_no, at, amount, standard_amount, usd
    orders: pl.DataFrame  # deal_no (-1: none), customer_no, rep_no, at, promised_at, payment_at, usd, line_no
    lines: pl.DataFrame  # order_no, product_no, quantity, unit_price, amount
    deliveries: pl.DataFrame  # order_no, at
    invoices: pl.DataFrame  # order_no, at, due_at, amount
    receipts: pl.DataFrame  # invoice_no, order_no, at, amount


def build_trade(rng: np.random.Generator, sales: Sales, scale: float) -> Trade:
    """Documents of all deals that reach them, and of repeat orders that never were a deal."""
    end = epoch(HORIZON)
    quotes = _draw_quotes(rng, sales).filter(pl.col("at") < end)
    orders = _draw_orders(rng, sales, max(2, round(150 * scale)), end)
    lines = _draw_lines(rng, orders)
    total = lines.group_by("order_no", maintain_order=True).agg(pl.col("amount").sum())["amount"].to_numpy()
    deliveries, delivered = _draw_deliveries(rng, orders)
    invoices = _draw_invoices(rng, sales, orders, total, delivered).filter(pl.col("at") < end)
    receipts = _draw_receipts(rng, sales, orders, invoices).filter(pl.col("at") < end)
    return Trade(quotes, orders, lines, deliveries.filter(pl.col("at") < end), invoices, receipts)


def is_usd(customer_no: Ints) -> NDArray[np.bool_]:
    """A few customers pay in US dollars."""
    return np.equal(customer_no % 41, 7)


def _draw_quotes(rng: np.random.Generator, sales: Sales) -> pl.DataFrame:
    """One quote when a deal reaches its quote stage, a second, lower one for a fifth of them."""
    deals = sales.deals.with_columns(stage_at=pl.when(pl.col("pipeline_no") == 0).then("s3").otherwise("s4"))
    reached = deals.filter(pl.col("stage_at") < epoch(HORIZON))
    n = reached.height
    first = reached.with_columns(at=pl.col("stage_at") + pl.lit(pl.Series(rng.integers(HOUR, 2 * DAY, n))))
    again = first.filter(pl.lit(pl.Series(rng.random(n) < 0.2)))
    later = pl.lit(pl.Series(rng.integers(2 * DAY, 6 * DAY, again.height)))
    both = pl.concat([first, again.with_columns(pl.col("at") + later, pl.col("amount") * 0.97)])
    return (
        both.with_columns(at=pl.Series(to_worktime(both["at"].to_numpy())))
        .with_columns(usd=pl.Series(is_usd(both["customer_no"].to_numpy())))
        .select("deal_no", "customer_no", "rep_no", "at", "amount", "standard_amount", "usd")
        .sort("at", "deal_no", maintain_order=True)
    )


def _draw_orders(rng: np.random.Generator, sales: Sales, n_direct: int, end: int) -> pl.DataFrame:
    won = sales.deals.filter(pl.col("won"), pl.col("closed_at") < end - 4 * HOUR)
    customers = sales.customers
    old = np.flatnonzero(customers["known_since"].to_numpy() < epoch(datetime(2025, 6, 1, tzinfo=UTC)))
    known = np.flatnonzero(customers["known_since"].to_numpy() < NEVER)
    direct = rng.choice(old if len(old) else known, n_direct)
    n = won.height + n_direct
    customer = np.r_[won["customer_no"].to_numpy(), direct]
    # a repeat order without a deal: spare parts and small machines
    small = np.round(60_000 * np.exp(0.7 * rng.normal(size=n_direct)), -2)
    signed = won["closed_at"].to_numpy() + rng.integers(HOUR, 2 * DAY, won.height)
    at = to_worktime(
        np.r_[np.minimum(signed, end - HOUR), draw_moments(rng, n_direct, datetime(2025, 7, 1, tzinfo=UTC), HORIZON)]
    )
    lead_time = rng.choice([20, 30, 45, 60], n, p=[0.3, 0.35, 0.25, 0.1])
    terms = customers["payment_days"].to_numpy()[customer]
    promised = at + lead_time * DAY
    frame = pl.DataFrame(
        {
            "deal_no": np.r_[won["deal_no"].to_numpy(), np.full(n_direct, -1)],
            "customer_no": customer,
            "rep_no": np.r_[won["rep_no"].to_numpy(), customers["owner_no"].to_numpy()[direct]],
            "line_no": np.r_[won["line_no"].to_numpy(), rng.integers(0, len(PRODUCT_LINES), n_direct)],
            "at": at,
            "promised_at": promised,
            "payment_at": promised + terms * DAY,
            "usd": is_usd(customer),
            "wanted": np.r_[won["amount"].to_numpy(), small],
        }
    )
    return frame.filter(pl.col("at") < end).sort("at", "deal_no", maintain_order=True)


def _draw_lines(rng: np.random.Generator, orders: pl.DataFrame) -> pl.DataFrame:
    """One to four lines of the order's product line; quantities and prices make up about the agreed amount."""
    n = orders.height
    count = rng.choice([1, 2, 3, 4], n, p=[0.35, 0.35, 0.2, 0.1])
    order = np.repeat(np.arange(n), count)
    share: Floats = rng.uniform(0.3, 1.0, len(order))
    share = share / np.bincount(order, share, minlength=n)[order]
    per_line = len(PRODUCTS) // len(PRODUCT_LINES)
    rank = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)
    start = rng.integers(0, per_line, n)[order]
    product = orders["line_no"].to_numpy()[order] * per_line + (start + rank * 3) % per_line
    value = orders["wanted"].to_numpy()[order] * share / np.where(orders["usd"].to_numpy()[order], USD_RATE, 1.0)
    list_price = np.array([p[3] for p in PRODUCTS], dtype=float)[product]
    quantity = np.clip(np.round(value / list_price), 1, 40)
    price = np.round(value / quantity, 2)
    return pl.DataFrame(
        {
            "order_no": order,
            "product_no": product,
            "quantity": quantity,
            "unit_price": price,
            "amount": np.round(price * quantity, 2),
        }
    )


def _draw_deliveries(rng: np.random.Generator, orders: pl.DataFrame) -> tuple[pl.DataFrame, Ints]:
    """One or two deliveries per order, 18 % late; and the day of the last one."""
    n = orders.height
    late = np.where(rng.random(n) < 0.18, rng.integers(1, 25, n), -rng.integers(0, 6, n))
    last = to_worktime(orders["promised_at"].to_numpy() + late * DAY)
    split = np.flatnonzero(rng.random(n) < 0.15)
    first = to_worktime(np.maximum(last[split] - 8 * DAY, orders["at"].to_numpy()[split] + DAY))
    frame = pl.DataFrame({"order_no": np.r_[np.arange(n), split], "at": np.r_[last, first]})
    return frame.sort("at", "order_no", maintain_order=True), last


def _draw_invoices(rng: np.random.Generator, sales: Sales, orders: pl.DataFrame, total: Floats, delivered: Ints) -> pl.DataFrame:
    """One invoice after delivery; a third of the orders has a 30 % advance invoice first."""
    n = orders.height
    advance = rng.random(n) < 0.33
    first = np.flatnonzero(advance)
    part = np.round(total * 0.3, 2)
    terms = sales.customers["payment_days"].to_numpy()[orders["customer_no"].to_numpy()]
    at = np.r_[delivered + rng.integers(0, 6, n) * DAY, orders["at"].to_numpy()[first] + rng.integers(1, 4, len(first)) * DAY]
    at = to_worktime(at)
    order = np.r_[np.arange(n), first]
    frame = pl.DataFrame(
        {
            "order_no": order,
            "at": at,
            "due_at": at + np.r_[terms, np.full(len(first), 7)] * DAY,
            "amount": np.round(np.r_[np.where(advance, total - part, total), part[first]], 2),
        }
    )
    return frame.sort("at", "order_no", maintain_order=True)


def _draw_receipts(rng: np.random.Generator, sales: Sales, orders: pl.DataFrame, invoices: pl.DataFrame) -> pl.DataFrame:
    """Payments about the due date, by the customer's own lateness; a quarter in two parts, 4 % never whole."""
    n = invoices.height
    order = invoices["order_no"].to_numpy()
    habit = sales.customers["lateness"].to_numpy()[orders["customer_no"].to_numpy()[order]]
    days = np.round(habit + 6 * rng.normal(size=n) + np.where(rng.random(n) < 0.05, rng.uniform(20, 80, n), 0))
    at = to_worktime(np.maximum(invoices["due_at"].to_numpy() + days.astype(np.int64) * DAY, invoices["at"].to_numpy() + DAY))
    amount = invoices["amount"].to_numpy()
    split = rng.random(n) < 0.25
    part = np.where(split, np.round(amount * rng.uniform(0.3, 0.8, n), 2), amount)
    unpaid = rng.random(n) < 0.04
    rest = np.flatnonzero(split & ~unpaid)
    whole = np.flatnonzero(split | ~unpaid)
    number = np.r_[whole, rest]
    frame = pl.DataFrame(
        {
            "invoice_no": number,
            "order_no": order[number],
            "at": np.r_[at[whole], to_worktime(at[rest] + rng.integers(5, 40, len(rest)) * DAY)],
            "amount": np.round(np.r_[part[whole], amount[rest] - part[rest]], 2),
        }
    )
    return frame.filter(pl.col("amount") > 0).sort("at", "invoice_no", maintain_order=True)
