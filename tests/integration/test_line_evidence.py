"""Every published figure can be followed to the rows that it counts, and these to what landed."""

from __future__ import annotations

from collections import defaultdict

import duckdb
import pytest

from tests.integration.line_harness import MARKS, Line

pytestmark = MARKS

# a sum is published in cents and taken over unrounded parts; a share is exact
TOLERANCE = 0.02
Recipe = tuple[str, str, str, str]


@pytest.fixture
def served(look: Line):
    with duckdb.connect(str(look.served), read_only=True) as con:
        con.execute("set TimeZone = 'UTC'")
        yield con


@pytest.fixture
def recipes(served: duckdb.DuckDBPyConnection) -> dict[str, list[Recipe]]:
    """By table of figures: figure, evidence table, rows, formula."""
    found = defaultdict(list)
    for table, *recipe in served.execute("select * from ref_evidence order by all").fetchall():
        found[table].append(tuple(recipe))
    return found


def list_columns(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Facts with their columns and types."""
    found = defaultdict(dict)
    rows = con.execute(
        "select table_name, column_name, data_type from duckdb_columns() where table_name like 'fct\\_%' escape '\\'"
    )
    for table, column, kind in rows.fetchall():
        found[table][column] = kind
    return found


def list_figure_tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Facts whose rows count others: their evidence_ref names the row itself."""
    tables = [table for table, columns in list_columns(con).items() if "evidence_ref" in columns]
    return [
        t for t in tables if con.execute(f"select count(*) from {t} where starts_with(evidence_ref, 'marts/{t}/')").fetchone()[0]
    ]


def test_every_row_of_a_fact_names_its_landing_row_or_opens_to_its_evidence(served):
    for table, columns in list_columns(served).items():
        names = [name for name in ("record_ref", "evidence_ref") if name in columns]
        assert names, f"{table} has neither record_ref nor evidence_ref"
        assert served.execute(f"select count(*) from {table} where coalesce({', '.join(names)}) is null").fetchone() == (0,), (
            table
        )
        assert served.execute(f"select count(*) > 0 from {table}").fetchone() == (True,), (
            f"{table} is empty: nothing was followed"
        )


def test_every_reference_of_a_fact_is_a_row_that_landed(served, look):
    streams = defaultdict(set)
    for table, columns in list_columns(served).items():
        for name, kind in columns.items():
            if not name.endswith(("_ref", "_refs")):
                continue
            values = f"unnest({name})" if kind == "VARCHAR[]" else name
            for (reference,) in served.execute(f"select distinct {values} from {table} where {name} is not null").fetchall():
                source, stream, key = reference.split("/", 2)
                if source != "marts":
                    streams[source, stream].add(key)
    assert len(streams) > 15
    for (source, stream), keys in streams.items():
        landed = {key for (key,) in look.query(f'select _key from landing."{source}__{stream}"')}
        assert not keys - landed, (source, stream)


def test_every_count_and_sum_of_a_table_of_figures_has_a_recipe(served, recipes):
    tables = list_figure_tables(served)
    assert len(tables) > 10
    for table in tables:
        told = {figure for figure, *_ in recipes[table]}
        counted = {
            name
            for name in list_columns(served)[table]
            if name.startswith(("n_", "total"))
            or name.endswith("_cny")
            or name in {"numerator", "denominator", "actual", "forecast"}
        }
        assert not counted - told, table


def test_every_figure_equals_what_is_counted_anew_from_its_evidence(served, recipes):
    n_compared = 0
    for table, figures in recipes.items():
        for figure, evidence_table, rows_where, formula in figures:
            compared, differing, example = served.execute(
                f"""
                with counted as (
                    select {figure} as said, (select {formula} from {evidence_table} as evidence where {rows_where}) as found
                    from {table} as figure
                ),
                compared as (
                    select
                        *,
                        said is not distinct from found
                        or coalesce(abs(try_cast(said as double) - try_cast(found as double)) <= {TOLERANCE}, false) as is_same
                    from counted
                )
                select
                    count(*),
                    count(*) filter (where not is_same),
                    any_value([said::varchar, found::varchar]) filter (where not is_same)
                from compared
                """
            ).fetchone()
            assert not differing, f"{table}.{figure}: {differing} of {compared} rows, such as {example}"
            n_compared += compared
    assert n_compared > 10_000


def test_evidence_leads_to_landing_rows_in_the_end(served, recipes):
    facts = list_columns(served)
    for table, figures in recipes.items():
        for _, evidence_table, *_ in figures:
            columns = facts.get(evidence_table, {"record_ref": "VARCHAR"} if evidence_table == "dim_rep" else {})
            assert "record_ref" in columns or evidence_table in recipes, (table, evidence_table)


def test_a_planned_receipt_is_the_invoice_or_what_its_invoices_left_of_the_order(served):
    rows = served.execute(
        """
        select
            plan.plan_key, plan.due_amount,
            case plan.basis
                when 'invoice' then invoices.amount
                else orders.amount - coalesce((
                    select sum(taken.amount) from fct_invoice as taken where list_contains(plan.invoice_refs, taken.record_ref)
                ), 0)
            end as found
        from fct_receipt_plan as plan
        left join fct_invoice as invoices on plan.record_ref = invoices.record_ref
        left join fct_order as orders on plan.record_ref = orders.record_ref
        where plan.basis = 'invoice' or not exists (
            select 1 from fct_invoice as foreign_invoices
            where list_contains(plan.invoice_refs, foreign_invoices.record_ref) and foreign_invoices.currency <> orders.currency
        )
        """
    ).fetchall()
    assert rows
    assert [row for row in rows if abs(row[1] - row[2]) > TOLERANCE] == []


def test_an_alert_shows_the_row_that_raised_it(served):
    alerts = served.execute("select rule_code, evidence_ref from fct_alert").fetchall()
    assert {rule for rule, _ in alerts} > {"AL-2", "AL-3"}
    assert [reference for _, reference in alerts if reference.startswith("dim_")] == []
