"""The whole page: one file without a request, the same bytes for the same run."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tuner.records.results import Results
from tuner.records.trial import Trial
from tuner.report import curves, errors, figures, history, hyperparameters, models, reproduce, text, verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the page.

    Attributes:
        name: Of its template and its anchor.
        heading: What people read.
        context: What its template is given.
    """

    name: str
    heading: str
    context: dict[str, Any] = field(default_factory=dict)


def render(results: Results, trials: Sequence[Trial]) -> str:
    """The report of a run.

    Args:
        results: Every number of the run.
        trials: The search's trials, in the order of their starts.

    Returns:
        A complete HTML document.
    """
    environment = _environment()
    sections = _sections(results, trials)
    bodies = [
        (section, Markup(environment.get_template(f"{section.name}.html").render(results=results, **section.context)))
        for section in sections
    ]
    style, script = _asset("page.css"), _asset("page.js")
    allowed = f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    return environment.get_template("page.html").render(
        results=results,
        sections=bodies,
        style=Markup(style),
        script=Markup(script),
        policy=f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'",
    )


def _sections(results: Results, trials: Sequence[Trial]) -> list[Section]:
    comparison, confusions, learning = models.compute(results), errors.compute(results), curves.compute(results)
    searched = history.compute(results, trials)
    sections = [Section(name="verdict", heading="Verdict", context={"verdict": verdict.compute(results)})]
    if results.models:
        figure = models.draw_accuracies(comparison.summaries) if comparison.summaries else None
        sections.append(
            Section(name="models", heading="Models side by side", context={"comparison": comparison, "figure": figure})
        )
    if comparison.summaries:
        limits = curves.axis_limits(learning)
        drawn = [(c, curves.draw_curves(c, number, limits)) for number, c in enumerate(learning, 1)]
        sections.append(Section(name="errors", heading="Errors", context={"confusions": confusions}))
        sections.append(Section(name="curves", heading="Learning curves", context={"curves": drawn}))
    drawn_history = history.draw_history(searched, results.search.objective) if searched.points else ()
    sections += [
        Section(name="history", heading="Search history", context={"history": searched, "figures": drawn_history}),
        Section(
            name="hyperparameters", heading="Best hyperparameters", context={"best": hyperparameters.compute(results)}
        ),
        Section(name="reproduce", heading="Reproduce", context={"reproduction": reproduce.compute(results)}),
    ]
    return sections


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tuner.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "decimal": text.decimal,
        "duration": text.duration,
        "file_size": text.file_size,
        "integer": text.integer,
        "percent": text.percent,
        "percent0": partial(text.percent, digits=0),
        "points": partial(text.points, digits=0),
        "value_text": text.value_text,
        "values_text": text.values_text,
        "without_folders": text.without_folders,
    }
    environment.globals |= {"interval": text.interval, "look_of": figures.look_of, "plural": text.plural}
    return environment


def _asset(name: str) -> str:
    return files("tuner.report").joinpath("templates", name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
