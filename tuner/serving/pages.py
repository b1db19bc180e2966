"""The pages of the service: each one document, which asks nothing of any other machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tuner.report.assets import asset, source_hash
from tuner.serving.openapi import openapi
from tuner.serving.options import Limits

_PACKAGE = "tuner.serving"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A document with the content policy that it is sent with."""

    html: str
    policy: str


def demo_page() -> Page:
    """The page to try the model on: upload, drop, paste or webcam."""
    return _page(
        "demo.html",
        scripts=("demo.js",),
        # It shows your own pictures, and asks this service for predictions.
        allowed="img-src data: blob:; media-src blob:; connect-src 'self'",
    )


def reference_page(limits: Limits, *, has_token: bool) -> Page:
    """How to call the service: its OpenAPI document for people.

    Args:
        limits: What one client may ask for.
        has_token: Whether a token must be shown.
    """
    document = openapi(limits, has_token=has_token)
    return _page(
        "reference.html",
        allowed="img-src data:",
        document=document,
        has_token=has_token,
        schemas={
            name: json.dumps(schema, indent=2)
            for name, schema in document["components"]["schemas"].items()
        },
    )


def _page(template: str, *, allowed: str, scripts: tuple[str, ...] = (), **values: Any) -> Page:
    style = asset("tuner.report", "document.css") + asset(_PACKAGE, "pages.css")
    script = "".join(asset(_PACKAGE, name) for name in scripts)
    policy = "; ".join(
        [
            f"default-src 'none'; style-src '{source_hash(style)}'",
            *([f"script-src '{source_hash(script)}'"] if script else []),
            allowed,
            "base-uri 'none'; form-action 'none'",
        ]
    )
    rendered = (
        _environment()
        .get_template(template)
        .render(style=Markup(style), script=Markup(script), policy=policy, **values)
    )
    # A document's own policy cannot forbid that it is framed.
    return Page(html=rendered, policy=f"{policy}; frame-ancestors 'none'")


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
