"""The texts that users read: pages, notebooks, comments of YAML, help, templates, strings."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import click

ROOT = Path(__file__).parents[2]
# Decisions are a record: they are superseded, never edited.
MARKDOWN = ("*.md", "docs/**/*.md", "*/README.md")
COMMENTED = ("search_spaces/*.yaml", "datasets/*.yaml")
TEMPLATES = ("tuner/**/*.html",)
MODULES = ("tuner/**/*.py",)
NOTEBOOKS = ("docs/notebooks/*.ipynb",)


def files(patterns: tuple[str, ...]) -> list[str]:
    """The files that match, relative to the root, without the decisions and what runs wrote."""
    found = {path.relative_to(ROOT).as_posix() for one in patterns for path in ROOT.glob(one)}
    return sorted(path for path in found if not path.startswith((".", "docs/adr/0", "reports/.")))


def read(path: str) -> str:
    """The text of a file of the repository."""
    return (ROOT / path).read_text(encoding="utf-8")


def template_text(html: str) -> str:
    """What a template shows: no tags, no scripts, no expressions; line numbers stay."""
    for pattern in (r"<(script|style)\b.*?</\1>", r"\{[{%#].*?[}%#]\}", r"<[^>]*>"):
        html = re.sub(pattern, lambda hit: "\n" * hit[0].count("\n"), html, flags=re.DOTALL)
    return html


def markdown_cells(notebook: str) -> Iterator[tuple[int, str]]:
    """The number, from 0, and the text of each Markdown cell of a notebook."""
    for number, cell in enumerate(json.loads(notebook)["cells"]):
        if cell["cell_type"] == "markdown":
            yield number, "".join(cell["source"])


def strings(source: str) -> Iterator[tuple[int, str]]:
    """The line and text of each string of a module that holds words and is no docstring."""
    tree = ast.parse(source)
    statements = (node.value for node in ast.walk(tree) if isinstance(node, ast.Expr))
    docstrings = {id(value) for value in statements if isinstance(value, ast.Constant)}
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in docstrings and " " in node.value.strip():
            yield node.lineno, node.value


def help_texts(command: click.Command, name: str = "tuner") -> Iterator[tuple[str, str]]:
    """The name and text of each help text of a command, its options and its subcommands."""
    yield name, command.help or ""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            yield f"{name} {parameter.opts[0]}", parameter.help or ""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for sub in command.list_commands(context):
            found = command.get_command(context, sub)
            assert found is not None
            yield from help_texts(found, f"{name} {sub}")
