"""What a hub keeps between additions: records and their parts, scored pairs, ids. Rows never move; the dead stay."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.candidates.keys import hash_blocks, hash_guards, hash_records
from hub.columns.hashing import Hashes
from hub.columns.parts import Ids, Parts
from hub.columns.prepare import align_records
from hub.ids.identify import align_events, find_redirects
from hub.kept.pieces import Blocks, Longs, Open, Pairs, find_from, index_blocks, take_pairs
from hub.kept.tally import Tally, begin_tally
from hub.resolve import Resolution, read_value
from hub.results.hierarchy import read_name_keys
from hub.rules.model import Rules
from hub.scoring.weigh import UNITS_PER_BIT, Weighed

Mask = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class State:
    """records: source, source_key and the columns of the rules, a row per version of a record; `alive` marks the present ones,
    `order` has these by source and key. parts, blocks: their parts, and the rows by block key, in pieces.

    hashes: of source and key; guards: a row per guard, a lasting hash per record, 0 where unknown.
    vectors: vector, total and counted (tenths of a bit: the weight, and what it adds between clusters), evidence (JSON; null
    below the review threshold). pairs: in pieces, numbered on; proposed: bit per key, 0 for a pair that is no more;
    changed: the numbers of those for which it was another when they came. open: those that match or are to be reviewed and whose
    records are of two ids.
    owner: place of each row's id among `issued` (gid, issued_no) and what goes with it: target (place of the id that it resolves
    to, -1 where it is its own), since (microseconds), is_live.
    portraits: golden records as they once were, with the keys of their names (hub.results.hierarchy); `shown` has the rows that
    hold, by gid. tally: counts over the pairs. lineage: None where it is not kept. value: what each row is worth to whoever
    reviews; None where nothing said so.
    """

    records: pl.DataFrame
    alive: Mask
    order: Ids
    hashes: Hashes
    guards: Hashes
    parts: tuple[Parts, ...]
    blocks: tuple[Blocks, ...]
    vectors: pl.DataFrame
    pairs: tuple[Pairs, ...]
    proposed: Keys
    changed: Longs
    open: Open
    owner: Ids
    issued: pl.DataFrame
    target: Ids
    since: Longs
    is_live: Mask
    portraits: pl.DataFrame
    shown: Ids
    next_no: int
    tally: Tally
    lineage: pl.DataFrame | None = None
    value: npt.NDArray[np.float64] | None = None

    @property
    def golden(self) -> pl.DataFrame:
        """The golden record of each live id, by gid."""
        shown = pl.Series(self.shown)
        # a column after the other: all in one piece at once would be 100 MB more
        return pl.DataFrame([column.rechunk().gather(shown) for column in self.portraits])

    @property
    def ids(self) -> pl.DataFrame:
        """gid, issued_no, target_gid, since, is_live of every id ever issued."""
        return self.read_ids(np.arange(len(self.target)))

    def read_ids(self, places: Longs) -> pl.DataFrame:
        """gid, issued_no, target_gid, since (when an id was given up or retired), is_live of some ids."""
        target, is_live = pl.Series(self.target[places]), pl.Series(self.is_live[places])
        since = pl.Series(self.since[places]).set(is_live, None)
        return self.issued.select(pl.all().gather(pl.Series(places))).with_columns(
            target_gid=self.issued["gid"].gather(target.set(target < 0, None)),
            since=since.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
            is_live=is_live,
        )

    def list_given_up(self) -> pl.DataFrame:
        """gid, target_gid, since of the ids that were given up, which lead to another, and of the retired ones, which to none."""
        return self.read_ids(np.flatnonzero(~self.is_live)).select("gid", "target_gid", "since").sort("gid")

    def find_within(self, rows: Ids) -> Longs:
        """The numbers of the pairs that there are between some distinct rows."""
        is_in = np.zeros(len(self.alive), dtype=bool)
        is_in[rows] = True
        at = find_from(self.pairs, np.sort(rows))
        inside: Longs = at[(self.proposed[at] != 0) & is_in[self.take(at).right]]
        return inside

    def take(self, at: Longs) -> Pairs:
        """Some pairs by their numbers."""
        return take_pairs(self.pairs, at)

    def list_pairs(self) -> Longs:
        """The numbers of all pairs that there are."""
        return np.flatnonzero(self.proposed)


def mark_open(vectors: pl.DataFrame, rules: Rules) -> Mask:
    """The vectors of pairs that match or are to be reviewed."""
    total, counted = vectors["total"].to_numpy(), vectors["counted"].to_numpy()
    mask: Mask = (total >= round(rules.review_bits * UNITS_PER_BIT)) | (counted >= 0)
    return mask


def build_state(
    resolution: Resolution, records: pl.DataFrame, log: pl.DataFrame | None = None, *, keeps_lineage: bool = False
) -> State:
    """The state of a hub after a full resolution of `records`. log: the identity log with its events, if it was not the first."""
    rules, own = resolution.rules, resolution.sources
    aligned, order = align_records(records, rules)
    events, next_no = align_events(resolution.events if log is None else log, rules.id_prefix)
    ids = _list_ids(events)
    places = ids.select("gid", place=pl.int_range(pl.len(), dtype=pl.Int32))
    holders = own.members.gids.to_frame("gid").join(places, on="gid", how="left", maintain_order="left")["place"].to_numpy()
    targets = ids.join(places.rename({"gid": "target_gid"}), on="target_gid", how="left", maintain_order="left")["place"]
    golden = resolution.golden.with_columns(read_name_keys(own.parts, own.aligned, own.winners, rules))
    rows = np.arange(own.parts.n, dtype=np.int32)
    owner = holders[own.members.owner]
    vectors = describe_vectors(own.vectors, own.weighed, rules)
    pairs = own.candidates
    place = own.place.astype(np.int32)
    at = np.flatnonzero(mark_open(vectors, rules)[place] & (owner[pairs.left] != owner[pairs.right]))
    return State(
        records=aligned[order],
        alive=np.ones(own.parts.n, dtype=bool),
        order=rows,
        hashes=hash_records(own.aligned),
        guards=hash_guards(own.parts, rules),
        parts=(Parts(own.parts.n, own.parts.tables),),
        blocks=(index_blocks([(key, rows) for key in hash_blocks(own.parts, rules)]),),
        vectors=vectors,
        pairs=(Pairs(pairs.left, pairs.right, place),),
        proposed=pairs.keys,
        changed=np.zeros(0, dtype=np.int64),
        open=Open(at, pairs.left[at], pairs.right[at], place[at]),
        owner=owner,
        issued=ids.select("gid", "issued_no"),
        target=targets.fill_null(-1).cast(pl.Int32).to_numpy(),
        since=ids["since"].dt.epoch("us").fill_null(0).to_numpy(),
        is_live=ids["is_live"].to_numpy(),
        portraits=golden,
        shown=np.arange(golden.height, dtype=np.int32),
        next_no=next_no,
        tally=begin_tally(pairs.report, place, vectors.height, resolution.report["vetoes"]),
        lineage=resolution.lineage if keeps_lineage else None,
        value=read_value(records, own.aligned) if "value" in records.columns else None,
    )


def describe_vectors(vectors: Longs, weighed: Weighed, rules: Rules) -> pl.DataFrame:
    """Vectors with what they weigh, as State keeps them."""
    told = np.flatnonzero(weighed.total >= round(rules.review_bits * UNITS_PER_BIT))
    place = pl.Series(np.full(len(vectors), -1, dtype=np.int32)).scatter(told, np.arange(len(told), dtype=np.int32))
    return pl.DataFrame(
        {
            "vector": vectors,
            "total": weighed.total.astype(np.int32),
            "counted": weighed.weigh_for_clusters(rules),
            "evidence": weighed.take(told).write_evidence().gather(place.set(place < 0, None)),
        }
    )


def _list_ids(log: pl.DataFrame) -> pl.DataFrame:
    """gid, issued_no, target_gid, since, is_live of every id ever issued."""
    issued = log.filter(pl.col("kind") == "issued").select("gid", issued_no="event_no").sort("gid")
    ends = log.filter(pl.col("kind").is_in(["merged", "retired", "restored"])).unique("gid", keep="last", maintain_order=True)
    over = ends.filter(pl.col("kind") != "restored").select("gid", ended="at")
    ids = issued.join(find_redirects(log), on="gid", how="left", maintain_order="left")
    ids = ids.join(over, on="gid", how="left", maintain_order="left")
    return ids.with_columns(since=pl.coalesce("since", "ended"), is_live=pl.col("ended").is_null()).drop("ended")
