"""The frozen rules of a resolution: weights in bits, thresholds, caps, survivorship. Public door.

Weights are log2 likelihood ratios set by hand from the figures of spec identity-speed §4-5: a pair's weight is the prior plus the
evidence of each field, and a pair matches at zero or above. Nothing here depends on the data that is resolved.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Entity = Literal["organisation", "person"]

#: weights are whole tenths of a bit inside the engine, so that sums are exact in any order
UNITS_PER_BIT = 10

_ORGANISATION_WEIGHTS = {
    "prior": -10.0,
    # a registered name is unique in its region; without its region or legal form it is less sure
    "name.same_registered": 15.0,
    "name.same_key": 13.0,
    "name.same_core_long": 10.5,
    "name.same_core": 11.0,
    "name.same_brand_4": 12.5,
    "name.same_brand_3": 11.0,
    "name.same_brand_2": 9.5,
    # same trade name, industry words that agree in part: 食品 and 食品机械
    "name.related_4": 12.0,
    "name.related_3": 11.5,
    "name.related_2": 10.5,
    "name.other_4": 5.0,
    "name.other_3": 5.0,
    "name.other_2": 2.0,
    # two names in full legal form that are not the same name
    "name.unequal_registered": -3.5,
    "name.typo_long": 10.0,
    "name.typo": 7.5,
    "name.contained": 9.5,
    "name.prefix": 7.0,
    "name.similar": 6.0,
    "name.weak": 2.0,
    "name.different": -5.0,
    "name.region_conflict": -11.0,
    "name.group_conflict": -1.5,
    "name.branch_conflict": -16.0,
    "name.same_branch": 2.0,
    "tax.same": 25.0,
    "tax.same_key": 15.0,
    "tax.typo": 8.0,
    "tax.different": -2.0,
    "tax.veto": -200.0,
    "mobile.same": 11.0,
    "mobile.same_other_contact": 5.5,
    "phone.same": 5.5,
    # a group shares its switchboard and its mail domain: beside the trade name they tell little
    "phone.same_with_brand": 1.5,
    "phone.same_service": 6.0,
    "email.same": 10.0,
    "email.same_shared": 6.0,
    "email.same_domain": 5.0,
    "email.same_domain_with_brand": 0.5,
    "email.other_domain": -1.5,
    "contact.same": 5.5,
    "contact.same_with_mobile": 1.0,
    "contact.same_surname": 0.5,
    "contact.different": -0.5,
    "place.same_city": 2.0,
    "place.other_city": -4.0,
    "place.other_province": -5.0,
    "address.same": 6.0,
    "address.similar": 2.5,
    "address.different": -1.0,
}

_PERSON_WEIGHTS = {
    "prior": -10.0,
    "name.same_long": 6.0,
    "name.same_3": 5.0,
    "name.same_2": 4.0,
    "name.same_surname": 1.0,
    "name.typo": 3.5,
    "name.similar": 1.0,
    "name.different": -8.0,
    "mobile.same": 11.5,
    "mobile.different": -1.0,
    "phone.same": 3.0,
    "email.same": 11.0,
    "email.same_shared": 1.0,
    "email.same_domain": 2.5,
    "email.different": -1.0,
    "party.same": 8.0,
    "party.different": -0.5,
    "title.same": 1.0,
}


@dataclass(frozen=True)
class BlockKey:
    """A candidate key: records that agree on all `columns` are compared, in blocks of up to `cap` records.

    In a larger block each record is compared with its `window` neighbours in name order only; the report says what was left out.
    """

    name: str
    columns: tuple[str, ...]
    cap: int
    window: int = 6


@dataclass(frozen=True)
class Survivor:
    """How one golden value, or a linked group of values, is chosen among a customer's records.

    `order` is applied first to last: 'completeness' (registered names, valid codes, more of a linked group filled),
    'precedence' (rules.source_precedence), 'majority', 'recency'. Source and source key break the last tie.
    """

    attributes: tuple[str, ...]
    order: tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """Everything that decides a resolution, beside its records and its history. Two equal rules give equal results."""

    entity: Entity
    weights: Mapping[str, float]
    block_keys: tuple[BlockKey, ...]
    survivors: tuple[Survivor, ...]
    source_precedence: tuple[str, ...] = ("u8", "hubspot", "wecom", "forms", "files")
    match_bits: float = 0.0
    review_bits: float = -3.0
    review_limit: int = 200
    # what a pair below the match counts against its clusters, beside the evidence that speaks against it
    silence_bits: float = 0.5
    # a number or address under more different names than this belongs to nobody: an agent, a tower, a mail provider
    shared_limit: int = 8

    @property
    def version(self) -> str:
        """12 hex characters that change with any rule."""
        weights = ",".join(f"{name}={value}" for name, value in sorted(self.weights.items()))
        rest = (
            self.entity,
            self.block_keys,
            self.survivors,
            self.source_precedence,
            self.match_bits,
            self.review_bits,
            self.review_limit,
        )
        return hashlib.sha256(f"{weights}|{rest!r}".encode()).hexdigest()[:12]

    @property
    def scoring_version(self) -> str:
        """12 hex characters that change with anything a pair's score depends on: the scored cache holds under it."""
        weights = ",".join(f"{name}={value}" for name, value in sorted(self.weights.items()))
        return hashlib.sha256(f"{SCORE_REVISION}|{self.entity}|{weights}".encode()).hexdigest()[:12]


