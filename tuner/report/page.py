"""The whole page: one file without a request, the same bytes for the same run."""

from __future__ import annotations

import logging
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from tuner.report.charts.model_styles import style_of
from tuner.report.html_document import Body, make_environment, render_document
from tuner.report.model_summary import state_words
from tuner.report.reported_run import ReportedRun
from tuner.report.sections.contents import SECTIONS, Context, Section

LOG = logging.getLogger("tuner")


@cache
def _environment() -> Environment:
    """Kept: a run writes its page more than once, and compiling templates takes time."""
    environment = make_environment("tuner.report")
    environment.globals["style_of"] = style_of
    return environment


def render(reported: ReportedRun) -> str:
    """The report of a run; a part that fails is a card with its error, and takes no other with it.

    Args:
        reported: The run.

    Returns:
        A complete HTML document.
    """
    environment = _environment()
    results = reported.results
    bodies = [
        body
        for section in SECTIONS
        if not (section.needs_search and results.run.recipe)
        and (body := _body(section, reported, environment))
    ]
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
        has_pictures=bool(reported.pictures),
    )


def _body(section: Section, reported: ReportedRun, environment: Environment) -> Body | None:
    """A section; None where the run has nothing for it."""
    htmls = [_part(name, context, reported, environment) for name, context in section.parts.items()]
    if htmls[0] is None:
        return None
    return Body(
        name=section.name, heading=section.heading, html=Markup("\n").join(filter(None, htmls))
    )


def _part(
    name: str, context: Context, reported: ReportedRun, environment: Environment
) -> Markup | None:
    """A part of a section, or the error that it failed with.

    None where the run has nothing for it.
    """
    try:
        values = context(reported)
        if values is None:
            return None
        html = environment.get_template(f"sections/{name}.html").render(
            {"results": reported.results, **values}
        )
    except Exception as error:
        LOG.exception("part %s of the report failed", name)
        html = environment.get_template("failed.html").render(
            error=f"{type(error).__name__}: {error}"
        )
    return Markup(html)
