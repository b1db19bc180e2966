"""Every chart of a report as files for slides, under names that tell what they show."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tuner.report.charts.figures import Chart
from tuner.report.charts.matrix import MAX_CLASSES, confusion_chart, difference_chart
from tuner.report.charts.slides import render_slide
from tuner.report.model_summary import summarise
from tuner.report.reported_run import ReportedRun
from tuner.report.sections.contents import SECTIONS
from tuner.report.sections.prediction_errors import confusion

LOG = logging.getLogger("tuner")

_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureFiles:
    """What is written.

    Attributes:
        files: Contents by file name, in the order of the page; two of each chart.
        notes: What is missing, in a line each.
    """

    files: Mapping[str, bytes]
    notes: tuple[str, ...]


def figure_files(reported: ReportedRun) -> FigureFiles:
    """Draw every chart of a run's page, and its confusion matrices, as SVG and PNG."""
    files: dict[str, bytes] = {}
    notes: list[str] = []
    boxed = []
    for section, chart in _charts(reported, notes):
        stem = _free(file_stem(section, chart.title), files)
        slide = render_slide(chart)
        files |= {f"{stem}.svg": slide.svg, f"{stem}.png": slide.png}
        boxed += [] if slide.has_all_letters else [stem]
    if boxed:
        notes.append(
            f"no installed font has some letters of {', '.join(boxed)}, so they appear as boxes;"
            " install Noto Sans for the scripts of your names"
        )
    return FigureFiles(files=files, notes=tuple(notes))


def file_stem(section: str, title: str) -> str:
    """A file's name for a chart, in letters that every system takes."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", f"{section}-{plain}").strip("-")
    return words[:_LONGEST_NAME].rstrip("-")


def _free(stem: str, files: Mapping[str, bytes]) -> str:
    number, found = 1, stem
    while f"{found}.svg" in files:
        number += 1
        found = f"{stem}-{number}"
    return found


def _charts(reported: ReportedRun, notes: list[str]) -> Iterator[tuple[str, Chart]]:
    for section in SECTIONS:
        if section.needs_search and reported.results.run.recipe:
            continue
        for name, context in section.parts.items():
            try:
                yield from ((section.name, chart) for chart in _within(context(reported)))
            # As on the page: a part that fails takes no other with it.
            except Exception as error:
                LOG.exception("part %s of the report failed", name)
                notes.append(f"{name} has no figures: {type(error).__name__}: {error}")
        if section.name == "errors":
            yield from ((section.name, chart) for chart in _matrices(reported, notes))


def _within(values: object) -> Iterator[Chart]:
    """The charts among what a template is given, in order."""
    if isinstance(values, Chart):
        yield values
    elif isinstance(values, Mapping):
        for value in values.values():
            yield from _within(value)
    elif isinstance(values, Sequence) and not isinstance(values, str | bytes):
        for value in values:
            yield from _within(value)


def _matrices(reported: ReportedRun, notes: list[str]) -> Iterator[Chart]:
    results = reported.results
    names = results.data.class_names
    if len(names) > MAX_CLASSES:
        notes.append(
            f"no figure of a confusion matrix: {len(names)} classes, at most {MAX_CLASSES} fit"
        )
        return
    for number, summary in enumerate(summarise(results.models), 1):
        yield confusion_chart(summary.kept.test.confusion, names, summary.result.title, number)
    if difference := confusion.compute(results).difference:
        yield difference_chart([[cell.value for cell in row] for row in difference], names)
