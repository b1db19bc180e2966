"""The service as OpenAPI 3.1 describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuner import __version__
from tuner.serving.options import Limits

_TEXT = {"type": "string"}
_YES_OR_NO = {"type": "boolean"}


def openapi(limits: Limits, *, has_token: bool) -> dict[str, Any]:
    """The document.

    Args:
        limits: What one client may ask for.
        has_token: Whether a token must be shown.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Image classifier",
            "version": __version__,
            "description": "Classes and probabilities of images.",
        },
        "paths": {
            "/predict": {"post": _predict(limits)},
            "/model": {"get": _get("The model: classes, size of its images.", "Model")},
            "/health": {"get": _get("Whether the service is up.", "Health", is_open=True)},
            "/metrics": {"get": _metrics()},
        },
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}] if has_token else [],
    }


def _predict(limits: Limits) -> dict[str, Any]:
    picture = {"schema": {"type": "string", "format": "binary"}}
    return {
        "summary": "Predict the class of one image, or of several.",
        "description": (
            f"The body is an image, or a form with at most {limits.max_images} files; at most"
            f" {limits.max_bytes / 1e6:g} MB, and {limits.max_pixels:,} pixels an image. An image"
            " of several that cannot be read has an error in its place."
        ),
        "parameters": [
            {
                "name": "saliency",
                "in": "query",
                "description": "Whether to add a picture of where the class is sensitive.",
                "schema": {**_YES_OR_NO, "default": False},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "image/*": picture,
                "application/octet-stream": picture,
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "additionalProperties": {"type": "string", "format": "binary"},
                    }
                },
            },
        },
        "responses": {
            "200": _answer("One prediction for each image, in their order.", "Predictions"),
            **{status: _answer(words, "Error") for status, words in _ERRORS.items()},
        },
    }


_ERRORS: Mapping[str, str] = {
    "400": "The form cannot be read, or holds no file.",
    "401": "The token is missing or wrong.",
    "408": "The body took too long to arrive.",
    "413": "Too many bytes, pixels or images.",
    "415": "The type of the body is not supported.",
    "422": "The body is not an image.",
    "429": "Too many requests or images from this address.",
    "503": "Too much is in progress, or the disk is full.",
}


def _get(summary: str, schema: str, *, is_open: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {"summary": summary, "responses": {"200": _answer(summary, schema)}}
    return {**found, "security": []} if is_open else found


def _metrics() -> dict[str, Any]:
    text = {"text/plain": {"schema": _TEXT}}
    return {
        "summary": "Counts and times, as Prometheus reads them.",
        "responses": {"200": {"description": "The numbers of all processes.", "content": text}},
    }


def _answer(description: str, schema: str) -> dict[str, Any]:
    content = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    return {"description": description, "content": {"application/json": content}}


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


_REASON = _object(
    ("code", "message", "fix"),
    code={**_TEXT, "description": "A code for programs."},
    message={**_TEXT, "description": "What is wrong."},
    fix={**_TEXT, "description": "How to fix it."},
)
_PREDICTION = {
    "type": "object",
    "required": ["image"],
    "properties": {
        "image": {**_TEXT, "description": "The name that the image was sent with."},
        "class": {**_TEXT, "description": "The most probable class."},
        "probabilities": {
            "type": "object",
            "description": "Of every class.",
            "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1},
        },
        "note": {**_TEXT, "description": "A note on how its values were read."},
        "saliency": {**_TEXT, "description": "A PNG as a data URI, if it was asked for."},
        "error": _REASON,
    },
}
_SCHEMAS: Mapping[str, Any] = {
    "Predictions": _object(
        ("predictions",), predictions={"type": "array", "items": _PREDICTION, "minItems": 1}
    ),
    "Model": _object(
        ("title", "kind", "classes", "image", "calibrated", "saliency"),
        title=_TEXT,
        kind={**_TEXT, "description": "What runs the model."},
        classes={"type": "array", "items": _TEXT},
        image=_object(
            ("height", "width", "channels"),
            height={"type": "integer"},
            width={"type": "integer"},
            channels={"type": "integer"},
        ),
        calibrated={**_YES_OR_NO, "description": "Whether the temperature is applied."},
        saliency={**_YES_OR_NO, "description": "Whether there are saliency maps."},
    ),
    "Health": _object(("status",), status={"const": "ok"}),
    "Error": _object(("error",), error=_REASON),
}
