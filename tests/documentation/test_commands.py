"""Every command in README, docs and folder READMEs names a command and options that exist."""

from __future__ import annotations

import click
import pytest

from tests.documentation.command_lines import commands, words
from tests.documentation.texts import MARKDOWN, files, read
from tuner.cli.commands import cli


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


def test_commands_are_found_in_all_kinds_of_blocks() -> None:
    text = (
        "```console\n$ python -m tuner run x --seed 1\nUse Tuned\n```\n\n"
        "```yaml\nmodel: cnn\n```\n\n- a\n\n  ```bash\n  python -m tuner run y  # why\n  ```\n\n"
        "```ipython\n!python -m tuner run z\n```\nand `python -m tuner plan x`"
    )
    assert commands(text) == ["run x --seed 1", "run y  # why", "run z", "plan x"]
    assert words("run y  # why") == ["run", "y"]


def test_most_of_the_docs_commands_are_looked_at() -> None:
    assert len(FOUND) > 90


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
