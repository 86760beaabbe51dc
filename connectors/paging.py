"""Walking through pages without trusting the server to end: page cap, repeated token, count against total."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from connectors.errors import ContractBroken

MAX_PAGES = 20_000


@dataclass(frozen=True)
class Page:
    """One page: its items, the token of the next page (None or empty: the last) and the total, if the vendor reports one."""

    items: list[Any]
    next_token: str | None = None
    total: int | None = None


def take_list(body: Any, key: str, where: str) -> list[Any]:
    """The list at `key` of an answer. An answer without it is an error and never "0 rows"."""
    found = body.get(key) if isinstance(body, dict) else None
    if not isinstance(found, list):
        keys = sorted(body) if isinstance(body, dict) else type(body).__name__
        raise ContractBroken(f"{where}: the answer has no list {key!r} (it has {keys}); the vendor's format has changed")
    return found


def walk_pages(
    fetch: Callable[[str | None], Page], where: str, *, start: str | None = None, max_pages: int = MAX_PAGES
) -> Iterator[Page]:
    """Fetch pages from token `start` until one carries no next token.

    Raises ContractBroken after `max_pages`, when a token comes twice (we would loop for ever), and when the items of
    a walk from the beginning are not as many as the total that the last page reports.
    """
    token, seen, count = start, {start}, 0
    for _ in range(max_pages):
        page = fetch(token)
        count += len(page.items)
        yield page
        if not page.next_token:
            _check_total(count, page.total, start, where)
            return
        if page.next_token in seen:
            raise ContractBroken(
                f"{where}: page token {page.next_token!r} came twice after {count} rows; the walk would never end"
            )
        token = page.next_token
        seen.add(token)
    raise ContractBroken(f"{where}: more than {max_pages} pages ({count} rows so far); raise the cap if this is real")


def _check_total(count: int, total: int | None, start: str | None, where: str) -> None:
    if total is not None and start is None and count != total:
        raise ContractBroken(f"{where}: read {count} rows but the vendor reports {total}")
