"""The reference of the command line, from the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

_HEAD = """\
# Command line

Generated from `python -m tuner --help` and the help of each command. `-h` or `--help` works
everywhere.
"""


def command_line_page(group: click.Group) -> str:
    """The whole page, one section for each command."""
    return "\n".join([_HEAD, *_commands(group, "python -m tuner")])


def _commands(group: click.Group, path: str) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        yield _section(command, f"{path} {name}")
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")


def _section(command: click.Command, path: str) -> str:
    context = click.Context(command, info_name=path)
    usage = " ".join(command.collect_usage_pieces(context))
    help_text = inspect.cleandoc(command.help or "").replace("\b\n", "")
    title = path.removeprefix("python -m tuner ")
    rows = [_row(one, context) for one in command.params if isinstance(one, click.Option)]
    table = ["| option | meaning |", "| --- | --- |", *filter(None, rows)] if rows else []
    return "\n".join(
        [f"## {title}", "", f"```\n{path} {usage}\n```", "", help_text, "", *table, ""]
    )


def _row(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    if record is None:
        return ""
    names, meaning = (text.replace("|", "\\|").replace("\n", " ") for text in record)
    return f"| `{names}` | {_escaped(meaning)} |"


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")
