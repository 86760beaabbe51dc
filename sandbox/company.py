"""The demo company, whole: `build_company(scale, seed)` -> every vendor's record versions, and the truth behind them.

A table's row is one version of a record: it holds from `_valid_from` on, until the next version of the same key.
`_op` is upsert, archive (HubSpot hides it), delete (the row vanishes) or merge (HubSpot: the id lives on in the survivor).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

import numpy as np
import polars as pl

from sandbox.activities import build_work
from sandbox.clock import AS_OF, HORIZON, NEVER, as_times
from sandbox.customers import build_market
from sandbox.orders import build_trade
from sandbox.sales import build_sales
from sandbox.schema import SCHEMAS, TRUTH, conform
from sandbox.staff import build_staff
from sandbox.vendors import approvals, forms, hubspot, hubspot_deals, hubspot_work, parents, u8, wecom
from sandbox.vendors.hubspot import CrmLinks
from sandbox.vendors.shape import Tables, World, take


@dataclass(frozen=True)
class Company:
    """What every vendor system of the made-up company holds at any time, and the truth that no system knows.

    tables: "<vendor>.<stream>" -> record versions (columns `sandbox.schema.SCHEMAS` + `_valid_from`, `_op`).
    truth: parties, persons, customers, deals (columns `sandbox.schema.TRUTH`).
    """

    as_of: datetime
    horizon: datetime
    tables: Tables
    truth: Tables


def build_company(scale: float = 1.0, seed: int = 7) -> Company:
    """Make the company: about 2,000 customers and 3,000 leads a year per unit of `scale`; the same arguments, the same rows.

    Raises ValueError for a scale that is not positive.
    """
    if not scale > 0:
        raise ValueError(f"scale must be positive, not {scale}; 1 is the demo's size, 0.01 the smallest that makes sense")

    def rng(part: str) -> np.random.Generator:
        return np.random.default_rng([seed, crc32(part.encode())])

    market = build_market(rng("market"), scale)
    staff = build_staff(rng("staff"), scale)
    sales = build_sales(rng("sales"), market, staff, scale)
    trade = build_trade(rng("trade"), sales, scale)
    work = build_work(rng("work"), market, sales, scale)
    world = World(market, staff, sales, trade, work)

    party_tables, links = hubspot.shape_parties(rng("hubspot"), world)
    companies = parents.name_crm_parents(rng("crm parents"), sales.customers, party_tables["hubspot.companies"], links)
    erp_customers, erp_code_of, erp_parties = u8.shape_customers(rng("u8"), world)
    erp_customers = parents.name_erp_heads(rng("erp heads"), sales.customers, erp_customers, erp_code_of, erp_parties)
    wecom_tables, wecom_parties = wecom.shape_external_contacts(rng("wecom"), world)
    form_tables, form_parties = forms.shape_lead_forms(rng("forms"), world)
    tables: Tables = {
        "hubspot.owners": hubspot.shape_owners(staff),
        **party_tables,
        "hubspot.companies": companies,
        "hubspot.leads": hubspot_deals.shape_leads(rng("leads"), world, links, forms.submission_ids(world)),
        **hubspot_deals.shape_deals(rng("deals"), world, links),
        **hubspot_work.shape_engagements(rng("engagements"), world, links),
        "u8.customers": erp_customers,
        **u8.shape_masters(world),
        **u8.shape_documents(rng("documents"), world, erp_code_of),
        "u8.stock": u8.shape_stock(rng("stock")),
        **wecom.shape_organisation(world),
        **wecom_tables,
        "wecom.checkins": wecom.shape_checkins(rng("checkins"), world),
        "wecom.approvals": approvals.shape_approvals(rng("approvals"), world),
        **form_tables,
        "forms.price_sheets": forms.shape_price_sheets(rng("prices")),
        "forms.nps": forms.shape_nps(rng("nps"), world),
    }
    return Company(
        as_of=AS_OF,
        horizon=HORIZON,
        tables={name: conform(tables[name], name) for name in SCHEMAS},
        truth=_tell_truth(world, links, erp_parties, wecom_parties, form_parties),
    )


def _tell_truth(
    world: World, links: CrmLinks, erp: pl.DataFrame, wecom_parties: pl.DataFrame, form_parties: pl.DataFrame
) -> Tables:
    customers, people = world.sales.customers, world.market.people
    nobody = pl.lit(-1, dtype=pl.Int64)
    parties = pl.concat(
        [
            links.parties.select("source_key", "customer_no", person_no=nobody, source=pl.lit("hubspot")),
            erp.select("source_key", "customer_no", person_no=nobody, source=pl.lit("u8")),
            wecom_parties.select("source_key", "customer_no", "person_no", source=pl.lit("wecom")),
            form_parties.select("source_key", "customer_no", "person_no", source=pl.lit("forms")),
        ]
    )
    parties = parties.with_columns(
        customer_id=pl.coalesce(
            take(customers["customer_id"], parties["customer_no"]), pl.lit("X-") + pl.col("source") + "-" + pl.col("source_key")
        ),
        person_id=take(people["person_id"], parties["person_no"]),
    )
    persons = pl.concat(
        [
            links.contacts.select("source_key", "person_no", source=pl.lit("hubspot")),
            wecom_parties.select("source_key", "person_no", source=pl.lit("wecom")),
            form_parties.filter(pl.col("person_no") >= 0).select("source_key", "person_no", source=pl.lit("forms")),
        ]
    )
    persons = persons.with_columns(person_id=take(people["person_id"], persons["person_no"]))
    deals = world.sales.deals
    facts = pl.DataFrame(
        {
            "deal_id": hubspot_deals.deal_ids(world),
            "customer_id": take(customers["customer_id"], deals["customer_no"]),
            "outcome": pl.Series(np.where(deals["won"].to_numpy(), "won", "lost").tolist(), dtype=pl.String),
            "win_probability": deals["probability"],
            "is_zombie": deals["zombie"],
            "created_at": as_times(deals["created_at"].to_numpy()),
            "closed_at": as_times(np.minimum(deals["closed_at"].to_numpy(), NEVER)),
        }
    )
    frames = {"parties": parties, "persons": persons, "customers": customers, "deals": facts}
    return {name: frames[name].select(pl.col(c).cast(t) for c, t in columns.items()) for name, columns in TRUTH.items()}
