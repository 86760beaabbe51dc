"""Page walks end, or say why they cannot."""

from collections.abc import Callable

import pytest

from connectors.errors import ContractBroken
from connectors.frames import json_types, to_frame
from connectors.paging import Page, take_list, walk_pages


def serve(pages: dict[str | None, Page]) -> Callable[[str | None], Page]:
    return lambda token: pages[token]


def test_pages_are_walked_until_the_token_is_empty() -> None:
    pages = {None: Page([1, 2], "a"), "a": Page([3], "b"), "b": Page([], "")}
    assert [page.items for page in walk_pages(serve(pages), "x")] == [[1, 2], [3], []]


def test_a_token_that_comes_twice_is_an_error() -> None:
    pages = {None: Page([1], "a"), "a": Page([2], "b"), "b": Page([3], "a")}
    with pytest.raises(ContractBroken, match="'a' came twice"):
        list(walk_pages(serve(pages), "x"))


def test_a_walk_stops_at_the_page_cap() -> None:
    with pytest.raises(ContractBroken, match="more than 3 pages"):
        list(walk_pages(lambda token: Page([1], str(int(token or 0) + 1)), "x", max_pages=3))


def test_fewer_rows_than_the_reported_total_are_an_error() -> None:
    pages = {None: Page([1, 2], "a", 4), "a": Page([3], None, 4)}
    with pytest.raises(ContractBroken, match="read 3 rows but the vendor reports 4"):
        list(walk_pages(serve(pages), "x"))


def test_a_resumed_walk_is_not_held_to_the_total() -> None:
    assert list(walk_pages(serve({"a": Page([3], None, 4)}), "x", start="a")) == [Page([3], None, 4)]


@pytest.mark.parametrize("body", [{"errcode": 0}, {"rows": None}, {"rows": {}}, [], "text", None])
def test_a_page_without_its_list_is_an_error_and_not_empty(body: object) -> None:
    with pytest.raises(ContractBroken, match="has no list 'rows'"):
        take_list(body, "rows", "x")


def test_everything_becomes_text_verbatim() -> None:
    frame = to_frame([{"phone": "00123", "n": 7, "ok": True, "tags": ["甲"], "none": None}, {"_row_no": 1}], ["first"])
    assert frame.columns == ["first", "phone", "n", "ok", "tags", "none", "row_no"]
    assert {str(dtype) for dtype in frame.dtypes} == {"String"}
    assert frame.row(0) == (None, "00123", "7", "true", '["甲"]', None, None)


def test_a_column_of_two_json_types_shows_both() -> None:
    assert json_types([{"a": 1, "b": None}, {"a": "1", "c": [1]}]) == {"a": "number|string", "c": "array"}
