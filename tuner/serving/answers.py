"""What the service answers: predictions, and errors that say what is wrong and how to fix it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse

from tuner.errors import TunerError

# Nothing in an answer may be run, framed or kept.
SAFE_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class RequestError(TunerError):
    """A request that is not answered with a prediction.

    Args:
        status: Of HTTP.
        code: A word that programs may go by.
        message: What is wrong.
        hint: How to fix it.
        headers: More of the answer.
    """

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        message: str,
        hint: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})


def error_answer(error: RequestError) -> JSONResponse:
    """An error as JSON, with its status."""
    return JSONResponse(
        {"error": error_words(error)},
        status_code=error.status.value,
        headers={**SAFE_HEADERS, **error.headers},
    )


def error_words(error: RequestError) -> dict[str, str]:
    """An error's code, what is wrong, and how to fix it."""
    return {"code": error.code, "message": error.message, "fix": error.hint}


def json_answer(content: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> JSONResponse:
    """Any other JSON."""
    return JSONResponse(content, status_code=status.value, headers=dict(SAFE_HEADERS))
