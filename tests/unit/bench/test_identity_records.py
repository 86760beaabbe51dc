"""The benchmark's Chinese B2B records: realistic in shape, the same for the same seed, with a truth that the records support."""

import polars as pl
import pytest
from stdnum.cn import uscc

from bench.identity.records import build_records

N = 6_000


@pytest.fixture(scope="module")
def built() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Records and truth of one seed."""
    return build_records(N, 5)


def test_the_same_seed_gives_the_same_records_and_another_seed_gives_others(built: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    again = build_records(N, 5)
    assert built[0].equals(again[0])
    assert built[1].equals(again[1])
    assert not built[0].equals(build_records(N, 6)[0])


def test_records_have_the_columns_of_the_command_as_text_and_unique_keys(built: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    records, truth = built
    assert set(records.columns) == {
        *("source", "source_key", "company_name", "tax_no", "contact_name", "mobile", "phone", "email"),
        *("province", "city", "address", "created_at"),
    }
    assert set(records.dtypes) == {pl.String}
    assert records.height == N
    assert records.select("source", "source_key").is_unique().all()
    assert records.select("source", "source_key").equals(truth.select("source", "source_key"))


def test_fields_are_filled_as_often_as_their_source_fills_them(built: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    records, _ = built
    filled = records.group_by("source").agg(pl.all().exclude("source_key").is_not_null().mean())
    shares = {row["source"]: row for row in filled.iter_rows(named=True)}
    assert shares["erp"]["tax_no"] > 0.85
    assert shares["wecom"]["tax_no"] < 0.05
    assert shares["crm"]["company_name"] > 0.98
    assert 0.7 < shares["wecom"]["company_name"] < 0.88
    assert shares["form"]["mobile"] > 0.85


def test_most_tax_numbers_are_valid_and_a_few_are_mistyped_old_or_placeholders(
    built: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    written = built[0]["tax_no"].drop_nulls()
    valid = sum(uscc.is_valid(text.upper()) for text in written)
    assert 0.88 < valid / len(written) < 0.97
    assert written.str.len_chars().is_in([15]).any()
    assert written.is_in(["无", "-", "000000000000000000"]).any()


def test_one_true_customer_is_written_in_several_ways_and_different_ones_share_values(
    built: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    joined = built[0].with_columns(built[1]["customer_id"])
    spellings = joined.group_by("customer_id").agg(pl.col("company_name").drop_nulls().n_unique(), pl.len())
    assert 3.3 < spellings["len"].mean() < 4.1
    assert spellings["company_name"].mean() > 1.8
    for column in ("mobile", "phone"):  # agents and movers; switchboards of groups
        owners = joined.drop_nulls(column).group_by(column).agg(pl.col("customer_id").n_unique())
        assert (owners["customer_id"] > 1).any(), column
    assert joined["company_name"].str.contains("分公司").any()


def test_names_of_different_customers_seldom_collide(built: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    whole = built[0].with_columns(built[1]["customer_id"]).filter(pl.col("company_name").str.ends_with("公司"))
    owners = whole.group_by("company_name").agg(pl.col("customer_id").n_unique())
    assert (owners["customer_id"] > 1).mean() < 0.01
