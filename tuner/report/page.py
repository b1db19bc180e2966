"""The whole page: one file without a request, the same bytes for the same run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from tuner.report import (
    calibration,
    curves,
    errors,
    figures,
    gallery,
    history,
    hyperparameters,
    mattered,
    models,
    next_steps,
    reproduce,
    trust,
    verdict,
)
from tuner.report.document import Body, make_environment, render_document
from tuner.report.subject import Subject
from tuner.report.summary import state_words

LOG = logging.getLogger("tuner")

Context = Callable[[Subject], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of the page.

    Attributes:
        name: Its anchor.
        heading: What people read.
        parts: Template and what fills it, one below the other; None leaves a part out, the first
            one the section.
    """

    name: str
    heading: str
    parts: tuple[tuple[str, Context], ...]


def _section(heading: str, name: str, context: Context, *more: tuple[str, Context]) -> Section:
    return Section(name=name, heading=heading, parts=((name, context), *more))


# In the order of the page: the answer first. Each part computes its numbers, then draws them.
SECTIONS = (
    _section("Verdict", "verdict", verdict.context),
    _section("Trust", "trust", trust.context),
    _section("Models side by side", "models", models.context),
    _section(
        "Errors",
        "errors",
        errors.context,
        ("calibration", calibration.context),
        ("gallery", gallery.context),
    ),
    _section("Learning curves", "curves", curves.context),
    _section("Search history", "history", history.context),
    _section("What mattered", "mattered", mattered.context),
    _section("Best hyperparameters", "hyperparameters", hyperparameters.context),
    _section("Next steps", "next_steps", next_steps.context),
    _section("Reproduce", "reproduce", reproduce.context),
)


def render(subject: Subject) -> str:
    """The report of a run; a part that fails is a card with its error, and takes no other with it.

    Args:
        subject: The run.

    Returns:
        A complete HTML document.
    """
    environment = make_environment("tuner.report")
    environment.globals["look_of"] = figures.look_of
    bodies = [body for section in SECTIONS if (body := _body(section, subject, environment))]
    results = subject.results
    run, title = results.run, results.data.title or results.data.name
    return render_document(
        environment,
        title=f"{title} – tuner report{'' if run.is_complete else f' ({state_words(run.state)})'}",
        overline="tuner report",
        heading=title,
        bodies=bodies,
        footer=Markup("Run <bdi>{}</bdi> · {}").format(run.run_id, run.started_at),
        styles=[("tuner.report", "page.css")],
        scripts=[("tuner.report", "parallel.js")],
        has_pictures=bool(subject.pictures),
    )


def _body(section: Section, subject: Subject, environment: Environment) -> Body | None:
    """A section; None where the run has nothing for it."""
    htmls = [_part(name, context, subject, environment) for name, context in section.parts]
    if htmls[0] is None:
        return None
    return Body(
        name=section.name, heading=section.heading, html=Markup("\n").join(filter(None, htmls))
    )


def _part(name: str, context: Context, subject: Subject, environment: Environment) -> Markup | None:
    """A part of a section, or the error that it failed with; None where the run has nothing for it."""
    try:
        values = context(subject)
        if values is None:
            return None
        html = environment.get_template(f"{name}.html").render(
            {"results": subject.results, **values}
        )
    except Exception as error:
        LOG.exception("part %s of the report failed", name)
        html = environment.get_template("failed.html").render(
            error=f"{type(error).__name__}: {error}"
        )
    return Markup(html)
