"""Telephone numbers, e-mail addresses and the names of persons."""

import polars as pl

from hub.normalize.text import drop_placeholders, fold_text
from hub.normalize.words import list_words, match_words


def split_number(expression: pl.Expr) -> pl.Expr:
    """struct(mobile, landline, extension) of a text: at most one of the first two is set, digits only.

    Landline covers 0xx numbers with their area code, 400 and 800 numbers, local and foreign numbers of seven digits or more.
    """
    text = expression.cast(pl.String).str.normalize("NFKC").str.to_lowercase()
    extension = text.str.extract(r"(?:转|分机|ext\.?|#|x)\s*(\d{1,6})\s*$")
    base = text.str.replace(r"(?:转|分机|ext\.?|#|x)\s*\d{1,6}\s*$", "").str.split("/").list.first().str.split(";").list.first()
    digits = base.str.replace(r"^\s*(?:\+|00)", "+").str.replace_all(r"[^0-9+]", "").str.replace(r"^\+?86(\d{10,11})$", "$1")
    digits = digits.str.replace(r"^0(1[3-9]\d{9})$", "$1").str.replace(r"^\+86", "0").str.replace(r"^\+", "")
    tail = digits.str.slice(-7)
    filler = (
        digits.is_in(list_words("placeholder_number"))
        | tail.is_in([str(digit) * 7 for digit in range(10)])
        | tail.is_in(["1234567"])
    )
    mobile = pl.when(digits.str.contains(r"^1[3-9]\d{9}$") & ~filler).then(digits)
    landline = pl.when(digits.str.contains(r"^(?:0[1-9]\d{8,10}|[48]00\d{7}|\d{7,10}|\d{12,15}|[02-9]\d{10})$") & ~filler).then(
        digits
    )
    # 10-digit area + number without the leading zero is left as typed: the trunk zero cannot be told from a foreign number
    return pl.struct(mobile.alias("mobile"), landline.alias("landline"), extension.alias("extension"))


def split_email(expression: pl.Expr) -> pl.Expr:
    """struct(email, domain, is_shared): domain null for public mail services, is_shared for info@ and the like."""
    text = expression.cast(pl.String).str.normalize("NFKC").str.to_lowercase().str.replace_all(r"\s", "")
    email = pl.when(text.str.contains(r"^[^@]+@[^@]+\.[a-z]{2,}$")).then(text)
    domain = clean_domain(email.str.extract(r"@(.+)$"))
    return pl.struct(
        email.alias("email"),
        domain.alias("domain"),
        email.str.extract(r"^([^@]+)@").is_in(list_words("shared_mailbox")).alias("is_shared"),
    )


def clean_domain(expression: pl.Expr) -> pl.Expr:
    """A company's domain from a domain or web address; null for public mail services."""
    text = expression.cast(pl.String).str.to_lowercase().str.strip_chars()
    domain = (
        text.str.replace(r"^[a-z]+://", "").str.replace(r"^(?:www|mail|email)\.", "").str.extract(r"^([a-z0-9.-]+\.[a-z]{2,})")
    )
    return pl.when(~domain.is_in(list_words("public_domain"))).then(domain)


def split_person_name(expression: pl.Expr) -> pl.Expr:
    """struct(full, surname): full is null where only a surname with a title is known (王总)."""
    folded = drop_placeholders(fold_text(expression).str.replace_all(r"\(.*?\)", "").str.strip_chars(" -_,."))
    han = folded.str.replace_all(" ", "")
    is_han = folded.str.contains(r"^[\p{Han} ]+$")
    bare = (
        pl.when(is_han)
        .then(han.str.replace(f"(?:{match_words('title')})+$", ""))
        .otherwise(folded.str.replace(r"^(?:mr|mrs|ms|dr)\.? ", ""))
    )
    titled = is_han & (bare != han)
    surname_only = is_han & (bare.str.len_chars() <= 1) | (titled & bare.is_in(list_words("double_surname")))
    surname = pl.when(is_han).then(pl.coalesce(bare.str.extract(f"^({match_words('double_surname')})"), bare.str.slice(0, 1)))
    full = pl.when(~surname_only & (bare.str.len_chars() >= 2) & (~is_han | (bare.str.len_chars() <= 4))).then(bare)
    return pl.struct(full.alias("full"), pl.when(surname != "").then(surname).alias("surname"))
