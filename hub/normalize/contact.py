"""Telephone numbers, e-mail addresses and the names of persons."""

import polars as pl

from hub.normalize.text import drop_placeholders, fold_texts, map_distinct, replace_rows, scatter, undo_spreadsheet
from hub.normalize.words import list_words, match_words

_EXTENSION = r"(?:转|分机|ext\.?|#|x)\s*([0-9]{1,6})\s*$"
#: 021-68886543-801, 02168886543-801
_DASHED_EXTENSION = r"((?:^|[^0-9]|\b0[0-9]{2,3})[0-9]{7,8})\s*-\s*([0-9]{1,5})\s*$"
#: bytes of a Chinese name of four characters
_SHORTEST_TRADE = 12
#: 1 (415) 555-2671: a Chinese mobile is typed in groups of 3, 4, 4
_AMERICAN = r"^\s*1[-. ]?(\(?[2-9][0-9]{2}\)?[-. ][0-9]{3}[-. ][0-9]{4})\s*$"
#: 07700 900123, 07700 900 123: no Chinese number is typed so
_BRITISH = r"^\s*0(7[0-9]{3})[-. ]([0-9]{3})[-. ]?([0-9]{3})\s*$"
#: country codes, with whose numbers the zero of domestic calls is dropped, as in +44 (0)20; Italy keeps it
_COUNTRY = "|".join(
    (
        "7|2[07]|3[0-46]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]",
        r"(?:2[1-689]|35|37|38|42|50|59|6[7-9]|80|85|88|96|97|99)[0-9]",
    )
)
#: what comes behind a first number: 13867549021、13958672203 and 021-68886543 13958672203
_FURTHER = r"([0-9]{7})[,、\s]+[^0-9]*[0-9][0-9-]{6,}.*$"
#: a mobile behind a number that is none
_MOBILE_BEHIND = r"[/;,、\s]\s*(1[3-9][0-9]{9})(?:[^0-9]|$)"
#: of several numbers the first; 310/246-1501 is one
_FIRST = r"^((?:[^0-9]*[0-9]){7}[^/]*|[^/]*)"
_ADDRESS = r"[^@\s,;:<>()、。]+@[^@\s,;:<>()、。]+\.[a-z]{2,}"
#: digits that two countries hardly share
_LEAST_NATIONAL = 9
_FILLER_TAILS = [str(digit) * 7 for digit in range(10)]


def split_numbers(values: pl.Series) -> pl.DataFrame:
    """mobile, landline, extension per row: digits only, `+` before a foreign country code.

    Of several numbers the first counts, and a mobile behind one that is none; of one number at most one of the two is set.

    Landline covers 0xx numbers with their area code, 400 and 800 numbers, local ones of seven digits or more, and foreign ones
    that are not known to be mobile. A number typed without its trunk zero is left as it is: it cannot be told from a foreign one.
    """
    plain = values.str.contains(r"^(?:1[3-9][0-9]{9}|0[1-9][0-9]{1,2}-[2-9][0-9]{6,7})$").fill_null(value=False)
    odd = _read_odd_numbers(values.filter(~plain))
    frame = scatter(pl.DataFrame({"raw": values}), ~plain, odd)
    digits = pl.when(pl.lit(plain)).then(pl.col("raw").str.replace("-", "", literal=True)).otherwise("digits")
    frame = frame.select("extension", "behind", digits=digits)
    filler = pl.col("digits").is_in(list_words("placeholder_number")) | pl.col("digits").str.slice(-7).is_in(_FILLER_TAILS)
    landline = r"^(?:0[1-9][0-9]{8,10}|[48]00[0-9]{7}|[0-9]{7,10}|[0-9]{12,15}|[02-9][0-9]{10}|\+[1-9][0-9]{6,14})$"
    is_mobile = pl.col("digits").str.contains(rf"^(?:1[3-9][0-9]{{9}}|\+(?:{match_words('foreign_mobile')}))$")
    return frame.select(
        pl.when(is_mobile & ~filler).then("digits").otherwise("behind").alias("mobile"),
        pl.when(~is_mobile & pl.col("digits").str.contains(landline) & ~filler).then("digits").alias("landline"),
        "extension",
    )


