"""Golden values: one rule per attribute, linked attributes together, losing values kept (I-7)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.columns.parallel import map_threads
from hub.columns.parts import Ids, Parts, group_rows, number, sort_distinct
from hub.columns.prepare import WHOLE
from hub.columns.sorting import order_numbers, rank_numbers
from hub.rules.model import Rules, Survivor

Longs = npt.NDArray[np.int64]
#: no time, in microseconds: as a number the first of all
_NEVER = np.iinfo(np.int64).min
#: parts of a company's name by which golden records find their parents (hub.results.hierarchy)
LINKS = ("key", "parent_key", "has_legal")
LINEAGE_SCHEMA = {
    "gid": pl.String,
    "attribute": pl.String,
    "value": pl.String,
    "source": pl.String,
    "source_key": pl.String,
    "rule": pl.String,
    "is_winner": pl.Boolean,
}


@dataclass(frozen=True)
class Members:
    """Which entity each record is of: `gids` sorted; `owner`: place of a record's gid; `order`: records by owner, then rank."""

    gids: pl.Series
    owner: Ids
    order: Ids
    starts: Ids

    @property
    def sizes(self) -> Ids:
        """Records per gid."""
        return np.diff(np.append(self.starts, len(self.order))).astype(np.int32)

    def name_owners(self) -> pl.Series:
        """The gid of each record."""
        return self.gids.gather(pl.Series(self.owner))


def list_golden_parts(rules: Rules) -> set[str]:
    """The parts that golden records are made of."""
    taken = {part for survivor in rules.survivors for _, part in survivor.values}
    return taken | {f"{part.partition('.')[0]}.{beside}" for part in taken for beside in (WHOLE, *LINKS)}


def group_members(owner: Ids, gids: pl.Series) -> Members:
    """Members from the place of each record's gid among all of them, which are in order."""
    return Members(gids, owner, *group_rows(owner))


def choose_winners(parts: Parts, aligned: pl.DataFrame, members: Members, rules: Rules) -> dict[str, Ids]:
    """Per golden attribute the rank of the record whose value each gid takes; -1 where no record offers one."""
    context = _Context(parts, aligned, members, rules)

    def choose(survivor: Survivor) -> dict[str, Ids]:
        chosen = context.choose(survivor)
        return {
            name: np.where((chosen >= 0) & parts.are_known(part)[chosen], chosen, -1).astype(np.int32)
            for name, part in survivor.values
        }

    found = map_threads(choose, rules.survivors, parts.n)
    return {name: chosen for own in found for name, chosen in own.items()}


class _Context:
    def __init__(self, parts: Parts, aligned: pl.DataFrame, members: Members, rules: Rules) -> None:
        self._parts = parts
        self._members = members
        n = parts.n
        ranks = {source: len(rules.source_precedence) - place for place, source in enumerate(rules.source_precedence)}
        sources, first = number(aligned["source"])
        named = aligned["source"].gather(pl.Series(first)).replace_strict(ranks, default=0, return_dtype=pl.Int64)
        precedence = named.to_numpy()[sources]
        times = _rank_times(aligned.select(pl.coalesce("updated_at", "created_at")).to_series())
        self._last = max(n - 1, 1)
        self._ranking = {"precedence": (precedence, len(rules.source_precedence)), "recency": (times, int(times.max(initial=0)))}
        self._large = members.sizes[members.owner] > 2

    def choose(self, survivor: Survivor) -> Ids:
        """The winning record per gid by one packed number per record: a field per step of the order, then the smallest rank."""
        known = [self._parts.are_known(part) for _, part in survivor.values]
        filled = known[0].astype(np.int8)
        for one in known[1:]:
            filled += one
        whole = self._read_whole(survivor)
        number = np.zeros(self._parts.n, dtype=np.int64)
        room = 62 - self._last.bit_length()
        for step in survivor.order:
            values, most = self._rank(step, survivor, filled, whole)
            width = min(max(most, 1).bit_length(), room)
            room -= width
            number = (number << width) + np.minimum(values, (1 << width) - 1)
        number = (number << self._last.bit_length()) + (self._last - np.arange(self._parts.n))
        number[(filled == 0) | (whole < 0)] = -1
        if not len(self._members.starts):
            return np.zeros(0, dtype=np.int32)
        best = np.maximum.reduceat(number[self._members.order], self._members.starts)
        rank = self._last - (best & ((1 << self._last.bit_length()) - 1))
        return np.where(best >= 0, rank, -1).astype(np.int32)

    def _read_whole(self, survivor: Survivor) -> Longs:
        part = f"{survivor.values[0][1].partition('.')[0]}.{WHOLE}"
        if part not in self._parts.names():
            return np.zeros(self._parts.n, dtype=np.int64)
        return self._parts.values(part).fill_null(0).cast(pl.Int64).to_numpy()

    def _rank(self, step: str, survivor: Survivor, filled: npt.NDArray[np.int8], whole: Longs) -> tuple[Longs, int]:
        if step == "completeness":
            # 罗峰伟 alone reaches nobody, 罗总 with a mobile does
            linked = (filled > 1).astype(np.int64)
            return linked * 64 + np.maximum(whole, 0) * 8 + np.minimum(filled, 7), 127
        if step == "majority":
            return self._count_alike([self._parts.codes(part) for _, part in survivor.values], filled), 255
        return self._ranking[step]

    def _count_alike(self, codes: list[Ids], filled: npt.NDArray[np.int8]) -> Longs:
        """How many records of the gid offer the same values; in pairs nobody has a majority."""
        counts = np.zeros(self._parts.n, dtype=np.int64)
        rows = np.flatnonzero(self._large & (filled > 0))
        key = self._members.owner[rows].astype(np.int64)
        for code in codes:
            key = key * (int(code.max(initial=0)) + 2) + code[rows] + 1
            if len(codes) > 1:
                key = rank_numbers(key)[0].astype(np.int64)
        order = order_numbers(key)
        key = key[order]
        starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.zeros(0, dtype=np.int64)
        sizes = np.diff(np.append(starts, len(key)))
        counts[rows[order]] = np.repeat(sizes, sizes)
        return counts


