"""An HTML document in one file.

It opens from disk, requests nothing, and reads in the dark and on a phone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tuner.metrics import score_text
from tuner.report import model_summary, text
from tuner.report.assets import asset, source_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A part of a document.

    Attributes:
        name: Its anchor.
        heading: Its heading.
        html: What stands below the heading.
    """

    name: str
    heading: str
    html: Markup


def make_environment(package: str) -> Environment:
    """Where a package's templates are filled; those of this package come after them."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("tuner.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "decimal": score_text.decimal,
        "duration": text.duration,
        "file_size": text.file_size,
        "minute": text.minute,
        "integer": text.integer,
        "p_text": text.p_text,
        "percent": score_text.percent,
        "percent0": partial(score_text.percent, digits=0),
        "points": partial(text.points, digits=0),
        "state_words": model_summary.state_words,
        "validation_words": model_summary.validation_words,
        "value_text": text.value_text,
        "values_text": text.values_text,
        "without_folders": text.without_folders,
    }
    environment.globals |= {
        "interval": text.interval,
        "plural": text.plural,
        "points_interval": text.points_interval,
        "score_text": score_text.score_text,
    }
    return environment


def render_document(
    environment: Environment,
    *,
    title: str,
    overline: str,
    heading: str,
    bodies: Sequence[Body],
    footer: Markup,
    styles: Sequence[tuple[str, str]],
    scripts: Sequence[tuple[str, str]] = (),
    has_pictures: bool = False,
) -> str:
    """Put the parts together.

    Args:
        environment: From `make_environment`.
        title: What the browser calls the page.
        overline: What kind of page it is, above the heading.
        heading: What the page is about; untrusted text.
        bodies: The parts, in order.
        footer: Last line.
        styles: Package and name of each style sheet, after the common one.
        scripts: The same of each script.
        has_pictures: Whether it holds pictures as data URIs.

    Returns:
        A complete HTML document.
    """
    style = "".join(asset(*sheet) for sheet in [("tuner.report", "document.css"), *styles])
    script = "".join(asset(*part) for part in [("tuner.report", "document.js"), *scripts])
    allowed = (
        f"style-src '{source_hash(style)}'; script-src"
        f" '{source_hash(script)}'{'; img-src data:' if has_pictures else ''}"
    )
    return environment.get_template("document.html").render(
        title=title,
        overline=overline,
        heading=heading,
        sections=[replace(body, html=text.glued(body.html)) for body in bodies],
        footer=footer,
        style=Markup(style),
        script=Markup(script),
        policy=f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'",
    )
