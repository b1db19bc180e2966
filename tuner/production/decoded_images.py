"""Images as the model of a recipe takes them, decoded in threads some at a time."""

from __future__ import annotations

import math
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tuner.cores import n_cores
from tuner.data.decoding.decode import UnreadableImageError, decode_with_facts
from tuner.data.decoding.file_facts import FileFacts
from tuner.data.decoding.file_kind import DAMAGED
from tuner.data.decoding.image_settings import ImageSettings
from tuner.data.decoding.value_range import FULL_16_BITS, range_words
from tuner.production.downloaded_image import downloaded
from tuner.production.named_images import NamedImage

# Images and bytes that are predicted at a time, however many there are; twice as many are decoded
# meanwhile.
_IMAGES_AT_A_TIME = 256
_BYTES_AT_A_TIME = 64_000_000
_AHEAD = 2
# More would hold more whole photos in memory.
_MAX_THREADS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPredicted:
    """A file without a prediction.

    Attributes:
        image: Its path or address.
        reason: Why, in a few words.
        is_bad: Whether it should have been an image; else it only lay in a folder of images.
    """

    image: str
    reason: str
    is_bad: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decoded:
    """An image as the model takes it: (height, width, channels)."""

    name: str
    pixels: np.ndarray
    note: str


def decoded_images(
    files: Sequence[NamedImage], settings: ImageSettings
) -> Iterator[list[Decoded | NotPredicted]]:
    """The files in order, as many at a time as memory may hold.

    Args:
        files: In any format that Pillow reads.
        settings: What each image is turned into.
    """
    n = max(1, min(_IMAGES_AT_A_TIME, _BYTES_AT_A_TIME // math.prod(settings.shape)))
    ahead: deque[list[Future[Decoded | NotPredicted]]] = deque()
    pool = ThreadPoolExecutor(min(_MAX_THREADS, n_cores()))
    with warnings.catch_warnings():
        # Of odd metadata and of very large photos; both are decoded all the same.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        try:
            for start in range(0, len(files), n):
                ahead.append([pool.submit(_one, f, settings) for f in files[start : start + n]])
                if len(ahead) > _AHEAD:
                    yield [future.result() for future in ahead.popleft()]
            while ahead:
                yield [future.result() for future in ahead.popleft()]
        finally:
            pool.shutdown(cancel_futures=True)


def _one(file: NamedImage, settings: ImageSettings) -> Decoded | NotPredicted:
    try:
        return decoded_image(file, settings)
    except UnreadableImageError as error:
        is_folder = not file.is_address and Path(file.name).is_dir()
        reason = "the folder holds no files" if is_folder else str(error)
        is_bad = file.is_meant or reason == DAMAGED
        return NotPredicted(image=file.name, reason=reason, is_bad=is_bad)


def decoded_image(file: NamedImage, settings: ImageSettings) -> Decoded:
    """One image.

    Args:
        file: In any format that Pillow reads.
        settings: What it is turned into.

    Raises:
        UnreadableImageError: If it cannot be had or decoded.
    """
    with _as_file(file) as path:
        pixels, facts = decode_with_facts(path, settings)
    return Decoded(name=file.name, pixels=pixels, note=_note(facts, settings))


def _as_file(file: NamedImage) -> AbstractContextManager[Path]:
    return downloaded(file.name) if file.is_address else nullcontext(Path(file.name))


def _note(facts: FileFacts, settings: ImageSettings) -> str:
    """A remark on an image of more than 8 bits; empty for values within the recipe's range."""
    if facts.highest is None or facts.lowest is None:
        return ""
    held = f"{facts.lowest:g} to {facts.highest:g}"
    if settings.value_range is None:
        taken = range_words(FULL_16_BITS)
        return (
            f"values {held} of more than 8 bits, unlike the data of the recipe: {taken} becomes 0"
            " to 255"
        )
    black, white = settings.value_range
    if black <= facts.lowest and facts.highest <= white:
        return ""
    return f"values {held} are cut off at the recipe's value_range, {range_words((black, white))}"
