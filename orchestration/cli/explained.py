"""What `goldthread explain` found, as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

#: rows of a list that the text shows; --json has all
_SHOWN = 40
_OF_IDS = ("issued", "merged", "split", "restored", "retired")
#: what a golden record says of the customer and not of one of its records
_OF_THE_WHOLE = ("parent_gid", "relation", "n_records", "n_sources", "first_seen_at", "updated_at")


def print_pair(console: Console, answer: dict[str, Any]) -> None:
    """The evidence as a waterfall: what each field adds, in bits, at which level, and what it compared; and what came of it."""
    if answer["weight"] is not None:
        _print_waterfall(console, answer)
    for veto in answer["vetoes"]:
        _say(console, f"never one by the rules: {veto}")
    if answer["decision"]:
        _say(console, f"people decided: {answer['decision']}")
    called = "person" if answer.get("entity") == "person" else "customer"
    together = f"are one {called}" if answer["are_one_customer"] else f"are two {called}s"
    bits = "no edge of their own" if answer["weight"] is None else f"{answer['weight']:+.1f} bits"
    console.print(
        f"{bits}; a match needs {answer['match_bits']:+.1f}, review {answer['review_bits']:+.1f}; "
        f"they {together} now: {', '.join(dict.fromkeys(answer['customers']))}",
        highlight=False,
    )
    for other in answer.get("also", []):
        console.print(f"both are records of a {other} too: --entity {other}", highlight=False)
    for step in answer["path"]:
        why = step["decision"] or f"match, {step['weight']:+.1f} bits"
        _say(console, f"joined: {':'.join(step['a'])} and {':'.join(step['b'])}: {why}")
    for held in answer["held_back"]:
        _say(console, f"kept two by: {held['text']}")


def _print_waterfall(console: Console, answer: dict[str, Any]) -> None:
    a, b = (f"{source}:{key}" for source, key in (answer["a"], answer["b"]))
    table = Table(title=f"{a} and {b}: {answer['verdict']}", title_justify="left", header_style="bold")
    # files have neither levels nor values
    beside = [name for name in ("level", "a", "b") if any(field[name] is not None for field in answer["fields"])]
    headers = {"field": "field", "level": "level", "bits": "bits", "sum": "sum", "a": a, "b": b}
    shown = [name for name in headers if name in ("field", "bits", "sum", *beside)]
    for name in shown:
        table.add_column(headers[name], justify="right" if name in {"bits", "sum"} else "left", overflow="fold")

    def add(bits: float, total: float, **cells: str | None) -> None:
        row = {"bits": f"{bits:+.1f}", "sum": f"{total:+.1f}", **cells}
        table.add_row(*(escape(row.get(name) or "") for name in shown))

    total = answer["prior"]
    add(total, total, field="prior")
    silent = []
    for field in answer["fields"]:
        if not field["bits"]:
            silent.append(field["field"])
            continue
        total += field["bits"]
        add(field["bits"], total, **{name: field[name] for name in ("field", "level", "a", "b")})
    for name, bits in answer["together"].items():
        total += bits
        add(bits, total, field=name.replace("_", " "))
    console.print(table)
    if silent:
        console.print(f"adds nothing: {', '.join(silent)}", highlight=False)


def print_customer(console: Console, answer: dict[str, Any]) -> None:
    """Its golden values with where each comes from and what lost, how its records hang together, and what became of its ids."""
    for text in answer["became"]:
        _say(console, text)
    if answer["golden"]:
        [golden] = answer["golden"]
        _print_golden(console, golden, answer["lineage"])
        whole = [f"{name} {golden[name]}" for name in _OF_THE_WHOLE if golden.get(name) is not None]
        _say(console, ", ".join(whole))
        _print_tree(console, answer["tree"])
    for other in answer.get("also", []):
        _say(console, f"{answer['asked']} is a record of a {other} too: --entity {other}")
    for text in _cut([*_tell_left(answer["records"]), *_tell_decisions(answer["decisions"]), *_tell_events(answer["events"])]):
        _say(console, text)


def _print_golden(console: Console, golden: dict[str, Any], lineage: list[dict[str, Any]] | None) -> None:
    gid = next(value for name, value in golden.items() if name in ("customer_gid", "person_gid"))
    table = Table(title=gid, title_justify="left", header_style="bold")
    for name in ("attribute", "value", "from", "rule", "values that lost"):
        table.add_column(name, overflow="fold")
    offered: dict[str, list[dict[str, Any]]] = {}
    for row in lineage or []:
        offered.setdefault(row["attribute"], []).append(row)
    for name, value in golden.items():
        if name in (*_OF_THE_WHOLE, "customer_gid", "person_gid", "status") or (value is None and name not in offered):
            continue
        winner = next((row for row in offered.get(name, []) if row["is_winner"]), None)
        losers = {str(row["value"]): row for row in reversed(offered.get(name, [])) if not row["is_winner"]}
        won = str(winner["value"]) if winner else None
        lost = [f"{text} ({_name(row)})" for text, row in reversed(losers.items()) if text != won]
        shown = ("" if value is None else str(value), _name(winner) if winner else "", winner["rule"] if winner else "")
        table.add_row(*map(escape, (name, *shown, "; ".join(_cut(lost, 5)))))
    console.print(table)
    if lineage is None:
        _say(console, "the files do not say where the values come from: a hub does (--hub)")


def _print_tree(console: Console, steps: list[dict[str, Any]]) -> None:
    """Each record below the one that it is joined to."""
    roots: list[Tree] = []
    places: dict[tuple[str, str], Tree] = {}
    for step in steps[:_SHOWN]:
        name = ":".join(step["b"])
        if step["a"] is None:
            places[step["b"]] = Tree(Text(name))
            roots.append(places[step["b"]])
            continue
        why = step["decision"] or f"{step['weight']:+.1f} bits"
        places[step["b"]] = places[step["a"]].add(Text(f"{name}  {why}"))
    for root in roots:
        console.print(root)
    if len(steps) > _SHOWN:
        _say(console, f"... and {len(steps) - _SHOWN:,} more records: --json has all")


def _tell_left(records: list[dict[str, Any]]) -> Iterator[str]:
    for row in records:
        if row.get("valid_to") is not None:
            yield f"{_name(row)} was of it from {row['valid_from']:%Y-%m-%d} to {row['valid_to']:%Y-%m-%d}"


def _tell_decisions(decisions: list[dict[str, Any]]) -> Iterator[str]:
    halves = Counter(row["decision_id"] for row in decisions)
    for row in decisions:
        is_move = halves[row["decision_id"]] > 1
        if is_move and row["kind"] == "split":
            continue
        reason = f": {row['reason']}" if row["reason"] else ""
        who = f"{'move' if is_move else row['kind']} by {row['actor']} on {row['at']:%Y-%m-%d}{reason}"
        yield f"people decided: {who} ({row['state']}, {row['decision_id']})"


def _tell_events(events: list[dict[str, Any]]) -> Iterator[str]:
    """What became of ids; that records came and went is told of the records."""
    for row in events:
        if row["kind"] in _OF_IDS:
            gid = row.get("gid") or row.get("customer_gid")
            other = f" {row['other_gid']}" if row["other_gid"] else ""
            yield f"{row['at']:%Y-%m-%d} {gid} {row['kind']}{other}"


def _cut(texts: list[str], most: int = _SHOWN) -> list[str]:
    return texts if len(texts) <= most else [*texts[:most], f"... and {len(texts) - most:,} more: --json has all"]


def _name(row: dict[str, Any]) -> str:
    return f"{row['source']}:{row['source_key']}"


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
