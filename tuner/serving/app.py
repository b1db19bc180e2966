"""The routes of the service."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tuner.cores import n_cores
from tuner.production.decoded_images import Decoded
from tuner.serving.answers import (
    SAFE_HEADERS,
    RequestError,
    error_answer,
    error_words,
    json_answer,
)
from tuner.serving.batching import ModelQueue
from tuner.serving.door import Door
from tuner.serving.guards import Guard
from tuner.serving.metrics import CONTENT_TYPE, Metrics
from tuner.serving.openapi import openapi
from tuner.serving.options import ServeOptions
from tuner.serving.pages import Page, demo_page, reference_page
from tuner.serving.rate_limit import RateLimit
from tuner.serving.served_model import ModelFacts, ServedModel
from tuner.serving.uploads import Room, Upload, decoded_upload, uploads

LOG = logging.getLogger("tuner")
# More would hold more whole photos in memory.
_MAX_DECODERS = 8
_YES = frozenset({"1", "true", "yes"})

OpenModel = Callable[[], ServedModel]


def make_app(
    options: ServeOptions, open_model: OpenModel, folder: Path, rate: RateLimit
) -> Starlette:
    """The service of one process.

    Args:
        options: What is asked for.
        open_model: Loads the model, once the process is up.
        folder: For the files of uploads; whoever starts the service deletes it.
        rate: The limit of each client, which all processes share.
    """
    metrics = Metrics()
    guard = Guard(options, rate)
    service = _Service(options, folder, metrics, guard)

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        # In a thread, so that the event loop runs meanwhile.
        await service.start(await asyncio.to_thread(open_model))
        yield
        service.close()

    app = Starlette(
        routes=[
            Route("/", service.demo),
            Route("/docs", service.reference),
            Route("/openapi.json", service.openapi),
            Route("/health", service.health),
            Route("/model", service.model),
            Route("/metrics", service.metrics),
            Route("/predict", service.predict, methods=["POST"]),
        ],
        lifespan=life,
        exception_handlers={HTTPException: _http_error},
    )
    app.add_middleware(Door, guard=guard, metrics=metrics, limits=options.limits)
    return app


@dataclass(slots=True, kw_only=True)
class _Ready:
    """What there is once the model is loaded."""

    facts: ModelFacts
    queue: ModelQueue
    decoders: ThreadPoolExecutor


class _Service:
    """What answers the requests of one process."""

    def __init__(self, options: ServeOptions, folder: Path, metrics: Metrics, guard: Guard) -> None:
        self._options = options
        self._folder = folder
        self._metrics = metrics
        self._guard = guard
        limits = options.limits
        self._room = Room(max(limits.max_bytes, limits.max_bytes_in_progress))
        self._ready: _Ready | None = None
        has_token = bool(options.token)
        self._demo, self._reference = (
            demo_page(),
            reference_page(options.limits, has_token=has_token),
        )
        self._openapi = openapi(options.limits, has_token=has_token)

    async def start(self, model: ServedModel) -> None:
        """Take the model."""
        n = min(_MAX_DECODERS, max(1, n_cores() // self._options.workers))
        self._ready = _Ready(
            facts=model.facts,
            queue=ModelQueue(model, self._options.batch, self._metrics.tell_pass),
            decoders=ThreadPoolExecutor(n, "decoder"),
        )

    def close(self) -> None:
        """End the threads."""
        if self._ready:
            self._ready.queue.close()
            self._ready.decoders.shutdown()

    @property
    def _now(self) -> _Ready:
        assert self._ready is not None, "a request before the start"
        return self._ready

    async def demo(self, _: Request) -> Response:
        """The page to try the model on."""
        return _page(self._demo)

    async def reference(self, _: Request) -> Response:
        """How to call the service."""
        return _page(self._reference)

    async def openapi(self, _: Request) -> Response:
        """The same for programs."""
        return json_answer(self._openapi)

    async def health(self, _: Request) -> Response:
        """Whether the model is there."""
        return json_answer({"status": "ok"})

    async def model(self, _: Request) -> Response:
        """Which model it is."""
        facts = self._now.facts
        return json_answer(
            {
                "title": facts.title,
                "kind": facts.kind,
                "classes": list(facts.class_names),
                "image": {
                    "height": facts.settings.height,
                    "width": facts.settings.width,
                    "channels": facts.settings.channels,
                },
                "calibrated": facts.is_calibrated,
                "saliency": facts.explains,
            }
        )

    async def metrics(self, _: Request) -> Response:
        """Counts and times."""
        return Response(self._metrics.text(), media_type=CONTENT_TYPE, headers=dict(SAFE_HEADERS))

    async def predict(self, request: Request) -> Response:
        """The classes of one image or several."""
        explains = request.query_params.get("saliency", "").lower() in _YES
        with self._metrics.request_s.time():
            async with self._in_time(request) as files:
                self._guard.charge(request, len(files))
                found = await asyncio.gather(*(self._one(file, explains) for file in files))
        errors = [one for one in found if isinstance(one, RequestError)]
        self._metrics.images.labels("predicted").inc(len(found) - len(errors))
        self._metrics.images.labels("refused").inc(len(errors))
        if len(errors) == len(found):
            return error_answer(errors[0])
        return json_answer(
            {
                "predictions": [
                    {"image": file.name, "error": error_words(one)}
                    if isinstance(one, RequestError)
                    else one
                    for file, one in zip(files, found, strict=True)
                ]
            }
        )

    @asynccontextmanager
    async def _in_time(self, request: Request) -> AsyncIterator[list[Upload]]:
        """The images of a request, unless they take too long to arrive."""
        limits = self._options.limits
        reading = uploads(request, limits, self._folder, self._room)
        try:
            async with asyncio.timeout(limits.body_timeout_s):
                files = await reading.__aenter__()
        except TimeoutError as error:
            raise RequestError(
                HTTPStatus.REQUEST_TIMEOUT,
                "too_slow",
                f"the body took more than {limits.body_timeout_s:g} s to arrive",
                "send it over a faster connection, or send smaller images.",
            ) from error
        try:
            yield files
        finally:
            await reading.__aexit__(None, None, None)

    async def _one(self, file: Upload, explains: bool) -> dict[str, Any] | RequestError:
        ready = self._now
        try:
            decoded = await asyncio.get_running_loop().run_in_executor(
                ready.decoders,
                decoded_upload,
                file,
                ready.facts.settings,
                self._options.limits.max_pixels,
            )
        except RequestError as error:
            return error
        row = await ready.queue.probabilities(decoded.pixels)
        answer = _answer(decoded, row.tolist(), ready.facts)
        if explains and ready.facts.explains:
            picture = await ready.queue.saliency(decoded.pixels, int(row.argmax()))
            if picture is not None:
                answer["saliency"] = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
        return answer


def _answer(decoded: Decoded, shares: list[float], facts: ModelFacts) -> dict[str, Any]:
    """The same words as `predict --json` has."""
    best = max(range(len(shares)), key=shares.__getitem__)
    note = {"note": decoded.note} if decoded.note else {}
    return {
        "image": decoded.name,
        "class": facts.class_names[best],
        "probabilities": dict(zip(facts.class_names, shares, strict=True)),
        **note,
    }


def _page(page: Page) -> Response:
    headers = {**SAFE_HEADERS, "Content-Security-Policy": page.policy}
    headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
    return HTMLResponse(page.html, headers=headers)


def _http_error(request: Request, error: Exception) -> Response:
    """What the router refuses."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    found = {
        HTTPStatus.NOT_FOUND: ("path", "there is nothing at this address"),
        HTTPStatus.METHOD_NOT_ALLOWED: ("method", f"{request.method} is not supported here"),
    }
    code, message = found.get(status, ("request", status.phrase))
    hint = "see /docs for what there is."
    return error_answer(RequestError(status, code, message, hint, error.headers))
