"""Images of a request, on their way to disk and through the decoder, within limits."""

from __future__ import annotations

import asyncio
import logging
import math
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.types import Message, Receive

from tuner.data.decoding.decode import TooManyPixelsError, UnreadableImageError, inspect
from tuner.data.decoding.image_settings import ImageSettings
from tuner.production.decoded_images import Decoded, decoded_image
from tuner.production.named_images import NamedImage
from tuner.serving.answers import RequestError
from tuner.serving.options import Limits
from tuner.store.files.whole_files import is_disk_full

LOG = logging.getLogger("tuner")
# What `curl --data-binary` and programs without a word on it send.
_RAW_TYPES = frozenset({"", "application/octet-stream", "application/x-www-form-urlencoded"})
_FORM = "multipart/form-data"
# Of a form, beside its files.
_MOST_FIELDS = 8
# The name of an image that is sent without one.
UNNAMED = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An image of a request.

    Attributes:
        name: The client's name of it.
        path: The file that it was written into.
    """

    name: str
    path: Path


class Room:
    """Bytes of all uploads that a process holds at a time: on disk, or in memory on a tmpfs."""

    def __init__(self, max_bytes: int) -> None:
        """Begin with all of it."""
        self._n_left = max_bytes

    def take(self, n_bytes: int) -> None:
        """Take some.

        Raises:
            RequestError: If there is not as much.
        """
        if n_bytes > self._n_left:
            raise busy("too many bytes of uploads are in progress")
        self._n_left -= n_bytes

    def give_back(self, n_bytes: int) -> None:
        """Return what was taken."""
        self._n_left += n_bytes


class LimitedBody:
    """A request's body, as far as it may be long and there is room."""

    def __init__(self, receive: Receive, max_bytes: int, room: Room) -> None:
        """Wrap what brings the body.

        Args:
            receive: Brings it.
            max_bytes: It may have.
            room: For the bodies of all requests.
        """
        self._receive = receive
        self._max_bytes = max_bytes
        self._room = room
        self._n_bytes = 0
        self._n_taken = 0

    async def __call__(self) -> Message:
        """The next part.

        Raises:
            RequestError: If there are too many bytes.
        """
        message = await self._receive()
        n_bytes = len(message.get("body", b""))
        self._n_bytes += n_bytes
        if self._n_bytes > self._max_bytes:
            raise too_large(self._max_bytes)
        self._room.take(n_bytes)
        self._n_taken += n_bytes
        return message

    def forget(self) -> None:
        """Give the room back, once nothing of the body is left."""
        self._room.give_back(self._n_taken)
        self._n_taken = 0


def busy(message: str) -> RequestError:
    """The error of a request for which there is no room now."""
    return RequestError(
        HTTPStatus.SERVICE_UNAVAILABLE, "busy", message, "try again later.", {"Retry-After": "5"}
    )


def too_large(max_bytes: int) -> RequestError:
    """The error of a body that is too long."""
    return RequestError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too_large",
        f"the request is larger than {max_bytes / 1e6:g} MB",
        "send a smaller image, or fewer at a time.",
    )