def build_golden(parts: Parts, aligned: pl.DataFrame, members: Members, winners: dict[str, Ids], rules: Rules) -> pl.DataFrame:
    """gid, the golden attributes, n_records, n_sources, first_seen_at, updated_at; one row per gid, in their order."""
    parted = dict(value for survivor in rules.survivors for value in survivor.values)
    taken = map_threads(lambda own: parts.take(parted[own[0]], own[1]).alias(own[0]), winners.items(), parts.n)
    return pl.DataFrame([members.gids.alias("gid"), *taken]).with_columns(_count_members(aligned, members))


def _count_members(aligned: pl.DataFrame, members: Members) -> list[pl.Series]:
    order, starts = members.order, members.starts
    sources = number(aligned["source"])[0].astype(np.int64)[order]
    owner = members.owner[order].astype(np.int64)
    width = int(sources.max(initial=0)) + 1
    several = sort_distinct(owner * width + sources) // width
    created = _read_times(aligned["created_at"])[order]
    touched = np.maximum(_read_times(aligned["updated_at"]), _read_times(aligned["created_at"]))[order]
    first = np.minimum.reduceat(np.where(created == _NEVER, np.iinfo(np.int64).max, created), starts) if len(starts) else created
    last = np.maximum.reduceat(touched, starts) if len(starts) else touched
    return [
        pl.Series("n_records", members.sizes.astype(np.int64)),
        pl.Series("n_sources", np.bincount(several, minlength=len(starts)).astype(np.int64)),
        _to_times("first_seen_at", np.where(first == np.iinfo(np.int64).max, _NEVER, first)),
        _to_times("updated_at", last),
    ]


def _read_times(times: pl.Series) -> Longs:
    return times.dt.epoch("us").fill_null(_NEVER).to_numpy()


def _rank_times(times: pl.Series) -> Longs:
    """The place of each time among the distinct ones; the smallest for null."""
    micros = times.dt.epoch("us")
    earliest = micros.min()
    return rank_numbers((micros - (earliest or 0) + 1).fill_null(0).to_numpy())[0].astype(np.int64)


def _to_times(name: str, micros: Longs) -> pl.Series:
    series = pl.Series(name, micros).set(pl.Series(micros == _NEVER), None)
    return series.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def trace_lineage(parts: Parts, aligned: pl.DataFrame, members: Members, winners: dict[str, Ids], rules: Rules) -> pl.DataFrame:
    """Every value that was offered for a golden attribute, where it comes from, and whether it won: LINEAGE_SCHEMA."""
    tables = []
    for survivor in rules.survivors:
        for name, part in survivor.values:
            offered = np.flatnonzero(parts.codes(part) >= 0)
            rows = pl.Series(offered)
            tables.append(
                pl.DataFrame(
                    {
                        "gid": members.gids.gather(pl.Series(members.owner[offered])),
                        "attribute": pl.repeat(name, len(offered), dtype=pl.String, eager=True),
                        "value": parts.values(part).gather(rows),
                        "source": aligned["source"].gather(rows),
                        "source_key": aligned["source_key"].gather(rows),
                        "rule": pl.repeat(" > ".join(survivor.order), len(offered), dtype=pl.String, eager=True),
                        "is_winner": pl.Series(winners[name][members.owner[offered]] == offered),
                    }
                )
            )
    lineage = pl.concat(tables) if tables else pl.DataFrame(schema=LINEAGE_SCHEMA)
    descending = [False, False, True, False, False]
    return lineage.sort("gid", "attribute", "is_winner", "source", "source_key", descending=descending)
