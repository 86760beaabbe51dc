"""Golden values: one rule per attribute, linked attributes together, losing values kept (I-7)."""

import polars as pl

from hub.normalize.company import parse_company_names
from hub.normalize.text import fold_text
from hub.rules.first import Rules, Survivor

_RECORD = ["source", "source_key"]
LINEAGE_SCHEMA = {
    "gid": pl.String,
    "attribute": pl.String,
    "value": pl.String,
    "source": pl.String,
    "source_key": pl.String,
    "rule": pl.String,
    "is_winner": pl.Boolean,
}


def list_values(aligned: pl.DataFrame, prepared: pl.DataFrame, gids: pl.Series, rules: Rules) -> pl.DataFrame:
    """Per record: gid, the value that it offers for each golden attribute (null: none), its `_full_<attribute>` completeness
    and, where not every value may win, `_may_<attribute>`."""
    raw = {column: _trim(pl.col(f"raw_{column}")) for column in aligned.columns}
    frame = pl.concat([prepared, aligned.rename({column: f"raw_{column}" for column in aligned.columns})], how="horizontal")
    frame = frame.with_columns(gid=gids)
    keep = [*_RECORD, "gid", "created_at", "updated_at"]
    if rules.entity == "person":
        return frame.select(
            *keep,
            full_name=raw["full_name"],
            _full_full_name=pl.col("full").is_not_null().cast(pl.Int32),
            mobile=pl.col("mobile"),
            email=pl.col("email"),
            job_title=raw["job_title"],
            buying_role=raw["buying_role"],
            customer_gid=raw["customer_gid"],
        )
    untouched = fold_text(pl.col("raw_company_name")) == pl.col("name_text")
    place = [pl.col("province"), pl.col("city"), raw["address"]]
    return frame.select(
        *keep,
        "name_key",
        "parent_key",
        company_name=pl.when(pl.col("core").is_not_null()).then(
            pl.when(untouched).then(raw["company_name"]).otherwise(pl.col("name_display"))
        ),
        _full_company_name=pl.col("has_legal").fill_null(value=False).cast(pl.Int32) * 2
        + pl.col("name_province").is_not_null().cast(pl.Int32),
        tax_no=pl.coalesce("tax_code", "tax_text"),
        _full_tax_no=pl.col("tax_code").is_not_null().cast(pl.Int32),
        # a credit code that fails its check digits is kept in the lineage, but is nobody's number
        _may_tax_no=pl.col("tax_code").is_not_null() | (pl.col("tax_text").str.len_chars() != 18),
        phone=pl.coalesce("phone", "mobile"),
        email_domain=pl.col("domain"),
        province=place[0],
        city=place[1],
        address=place[2],
        _full_province=pl.sum_horizontal(column.is_not_null().cast(pl.Int32) for column in place),
        industry=raw["industry"],
        tier=raw["tier"],
        parent_name=raw["parent_name"],
    )


def _trim(expression: pl.Expr) -> pl.Expr:
    if_text = expression.cast(pl.String).str.normalize("NFKC").str.strip_chars()
    return pl.when(if_text != "").then(if_text)