@asynccontextmanager
async def uploads(
    request: Request, limits: Limits, folder: Path, room: Room
) -> AsyncIterator[list[Upload]]:
    """The images of a request as files, which are deleted afterwards.

    Args:
        request: Its body is one image, or a form with one or several files.
        limits: Of what a request may hold.
        folder: Where the files are written.
        room: For the bodies of all requests.

    Raises:
        RequestError: If the body is none of these, or too large, or there is no room for it.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if _stated_length(request) > limits.max_bytes:
        raise too_large(limits.max_bytes)
    body = LimitedBody(request.receive, limits.max_bytes, room)
    limited = Request(request.scope, body)
    files: list[Upload] = []
    try:
        with _full_disk_told(folder):
            if kind == _FORM:
                await _read_form(limited, limits, folder, files)
            elif kind in _RAW_TYPES or kind.startswith("image/"):
                await _read_body(limited, folder, files)
            else:
                raise _wrong_type(kind)
        yield files
    finally:
        for file in files:
            file.path.unlink(missing_ok=True)
        body.forget()


@contextmanager
def _full_disk_told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not is_disk_full(error):
            raise
        LOG.error("%s: no space is left for uploads", folder)  # noqa: TRY400 - nothing to trace
        raise busy("there is no room on the disk for the upload") from error


def _stated_length(request: Request) -> int:
    with suppress(ValueError):
        return int(request.headers.get("content-length", "0"))
    return 0


async def _read_body(request: Request, folder: Path, files: list[Upload]) -> None:
    with _new_file(UNNAMED, folder, files) as file:
        async for chunk in request.stream():
            file.write(chunk)


async def _read_form(request: Request, limits: Limits, folder: Path, files: list[Upload]) -> None:
    try:
        form = await _FormParser(request, limits.max_images).parse()
    except MultiPartException as error:
        raise _bad_form() from error
    try:
        # Several files may have one name.
        for _, part in form.multi_items():
            if isinstance(part, UploadFile):
                with _new_file(part.filename or UNNAMED, folder, files) as file:
                    # In a thread: it may take long, and all other requests would wait.
                    await asyncio.to_thread(shutil.copyfileobj, part.file, file)
                # Else each file would take its room twice.
                await part.close()
    finally:
        await form.close()
    if not files:
        raise RequestError(
            HTTPStatus.BAD_REQUEST,
            "no_image",
            "the form holds no file",
            "send each image as a file of the form: curl -F image=@photo.jpg.",
        )


def _new_file(name: str, folder: Path, files: list[Upload]) -> BinaryIO:
    """A new file in the folder, which is listed at once: a body that breaks off leaves it, too."""
    path = folder / uuid.uuid4().hex
    files.append(Upload(name=name, path=path))
    return open(path, "xb")


class _FormParser(MultiPartParser):
    """Starlette's parser, which ends at the first file too many."""

    def __init__(self, request: Request, max_images: int) -> None:
        # Starlette's own limit of files differs from other broken forms by its words alone.
        super().__init__(
            request.headers, request.stream(), max_files=math.inf, max_fields=_MOST_FIELDS
        )
        self._max_images = max_images
        self._n_images = 0

    def on_part_end(self) -> None:
        super().on_part_end()
        self._n_images += isinstance(self.items[-1][1], UploadFile)
        if self._n_images > self._max_images:
            raise RequestError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "too_many_images",
                f"the request holds more than {self._max_images} images",
                "send fewer at a time.",
            )


def _bad_form() -> RequestError:
    return RequestError(
        HTTPStatus.BAD_REQUEST,
        "form",
        "the form cannot be read",
        "send multipart/form-data with a boundary and one file per image: curl -F"
        " image=@photo.jpg.",
    )


def _wrong_type(kind: str) -> RequestError:
    return RequestError(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "type",
        f'a body of type "{kind}" is not supported',
        f"send the image itself as image/jpeg, image/png, ..., or {_FORM} with files.",
    )


def decoded_upload(upload: Upload, settings: ImageSettings, max_pixels: int) -> Decoded:
    """An uploaded image as the model takes it, read as `predict` reads a file.

    Args:
        upload: The image.
        settings: What it is turned into.
        max_pixels: It may have, by its header, which is read first.

    Raises:
        RequestError: If it is no image, or too large.
    """
    try:
        facts = inspect(upload.path, settings)
        if facts.width * facts.height > max_pixels:
            many = f"{facts.width:,} x {facts.height:,} pixels, more than {max_pixels:,}"
            raise _too_many_pixels(many, settings)
        decoded = decoded_image(NamedImage(name=str(upload.path)), settings)
    except UnreadableImageError as error:
        raise _unreadable(error, settings) from error
    return Decoded(name=upload.name, pixels=decoded.pixels, note=decoded.note)


def _too_many_pixels(many: str, settings: ImageSettings) -> RequestError:
    return RequestError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too_many_pixels",
        f"the image has {many}",
        f"make it smaller; the model sees {settings.width} x {settings.height} pixels of it.",
    )


def _unreadable(error: UnreadableImageError, settings: ImageSettings) -> RequestError:
    if isinstance(error, TooManyPixelsError):
        return _too_many_pixels(str(error), settings)
    if error.is_passing:
        return busy(f"the image could not be read: {error}")
    return RequestError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "not_an_image",
        f"cannot be read as an image: {error}",
        "give an image that other programs can open, such as JPEG or PNG.",
    )
