"""`report`, `compare`, `refine` and `track`: read finished runs."""

from __future__ import annotations

from pathlib import Path

import click

from tuner.cli.options import A_PATH, CONTEXT, as_json, out
from tuner.cli.terminal.output import plain, print_json, say
from tuner.space.trackers import TRACKERS, tracker_help


@click.command(context_settings=CONTEXT)
@click.argument("run", type=A_PATH)
@click.option(
    "--markdown",
    is_flag=True,
    help="Print a Markdown summary for a pull request; the page is not written.",
)
@click.option(
    "--figures",
    "into",
    type=A_PATH,
    metavar="DIR",
    help="Write the figures as SVG and PNG for slides; the page is not written.",
)
def report(run: Path, markdown: bool, into: Path | None) -> None:
    """Rebuild the report of RUN from its files; RUN is a folder, latest, or a data set's name."""
    if markdown and into is not None:
        raise click.UsageError("--markdown and --figures are two outputs: give one of them.")
    if into is not None:
        from tuner.commands.report import figures

        for path in figures(run, into, lambda text: say(f"note: {text}")):
            click.echo(path)
        return
    if markdown:
        from tuner.commands.report import markdown as markdown_of

        click.echo(plain(markdown_of(run)), nl=False)
        return
    from tuner.commands.report import report as report_command

    click.echo(report_command(run, lambda text: say(f"note: {text}")))


@click.command(context_settings=CONTEXT)
@click.argument("runs", nargs=-1, type=A_PATH, metavar="[RUN]...")
@out
@as_json
def compare(runs: tuple[Path, ...], out: Path, json_lines: bool) -> None:
    """Write one page that compares all runs below --out, or the given ones, and print its path."""
    from tuner.commands.compare import compare as compare_command

    compared = compare_command(out, runs)
    if json_lines:
        for record in compared.records():
            print_json(record)
    else:
        click.echo(compared.page)


@click.command(context_settings=CONTEXT)
@click.argument("run", type=A_PATH)
@click.option(
    "--out", type=A_PATH, metavar="FILE", help="Space file to write; by default, RUN/refined.yaml."
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@as_json
def refine(run: Path, out: Path | None, force: bool, json_lines: bool) -> None:
    """Write the next search space from the results of RUN, and print its path.

    A range is widened if the best setting is at its end, and narrowed if all good settings share a
    part of it. A hyperparameter that does not matter is fixed. The file gives the evidence for
    each change. The next search starts with the best setting of RUN.
    """
    from tuner.cli.endings.refined import refined_lines, refined_record
    from tuner.commands.refine import refine as refine_command

    refined = refine_command(run, out, may_replace=force)
    if json_lines:
        print_json(refined_record(refined))
        return
    for line in refined_lines(refined):
        say(line)
    click.echo(refined.path)


@click.command(context_settings=CONTEXT)
@click.argument("run", type=A_PATH)
@click.option(
    "--to",
    "names",
    type=click.Choice(tuple(TRACKERS)),
    multiple=True,
    required=True,
    help=f"Tracker to write to; repeatable: {tracker_help()}.",
)
def track(run: Path, names: tuple[str, ...]) -> None:
    """Write a finished RUN to trackers; entries that exist already are not duplicated."""
    from tuner.commands.track import track as track_command

    track_command(run, names, click.echo)
