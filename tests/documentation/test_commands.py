"""Every command in README, docs and folder READMEs names a command and options that exist."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from tests.documentation.texts import MARKDOWN, files, read
from tuner.cli.commands import cli

_BLOCK = re.compile(r"^[ ]*```(?:bash|sh|console)?\n(.*?)^[ ]*```$", re.DOTALL | re.MULTILINE)
_START = re.compile(r"(?:python|\.venv/bin/python|\.venv\\Scripts\\python) -m tuner\b(.*)")
# What stands for any value in the docs, where an option takes a number or one of a few words.
_STANDS_FOR = {"--format": "onnx", "--to": "optuna", "--track": "optuna"}


def commands(text: str) -> list[str]:
    """What follows `python -m tuner` in blocks of code and in inline code."""
    lines = [line for block in _BLOCK.findall(text) for line in block.splitlines()]
    outside = re.sub(r"(?ms)^ *```.*?^ *```$", "", text)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"(?<=\S)\n(?=[ ]*\S)", " ", outside))
    return [match[1].strip() for one in (*lines, *inline) if (match := _START.search(one))]


def words(line: str) -> list[str]:
    """The arguments of a command line, without comments, explanations and the rest of a pipe."""
    line = re.sub(r"\$\w+", "1", line)
    line = re.split(r"`|\s{3,}|\s[|&>]|\s#|&&", line.replace("...", " "))[0]
    found = shlex.split(line.replace("[", "").replace("]", ""))
    return [
        _STANDS_FOR.get(before, one) if one.isupper() else one
        for before, one in zip(["", *found], found, strict=False)
    ]


def parse(arguments: list[str]) -> None:
    """Parse a command line as the program does, and run nothing.

    Raises:
        click.UsageError: If a command or an option does not exist, or a value does not fit.
    """
    context = click.Context(cli, info_name="tuner")
    if not arguments or arguments[0].startswith("-"):
        cli.make_context("tuner", list(arguments), resilient_parsing=True)
        return
    group: click.Group = cli
    while arguments:
        name, command, rest = group.resolve_command(context, arguments)
        assert command is not None
        if isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            group, arguments = command, rest
            continue
        # A text that names a command alone, such as `python -m tuner run`, gives no arguments.
        if rest:
            command.make_context(name, list(rest))
        return


FOUND = [
    pytest.param(line, id=f"{path}-{number}")
    for path in files(MARKDOWN)
    for number, line in enumerate(commands(read(path)))
]


@pytest.mark.parametrize("line", FOUND)
def test_a_command_of_the_docs_is_understood(line: str) -> None:
    parse(words(line))


def test_commands_are_found_in_blocks_of_a_terminal_too() -> None:
    text = (
        "```console\n$ python -m tuner run x --seed 1\nUse Tuned\n```\nand `python -m tuner plan x`"
    )
    assert commands(text) == ["run x --seed 1", "plan x"]


def test_most_of_the_docs_commands_are_looked_at() -> None:
    assert len(FOUND) > 60


@pytest.mark.parametrize(
    "line",
    [
        *("runn digits", "run digits --presett quick", "run digits --preset fast"),
        *("datasets chek x", "export my_photos", "train --out x"),
    ],
)
def test_a_command_that_does_not_exist_is_found(line: str) -> None:
    with pytest.raises(click.UsageError):
        parse(words(line))
