"""Which company the clerks say is another's parent: HubSpot's parent company, U8's head customer. Patchy, and sometimes wrong."""

from __future__ import annotations

import numpy as np
import polars as pl

from sandbox.clock import Ints
from sandbox.vendors.hubspot import CrmLinks
from sandbox.vendors.shape import take

# shares of the children whose parent is named, by kind
_IN_CRM = {"subsidiary": 0.6, "branch": 0.45}
_IN_ERP = {"subsidiary": 0.45, "branch": 0.6}
_SIBLING, _STRANGER, _TURNED = 0.03, 0.015, 0.015
_LATE = 0.3  # of the parents are named when the record is edited, not when it is made
_OF_COPY = 0.3  # of the second records of a child name its parent too
_SPARE = 0.08  # of the children hang on a second record of the parent
_TIED = 0.05  # of the second records are tied below the first one, because nobody may merge them
_IMPORTED = 0.1  # of the rows came by import, which leaves the head customer empty


def name_crm_parents(rng: np.random.Generator, customers: pl.DataFrame, companies: pl.DataFrame, links: CrmLinks) -> pl.DataFrame:
    """HubSpot's companies (record versions) with `hs_parent_company_id`; each names at most one."""
    records = links.parties.rename({"source_key": "id"})
    own = records["customer_no"].to_numpy()
    main = take(links.company_of, own)
    is_copy = (records["id"] != main).fill_null(value=True).to_numpy()
    head = _draw_parents(rng, customers, _IN_CRM)[np.maximum(own, 0)]
    head = np.where((own < 0) | (is_copy & (rng.random(len(own)) > _OF_COPY)), -1, head)
    first, spare = take(links.company_of, head), take(links.spare_company_of, head)
    is_spare = pl.Series(rng.random(len(own)) < _SPARE) & spare.is_not_null()
    tied = pl.Series(is_copy & (own >= 0) & (rng.random(len(own)) < _TIED))
    parent = records.select("id").with_columns(parent=spare.zip_with(is_spare, first))
    parent = parent.with_columns(parent=main.zip_with(tied, parent["parent"]), late=pl.Series(rng.random(len(own)) < _LATE))
    return _write_parents(companies, "id", parent, "hs_parent_company_id")


def name_erp_heads(
    rng: np.random.Generator, customers: pl.DataFrame, rows: pl.DataFrame, code_of: pl.Series, parties: pl.DataFrame
) -> pl.DataFrame:
    """U8's customers (record versions) with `cCusHeadCode`: U8 enters the customer's own code where nobody names a head.

    code_of: the code that documents use, by customer number; parties: source_key, customer_no of every code.
    """
    own = parties["customer_no"].to_numpy()
    head = _draw_parents(rng, customers, _IN_ERP)[np.maximum(own, 0)]
    named = take(code_of, np.where(own < 0, -1, head))
    late, imported = rng.random(len(own)) < _LATE, pl.Series(rng.random(len(own)) < _IMPORTED)
    parent = parties.select(cCusCode="source_key", parent=named, late=pl.Series(late), imported=imported)
    written = _write_parents(rows, "cCusCode", parent.drop("imported"), "cCusHeadCode")
    itself = pl.when(~pl.col("imported")).then("cCusCode")
    filled = written.join(parent.select("cCusCode", "imported"), on="cCusCode", how="left", maintain_order="left")
    return filled.with_columns(cCusHeadCode=pl.coalesce("cCusHeadCode", itself)).drop("imported")


def _draw_parents(rng: np.random.Generator, customers: pl.DataFrame, shares: dict[str, float]) -> Ints:
    """Per customer the number of the one that is named as its parent, -1 for nobody."""
    n, number = customers.height, np.arange(customers.height)
    head = customers["parent_no"].cast(pl.Int64).fill_null(-1).to_numpy()
    share = customers["kind"].replace_strict(shares, default=0.0, return_dtype=pl.Float64).to_numpy()
    named, slip = rng.random(n) < share, rng.random(n)
    stranger = rng.integers(0, n, n)
    # the members of a group have numbers in a row, the head first
    beside = np.where(np.r_[head[1:], -1] == head, number + 1, number - 1)
    turned = named & (slip >= _SIBLING + _STRANGER) & (slip < _SIBLING + _STRANGER + _TURNED)
    parent = np.select(
        [~named | turned, slip < _SIBLING, slip < _SIBLING + _STRANGER], [np.full(n, -1), beside, stranger], default=head
    )
    parent[head[turned]] = number[turned]
    return np.where(parent == number, -1, parent)


def _write_parents(versions: pl.DataFrame, key: str, parent: pl.DataFrame, column: str) -> pl.DataFrame:
    """The versions with the parent's key as `column`, from its record's first version on; late ones from an edit on.

    parent: key, parent (the parent's key or null), late.
    """
    born = versions.group_by(key).agg(born=pl.col("_valid_from").min())
    said = parent.join(born.select(parent=key, parent_born="born"), on="parent", how="left").join(born, on=key)
    rows = versions.join(said, on=key, how="left", maintain_order="left")
    from_edit = ~pl.col("late") | (pl.col("_valid_from") > pl.col("born"))
    known = from_edit & (pl.col("_valid_from") >= pl.col("parent_born")) & (pl.col("parent") != pl.col(key))
    return rows.with_columns(pl.when(known).then("parent").alias(column)).drop("parent", "late", "born", "parent_born")
