"""The whole page: one file without a request, the same bytes for the same run."""

from __future__ import annotations

import logging
from types import ModuleType

from jinja2 import Environment
from markupsafe import Markup

from tuner.report import (
    curves,
    errors,
    figures,
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

# In the order of the page: the answer first. Each computes its numbers, then draws them.
SECTIONS: tuple[ModuleType, ...] = (
    verdict,
    trust,
    models,
    errors,
    curves,
    history,
    mattered,
    hyperparameters,
    next_steps,
    reproduce,
)


def render(subject: Subject) -> str:
    """The report of a run; a section that fails is a card with its error, and takes no other with it.

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


def _body(section: ModuleType, subject: Subject, environment: Environment) -> Body | None:
    """A section; None where the run has nothing for it."""
    name = section.__name__.rpartition(".")[2]
    try:
        context = section.context(subject)
        if context is None:
            return None
        template, values = f"{name}.html", {"results": subject.results, **context}
        html = environment.get_template(template).render(values)
    except Exception as error:
        LOG.exception("section %s of the report failed", name)
        html = environment.get_template("failed.html").render(error=f"{type(error).__name__}: {error}")
    return Body(name=name, heading=section.HEADING, html=Markup(html))
