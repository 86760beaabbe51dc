"""Tax numbers: the unified credit code with both its check digits, and the older forms that point to it (spec §5.3)."""

import numpy as np
import polars as pl

from hub.normalize.text import replace_rows, undo_spreadsheet

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORG_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORG_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])
#: registering department + kind of body that GB 32100-2015 and its later notices know
LEADING_PAIRS = [
    "11",
    "12",
    "13",
    "19",
    "21",
    "29",
    "31",
    "32",
    "33",
    "34",
    "35",
    "37",
    "39",
    "41",
    "49",
    "51",
    "52",
    "53",
    "54",
    "55",
    "59",
    "61",
    "62",
    "69",
    "71",
    "72",
    "79",
    "81",
    "89",
    "91",
    "92",
    "93",
    "A1",
    "A9",
    "G1",
    "N1",
    "N2",
    "N3",
    "N9",
    "Y1",
]

#: GB/T 2260 numbers of the provinces, and 10 of bodies that the state registers itself
PROVINCES = [
    *(
        "10",
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
    ),
    *("46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82"),
]


def _to_matrix(codes: list[str], width: int, alphabet: str) -> np.ndarray:
    table = np.full(256, -1, dtype=np.int64)
    table[np.frombuffer(alphabet.encode(), dtype=np.uint8)] = np.arange(len(alphabet))
    raw = np.frombuffer("".join(codes).encode("ascii"), dtype=np.uint8).reshape(len(codes), width)
    return table[raw]


def check_credit_codes(codes: list[str]) -> np.ndarray:
    """Boolean per 18-character upper-case code: GB 32100 check character holds and all characters are legal."""
    if not codes:
        return np.zeros(0, dtype=bool)
    values = _to_matrix(codes, 18, _ALPHABET)
    weights = np.array([pow(3, position, 31) for position in range(17)])
    check = (31 - (values[:, :17] * weights).sum(axis=1) % 31) % 31
    legal: np.ndarray = (values >= 0).all(axis=1) & (check == values[:, 17])
    return legal


def check_organisation_codes(codes: list[str]) -> np.ndarray:
    """Boolean per 9-character upper-case code: the GB 11714 check character holds."""
    if not codes:
        return np.zeros(0, dtype=bool)
    values = _to_matrix(codes, 9, _ORG_ALPHABET)
    check = 11 - (values[:, :8] * _ORG_WEIGHTS).sum(axis=1) % 11
    expected = np.where(check == 10, 33, np.where(check == 11, 0, check))
    one_character = (values[:, :8] == values[:, :1]).all(axis=1)
    valid: np.ndarray = (values >= 0).all(axis=1) & (expected == values[:, 8]) & ~one_character
    return valid


def _check_column(frame: pl.DataFrame, column: str, width: int, organisation: bool) -> pl.Series:
    texts = frame[column]
    pattern = rf"^[0-9A-Z]{{{width}}}$"
    rows = texts.str.contains(pattern).fill_null(value=False).to_numpy()
    passed = np.zeros(len(texts), dtype=bool)
    checker = check_organisation_codes if organisation else check_credit_codes
    passed[rows] = checker(texts.filter(pl.Series(rows)).to_list())
    return pl.Series(column, passed)


def parse_tax_numbers(values: pl.Series) -> pl.DataFrame:
    """Per row: tax_text (as compared), tax_code (valid credit code or null), tax_key (organisation code it points to).

    A 15-digit tax number and a 9-character organisation code give a key only: they are joined, never a veto.
    """
    raw = values.cast(pl.String)
    plain = raw.str.contains(r"^[0-9A-Z]{18}$").fill_null(value=False)
    odd = (
        undo_spreadsheet(raw.filter(~plain))
        .to_frame("odd")
        .select(pl.col("odd").str.normalize("NFKC").str.to_uppercase().str.replace_all(r"[^0-9A-Z]", ""))
        .to_series()
    )
    frame = replace_rows(raw, ~plain, odd).alias("tax_text").to_frame()
    frame = frame.with_columns(
        tax_text=pl.when(
            pl.col("tax_text").str.contains(r"^[0-9A-Z]{8,20}$") & ~pl.col("tax_text").str.contains(r"^0+$|^1+$|^9+$")
        ).then(pl.col("tax_text"))
    ).with_columns(
        inner=pl.when(pl.col("tax_text").str.len_chars() == 18)
        .then(pl.col("tax_text").str.slice(8, 9))
        .when(pl.col("tax_text").str.len_chars() == 15)
        .then(pl.col("tax_text").str.slice(6, 9))
        .when(pl.col("tax_text").str.len_chars() == 9)
        .then(pl.col("tax_text"))
    )
    outer_valid = _check_column(frame, "tax_text", 18, organisation=False)
    inner_valid = _check_column(frame, "inner", 9, organisation=True)
    known_pair = frame["tax_text"].str.slice(0, 2).is_in(LEADING_PAIRS).fill_null(value=False)
    wide = (frame["tax_text"].str.len_chars() == 18).fill_null(value=False)
    known_region = frame["tax_text"].str.slice(2, 2).is_in(PROVINCES).fill_null(value=False)
    valid = outer_valid & inner_valid & known_pair & known_region & wide
    return frame.select(
        "tax_text",
        pl.when(valid).then(pl.col("tax_text")).alias("tax_code"),
        pl.when(valid | (inner_valid & ~wide))
        .then(pl.col("inner"))
        .when(pl.col("tax_text").str.len_chars() == 15)
        .then(pl.col("tax_text"))
        .alias("tax_key"),
    )
