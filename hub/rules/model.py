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
_OVER_A_MODEL = ("match_bits", "review_bits", "review_limit", "silence_bits", "survivors", "source_precedence", "id_prefix")

#: a weight or threshold beyond is a mistake: nothing is surer than 1000 bits
MOST_BITS = 1000.0
#: between a veto and the level that lifts it
UNLESS = " unless "


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
    """A grade of agreement. `test` is in the grammar of hub.scoring.measure: `same`, `osa <= 1`, `jaro_winkler >= 0.9`."""

    name: str
    test: str


@dataclass(frozen=True)
class Comparison:
    """Grades of agreement on a field, best first: the first that holds counts, `different` where none does.

    Where a side has no value the level is `missing` and says nothing. With `frequency`, agreement on a value that many records
    carry is a level of its own (`same~1` .. `same~7`: the value's records reach 2**k), so a rare name weighs more.
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

    A larger block is left out, for a finer key may catch its pairs; with `pivots` each of its records is compared with so many
    of the block's records, so that a strong key still joins them all. The report says what was left out. `cap` holds up to a
    million records and falls as the data grows beyond.
    """

    name: str
    parts: tuple[str, ...]
    cap: int
    pivots: int = 0


@dataclass(frozen=True)
class Survivor:
    """How one golden value, or a linked group of values, is chosen among an entity's records.

    `values` are pairs of a golden attribute's name and the part, or column of the record, that it is taken from. `order` is
    applied first to last: 'completeness' (valid codes, registered and whole names, landlines, more of a linked group filled),
    'precedence' (rules.source_precedence), 'majority', 'recency'; then source and key.
    """

    values: tuple[tuple[str, str], ...]
    order: tuple[str, ...]


@dataclass(frozen=True)
class Alias:
    """Another name of the company registered as `name`: a former name, a brand, a short name. Dates as YYYY-MM-DD."""

    alias: str
    name: str
    valid_from: str | None = None
    valid_to: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class Rules:
    """Two equal rules, models and histories give equal results.

    guards: parts of which two different values never share an id; barriers: those of which they do only where people say so;
    vetoes: levels (`comparison.level`) that keep two records apart
    whatever else agrees, but for a level behind ` unless `. certain: parts whose agreement or conflict labels pairs for training,
    but for pairs with a level of `uncertain` (a branch is billed under its parent's number), which keep the weights of the rules.
    weights: bits per `comparison.level` and interaction to start from, to stay near where training is 'em' and a prior is given,
    to stay at where it is 'fixed'; `prior` is the weight of a candidate pair before any evidence.
    """

    entity: str
    id_prefix: str
    fields: tuple[Field, ...]
    comparisons: tuple[Comparison, ...]
    block_keys: tuple[BlockKey, ...]
    survivors: tuple[Survivor, ...]
    interactions: tuple[Interaction, ...] = ()
    guards: tuple[str, ...] = ()
    barriers: tuple[str, ...] = ()
    vetoes: tuple[str, ...] = ()
    certain: tuple[str, ...] = ()
    uncertain: tuple[str, ...] = ()
    source_precedence: tuple[str, ...] = ()
    aliases: tuple[Alias, ...] = ()
    training: Training = "em"
    weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    match_bits: float = 0.0
    review_bits: float = -3.0
    review_limit: int = 200
    # what a pair below the match counts against its clusters, beside the evidence that speaks against it
    silence_bits: float = 0.5

    @property
    def separators(self) -> tuple[str, ...]:
        """The parts of which no cluster holds two values, also where no pair of its records was compared."""
        return (*self.guards, *self.barriers)

    @property
    def version(self) -> str:
        """12 hex characters that change with any rule."""
        return self._digest(())

    @property
    def evidence_version(self) -> str:
        """12 hex characters that change with what a model depends on: thresholds and survivorship may change over one model."""
        return self._digest(_OVER_A_MODEL)

    def _digest(self, left_out: tuple[str, ...]) -> str:
        weights = ",".join(f"{name}={value}" for name, value in sorted(self.weights.items()))
        rest = [getattr(self, name) for name in self.__dataclass_fields__ if name not in ("weights", *left_out)]
        return hashlib.sha256(f"{weights}|{rest!r}".encode()).hexdigest()[:12]
