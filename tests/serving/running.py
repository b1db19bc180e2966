"""A service in a thread of this process, around a model of a few lines, and a client of it."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from tuner.data.decoding.image_settings import ImageSettings
from tuner.serving.options import Limits, ServeOptions
from tuner.serving.rate_limit import RateLimit
from tuner.serving.served_model import ModelFacts
from tuner.serving.server import MakeApp, address_of, bound_socket, make_server

T = TypeVar("T")

CLASSES = ("dark", "<b>bright</b>")
SETTINGS = ImageSettings(height=8, width=8, channels=1)
# A PNG of one pixel, which stands for any drawing of saliency.
DRAWN = b"\x89PNG drawn"


@dataclass
class Brightness:
    """A `ServedModel`: the brighter the image, the more probable the second class.

    Attributes:
        passes: Images of each pass so far.
        gate: Passes wait for it.
        begun: Set once a pass has begun.
        failure: Raised by the next pass.
    """

    passes: list[int] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    failure: Exception | None = None
    facts: ModelFacts = field(
        default_factory=lambda: ModelFacts(
            title="Brightness <i>",
            kind="test",
            class_names=CLASSES,
            settings=SETTINGS,
            is_calibrated=False,
            explains=True,
        )
    )

    def __post_init__(self) -> None:
        self.gate.set()

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        self.begun.set()
        assert self.gate.wait(60)
        self.passes.append(len(images))
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        bright = images.reshape(len(images), -1).mean(axis=1) / 255
        return np.stack([1 - bright, bright], axis=1)

    def saliency(self, image: np.ndarray, predicted: int) -> bytes | None:
        file = io.BytesIO()
        Image.new("RGB", (8, 8), (10 * predicted, int(image.mean()), 0)).save(file, "PNG")
        return file.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the service answered."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class Service:
    """A running one.

    Attributes:
        address: With a slash at the end.
        model: What it serves.
        folder: Of its uploads.
        stop: Ends it, as a signal would.
    """

    address: str
    model: Brightness
    folder: Path
    stop: Any

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=60)

    def ask(
        self,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        method: str | None = None,
    ) -> Answer:
        connection = self.connection()
        try:
            connection.request(
                method or ("GET" if body is None else "POST"), path, body, dict(headers or {})
            )
            answer = connection.getresponse()
            return Answer(
                status=answer.status, headers=dict(answer.getheaders()), content=answer.read()
            )
        finally:
            connection.close()

    def predict(self, body: bytes, kind: str = "image/png", query: str = "") -> Answer:
        return self.ask(f"/predict{query}", body, {"Content-Type": kind})

    def predict_form(self, files: Sequence[tuple[str, bytes]], query: str = "") -> Answer:
        body, kind = form(files)
        return self.predict(body, kind, query)


def form(files: Sequence[tuple[str, bytes]]) -> tuple[bytes, str]:
    """Files as a form's body, with its type."""
    parts = [
        f'--cut\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for name, content in files
    ]
    return b"".join([*parts, b"--cut--\r\n"]), "multipart/form-data; boundary=cut"


def png(grey: int = 200, size: tuple[int, int] = (8, 8)) -> bytes:
    """A grey picture."""
    file = io.BytesIO()
    Image.new("L", size, grey).save(file, "PNG")
    return file.getvalue()


def until(look: Callable[[], T], is_reached: Callable[[T], bool], seconds: float = 60) -> None:
    """Look until a state is reached; fail with the last one after a minute."""
    end_s = time.monotonic() + seconds
    while not is_reached(found := look()):
        assert time.monotonic() < end_s, f"not reached within {seconds:g} s; at the end: {found}"


@contextmanager
def service(
    folder: Path, model: Brightness | None = None, limits: Limits | None = None, **options: Any
) -> Iterator[Service]:
    """A service at a free port."""
    model = model or Brightness()
    asked = replace(ServeOptions(source=folder, port=0), limits=limits or Limits(), **options)
    make = MakeApp(options=asked, folder=folder, rate=RateLimit(asked.rate), model=model)
    is_up = threading.Event()
    # Bound to loopback whatever the options say: a test is open to no other machine.
    with bound_socket("127.0.0.1", 0) as listening:
        server = make_server(make, is_up.set)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
        thread.start()
        try:
            assert is_up.wait(60)

            def stop() -> None:
                server.should_exit = True

            yield Service(address=address_of(listening), model=model, folder=folder, stop=stop)
        finally:
            model.gate.set()
            server.should_exit = True
            thread.join()
