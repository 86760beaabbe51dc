"""Records to comparable columns: one row per record, in (source, source_key) order, with a fingerprint of what scoring reads."""

import polars as pl

from hub.normalize.codes import parse_tax_numbers
from hub.normalize.company import NAME_FIELDS, parse_company_names
from hub.normalize.contact import clean_domain, split_emails, split_numbers, split_person_names
from hub.normalize.regions import locate
from hub.normalize.text import drop_placeholders, fold_text, map_distinct
from hub.rules.first import Entity, Rules

_TIMES = ("created_at", "updated_at")
ORGANISATION_COLUMNS = [
    "source",
    "source_key",
    "company_name",
    "tax_no",
    "contact_name",
    "mobile",
    "phone",
    "email",
    "domain",
    "province",
    "city",
    "address",
    "industry",
    "tier",
    "parent_name",
    "created_at",
    "updated_at",
]
PERSON_COLUMNS = [
    "source",
    "source_key",
    "party_source_key",
    "full_name",
    "mobile",
    "phone",
    "email",
    "job_title",
    "buying_role",
    "created_at",
    "updated_at",
    "customer_gid",
]
#: what scoring reads: two records with equal values here score alike against any third
ORGANISATION_SCORED = [
    "name_text",
    "tax_text",
    "tax_code",
    "tax_key",
    "mobile",
    "phone",
    "email",
    "domain",
    "mail_shared",
    "contact_full",
    "contact_surname",
    "province",
    "city",
    "address_text",
]
PERSON_SCORED = ["full", "surname", "mobile", "phone", "email", "domain", "mail_shared", "party", "title"]


class RecordsError(ValueError):
    """The records handed in cannot be resolved: what is wrong, in which rows, what to do."""


def align_records(records: pl.DataFrame, entity: Entity) -> pl.DataFrame:
    """The entity's columns, typed, missing ones null, sorted by (source, source_key), with `rank` 0.. in that order."""
    columns = ORGANISATION_COLUMNS if entity == "organisation" else PERSON_COLUMNS
    missing = [column for column in ("source", "source_key") if column not in records.columns]
    if missing:
        raise RecordsError(f"{entity} records have no column {', '.join(missing)}: every record needs source and source_key")
    typed = []
    for column in columns:
        dtype = pl.Datetime("us", "UTC") if column in _TIMES else pl.String
        if column not in records.columns:
            typed.append(pl.lit(None, dtype=dtype).alias(column))
        elif column in _TIMES:
            typed.append(_to_utc(records, column))
        else:
            typed.append(pl.col(column).cast(pl.String))
    aligned = records.select(typed).sort("source", "source_key")
    if aligned.select(pl.any_horizontal(pl.col("source", "source_key").is_null()).any()).item():
        raise RecordsError(f"{entity} records with a null source or source_key: fill them or leave the records out")
    twice = aligned.filter(pl.struct("source", "source_key").is_duplicated())
    if twice.height:
        first = twice.row(0, named=True)
        raise RecordsError(
            f"{twice.height} {entity} records share their (source, source_key), "
            f"first ({first['source']}, {first['source_key']}): keep one row per key"
        )
    return aligned.with_row_index("rank").with_columns(pl.col("rank").cast(pl.Int64))


