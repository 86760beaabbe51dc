"""What an erasure will take out of landing, found before anything is changed: rows that go, and what tells of them elsewhere."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from warehouse.erasure.keys import Keyed
from warehouse.erasure.landed import (
    Rows,
    Streams,
    clean_landed,
    find_rows,
    is_unusable,
    iterate,
    list_landed,
    list_text_columns,
    match_targets,
    match_traces,
)
from warehouse.erasure.plan import Carrier, Target
from warehouse.erasure.suppression import KEY, Entry, hash_content, hash_value
from warehouse.erasure.told import find_contacts, is_long, list_carriers, list_texts, read_texts
from warehouse.erasure.traces import UNMISTAKABLE_KEY, Record, Scrubber, Traces
from warehouse.home import Home
from warehouse.ledger import Ledger
from warehouse.sql import literal


@dataclass(frozen=True)
class Subject:
    """What was named: records of the hub as (entity, source, source_key), and landed ones as (source, stream, key as JSON).

    has_companies: whether companies are erased as such, not only the rows that a person's data stand in.
    """

    records: frozenset[tuple[str, str, str]] = frozenset()
    landed: frozenset[tuple[str, str, str]] = frozenset()
    has_companies: bool = False


@dataclass(frozen=True)
class Survey:
    """What was found. `records`: all records of the hub that end, as (entity, source, source_key)."""

    records: frozenset[tuple[str, str, str]]
    targets: tuple[Target, ...]
    entries: tuple[Entry, ...]
    traces: Traces
    n_rows: dict[str, int]
    n_cleaned: dict[str, int]
    kept: tuple[str, ...]


def survey_landing(
    home: Home,
    ledger: Ledger,
    keyed: Keyed,
    subject: Subject,
    streams: Streams,
    carriers: Sequence[Carrier],
    staff: Set[tuple[str, str]],
    also: Traces,
    members: Set[Record],
) -> Survey:
    """Find all of it. staff: streams of colleagues, whose mobiles and e-mails are nobody else's. also: ids and derived values.

    members: the hub's records of anybody. What never became one, such as a row in quarantine, is a person's by mobile or e-mail
    and name together.
    """
    targets, going, records = _find_targets(home, ledger, subject, streams, carriers)
    told = read_texts(going, carriers, streams, has_companies=subject.has_companies)
    told.contacts |= also.contacts
    told.names |= also.names
    told.keys |= {key for _, _, key in records}
    standins = {(source, key): keyed.make_standin(source, key) for _, source, key in records}
    by_key = {key: standin for (_, key), standin in sorted(standins.items(), reverse=True)}
    landed = {
        (target.source, target.stream, key): by_key.get(key) or keyed.make_standin(target.source, key)
        for target in targets
        for key in _list_keys(target, going)
    }
    told.keys |= {key for _, _, key in landed}
    keys = {key: by_key.get(key) or keyed.make_standin("", key) for key in told.keys if len(key) >= UNMISTAKABLE_KEY}
    traces = Traces(
        records=standins,
        landed=landed,
        keys={text: standin for text, standin in keys.items() if text not in told.contacts},
        contacts=frozenset(told.contacts),
        names=frozenset(told.names),
        unique_names=frozenset(name for name in told.names if is_long(name)),
        values=also.values,
        gids=also.gids,
    )
    others = _find_others(home, ledger, streams, targets, traces, carriers)
    strays = _find_strays(others, traces, carriers, streams, members)
    if strays - subject.landed:
        wider = replace(subject, landed=subject.landed | strays)
        return survey_landing(home, ledger, keyed, wider, streams, carriers, staff, also, members)
    traces, kept = _leave_to_others(traces, others, carriers, staff, home, ledger, targets)
    mentions = {rows.where: _find_mentions(rows, Scrubber(traces), keyed) for rows in others}
    entries = [*_block_records(keyed, targets, going), *_block_mentions(keyed, others, mentions, traces)]
    return Survey(
        frozenset(records),
        tuple(targets),
        tuple(entries),
        traces,
        _count({rows.where: rows.frame.height for rows in going}),
        _count({where: len(found) for where, found in mentions.items()}),
        kept,
    )


def _find_targets(
    home: Home, ledger: Ledger, subject: Subject, streams: Streams, carriers: Sequence[Carrier]
) -> tuple[list[Target], list[Rows], set[tuple[str, str, str]]]:
    """The rows that go, and all records of the hub that they made: a row that is a company's and its contact's goes as both."""
    records = set(subject.records)
    while True:
        targets = _aim(records, subject, carriers)
        going = []
        for source, stream in dict.fromkeys((target.source, target.stream) for target in targets):
            own = [target for target in targets if (target.source, target.stream) == (source, stream)]
            fields = [target.field for target in own if target.field != KEY] + [
                c.field for c in list_carriers(carriers, source, stream)
            ]
            declared = streams.get((source, stream))
            going.append(find_rows(home, ledger, source, stream, declared, match_targets(own), fields))
        found = {
            (carrier.entity, carrier.source, text)
            for rows in going
            for carrier in list_carriers(carriers, rows.source, rows.stream)
            for text in rows.frame[f"__{carrier.field}"].unique()
            if text is not None
        }
        if found <= records:
            return targets, [rows for rows in going if rows.frame.height], records
        records |= found


def _aim(records: Iterable[tuple[str, str, str]], subject: Subject, carriers: Sequence[Carrier]) -> list[Target]:
    texts: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for entity, source, key in records:
        for carrier in carriers:
            if (carrier.entity, carrier.source) == (entity, source):
                texts[source, carrier.stream.name, carrier.field].add(key)
    for source, stream, key in subject.landed:
        texts[source, stream, KEY].add(key)
    return [Target(*place, tuple(sorted(wanted))) for place, wanted in sorted(texts.items())]


def _list_keys(target: Target, going: Sequence[Rows]) -> set[str]:
    """The first part of the keys of the rows that go."""
    found = [rows.frame["__key"] for rows in going if (rows.source, rows.stream) == (target.source, target.stream)]
    return {str(text) for keys in found for text in keys.drop_nulls().str.json_path_match("$[0]").drop_nulls()}


def _find_others(
    home: Home,
    ledger: Ledger,
    streams: Streams,
    targets: Sequence[Target],
    traces: Traces,
    carriers: Sequence[Carrier],
) -> list[Rows]:
    """The rows that stay and hold something that tells of those that go."""
    scrubber = Scrubber(traces)
    others = []
    for source, stream in list_landed(ledger):
        own = [target for target in targets if (target.source, target.stream) == (source, stream)]
        named = [target.field for target in own if target.field != KEY]
        named += [carrier.field for carrier in list_carriers(carriers, source, stream)]
        condition = f"not coalesce({match_targets(own)}, false) and " + match_traces(
            scrubber, list_text_columns(ledger, source, stream)
        )
        found = find_rows(home, ledger, source, stream, streams.get((source, stream)), condition, named)
        if found.frame.height:
            others.append(found)
    return others


def _find_strays(
    others: Sequence[Rows], traces: Traces, carriers: Sequence[Carrier], streams: Streams, members: Set[Record]
) -> set[tuple[str, str, str]]:
    """Landed rows of the person that the hub does not know."""
    found = set()
    for rows in others:
        fields = [f"__{carrier.field}" for carrier in list_carriers(carriers, rows.source, rows.stream)]
        for place, row in enumerate(iterate(rows)):
            if not fields or is_unusable(row) or any((rows.source, row[name]) in members for name in fields):
                continue
            told = read_texts([replace(rows, frame=rows.frame[place : place + 1])], carriers, streams, has_companies=False)
            if told.contacts & traces.contacts and told.names & traces.names:
                found.add((rows.source, rows.stream, row["__key"]))
    return found


def _leave_to_others(
    traces: Traces,
    others: Sequence[Rows],
    carriers: Sequence[Carrier],
    staff: Set[tuple[str, str]],
    home: Home,
    ledger: Ledger,
    targets: Sequence[Target],
) -> tuple[Traces, tuple[str, ...]]:
    """Without what somebody else has too: a mobile of another person or a colleague, a key or a name of another record."""
    people = staff | {(carrier.source, carrier.stream.name) for carrier in carriers if carrier.entity == "person"}
    held: set[str] = set()
    for rows in others:
        for row in iterate(rows):
            if (rows.source, rows.stream) in people and not is_unusable(row):
                held |= {contact for text in list_texts(row) for contact in find_contacts(text)}
            held |= set(json.loads(row["__key"] or "[]")) & traces.keys.keys()
    shared = [text for text in (*traces.contacts, *traces.keys) if text in held]
    kept = (f"{len(shared)} mobiles, e-mails or keys that another record has too",) if shared else ()
    keys = {text: standin for text, standin in traces.keys.items() if text not in held}
    own = replace(traces, contacts=traces.contacts - held, keys=keys, unique_names=frozenset())
    # a name beside the person's mobile is no other person's
    namesakes = _find_names_of_others(traces.unique_names, others, Scrubber(own))
    namesakes |= _find_namesakes(traces.unique_names, carriers, home, ledger, targets)
    return replace(own, unique_names=traces.unique_names - namesakes), kept


def _find_names_of_others(names: Set[str], others: Sequence[Rows], scrubber: Scrubber) -> set[str]:
    """Names that stand alone in a cell of a row that tells of the person by nothing else."""
    found: set[str] = set()
    for rows in others:
        for row in iterate(rows):
            if not any(scrubber.find(text) for text in list_texts(row)):
                found |= {text.strip() for text in list_texts(row)} & names
    return found


def _find_namesakes(
    names: Set[str], carriers: Sequence[Carrier], home: Home, ledger: Ledger, targets: Sequence[Target]
) -> set[str]:
    """Names that another record has in several columns, such as family and given name."""
    found: set[str] = set()
    for carrier in carriers:
        own = [t for t in targets if (t.source, t.stream) == (carrier.source, carrier.stream.name)]
        for parts in (fields for fields in carrier.names if len(fields) > 1 and names):
            whole = " || ".join(f"coalesce(\"__{name}\", '')" for name in parts)
            wanted = ", ".join(map(literal, sorted(names)))
            fields = [*parts, *(target.field for target in own if target.field != KEY)]
            condition = f"not coalesce({match_targets(own)}, false) and {whole} in ({wanted})"
            rows = find_rows(home, ledger, carrier.source, carrier.stream.name, carrier.stream, condition, fields)
            found |= {"".join(row[f"__{name}"] or "" for name in parts) for row in iterate(rows)}
    return found


def _find_mentions(rows: Rows, scrubber: Scrubber, keyed: Keyed) -> list[dict[str, Any]]:
    return [row for row in iterate(rows) if clean_landed(row, scrubber, keyed) is not None]


def _block_records(keyed: Keyed, targets: Sequence[Target], going: Sequence[Rows]) -> list[Entry]:
    entries = []
    for target in targets:
        seen: dict[str, list[str]] = {text: [] for text in target.texts}
        column = "__key" if target.field == KEY else f"__{target.field}"
        for rows in going:
            if (rows.source, rows.stream) == (target.source, target.stream):
                for row in iterate(rows):
                    if row[column] in seen and row["_row_hash"]:
                        seen[row[column]].append(keyed.hash("seen", row["_row_hash"]))
        for text, hashes in seen.items():
            hashed = keyed.hash("record", text)
            entries.append(Entry(target.source, target.stream, "record", target.field, hashed, tuple(dict.fromkeys(hashes))))
    return entries


def _block_mentions(
    keyed: Keyed, others: Sequence[Rows], mentions: Mapping[str, Sequence[Mapping[str, Any]]], traces: Traces
) -> list[Entry]:
    texts = {*traces.contacts, *traces.names, *traces.unique_names, *traces.keys}
    values = tuple(sorted({hash_value(keyed, text) for text in texts}))
    entries = {}
    for rows in others:
        for row in mentions[rows.where]:
            if is_unusable(row):
                names = {"position": row["_position"], "payload": row["_payload"]} if row["_op"] == "reject" else row
                entry = Entry(rows.source, rows.stream, "content", KEY, hash_content(keyed, names))
            else:
                entry = Entry(rows.source, rows.stream, "values", KEY, keyed.hash("record", row["__key"]), values)
            entries[entry.source, entry.stream, entry.kind, entry.hash] = entry
    return list(entries.values())


def _count(counts: Mapping[str, int]) -> dict[str, int]:
    return {where: count for where, count in sorted(counts.items()) if count}
