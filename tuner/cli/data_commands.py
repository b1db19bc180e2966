"""`validate` and `datasets`: the inputs of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import click

from tuner.cli.group import Group
from tuner.cli.options import A_PATH, CONTEXT, as_json, data_dir, image_size, out
from tuner.cli.terminal.output import plain, print_json, say

SchemaName = Literal["space", "card", "results"]


@click.command(context_settings=CONTEXT)
@click.argument("files", nargs=-1, type=A_PATH)
@click.option(
    "--schema",
    type=click.Choice(get_args(SchemaName)),
    help="Print a JSON Schema: of spaces or cards (for editors), or of results.json.",
)
def validate(files: tuple[Path, ...], schema: SchemaName | None) -> int:
    """Check search spaces and data cards, and list their mistakes.

    Without FILES, check search_spaces/ and datasets/.
    """
    if schema:
        _print_schema(schema)
        return 0
    from tuner.commands.validate import validate as validate_command

    checked = validate_command(files)
    for one in checked:
        if one.error:
            say(str(one.error))
        else:
            families = f"; model: {', '.join(one.families)}" if one.families else ""
            click.echo(plain(f"{one.path}: valid{families}"))
    return 2 if any(one.error for one in checked) else 0


def _print_schema(kind: SchemaName) -> None:
    if kind == "card":
        from tuner.data.cards.card_files import card_schema as schema
    elif kind == "results":
        from tuner.store.results_schema import schema_text as schema
    else:
        from tuner.space.parsing.schema import schema_text as schema
    click.echo(schema(), nl=False)


@click.group(cls=Group, context_settings=CONTEXT, invoke_without_command=True)
@data_dir
@as_json
@click.pass_context
def datasets(context: click.Context, data_dir: Path, json_lines: bool) -> None:
    """List the data sets that have a card, and whether their data and caches are present."""
    if context.invoked_subcommand is not None:
        if json_lines and context.invoked_subcommand in ("clean", "fetch"):
            raise click.UsageError(f"`datasets {context.invoked_subcommand}` has no --json.")
        # What stands before a subcommand counts for it, too.
        context.default_map = {
            context.invoked_subcommand: {"data_dir": data_dir, "json_lines": json_lines}
        }
        return
    from tuner.commands.datasets import list_datasets

    for dataset in list_datasets(data_dir):
        if json_lines:
            print_json(dataset.record())
            continue
        click.echo(plain(f"{dataset.name:20} {dataset.title}"))
        for line in dataset.state():
            click.echo(plain(f"{'':20} {line}"))


@datasets.command(context_settings=CONTEXT)
@click.argument("dataset", metavar="NAME_OR_FOLDER")
@image_size
@out
@data_dir
@as_json
def check(
    dataset: str,
    image_size: tuple[int, int] | None,
    out: Path,
    data_dir: Path,
    json_lines: bool,
) -> None:
    """Check the data of NAME_OR_FOLDER for copies, wrong labels and broken files.

    The exit code is 4 if results on these data would be worthless.
    """
    from tuner.cli.endings.check_table import examination_table, records, show
    from tuner.commands.check import check as check_command
    from tuner.pipeline.preparation.examination import refuse_worthless

    checked = check_command(dataset, image_size=image_size, data_dir=data_dir, out=out)
    if json_lines:
        for record in records(checked):
            print_json(record)
    else:
        show(examination_table(checked.examination))
        click.echo(checked.page)
    refuse_worthless(checked.examination)


@datasets.command(context_settings=CONTEXT)
@click.argument("names", nargs=-1)
@data_dir
def clean(names: tuple[str, ...], data_dir: Path) -> None:
    """Delete cached images of NAMES, or of all data sets; your own files stay."""
    from tuner.commands.datasets import clean_caches

    for line in clean_caches(names, data_dir):
        click.echo(plain(line))


@datasets.command(context_settings=CONTEXT)
@click.argument("name")
@data_dir
def fetch(name: str, data_dir: Path) -> None:
    """Download NAME into the data folder, or check and repair an earlier download."""
    from tuner.commands.fetch import fetch as fetch_command

    click.echo(plain(fetch_command(name, data_dir).line()))