#: raise it when the code of normalisation or scoring changes, so that no cached score of older code is used
SCORE_REVISION = 1


def default_rules(entity: Entity) -> Rules:
    """The rules that are used when none are given."""
    if entity == "organisation":
        return Rules(
            entity=entity,
            weights=MappingProxyType(_ORGANISATION_WEIGHTS),
            block_keys=(
                BlockKey("tax", ("tax_key",), 200),
                BlockKey("tax_text", ("tax_text",), 200),
                BlockKey("mobile", ("mobile",), 100),
                BlockKey("phone", ("phone",), 60),
                BlockKey("email", ("email",), 100),
                BlockKey("domain", ("domain",), 60),
                BlockKey("name", ("name_key",), 100),
                BlockKey("core", ("core",), 60),
                BlockKey("brand", ("brand",), 40),
                BlockKey("prefix3", ("prefix3",), 30),
                BlockKey("prefix2_city", ("prefix2", "city"), 40),
                BlockKey("first_city_industry", ("first", "name_industry", "city"), 30),
                BlockKey("last_city_industry", ("last", "name_industry", "city"), 30),
                BlockKey("prefix2_contact", ("prefix2", "contact_full"), 40),
                BlockKey("contact_city", ("contact_full", "city"), 30),
                BlockKey("address", ("address_key",), 40),
            ),
            survivors=(
                Survivor(("company_name",), ("completeness", "precedence", "majority", "recency")),
                Survivor(("tax_no",), ("completeness", "majority", "precedence", "recency")),
                Survivor(("phone",), ("precedence", "majority", "recency")),
                Survivor(("email_domain",), ("majority", "precedence", "recency")),
                Survivor(("province", "city", "address"), ("completeness", "precedence", "recency")),
                Survivor(("industry",), ("precedence", "majority", "recency")),
                Survivor(("tier",), ("recency", "precedence")),
                Survivor(("parent_name",), ("precedence", "majority", "recency")),
            ),
        )
    return Rules(
        entity=entity,
        weights=MappingProxyType(_PERSON_WEIGHTS),
        block_keys=(
            BlockKey("mobile", ("mobile",), 100),
            BlockKey("email", ("email",), 100),
            BlockKey("phone_name", ("phone", "full"), 60),
            BlockKey("name_party", ("full", "party"), 60),
            BlockKey("surname_party", ("surname", "party"), 30),
            BlockKey("name_domain", ("full", "domain"), 60),
            BlockKey("name", ("full",), 30),
        ),
        survivors=(
            Survivor(("full_name",), ("completeness", "precedence", "majority", "recency")),
            Survivor(("mobile",), ("majority", "precedence", "recency")),
            Survivor(("email",), ("majority", "precedence", "recency")),
            Survivor(("job_title",), ("recency", "precedence")),
            Survivor(("buying_role",), ("recency", "precedence")),
            Survivor(("customer_gid",), ("majority", "recency", "precedence")),
        ),
        source_precedence=("hubspot", "wecom", "u8", "forms", "files"),
    )
