"""Quoting: the only place where a name or a constant becomes SQL text."""

from collections.abc import Iterable


def identifier(name: str) -> str:
    """A column, table or schema name, quoted."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str | None) -> str:
    """A text constant (a contract's format, zone or value), quoted; None is null."""
    return "null" if text is None else "'" + text.replace("'", "''") + "'"


def literal_list(texts: Iterable[str]) -> str:
    """A DuckDB list of text constants."""
    return "[" + ", ".join(literal(text) for text in texts) + "]"


def landing_table(source: str, stream: str) -> str:
    """Qualified name of a stream's loaded table."""
    return "landing." + identifier(f"{source}__{stream}")