def choose_winners(values: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """The lineage of every golden value: LINEAGE_SCHEMA, all offers, at most one winner per (gid, attribute)."""
    parts = [_choose(values, survivor, rules.source_precedence) for survivor in rules.survivors]
    return pl.concat(parts).sort("gid", "attribute", "is_winner", *_RECORD, descending=[False, False, True, False, False])


def _choose(values: pl.DataFrame, survivor: Survivor, precedence: tuple[str, ...]) -> pl.DataFrame:
    attributes = list(survivor.attributes)
    offers = values.filter(pl.any_horizontal(pl.col(attribute).is_not_null() for attribute in attributes))
    full = f"_full_{attributes[0]}"
    ranking = {
        "completeness": pl.col(full).cast(pl.Int64) if full in values.columns else pl.lit(0, dtype=pl.Int64),
        "precedence": -pl.col("source").replace_strict(
            list(precedence), list(range(len(precedence))), default=len(precedence), return_dtype=pl.Int64
        ),
        "majority": pl.len().over("gid", *attributes).cast(pl.Int64),
        "recency": pl.coalesce("updated_at", "created_at").dt.epoch("us").fill_null(0),
    }
    ranked = offers.with_columns(ranking[step].alias(f"_by_{step}") for step in survivor.order)
    steps = [f"_by_{step}" for step in survivor.order]
    ranked = ranked.sort("gid", *steps, *_RECORD, descending=[False, *([True] * len(steps)), False, False])
    may = f"_may_{attributes[0]}"
    eligible = pl.col(may) if may in values.columns else pl.lit(value=True)
    ranked = ranked.with_columns(_first=(pl.int_range(pl.len()).over("gid") == 0) & eligible)
    rule = pl.lit(" > ".join(survivor.order)).alias("rule")
    return pl.concat(
        ranked.filter(pl.col(attribute).is_not_null()).select(
            "gid",
            pl.lit(attribute).alias("attribute"),
            pl.col(attribute).alias("value"),
            *_RECORD,
            rule,
            pl.col("_first").alias("is_winner"),
        )
        for attribute in attributes
    )


def read_winners(lineage: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """gid and one column per golden attribute, from the winning rows of a lineage alone."""
    attributes = [attribute for survivor in rules.survivors for attribute in survivor.attributes]
    won = lineage.filter("is_winner")
    wide = won.select("gid").unique()
    for attribute in attributes:
        wide = wide.join(
            won.filter(pl.col("attribute") == attribute).select("gid", pl.col("value").alias(attribute)), on="gid", how="left"
        )
    return wide


def build_golden(values: pl.DataFrame, lineage: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """One row per live id: its golden values and counts; organisations also legal_name_key and parent_gid."""
    counts = values.group_by("gid").agg(
        n_records=pl.len().cast(pl.Int64),
        n_sources=pl.col("source").n_unique().cast(pl.Int64),
        first_seen_at=pl.col("created_at").min(),
        updated_at=pl.max_horizontal(pl.col("updated_at").max(), pl.col("created_at").max()),
    )
    golden = counts.join(read_winners(lineage, rules), on="gid", how="left").sort("gid")
    if rules.entity == "person":
        return golden.select(
            "gid", "full_name", "mobile", "email", "job_title", "buying_role", "customer_gid", "n_records", "first_seen_at"
        )
    named = lineage.filter("is_winner", attribute="company_name").select("gid", *_RECORD)
    keys = named.join(values.select(*_RECORD, "name_key", "parent_key"), on=_RECORD)
    golden = golden.join(keys.select("gid", "parent_key", legal_name_key="name_key"), on="gid", how="left").sort("gid")
    return golden.with_columns(parent_gid=_find_parents(golden), status=pl.lit("active")).select(
        *[
            "gid",
            "company_name",
            "legal_name_key",
            "tax_no",
            "phone",
            "email_domain",
            "province",
            "city",
            "address",
            "industry",
            "tier",
            "parent_gid",
        ],
        *["n_records", "n_sources", "first_seen_at", "updated_at", "status"],
    )


def _find_parents(golden: pl.DataFrame) -> pl.Series:
    """The customer that a branch's name or a record's parent name points to: by full key, else by core where only one fits."""
    parsed = parse_company_names(golden["parent_name"]).select(parent_name="raw", named_key="name_key")
    asked = golden.select("gid", "parent_key", "parent_name").join(parsed, on="parent_name", how="left", maintain_order="left")
    asked = asked.select("gid", key=pl.coalesce("parent_key", "named_key")).with_columns(
        core=pl.col("key").str.split("|").list.get(1, null_on_oob=True)
    )
    known = golden.select(parent="gid", key="legal_name_key").filter(pl.col("key").is_not_null())
    known = known.with_columns(
        core=pl.col("key").str.split("|").list.get(1, null_on_oob=True), is_head=pl.col("key").str.ends_with("|")
    )
    by_key = known.unique("key", keep="first", maintain_order=True).select("key", by_key="parent")
    by_core = known.filter("is_head").filter(pl.len().over("core") == 1).select("core", by_core="parent")
    found = asked.join(by_key, on="key", how="left", maintain_order="left").join(
        by_core, on="core", how="left", maintain_order="left"
    )
    parent = pl.coalesce("by_key", "by_core")
    return found.select(pl.when(parent != pl.col("gid")).then(parent).alias("parent_gid")).to_series()
