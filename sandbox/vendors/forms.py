"""Web forms, exhibition cards, scanned cards, price sheets, NPS answers."""

from __future__ import annotations

import numpy as np
import polars as pl

from sandbox.clock import AS_OF, DAY, HORIZON, START, Ints, as_dates, as_times, draw_moments, epoch
from sandbox.noise import FORM_HABIT, GARBAGE_NAMES, blank, draw_words, write_mobiles, write_names
from sandbox.sales import EXHIBITIONS
from sandbox.vendors.shape import Tables, World, chance, const, stamp, take
from sandbox.vendors.u8 import product_codes
from sandbox.words import PRODUCTS

_NEEDS = ("询价", "需要选型", "索要样本", "预约看样机", "售后咨询", "产线改造方案", "替换旧设备")
_CAMPAIGNS = ("2025秋季", "2026春季", "百度品牌", "公众号", "行业站")
_COMMENTS = ("交付及时", "服务响应慢", "设备稳定", "价格偏高", "工程师专业", "备件太慢", "很满意")
_QUARTERS = ("2025Q3", "2025Q4", "2026Q1", "2026Q2", "2026Q3")


def submission_ids(world: World) -> pl.Series:
    """The form's id of every lead that came in by a form, by lead number (null: another way)."""
    leads = world.sales.leads
    number = leads["lead_no"].cast(pl.String).str.zfill(7)
    prefix = take(pl.Series(["W", "Z", "M"]), np.where(leads["source_no"].to_numpy() < 3, leads["source_no"].to_numpy(), -1))
    return prefix + as_dates(leads["created_at"].to_numpy()).dt.strftime("%y%m%d") + number


def shape_lead_forms(rng: np.random.Generator, world: World) -> tuple[Tables, pl.DataFrame]:
    """The three lead forms, with a few repeated and worthless submissions; truth (source_key, customer_no, person_no)."""
    leads = world.sales.leads.with_columns(key=submission_ids(world))
    web = _entries(rng, world, leads.filter(pl.col("source_no") == 0), repeated=0.015, junk=0.015, prefix="W")
    cards = _entries(rng, world, leads.filter(pl.col("source_no") == 1), repeated=0.01, junk=0.0, prefix="Z")
    scans = _entries(rng, world, leads.filter(pl.col("source_no") == 2), repeated=0.02, junk=0.01, prefix="M")
    tables = {
        "forms.web_leads": _shape_web(rng, web),
        "forms.exhibition_cards": _shape_cards(rng, cards),
        "forms.card_scans": _shape_scans(rng, scans),
    }
    truth = pl.concat([frame.select("key", "customer_no", "person_no") for frame in (web, cards, scans)])
    return tables, truth.rename({"key": "source_key"})


def _entries(
    rng: np.random.Generator, world: World, leads: pl.DataFrame, repeated: float, junk: float, prefix: str
) -> pl.DataFrame:
    """What was typed in: one row per lead, some twice (a few days later), some of nobody (customer_no -1)."""
    columns = ["key", "customer_no", "person_no", "created_at", "show_no"]
    first = leads.select(columns)
    again = first.filter(chance(rng, first.height, repeated)).with_columns(
        key=pl.col("key") + "R", created_at=pl.col("created_at") + 2 * DAY + 777
    )
    n_junk = round(junk * first.height) if first.height > 20 else int(junk > 0)
    junk_at = draw_moments(rng, n_junk, START, HORIZON)
    nobody = pl.DataFrame(
        {
            "key": pl.Series([f"{prefix}X{k:06d}" for k in range(n_junk)], dtype=pl.String),
            "customer_no": np.full(n_junk, -1),
            "person_no": np.full(n_junk, -1),
            "created_at": junk_at,
            "show_no": np.zeros(n_junk, dtype=np.int64),
        }
    )
    rows = pl.concat([first, again, nobody]).filter(pl.col("created_at") < epoch(HORIZON)).sort("created_at", "key")
    n = rows.height
    firms = world.sales.customers[np.maximum(rows["customer_no"].to_numpy(), 0)]
    people = world.market.people[np.maximum(rows["person_no"].to_numpy(), 0)]
    none = const(rows["customer_no"] < 0)
    number = pl.select(
        pl.when(chance(rng, n, 0.05))
        .then(pl.coalesce(const(people["second_mobile"]), const(people["mobile"])))
        .otherwise(const(people["mobile"]))
    ).to_series()
    called = pl.when(chance(rng, n, 0.08)).then(const(people["surname"]) + "先生").otherwise(const(people["full_name"]))
    return rows.with_columns(
        company=pl.when(none)
        .then(const(draw_words(rng, GARBAGE_NAMES, n)))
        .otherwise(const(write_names(rng, firms, FORM_HABIT))),
        name=pl.when(none).then(const(draw_words(rng, ("测试", "无", "aaa"), n))).otherwise(called),
        mobile=pl.when(none).then(pl.lit("13800000000")).otherwise(const(write_mobiles(rng, number, 0.92))),
        email=pl.when(none).then(None).otherwise(const(blank(rng, people["email"], 0.56))),
        title=const(blank(rng, people["job"], 0.7)),
        province=const(blank(rng, firms["province"], 0.49)),
        city=const(blank(rng, firms["city"], 0.49)),
        address=const(blank(rng, firms["address"], 0.6)),
        industry=const(blank(rng, firms["industry"], 0.5)),
    )


