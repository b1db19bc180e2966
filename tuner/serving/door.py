"""The way of each request in and out: counted, let in or refused, and answered whatever happens."""

from __future__ import annotations

import logging
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tuner.serving.answers import RequestError, error_answer
from tuner.serving.guards import Guard
from tuner.serving.metrics import Metrics
from tuner.serving.options import Limits

LOG = logging.getLogger("tuner")
# What a client that has gone would have been answered; servers' logs know it by this number.
_GONE = 499
# Paths that are counted by name: others are the clients' own, and could be any number.
_PATHS = frozenset({"/", "/docs", "/openapi.json", "/health", "/model", "/metrics", "/predict"})
# The others take next to nothing, and a health check of a busy service must not fail.
_LIMITED = "/predict"


class Door:
    """An ASGI application around another."""

    def __init__(self, app: ASGIApp, guard: Guard, metrics: Metrics, limits: Limits) -> None:
        """Stand before an application.

        Args:
            app: What answers the requests that are let in.
            guard: Lets them in.
            metrics: Counts them.
            limits: How many requests for predictions may be in progress.
        """
        self._app = app
        self._guard = guard
        self._metrics = metrics
        self._limits = limits
        self._n = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._metrics.in_progress.inc()
        try:
            await self._answer(scope, receive, noting)
        except RequestError as error:
            await error_answer(error)(scope, receive, noting)
        except ClientDisconnect:
            status = _GONE
        # An internal error must not end the service, and its traceback is for the log only.
        except Exception:
            LOG.exception("a request failed")
            if not status:
                await error_answer(_INTERNAL)(scope, receive, noting)
        finally:
            self._metrics.in_progress.dec()
            path = scope["path"] if scope["path"] in _PATHS else "other"
            self._metrics.requests.labels(path, str(status)).inc()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._guard.check(Request(scope))
        if scope["path"] != _LIMITED:
            await self._app(scope, receive, send)
            return
        if self._n >= self._limits.max_requests:
            raise _busy()
        self._n += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._n -= 1


_INTERNAL = RequestError(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "internal",
    "internal error",
    "report it to the operator; the traceback is in the service's log.",
)


def _busy() -> RequestError:
    # A new one each time: an error keeps the frames of every place that raises it.
    return RequestError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "busy",
        "too many requests are in progress",
        "try again in a second.",
        {"Retry-After": "1"},
    )