def _read_odd_numbers(values: pl.Series) -> pl.DataFrame:
    """digits, extension, behind (a mobile behind the number) of numbers that are not typed plainly."""
    text = pl.DataFrame({"raw": undo_spreadsheet(values.str.normalize("NFKC").str.to_lowercase())})
    text = text.select(text=pl.col("raw").str.replace(_DASHED_EXTENSION, "${1}转${2}"))
    behind = pl.col("text").str.extract(_MOBILE_BEHIND)
    bare = text.select(
        behind=pl.when(~behind.is_in(list_words("placeholder_number"))).then(behind),
        extension=pl.col("text").str.extract(_EXTENSION),
        base=pl.col("text")
        .str.replace(_EXTENSION, "")
        .str.replace(_FURTHER, "$1")
        .str.extract(_FIRST)
        .str.split(";")
        .list.first(),
    )
    coded = pl.col("base").str.replace(_AMERICAN, "+1$1").str.replace(_BRITISH, "+44$1$2$3")
    marked = coded.str.replace(r"^[^0-9+]*(?:\+|00)", "+")
    digits = marked.str.replace_all(r"[^0-9+]", "").str.replace(r"^(\+.*?)\++", "$1")
    bare = bare.with_columns(digits=digits.str.replace(rf"^(\+(?:{_COUNTRY}))0+", "$1"))
    # a country code says that the trunk zero is left out
    home = pl.col("digits").str.extract(r"^(?:\+86|86)(0?[0-9]{10,11})$")
    area = home.str.contains(r"^(?:10[0-9]{8}|(?:[235-79]|[48][1-9])[0-9]{8,10})$")
    bare = bare.with_columns(
        digits=pl.when(area).then("0" + home).otherwise(pl.coalesce(home, pl.col("digits").str.replace(r"^\+86", "0")))
    )
    # North Americans seldom write their country code
    known = pl.col("digits").str.replace(r"^0(1[3-9][0-9]{9})$", "$1").str.replace(r"^\+1([2-9][0-9]{2}[2-9][0-9]{6})$", "$1")
    return bare.select(known, "extension", "behind")


def drop_country(numbers: pl.Series) -> pl.Series:
    """Numbers of split_numbers without country code and the zero of domestic calls, where nine digits are left."""
    abroad = numbers.str.starts_with("+").fill_null(value=False)
    bare = replace_rows(numbers.str.strip_prefix("0"), abroad, numbers.filter(abroad).str.replace(rf"^\+(?:{_COUNTRY})", ""))
    long = (bare.str.len_bytes() >= _LEAST_NATIONAL).fill_null(value=False)
    return replace_rows(numbers, long, bare.filter(long))


def split_emails(values: pl.Series) -> pl.DataFrame:
    """email, user, domain, is_shared per row: no domain of public mail services; is_shared is true of info@ and the like.

    noemail@, 123456@ and @example.com are nobody's address.
    """
    raw = values.cast(pl.String)
    plain = raw.str.contains(r"^[a-z0-9._+-]+@[a-z0-9.-]+\.[a-z]{2,}$").fill_null(value=False)
    tidied = raw.filter(~plain).str.normalize("NFKC").str.to_lowercase().to_frame("odd")
    whole = pl.col("odd").str.replace_all(r"\s", "").str.extract(rf"^({_ADDRESS})$")
    # of several the first, also in 张三<a@b.com>
    odd = tidied.select(pl.coalesce(whole, pl.col("odd").str.extract(rf"({_ADDRESS})(?:[^a-z0-9.-]|\.?$)"))).to_series()
    frame = replace_rows(raw, ~plain, odd).alias("email").to_frame()
    sides = pl.col("email").str.splitn("@", 2).struct
    frame = frame.with_columns(user=sides.field("field_0"), host=sides.field("field_1"))
    is_nobody = pl.col("user").is_in(list_words("placeholder_mailbox")) | pl.col("host").is_in(list_words("placeholder_domain"))
    frame = frame.with_columns(pl.when(~is_nobody).then(pl.col(part)).alias(part) for part in ("email", "user"))
    hosts = frame.select(pl.col("host").unique()).with_columns(domain=clean_domain(pl.col("host")))
    return frame.select(
        "email",
        "user",
        map_distinct(frame["host"], hosts, "host")["domain"],
        is_shared=pl.col("user").str.strip_chars_end("0123456789._-").is_in(list_words("shared_mailbox")),
    )