def _iso(at: Ints) -> pl.Series:
    """ISO 8601 in Shanghai time, as the form's receiver writes it."""
    return as_times(at).dt.convert_time_zone("Asia/Shanghai").dt.strftime("%Y-%m-%dT%H:%M:%S+08:00")


def _shape_web(rng: np.random.Generator, rows: pl.DataFrame) -> pl.DataFrame:
    """Web posts: 1.5 % with name and company swapped, a few with an impossible year."""
    n = rows.height
    at = rows["created_at"].to_numpy()
    swapped = chance(rng, n, 0.015)
    broken = chance(rng, n, 0.003) | (pl.int_range(pl.len()) == 1)
    posts = rows.select(
        submission_id="key",
        submitted_at=pl.when(broken).then(const(_iso(at)).str.replace(r"^\d{4}-", "2999-")).otherwise(const(_iso(at))),
        name=pl.when(swapped).then("company").otherwise("name"),
        phone="mobile",
        company=pl.when(swapped).then("name").otherwise("company"),
        email="email",
        need=const(draw_words(rng, _NEEDS, n)),
        province="province",
        city="city",
        industry="industry",
        utm_source=const(draw_words(rng, ("baidu", "wechat", "direct", "zhihu", "360"), n)),
        utm_campaign=const(blank(rng, draw_words(rng, _CAMPAIGNS, n), 0.6)),
    )
    return stamp(posts, at)


def _shape_cards(rng: np.random.Generator, rows: pl.DataFrame) -> pl.DataFrame:
    """Cards of an exhibition's sheet; about 1 % has no company (at least one)."""
    n = rows.height
    at = rows["created_at"].to_numpy()
    empty = chance(rng, n, 0.01) | (pl.int_range(pl.len()) == 0)
    budget = np.where(rng.random(n) < 0.6, np.round(40 * np.exp(0.8 * rng.normal(size=n))), np.nan)
    cards = rows.select(
        card_no="key",
        exhibition=const(take(pl.Series([name for name, _ in EXHIBITIONS]), rows["show_no"])),
        sheet_date=const(as_dates(at).dt.strftime("%Y/%m/%d")),
        company=pl.when(empty).then(None).otherwise("company"),
        name="name",
        title="title",
        mobile="mobile",
        email="email",
        city="city",
        intent=const(draw_words(rng, ("高", "中", "低"), n)),
        budget_wan=const(pl.Series(budget).fill_nan(None)),
    )
    return stamp(cards, at + 3600)


def _shape_scans(rng: np.random.Generator, rows: pl.DataFrame) -> pl.DataFrame:
    at = rows["created_at"].to_numpy()
    scans = rows.select(
        scan_id="key",
        scanned_at=const(_iso(at)),
        company="company",
        name="name",
        title="title",
        mobile="mobile",
        email="email",
        address="address",
        confidence=const(np.round(rng.beta(9, 1.2, rows.height), 3)),
    )
    return stamp(scans, at + 60)


def shape_price_sheets(rng: np.random.Generator) -> pl.DataFrame:
    """One list of prices in 万元 per quarter, known six days before it holds; they rise about 1 % a quarter."""
    starts = (
        (np.datetime64("2025-07-01") + np.array([0, 92, 184, 274, 365]).astype("timedelta64[D]"))
        .astype("datetime64[s]")
        .astype(np.int64)
    )
    price = np.array([p[3] for p in PRODUCTS]) / 10_000
    sheets = []
    for k, quarter in enumerate(_QUARTERS):
        drift = 1.01**k * (1 + 0.01 * rng.normal(size=len(PRODUCTS)))
        sheets.append(
            stamp(
                pl.DataFrame(
                    {
                        "price_list": [quarter] * len(PRODUCTS),
                        "valid_from": as_dates(np.full(len(PRODUCTS), starts[k])),
                        "product_code": product_codes(),
                        "product_name": [p[1] for p in PRODUCTS],
                        "product_line": [p[0] for p in PRODUCTS],
                        "unit_price_wan": np.round(price * drift, 2),
                    }
                ),
                np.full(len(PRODUCTS), starts[k] + (2 if starts[k] > epoch(AS_OF) - 5 * DAY else -6) * DAY),
            )
        )
    return pl.concat(sheets)


def shape_nps(rng: np.random.Generator, world: World) -> pl.DataFrame:
    """Answers name the company as the customer writes it."""
    answers = world.work.answers
    n = answers.height
    at = answers["at"].to_numpy()
    firms = world.sales.customers[answers["customer_no"].to_numpy()]
    rows = pl.DataFrame(
        {
            "submission_id": "N" + as_dates(at).dt.strftime("%y%m%d") + pl.Series(np.arange(n)).cast(pl.String).str.zfill(6),
            "submitted_at": _iso(at),
            "company": write_names(rng, firms, FORM_HABIT),
            "mobile": write_mobiles(rng, take(world.market.people["mobile"], answers["person_no"]), 0.85),
            "score": answers["score"],
            "comment": blank(rng, draw_words(rng, _COMMENTS, n), 0.5),
        }
    )
    return stamp(rows, at)
