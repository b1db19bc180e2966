"""An examination of data as a table for people, and as records for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from tuner.cli.terminal.console import ErrorConsole
from tuner.cli.terminal.output import plain
from tuner.commands.check import Checked
from tuner.doctor.findings import MAX_EXAMPLES, Examination, Example, Finding
from tuner.report.text import class_counts, plural

# Examples of a finding, and images of an example, that are named; the page shows more, and --json
# all.
SHOWN_EXAMPLES = 3
SHOWN_IMAGES = 4
# Files by name are what a person corrects.
_MANY_EXAMPLES = frozenset({"wrong-suffix", "unreadable"})

_STYLES = {"error": "bold red", "warning": "yellow", "info": "dim"}


def examination_table(examination: Examination) -> Table:
    """Counts, then a row for each finding: its severity, what was found, its meaning and remedy."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for name, text in _counts(examination):
        table.add_row(Text(name, style="dim"), Text(plain(text)))
    for finding in examination.findings:
        table.add_row("", "")
        table.add_row(
            Text(finding.severity, style=_STYLES[finding.severity]), Text(plain(finding.summary))
        )
        for text in (finding.meaning, f"To do: {finding.advice}", *_examples(finding)):
            table.add_row("", Text(plain(text), style="dim"))
    table.add_row("", "")
    table.add_row(Text("verdict", style="dim"), Text(plain(examination.verdict), style="bold"))
    return table


def show(table: Table) -> None:
    """Print it where people read."""
    ErrorConsole().print("", table, "", sep="\n")


def records(checked: Checked) -> Iterator[dict[str, Any]]:
    """Each finding as plain values, then the whole."""
    examination = checked.examination
    for finding in examination.findings:
        yield {"event": "Finding"} | asdict(finding)
    summary = asdict(examination)
    del summary["findings"]
    yield (
        {"event": "CheckEnded"}
        | summary
        | {
            "n": examination.n,
            "n_findings": len(examination.findings),
            "worthless": [finding.summary for finding in examination.errors],
            "verdict": examination.verdict,
            "page": checked.page.as_posix(),
        }
    )


def _counts(examination: Examination) -> Iterator[tuple[str, str]]:
    height, width, channels = examination.shape
    yield (
        "data",
        f"{examination.title}, {height}x{width}x{channels}, {len(examination.class_names)} classes",
    )
    for part in examination.parts:
        name = f"{part.name} ({part.use}): " if part.name else ""
        yield "", f"{name}{plural(part.n, 'image')}, {part.n_distinct:,} distinct"
        yield "", f"- {class_counts(examination.class_names, part.per_class)}"
    if examination.n_unreadable:
        yield "", f"{plural(examination.n_unreadable, 'file')} could not be read"
    for left_out in examination.left_out:
        yield "", left_out.text


def _examples(finding: Finding) -> Iterator[str]:
    n_shown = MAX_EXAMPLES if finding.code in _MANY_EXAMPLES else SHOWN_EXAMPLES
    for group in finding.examples[:n_shown]:
        more = f" and {len(group) - SHOWN_IMAGES} more" if len(group) > SHOWN_IMAGES else ""
        yield f"- {' · '.join(map(_example, group[:SHOWN_IMAGES]))}{more}"
    n_left = finding.n_examples - min(n_shown, len(finding.examples))
    if finding.examples and n_left:
        yield f"- and {n_left:,} more"


def _example(example: Example) -> str:
    where = ", ".join(text for text in (example.label, example.part) if text)
    note = f": {example.note}" if example.note else ""
    return f"{example.origin}{f' ({where})' if where else ''}{note}"