def _to_utc(records: pl.DataFrame, column: str) -> pl.Expr:
    dtype = records.schema[column]
    if dtype == pl.String:
        return pl.col(column).str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return pl.col(column).dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC"))
    return pl.col(column).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def prepare_organisations(aligned: pl.DataFrame, shared_limit: int) -> pl.DataFrame:
    """Comparable columns of aligned organisation records (see ORGANISATION_SCORED) plus blocking keys and `fingerprint`."""
    names = map_distinct(aligned["company_name"], parse_company_names(aligned["company_name"]), "raw").drop("raw")
    frame = pl.concat([aligned, names.select(NAME_FIELDS), parse_tax_numbers(aligned["tax_no"])], how="horizontal")
    frame = frame.with_columns(
        _domain=clean_domain(pl.col("domain")),
        _person=pl.coalesce("contact_name", "remark_person"),
        _province=fold_text(pl.col("province")),
        _city=fold_text(pl.col("city")),
        address_text=drop_placeholders(fold_text(pl.col("address"))).str.replace_all(r"[^\p{L}\p{N}]+", " "),
    )
    frame = frame.with_columns(
        split_numbers(frame["mobile"]).to_struct("_mobile"),
        split_numbers(frame["phone"]).to_struct("_phone"),
        split_emails(frame["email"]).to_struct("_email"),
        split_person_names(frame["_person"]).to_struct("_person"),
        locate(frame["_province"], frame["_city"]).to_struct("_place"),
    )
    mobile, phone, email = (pl.col(f"_{name}").struct for name in ("mobile", "phone", "email"))
    frame = frame.with_columns(
        mobile=pl.coalesce(mobile.field("mobile"), phone.field("mobile")),
        phone=pl.coalesce(phone.field("landline"), mobile.field("landline")),
        email=email.field("email"),
        domain=pl.coalesce(email.field("domain"), "_domain"),
        mail_shared=email.field("is_shared"),
        contact_full=pl.col("_person").struct.field("full"),
        contact_surname=pl.col("_person").struct.field("surname"),
        column_province=pl.col("_place").struct.field("province"),
        column_city=pl.col("_place").struct.field("city"),
        # a latin place column is compared as it is typed
        latin_city=pl.col("_city").str.extract(r"^([a-z .'-]+)$"),
    )
    frame = frame.with_columns(
        province=pl.coalesce("column_province", "name_province"),
        city=pl.coalesce("column_city", "latin_city", "name_city"),
        first=pl.when("is_han").then(pl.col("brand").str.slice(0, 1)),
        last=pl.when("is_han").then(pl.col("brand").str.slice(-1)),
        prefix3=pl.when("is_han").then(pl.col("brand").str.slice(0, 3)).otherwise(pl.col("core").str.slice(0, 6)),
        prefix2=pl.when("is_han").then(pl.col("brand").str.slice(0, 2)).otherwise(pl.col("core").str.slice(0, 4)),
        address_key=pl.when(pl.col("address_text").str.len_chars() >= 6).then(pl.col("address_text")),
    )
    frame = _drop_shared(frame, ("mobile", "phone", "email", "domain", "address_text", "address_key"), "brand", shared_limit)
    return _finish(frame, ORGANISATION_SCORED)


def prepare_persons(aligned: pl.DataFrame, shared_limit: int) -> pl.DataFrame:
    """Comparable columns of aligned person records (see PERSON_SCORED) plus `fingerprint`."""
    frame = aligned.with_columns(
        split_person_names(aligned["full_name"]).to_struct("_person"),
        split_numbers(aligned["mobile"]).to_struct("_mobile"),
        split_numbers(aligned["phone"]).to_struct("_phone"),
        split_emails(aligned["email"]).to_struct("_email"),
        party=pl.coalesce("customer_gid", pl.col("source") + pl.lit(":") + pl.col("party_source_key")),
        title=drop_placeholders(fold_text(pl.col("job_title"))),
    )
    mobile, phone, email = (pl.col(f"_{name}").struct for name in ("mobile", "phone", "email"))
    frame = frame.with_columns(
        full=pl.col("_person").struct.field("full"),
        surname=pl.col("_person").struct.field("surname"),
        mobile=pl.coalesce(mobile.field("mobile"), phone.field("mobile")),
        phone=pl.coalesce(phone.field("landline"), mobile.field("landline")),
        email=email.field("email"),
        domain=email.field("domain"),
        mail_shared=email.field("is_shared"),
    )
    frame = _drop_shared(frame, ("mobile", "phone", "email"), "full", shared_limit)
    return _finish(frame, PERSON_SCORED)


def _drop_shared(frame: pl.DataFrame, columns: tuple[str, ...], name: str, limit: int) -> pl.DataFrame:
    """Null a value that stands under more than `limit` different names: it identifies nobody; `n_shared` counts them."""
    dropped = pl.lit(0, dtype=pl.Int64)
    for column in columns:
        crowded = frame.filter(pl.col(column).is_not_null()).group_by(column).agg(pl.col(name).drop_nulls().n_unique())
        values = crowded.filter(pl.col(name) > limit)[column].implode()
        is_shared = pl.col(column).is_in(values).fill_null(value=False)
        frame = frame.with_columns(pl.when(~is_shared).then(pl.col(column)).alias(column), is_shared.alias(f"shared_{column}"))
        dropped = dropped + pl.col(f"shared_{column}").cast(pl.Int64)
    return frame.with_columns(n_shared=dropped)


def _finish(frame: pl.DataFrame, scored: list[str]) -> pl.DataFrame:
    private = [column for column in frame.columns if column.startswith(("_", "shared_"))]
    fingerprint = frame.select(scored).hash_rows(seed=20)
    return frame.drop(private).with_columns(fingerprint.alias("fingerprint"))


def prepare_aligned(aligned: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Comparable columns of aligned records of the rules' entity."""
    prepare = prepare_organisations if rules.entity == "organisation" else prepare_persons
    return prepare(aligned, rules.shared_limit)
