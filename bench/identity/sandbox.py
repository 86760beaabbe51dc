"""Accuracy and speed of hub.resolve on the sandbox company: `python -m bench identity [--scale 1] [--seed 7]`.

Party records are put together from the vendors' newest rows as int_parties_unioned does it; the sandbox's truth is only compared.
"""

import argparse
import time
from typing import Any

import polars as pl

from bench.results import make_table, report
from hub.evaluate import evaluate
from hub.invariants import check_invariants
from hub.resolve import resolve
from hub.rules.read import load_rules
from sandbox.company import Company, build_company


def read_state(company: Company, table: str, key: str) -> pl.DataFrame:
    """Rows of a vendor's table as they stand at the company's clock."""
    versions = company.tables[table].filter(pl.col("_valid_from") <= company.as_of)
    last = versions.sort("_valid_from").unique(key, keep="last", maintain_order=True)
    return last.filter(pl.col("_op") == "upsert")


#: per table: source, key column, and the hub's columns by the vendor's
ORGANISATIONS = {
    "hubspot.companies": (
        "hubspot",
        "id",
        "name=company_name tax_no phone domain province city address industry customer_tier=tier",
    ),
    "u8.customers": (
        "u8",
        "cCusCode",
        "cCusName=company_name cCusRegCode=tax_no cCusPerson=contact_name cCusHand=mobile cCusPhone=phone cCusEmail=email "
        "cProvince=province cCity=city cCusAddress=address",
    ),
    "wecom.external_contacts": ("wecom", "external_userid", "wecom_name=company_name name=contact_name wecom_mobile=mobile"),
    "forms.web_leads": (
        "forms",
        "submission_id",
        "company=company_name name=contact_name phone=mobile email province city industry",
    ),
    "forms.exhibition_cards": ("forms", "card_no", "company=company_name name=contact_name mobile email city"),
    "forms.card_scans": ("forms", "scan_id", "company=company_name name=contact_name mobile email address"),
}
PERSONS = {
    "hubspot.contacts": (
        "hubspot",
        "id",
        "full_name mobilephone=mobile phone email jobtitle=job_title buying_role associatedcompanyid=party_source_key",
    ),
    "wecom.external_contacts": (
        "wecom",
        "external_userid",
        "name=full_name wecom_mobile=mobile position=job_title external_userid=party_source_key",
    ),
    "forms.web_leads": ("forms", "submission_id", "name=full_name phone=mobile email submission_id=party_source_key"),
    "forms.exhibition_cards": ("forms", "card_no", "name=full_name mobile email title=job_title card_no=party_source_key"),
    "forms.card_scans": ("forms", "scan_id", "name=full_name mobile email title=job_title scan_id=party_source_key"),
}


def build_records(company: Company, mapping: dict[str, tuple[str, str, str]]) -> pl.DataFrame:
    """Records of all sources under the hub's column names, all text."""
    parts = []
    for table, (source, key, columns) in mapping.items():
        frame = read_state(company, table, key)
        if table == "wecom.external_contacts":
            frame = frame.with_columns(
                wecom_name=pl.coalesce("remark_corp_name", "corp_full_name", "corp_name", "remark"),
                wecom_mobile=pl.col("remark_mobiles").cast(pl.List(pl.String)).list.first(),
            )
        if table == "hubspot.contacts":
            frame = frame.with_columns(full_name=pl.concat_str(pl.col("lastname", "firstname").fill_null("")))
        pairs = [pair.split("=") for pair in columns.split()]
        picked = [pl.col(pair[0]).cast(pl.String).alias(pair[-1]) for pair in pairs]
        parts.append(frame.select(pl.lit(source).alias("source"), pl.col(key).alias("source_key"), *picked))
    return pl.concat(parts, how="diagonal")


def measure(entity: str, records: pl.DataFrame, truth: pl.DataFrame, company: Company) -> tuple[dict[str, Any], pl.DataFrame]:
    """Resolve once, then again with nothing new; accuracy, seconds and broken invariants."""
    started = time.perf_counter()
    rules = load_rules(entity)
    first = resolve(records, rules=rules, history=None, run_id="bench-1", at=company.as_of)
    middle = time.perf_counter()
    again = resolve(records, rules=rules, history=first.events, run_id="bench-2", at=company.as_of, model=first.model)
    ended = time.perf_counter()
    kept = (
        "candidates",
        "clusters",
        "largest_cluster",
        "vetoes",
        "edges",
        "review_found",
        "blocks_capped",
        "pairs_left_out",
        "seconds",
    )
    figures: dict[str, Any] = {
        "records": records.height,
        "seconds_first": round(middle - started, 2),
        "seconds_again": round(ended - middle, 2),
        "events_again": again.events.height,
        "broken_invariants": [finding.check for finding in check_invariants(first, records)],
        "accuracy": {name: round(value, 4) for name, value in evaluate(first.crosswalk, truth).items()},
        **{name: first.report[name] for name in kept},
    }
    return figures, first.crosswalk


def main(arguments: list[str]) -> None:
    """Print the figures of both entities and write them."""
    parser = argparse.ArgumentParser(prog="python -m bench identity", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)
    company = build_company(options.scale, options.seed)
    truth = company.truth["parties"].select("source", "source_key", "customer_id")
    organisations, crosswalk = measure("organisation", build_records(company, ORGANISATIONS), truth, company)
    owner = crosswalk.select("source", party_source_key="source_key", customer_gid="gid")
    people = build_records(company, PERSONS).join(owner, on=["source", "party_source_key"], how="left")
    persons, _ = measure("person", people, company.truth["persons"], company)
    figures = {"organisation": organisations, "person": persons}
    shown = ("records", "seconds_first", "seconds_again", "clusters", "candidates", "review_found", "events_again")
    rows = [(name, *(str(one[name]) for one in figures.values())) for name in shown]
    rows += [(name, str(value), str(persons["accuracy"][name])) for name, value in organisations["accuracy"].items()]
    report("identity", {"scale": options.scale, **figures}, make_table(f"hub at scale {options.scale:g}", ("", *figures), rows))