def clean_domain(expression: pl.Expr) -> pl.Expr:
    """A company's domain from a domain or web address; null for public mail services."""
    text = expression.cast(pl.String).str.to_lowercase().str.strip_chars()
    domain = (
        text.str.replace(r"^[a-z]+://", "").str.replace(r"^(?:www|mail|email)\.", "").str.extract(r"^([a-z0-9.-]+\.[a-z]{2,})")
    )
    return pl.when(~domain.is_in(list_words("public_domain") + list_words("placeholder_domain"))).then(domain)


def is_firm(folded: pl.Expr) -> pl.Expr:
    """Whether a folded text ends as firms do and persons do not; null where there is no text."""
    trade = rf"^[\p{{Han}}() ]{{2,}}(?:{match_words('industry')})$"
    ends = folded.str.contains(rf"(?:{match_words('firm_end')})\.?$")
    return ends | (folded.str.len_bytes() >= _SHORTEST_TRADE) & folded.str.contains(trade)


def split_person_names(values: pl.Series) -> pl.DataFrame:
    """full, surname, called per row: full is null where only a surname with a title (王总) or a pet name (小敏) is known.

    called is what is known of the name: 曾敏毅, or 王 of 王总, or 敏 of 小敏.
    """
    names = (
        fold_texts(values.cast(pl.String))
        .to_frame("folded")
        .with_columns(pl.col("folded").str.replace_all(r"\(.*?\)", "").str.strip_chars(" -_,."))
    )
    # 上海华强电子有限公司 in the field of a contact is nobody's name
    names = names.with_columns(folded=drop_placeholders(pl.when(~is_firm(pl.col("folded"))).then("folded")))
    names = names.with_columns(
        is_han=pl.col("folded").str.contains(r"^[\p{Han} ]+$"), han=pl.col("folded").str.replace_all(" ", "")
    )
    names = names.with_columns(
        bare=pl.when("is_han")
        .then(pl.col("han").str.replace(rf"(?:{match_words('title')})+$", ""))
        .otherwise(pl.col("folded").str.replace(r"^(?:mr|mrs|ms|dr)\.? ", ""))
    )
    length = pl.col("bare").str.len_chars()
    # 阿迪力·买买提 and 约翰·史密斯 are written in two words, for which folding leaves a blank
    is_name = ~pl.col("is_han") | (length <= 4) | pl.col("folded").str.contains(r"^\p{Han}{2,} \p{Han}{2,}$")
    titled = pl.col("is_han") & (pl.col("bare") != pl.col("han"))
    # 小敏 and 小王: a pet name holds a character of the name, of which part nobody can tell
    pet = pl.col("is_han") & pl.col("bare").str.contains(r"^[小阿]\p{Han}$")
    only_surname = pet | pl.col("is_han") & (length <= 1) | (titled & pl.col("bare").is_in(list_words("double_surname")))
    surname = pl.coalesce(pl.col("bare").str.extract(f"^({match_words('double_surname')})"), pl.col("bare").str.slice(0, 1))
    return names.select(
        pl.when(~only_surname & (length >= 2) & is_name).then("bare").alias("full"),
        pl.when(pl.col("is_han") & (length > 0) & ~pet).then(surname).alias("surname"),
        pl.when("is_han")
        .then(pl.when(pet).then(pl.col("bare").str.slice(1)).otherwise("bare"))
        .otherwise("bare")
        .alias("called"),
    )
