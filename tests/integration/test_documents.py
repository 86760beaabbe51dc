"""What the documents tell people to type exists: every `goldthread` line parses, every `make` target is there."""

from __future__ import annotations

import re
import runpy
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from connectors.catalog import declare_streams
from orchestration.cli.app import app
from orchestration.project import load_project

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md"), *ROOT.glob("bench/*.md")])
CODE = re.compile(r"`([^`\n]+)`|^(?: {4}|\t)(.+)$", re.MULTILINE)
FENCED = re.compile(r"^ *```\w*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def read_code(document: Path) -> Iterator[str]:
    """Lines of code blocks, and code within sentences."""
    text = document.read_text(encoding="utf-8")
    for block in FENCED.findall(text):
        yield from (line.strip() for line in block.splitlines())
    for within, indented in CODE.findall(FENCED.sub("", text)):
        yield (within or indented).strip()


def find(start: str) -> list[tuple[str, str]]:
    """(document, line) of everything to type that begins so."""
    found = [(str(path.relative_to(ROOT)), line) for path in DOCUMENTS for line in read_code(path)]
    return sorted({(name, line) for name, line in found if re.match(rf"{start}\b(?![-./])", line)})


def parse(line: str) -> str:
    """The command that the line is, its arguments parsed and not run; fails as the command line would."""
    words = shlex.split(line, comments=True)
    group: Any = typer.main.get_command(app)
    context = group.make_context("goldthread", words[1:])
    path = []
    while True:
        name, command, rest = group.resolve_command(context, [*context._protected_args, *context.args])
        path.append(name)
        context = command.make_context(name, rest, parent=context)
        if not hasattr(command, "resolve_command"):
            return " ".join(path)
        group = command


COMMANDS = find("goldthread")
TARGETS = [(document, shlex.split(line, comments=True)[1:]) for document, line in find("make")]


def test_the_documents_show_the_commands_that_there_are():
    shown = {parse(line) for _document, line in COMMANDS}
    assert {"run", "status", "explain", "rollback", "quarantine list", "quarantine retry", "sandbox serve"} <= shown


@pytest.mark.parametrize(("document", "line"), COMMANDS)
def test_a_command_that_is_shown_can_be_typed(document, line):
    assert parse(line), document


@pytest.mark.parametrize(("document", "words"), TARGETS)
def test_a_make_target_that_is_shown_exists(document, words):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {word for word in words if "=" not in word} <= targets, document


@pytest.mark.parametrize(
    "line", ["goldthread derive", "goldthread run --quickly", "goldthread rollback", "goldthread sandbox stop"]
)
def test_a_command_that_does_not_exist_is_noticed(line):
    with pytest.raises(Exception, match=r"(?i)no such|missing"):
        parse(line)


def test_the_tests_that_documents_name_are_there():
    named = {(path.name, test) for path in DOCUMENTS for test in read_code(path) if re.fullmatch(r"test_\w+", test)}
    written = {
        name for path in ROOT.glob("tests/**/*.py") for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert len(named) > 20
    assert {(name, test) for name, test in named if test not in written} == set()


def test_the_pictures_and_pages_that_documents_link_to_are_there():
    links = {
        (path.relative_to(ROOT), link)
        for path in DOCUMENTS
        for link in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    }
    assert {(name, link) for name, link in links if not (ROOT / name).parent.joinpath(link).exists()} == set()


def test_make_help_tells_what_every_target_does():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)[1].split()
    assert [name for name in targets if not re.search(rf"^{name}:.*## \S", text, re.MULTILINE)] == []


def test_the_example_of_a_new_source_is_a_project(tmp_path):
    text = (ROOT / "docs" / "adding-a-source.md").read_text(encoding="utf-8")
    contract, project = [
        textwrap.dedent(block) for block in re.findall(r"^ *```yaml\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    ]
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "old_orders.yaml").write_text(contract, encoding="utf-8")
    (tmp_path / "goldthread.yaml").write_text(project, encoding="utf-8")
    [source] = load_project(tmp_path / "goldthread.yaml", tmp_path / "home").sources
    [stream] = declare_streams(source.kind, source.settings, tmp_path)
    assert {feed.entity for feed in stream.feeds} == {"party", "order"}


def test_the_waterfall_of_the_method_is_of_the_present_output():
    """Else draw the pictures anew: `python docs/images/draw.py`."""
    _, example = runpy.run_path(str(ROOT / "docs/images/draw.py"))["find_example"]()
    *first, last = [field["field"] for field in example["fields"] if field["bits"]]
    shown = f"from the prior of {example['prior']:+.1f} bits by {', '.join(first)} and {last} to {example['weight']:+.1f}"
    assert f"![A waterfall: {shown}]" in (ROOT / "docs/identity.md").read_text(encoding="utf-8")
