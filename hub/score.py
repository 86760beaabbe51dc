"""Evidence of candidate pairs in tenths of a bit, field by field: a pure function of the two records and the rules."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl
from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.fuzz import token_sort_ratio
from rapidfuzz.process import cpdist

from hub.names import build_name_table, score_names
from hub.rules.first import UNITS_PER_BIT, Entity, Rules

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

ORGANISATION_FIELDS = ("name", "region", "branch", "tax", "mobile", "phone", "email", "contact", "place", "address")
PERSON_FIELDS = ("name", "mobile", "phone", "email", "party", "title")
#: pairs scored at once: what stays in memory is bounded whatever the number of pairs
_SLICE = 500_000


def list_fields(entity: Entity) -> tuple[str, ...]:
    """The evidence fields of an entity, in the order of the columns `e_<field>`."""
    return ORGANISATION_FIELDS if entity == "organisation" else PERSON_FIELDS


def score_pairs(prepared: pl.DataFrame, left: Ints, right: Ints, rules: Rules) -> pl.DataFrame:
    """`weight` and `e_<field>` (Int32, tenths of a bit) of each pair of ranks, symmetric in the two records."""
    scorer = _OrganisationScorer(prepared, rules) if rules.entity == "organisation" else _PersonScorer(prepared, rules)
    parts = []
    for start in range(0, max(len(left), 1), _SLICE):
        evidence = scorer.score(left[start : start + _SLICE], right[start : start + _SLICE])
        columns = {f"e_{name}": np.rint(bits * UNITS_PER_BIT).astype(np.int32) for name, bits in evidence.items()}
        prior = round(rules.weights["prior"] * UNITS_PER_BIT)
        weight = prior + np.sum(list(columns.values()), axis=0, dtype=np.int32)
        parts.append(pl.DataFrame({"weight": weight.astype(np.int32), **columns}))
    return pl.concat(parts)


def weigh_for_clusters(pairs: pl.DataFrame, rules: Rules) -> Ints:
    """What each scored pair adds to the sum between two clusters, in tenths of a bit.

    A match adds its weight. Another pair adds the evidence that speaks against it and a little for its silence: the prior odds
    against two clusters are paid once, by the match that proposes them, and not again by every pair of their records.
    """
    fields = [column for column in pairs.columns if column.startswith("e_")]
    against = pl.sum_horizontal(pl.min_horizontal(pl.col(field), 0) for field in fields) - round(
        rules.silence_bits * UNITS_PER_BIT
    )
    shifted = pl.col("weight") - round(rules.match_bits * UNITS_PER_BIT)
    counted = pl.when(shifted < 0).then(pl.max_horizontal(shifted, pl.min_horizontal(against, -1))).otherwise(shifted)
    return pairs.select(counted.cast(pl.Int64)).to_series().to_numpy()


class _Codes:
    """Columns of a frame as whole numbers that are equal where the values are; -1 for null."""

    def __init__(self, prepared: pl.DataFrame, columns: list[str]) -> None:
        self._codes = {}
        for column in columns:
            ranks = prepared[column].hash(seed=20).rank("dense").cast(pl.Int64)
            self._codes[column] = (
                pl.select(pl.when(prepared[column].is_not_null()).then(ranks).otherwise(-1)).to_series().to_numpy()
            )

    def same(self, column: str, left: Ints, right: Ints) -> Mask:
        codes = self._codes[column]
        same: Mask = (codes[left] == codes[right]) & (codes[left] >= 0)
        return same

    def differ(self, column: str, left: Ints, right: Ints) -> Mask:
        codes = self._codes[column]
        differ: Mask = (codes[left] != codes[right]) & (codes[left] >= 0) & (codes[right] >= 0)
        return differ


def _ordered_texts(values: pl.Series, left: Ints, right: Ints) -> tuple[list[str], list[str]]:
    """The two texts of each pair, smaller first: no scorer sees an order that records could be given in."""
    first, second = values.gather(left), values.gather(right)
    pair = pl.DataFrame({"a": first, "b": second}).select(low=pl.min_horizontal("a", "b"), high=pl.max_horizontal("a", "b"))
    return pair["low"].to_list(), pair["high"].to_list()


class _OrganisationScorer:
    def __init__(self, prepared: pl.DataFrame, rules: Rules) -> None:
        self._frame = prepared
        self._w: Mapping[str, float] = rules.weights
        self._name_ids, self._names = build_name_table(prepared)
        self._codes = _Codes(
            prepared,
            [
                "tax_text",
                "tax_code",
                "tax_key",
                "mobile",
                "phone",
                "email",
                "domain",
                "contact_full",
                "contact_surname",
                "province",
                "city",
                "address_text",
            ],
        )
        self._tax_length = prepared["tax_text"].str.len_chars().fill_null(0).cast(pl.Int64).to_numpy()
        self._service = prepared["phone"].str.contains("^[48]00").fill_null(value=False).to_numpy()
        self._shared = prepared["mail_shared"].fill_null(value=False).to_numpy()

    def score(self, left: Ints, right: Ints) -> dict[str, Floats]:
        name, region, branch, same_brand = self._score_name(left, right)
        contact_other = self._codes.differ("contact_full", left, right)
        mobile_same = self._codes.same("mobile", left, right)
        mobile = np.where(mobile_same, np.where(contact_other, self._w["mobile.same_other_contact"], self._w["mobile.same"]), 0.0)
        return {
            "name": name,
            "region": region,
            "branch": branch,
            "tax": self._score_tax(left, right),
            "mobile": mobile,
            "phone": self._score_phone(left, right, same_brand),
            "email": self._score_email(left, right, same_brand),
            "contact": self._score_contact(left, right, mobile_same, contact_other),
            "place": self._score_place(left, right, region),
            "address": self._score_address(left, right),
        }

    def _score_name(self, left: Ints, right: Ints) -> tuple[Floats, Floats, Floats, Mask]:
        a, b = self._name_ids[left], self._name_ids[right]
        known = np.flatnonzero((a >= 0) & (b >= 0))
        low, high = np.minimum(a, b)[known], np.maximum(a, b)[known]
        base = max(self._names.height, 1)
        distinct, place = np.unique(low * base + high, return_inverse=True)
        scores = score_names(self._names, distinct // base, distinct % base, self._w)
        result = []
        for column in ("name", "region", "branch"):
            values = scores[column].to_numpy()
            bits = np.zeros(len(left))
            bits[known] = values[place]
            result.append(bits)
        same_brand = np.zeros(len(left), dtype=bool)
        same_brand[known] = scores["same_brand"].to_numpy()[place]
        return result[0], result[1], result[2], same_brand

    def _score_tax(self, left: Ints, right: Ints) -> Floats:
        same_key = self._codes.same("tax_key", left, right) | self._codes.same("tax_text", left, right)
        veto = self._codes.differ("tax_code", left, right)
        bits = np.where(self._codes.differ("tax_text", left, right), self._w["tax.different"], 0.0)
        rows = np.flatnonzero((bits != 0) & ~same_key & ~veto & (self._tax_length[left] >= 15) & (self._tax_length[right] >= 15))
        if len(rows):
            low, high = _ordered_texts(self._frame["tax_text"], left[rows], right[rows])
            typo = cpdist(low, high, scorer=OSA.distance, score_cutoff=1, dtype=np.int32) <= 1
            bits[rows[typo]] = self._w["tax.typo"]
        bits[same_key] = self._w["tax.same_key"]
        bits[self._codes.same("tax_code", left, right)] = self._w["tax.same"]
        bits[veto] = self._w["tax.veto"]
        return bits

    def _score_phone(self, left: Ints, right: Ints, same_brand: Mask) -> Floats:
        bits = np.where(self._service[left], self._w["phone.same_service"], self._w["phone.same"])
        bits = np.where(same_brand, self._w["phone.same_with_brand"], bits)
        return np.where(self._codes.same("phone", left, right), bits, 0.0)

    def _score_email(self, left: Ints, right: Ints, same_brand: Mask) -> Floats:
        same = np.where(self._shared[left], self._w["email.same_shared"], self._w["email.same"])
        bits = np.where(self._codes.differ("domain", left, right), self._w["email.other_domain"], 0.0)
        domain = np.where(same_brand, self._w["email.same_domain_with_brand"], self._w["email.same_domain"])
        bits = np.where(self._codes.same("domain", left, right), domain, bits)
        return np.where(self._codes.same("email", left, right), same, bits)

    def _score_contact(self, left: Ints, right: Ints, mobile_same: Mask, other: Mask) -> Floats:
        bits = np.where(self._codes.same("contact_surname", left, right), self._w["contact.same_surname"], 0.0)
        bits[other] = self._w["contact.different"]
        same = self._codes.same("contact_full", left, right)
        # one person: the name adds little to the mobile
        return np.where(same, np.where(mobile_same, self._w["contact.same_with_mobile"], self._w["contact.same"]), bits)

    def _score_place(self, left: Ints, right: Ints, region: Floats) -> Floats:
        bits = np.where(self._codes.same("city", left, right), self._w["place.same_city"], 0.0)
        bits[self._codes.differ("city", left, right)] = self._w["place.other_city"]
        bits[self._codes.differ("province", left, right)] = self._w["place.other_province"]
        # a conflict of the names' regions has been counted
        return np.where(region < 0, np.maximum(bits, 0.0), bits)

    def _score_address(self, left: Ints, right: Ints) -> Floats:
        bits = np.where(self._codes.same("address_text", left, right), self._w["address.same"], 0.0)
        rows = np.flatnonzero(self._codes.differ("address_text", left, right))
        if len(rows):
            low, high = _ordered_texts(self._frame["address_text"], left[rows], right[rows])
            ratio = cpdist(low, high, scorer=token_sort_ratio, dtype=np.float32)
            bits[rows] = np.where(
                ratio >= 80, self._w["address.similar"], np.where(ratio < 40, self._w["address.different"], 0.0)
            )
        return bits


class _PersonScorer:
    def __init__(self, prepared: pl.DataFrame, rules: Rules) -> None:
        self._frame = prepared
        self._w: Mapping[str, float] = rules.weights
        self._codes = _Codes(prepared, ["full", "surname", "mobile", "phone", "email", "domain", "party", "title"])
        self._shared = prepared["mail_shared"].fill_null(value=False).to_numpy()
        self._length = prepared["full"].str.len_chars().fill_null(0).cast(pl.Int64).to_numpy()
        self._is_han = prepared["full"].str.contains(r"\p{Han}").fill_null(value=False).to_numpy()

    def score(self, left: Ints, right: Ints) -> dict[str, Floats]:
        w = self._w
        mobile = np.where(self._codes.same("mobile", left, right), w["mobile.same"], 0.0)
        mobile[self._codes.differ("mobile", left, right)] = w["mobile.different"]
        email_other = self._codes.differ("email", left, right)
        email = np.where(email_other, w["email.different"], 0.0)
        email[email_other & self._codes.same("domain", left, right)] = w["email.same_domain"]
        shared = np.where(self._shared[left], w["email.same_shared"], w["email.same"])
        party = np.where(self._codes.differ("party", left, right), w["party.different"], 0.0)
        return {
            "name": self._score_name(left, right),
            "mobile": mobile,
            "phone": np.where(self._codes.same("phone", left, right), w["phone.same"], 0.0),
            "email": np.where(self._codes.same("email", left, right), shared, email),
            "party": np.where(self._codes.same("party", left, right), w["party.same"], party),
            "title": np.where(self._codes.same("title", left, right), w["title.same"], 0.0),
        }

    def _score_name(self, left: Ints, right: Ints) -> Floats:
        w = self._w
        surname = self._codes.same("surname", left, right)
        bits = np.where(surname, w["name.same_surname"], 0.0)
        han = self._is_han[left]
        size = self._length[left]
        whole = np.where(han, np.where(size >= 3, w["name.same_3"], w["name.same_2"]), w["name.same_long"])
        rows = np.flatnonzero(self._codes.differ("full", left, right))
        if len(rows):
            low, high = _ordered_texts(self._frame["full"], left[rows], right[rows])
            similar = cpdist(low, high, scorer=JaroWinkler.similarity, dtype=np.float32)
            edits = cpdist(low, high, scorer=OSA.distance, score_cutoff=2, dtype=np.int32)
            length = np.minimum(self._length[left], self._length[right])[rows]
            typo = (edits == 1) & (length >= 3) | (edits == 2) & (length >= 8)
            near = np.where(similar >= 0.85, w["name.similar"], w["name.different"])
            bits[rows] = np.where(typo, w["name.typo"], near)
        surname_clash = self._codes.differ("surname", left, right) & (bits == 0) & (han & self._is_han[right])
        bits[surname_clash] = w["name.different"]
        return np.where(self._codes.same("full", left, right), whole, bits)
