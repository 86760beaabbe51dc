"""What decides a resolution, beside its records and its history: fields, comparisons, keys, guards, survivorship. Public door.

A field is something comparable, derived from one or more columns of the record by its kind (hub.normalize.kinds): it yields one
or more parts, named `field` for the first and `field.part` for the others. Comparisons, keys and guards speak of parts.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Training = Literal["certain", "em", "fixed"]


class RulesError(ValueError):
    """Rules that cannot be used: where in the file, what is wrong, what to write instead."""


@dataclass(frozen=True)
class Field:
    """`columns` are read in order of preference; a column that the records do not have counts as empty."""

    name: str
    kind: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Level:
    """A grade of agreement. `test` is written in the grammar of hub.measure: `same`, `osa <= 1`, `jaro_winkler >= 0.9`."""

    name: str
    test: str


@dataclass(frozen=True)
class Comparison:
    """Grades of agreement on a field, best first: the first that holds counts, `different` where none does.

    Where a side has no value the level is `missing` and says nothing. With `frequency`, agreement on a value that many records
    carry is a level of its own (`same~1` .. `same~7`: the value's records reach 2**(2*k)), so a rare name weighs more.
    """

    name: str
    field: str
    levels: tuple[Level, ...]
    frequency: bool = False


@dataclass(frozen=True)
class Interaction:
    """Levels (`comparison.level`, `*` allowed in level) that weigh otherwise together than the sum of their weights."""

    name: str
    when: tuple[str, ...]


@dataclass(frozen=True)
class BlockKey:
    """Records that agree on all `parts` are compared, in blocks of up to `cap` records.

    In a larger block every record is compared with a few of the block's pivots only; the report says what was left out.
    `cap` is meant for a million records or fewer and falls as the data grows.
    """

    name: str
    parts: tuple[str, ...]
    cap: int


@dataclass(frozen=True)
class Survivor:
    """How one golden value, or a linked group of values, is chosen among an entity's records.

    `attributes` are parts, or columns of the record. `order` is applied first to last: 'completeness' (valid codes, registered
    names, more of a linked group filled), 'precedence' (rules.source_precedence), 'majority', 'recency'. Source and key break ties.
    """

    attributes: tuple[str, ...]
    order: tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """Two equal rules, models and histories give equal results.

    guards: parts of which two different values never share an id. certain: parts whose agreement or conflict labels pairs
    for training. weights: bits per `comparison.level` and interaction name to start from (or to stay at, where training is
    'fixed'); `prior` is the weight of a candidate pair before any evidence.
    """

    entity: str
    id_prefix: str
    fields: tuple[Field, ...]
    comparisons: tuple[Comparison, ...]
    block_keys: tuple[BlockKey, ...]
    survivors: tuple[Survivor, ...]
    interactions: tuple[Interaction, ...] = ()
    guards: tuple[str, ...] = ()
    certain: tuple[str, ...] = ()
    source_precedence: tuple[str, ...] = ()
    training: Training = "em"
    weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
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
        rest = [getattr(self, name) for name in self.__dataclass_fields__ if name != "weights"]
        return hashlib.sha256(f"{weights}|{rest!r}".encode()).hexdigest()[:12]
