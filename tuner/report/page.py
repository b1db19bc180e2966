"""The whole page: one file without a request, the same bytes for the same run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from tuner.records.results import Results
from tuner.records.trial import Trial
from tuner.report import curves, errors, figures, history, hyperparameters, models, reproduce, verdict
from tuner.report.document import Body, make_environment, render_document


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
    environment = make_environment("tuner.report")
    environment.globals["look_of"] = figures.look_of
    bodies = [
        Body(
            name=section.name,
            heading=section.heading,
            html=Markup(environment.get_template(f"{section.name}.html").render(results=results, **section.context)),
        )
        for section in _sections(results, trials)
    ]
    run, title = results.run, results.data.title or results.data.name
    return render_document(
        environment,
        title=f"{title} – tuner report{'' if run.is_complete else ' (not ended)'}",
        overline="tuner report",
        heading=title,
        bodies=bodies,
        footer=Markup("Run <bdi>{}</bdi> · {}").format(run.run_id, run.started_at),
        styles=[("tuner.report", "page.css")],
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
