"""What must hold of every resolution before it may be published (I-3, I-4, I-5, I-7, I-9). Public door."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from hub.columns.prepare import prepare
from hub.ids.identify import align_events
from hub.kept.increment import Addition
from hub.kept.outcome import Whole, list_crosswalk, order_present
from hub.kept.state import State
from hub.resolve import Resolution
from hub.results.hierarchy import find_circles
from hub.results.reasons import list_holding
from hub.results.report import count_moved
from hub.rules.model import Rules

_RECORD = ["source", "source_key"]
SHOWN = 5  # cases that a finding names
_CROSSWALK = {"source": pl.String, "source_key": pl.String, "gid": pl.String, "is_current": pl.Boolean}


@dataclass(frozen=True)
class _Step:
    """What is looked at of an addition to a kept hub, as hub.resolve.Resolution has it."""

    rules: Rules
    crosswalk: pl.DataFrame
    events: pl.DataFrame
    report: dict[str, Any]


Found = Resolution | Whole
_Counted = Found | _Step


@dataclass(frozen=True)
class Limits:
    """Guards against a run that runs away; shares are of records."""

    max_cluster_records: int = 5_000
    max_cluster_share: float = 0.25
    max_share_ids_changed: float = 0.10
    #: below so many records the two shares say nothing
    min_records: int = 50
    #: a larger customer is let through if so many of its records carry its credit code, and so many of those with a name the same
    #: name, and if it has taken in no more customers in this run
    min_share_code: float = 0.2
    min_share_name: float = 0.9
    max_swallowed: int = 20


@dataclass(frozen=True)
class Finding:
    """A broken invariant: which, how many cases, what to do, and some of the rows."""

    check: str
    count: int
    message: str
    sample: list[str] = field(default_factory=list)


def check_invariants(
    resolution: Found,
    records: pl.DataFrame,
    limits: Limits | None = None,
    history: pl.DataFrame | None = None,
) -> list[Finding]:
    """All broken invariants of a resolution of `records`; an empty list lets it be published.

    `history` is the log that the resolution was made with: without it, ids of earlier runs are not looked at.
    """
    limits = limits or Limits()
    events = [frame for frame in (history, resolution.events) if frame is not None]
    checks = (
        _check_codes(resolution, records),
        _check_size(resolution, records, limits),
        _check_changes(resolution, limits),
        _check_membership(resolution, records),
        _check_ids(resolution, events),
        _check_golden(resolution),
        _check_decisions(resolution),
        _check_parents(resolution),
    )
    return [finding for found in checks for finding in found]


def check_addition(before: State, addition: Addition, rules: Rules, limits: Limits | None = None) -> list[Finding]:
    """Whether an addition to a kept hub runs away; it is looked at no more than the addition reached."""
    limits, state = limits or Limits(), addition.state
    found = _Step(rules, pl.DataFrame(schema=_CROSSWALK), addition.events, addition.report | {"records": len(state.order)})
    sizes: list[Finding] = []
    # the records of an id are reached together: without a large one among them there is nothing to list
    if np.bincount(state.owner[addition.rows], minlength=1).max() > _allow_size(len(state.order), limits):
        crosswalk = list_crosswalk(state, order_present(state)).with_columns(is_current=True)
        reached = state.records.select(pl.all().gather(pl.Series(addition.rows)))
        sizes = _check_size(replace(found, crosswalk=crosswalk), reached, limits, before)
    return [*sizes, *(_check_changes(found, limits) or _check_overwritten(before, addition, limits))]


def check_rebuild(before: State, resolution: Resolution, records: pl.DataFrame, limits: Limits | None = None) -> list[Finding]:
    """Whether a kept hub that is resolved anew runs away."""
    limits = limits or Limits()
    return [*_check_size(resolution, records, limits, before), *_check_changes(resolution, limits)]


def _check_overwritten(before: State, addition: Addition, limits: Limits) -> list[Finding]:
    """Another table under the same keys changes records and the ids of many of them."""
    changed = int(addition.report["changed"])
    if changed < limits.min_records:
        return []
    fresh = addition.state.records[before.records.height :].select(_RECORD)
    others = addition.events.filter(pl.col("kind") != "detached")
    moved = addition.events.filter(pl.col("kind") == "detached").join(fresh, on=_RECORD, how="semi")
    share = count_moved(pl.concat([others, moved])) / changed
    if share <= limits.max_share_ids_changed:
        return []
    message = f"{share:.1%} of {changed:,} changed records change their id, more than {limits.max_share_ids_changed:.1%}"
    names = moved.select(pl.concat_str(_RECORD, separator=":")).to_series().sort()
    return [
        Finding("share_overwritten", changed, f"{message}: is it the table that they came from?", names.head(SHOWN).to_list())
    ]


def _current(resolution: _Counted) -> pl.DataFrame:
    return resolution.crosswalk.filter("is_current")


def _check_codes(resolution: Found, records: pl.DataFrame) -> list[Finding]:
    separated = {part.partition(".")[0] for part in resolution.rules.separators}
    fields = tuple(field for field in resolution.rules.fields if field.name in separated)
    keys, parts = prepare(records, replace(resolution.rules, fields=fields, survivors=()))
    findings = []
    merges = resolution.decisions.filter(kind="merge", state="holds").select(pl.concat_list("group_a", "group_b").explode())
    merged = _current(resolution).join(merges.unnest("group_a"), on=_RECORD)["gid"]
    for part in resolution.rules.separators:
        codes = keys.select(_RECORD).with_columns(code=parts.values(part))
        several = _current(resolution).join(codes, on=_RECORD).group_by("gid").agg(pl.col("code").drop_nulls().n_unique())
        # what a barrier keeps apart people may make one
        joined = merged if part in resolution.rules.barriers else merged.clear()
        broken = several.filter(pl.col("code") > 1, ~pl.col("gid").is_in(joined.implode())).sort("gid")["gid"]
        name = "one_credit_code" if part == "tax.code" else f"one_{part.replace('.', '_')}"
        findings += _report(name, broken, f"hold two different values of {part}: the guard of clustering failed")
    return findings


def _check_parents(resolution: Found) -> list[Finding]:
    if "parent_gid" not in resolution.golden.columns:
        return []
    circles = find_circles(resolution.golden["gid"], resolution.golden["parent_gid"])
    return _report("parents_end", circles, "customers are part of themselves through their parents: tell the maintainers")


def _check_decisions(resolution: Found) -> list[Finding]:
    holding, broken = list_holding(resolution.decisions, resolution.rules.entity), set()
    records = sorted({record for decision in holding for record in (*decision.group_a, *decision.group_b)})
    named = pl.DataFrame(records, schema=dict.fromkeys(_RECORD, pl.String), orient="row")
    found = _current(resolution).join(named, on=_RECORD, how="semi")
    owners = {(source, key): gid for source, key, gid in found.select(*_RECORD, "gid").iter_rows()}
    for decision in holding:
        a, b = ({owners[record] for record in group if record in owners} for group in (decision.group_a, decision.group_b))
        if len(a | b) > 1 if decision.kind == "merge" else a & b:
            broken.add(decision.decision_id)
    listed = pl.Series(sorted(broken), dtype=pl.String)
    return _report("decisions_hold", listed, "decisions of people do not hold: undo them, or tell the maintainers")


def _allow_size(total: int, limits: Limits) -> int:
    if total < limits.min_records:
        return limits.max_cluster_records
    return min(limits.max_cluster_records, int(total * limits.max_cluster_share))


def _check_size(resolution: _Counted, records: pl.DataFrame, limits: Limits, before: State | None = None) -> list[Finding]:
    """before: a kept hub, whose customers that were as large already are let be."""
    sizes = _current(resolution).group_by("gid").len().sort("len", "gid", descending=[True, False])
    allowed = _allow_size(int(sizes["len"].sum()), limits)
    large = sizes.filter(pl.col("len") > allowed)["gid"]
    if before is not None and len(large):
        large = large.filter(~large.is_in(before.golden.filter(pl.col("n_records") > allowed)["gid"].implode()))
    if len(large):
        large = large.filter(~large.is_in(_find_evident(resolution, records, large, limits).implode()))
    return _report(
        "largest_cluster",
        large,
        f"customers hold more than {allowed} records, the largest {sizes['len'].head(1).sum()}: explain them, then raise "
        "the limit or null the value that they share",
    )


def _find_evident(resolution: _Counted, records: pl.DataFrame, gids: pl.Series, limits: Limits) -> pl.Series:
    """Those of some large customers that are one company beyond doubt: one guarded code, one name, and no others swallowed.

    A chain has many names, a name that says nothing has no code, and an input gone wrong makes many customers one.
    """
    fields = {field.name: field for field in resolution.rules.fields}
    named = resolution.rules.comparisons[0].field.partition(".")[0]
    guards = resolution.rules.guards
    if not guards:
        return gids.clear()
    kept = tuple(fields[name] for name in dict.fromkeys([named, *(part.partition(".")[0] for part in guards)]))
    owners = _current(resolution).filter(pl.col("gid").is_in(gids.implode())).select(*_RECORD, "gid")
    own = records.with_columns(pl.col(_RECORD).cast(pl.String)).join(owners, on=_RECORD, how="semi")
    keys, parts = prepare(own, replace(resolution.rules, fields=kept, survivors=()))
    name = parts.values(f"{named}.core" if fields[named].kind == "company" else named)
    code = pl.coalesce(*(pl.lit(parts.values(part)) for part in guards))
    found = keys.select(*_RECORD, name=name, code=code).join(owners, on=_RECORD)
    most = found.drop_nulls("name").group_by("gid", "name").len().group_by("gid").agg(most=pl.col("len").max())
    counts = found.group_by("gid").agg(pl.len(), pl.col("name").count(), pl.col("code").count()).join(most, on="gid")
    swallowed = resolution.events.filter(pl.col("kind") == "merged").group_by(gid="other_gid").agg(others=pl.len())
    counts = counts.join(swallowed, on="gid", how="left")
    is_one = (pl.col("most") >= limits.min_share_name * pl.col("name")) & (
        pl.col("code") >= limits.min_share_code * pl.col("len")
    )
    return counts.filter(is_one & (pl.col("others").fill_null(0) <= limits.max_swallowed))["gid"]


def _check_changes(resolution: _Counted, limits: Limits) -> list[Finding]:
    share = float(resolution.report["share_ids_changed"])
    if share <= limits.max_share_ids_changed or int(resolution.report["records"]) < limits.min_records:
        return []
    message = (
        f"{share:.1%} of known records change their id, more than {limits.max_share_ids_changed:.1%}: compare rules and input"
    )
    moved = resolution.events.filter(kind="detached").select(pl.concat_str(_RECORD, separator=":")).to_series().sort()
    return [Finding("share_ids_changed", len(moved), message, moved.head(SHOWN).to_list())]


def _check_membership(resolution: Found, records: pl.DataFrame) -> list[Finding]:
    current = _current(resolution)
    keys = records.select(pl.col(_RECORD).cast(pl.String))
    counts = keys.join(current.group_by(_RECORD).len(), on=_RECORD, how="left").with_columns(pl.col("len").fill_null(0))
    broken = counts.filter(pl.col("len") != 1)
    strange = current.join(keys, on=_RECORD, how="anti")
    message = "records without exactly one current id: the identity log and the records do not belong together"
    names = (
        pl.concat([broken.select(_RECORD), strange.select(_RECORD)])
        .select(pl.concat_str(_RECORD, separator=":"))
        .to_series()
        .sort()
    )
    return _report("one_current_id", names, message)


def _check_ids(resolution: Found, events: list[pl.DataFrame]) -> list[Finding]:
    aligned = [align_events(frame, resolution.rules.id_prefix)[0] for frame in events]
    log = pl.concat(aligned) if aligned else resolution.events
    issued = log.filter(pl.col("kind") == "issued").select("gid")
    twice = issued.filter(issued.is_duplicated())["gid"].unique().sort()
    ends = issued.join(resolution.redirects.select("gid", "target_gid"), on="gid", how="left")
    ends = ends.with_columns(end=pl.coalesce("target_gid", "gid"))
    retired = log.filter(pl.col("kind") == "retired").select(end="gid")
    alive = resolution.golden.select(end="gid")
    lost = ends.join(pl.concat([retired, alive]), on="end", how="anti")["gid"].sort()
    away = alive.join(resolution.redirects.select(end="gid"), on="end", how="semi")["end"].sort()
    unknown = (
        alive.join(issued.rename({"gid": "end"}), on="end", how="anti")["end"].sort()
        if len(events) > 1 or not resolution.redirects.height
        else twice.clear()
    )
    return [
        *_report("issued_once", twice, "ids were issued twice: the log was appended to by two runs"),
        *_report("every_id_resolves", lost, "issued ids lead to no live or retired customer: the log is not whole"),
        *_report("live_ids_stay", away, "live ids lead to other customers: the log is not whole"),
        *_report("ids_in_log", unknown, "live ids are not in the identity log handed in: pass the History of this resolution"),
    ]


def _check_golden(resolution: Found) -> list[Finding]:
    attributes = [name for survivor in resolution.rules.survivors for name, _ in survivor.values]
    again = resolution.golden.select("gid").join(
        _read_winners(resolution, attributes), on="gid", how="left", maintain_order="left"
    )
    wrong = pl.any_horizontal(pl.col(attribute).ne_missing(pl.col(f"{attribute}_again")) for attribute in attributes)
    both = pl.concat([resolution.golden, again.select(pl.col(attributes).name.suffix("_again"))], how="horizontal")
    return _report(
        "golden_from_lineage", both.filter(wrong)["gid"].sort(), "golden values differ from the winners of their lineage"
    )


def _read_winners(resolution: Found, attributes: list[str]) -> pl.DataFrame:
    """gid and one column per golden attribute, from the winning rows of the lineage alone."""
    won = resolution.lineage.filter("is_winner")
    wide = won.select("gid").unique()
    for attribute in attributes:
        own = won.filter(pl.col("attribute") == attribute).select("gid", pl.col("value").alias(attribute))
        wide = wide.join(own, on="gid", how="left")
    return wide


def _report(check: str, cases: pl.Series, message: str) -> list[Finding]:
    return [Finding(check, len(cases), f"{len(cases)} {message}", cases.head(SHOWN).to_list())] if len(cases) else []
