"""Image files as the model of a recipe takes them, decoded some at a time."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tuner.cores import n_cores
from tuner.data.decoding.decode import UnreadableImageError, decode_with_facts
from tuner.data.decoding.file_facts import FileFacts
from tuner.data.decoding.file_kind import DAMAGED
from tuner.data.decoding.image_settings import ImageSettings
from tuner.data.decoding.value_range import FULL_16_BITS, range_words
from tuner.production.named_images import NamedImage

# Images and bytes that are held at a time, however many are to be predicted; predictions are made
# by 256 or 512.
_IMAGES_AT_A_TIME = 1024
_BYTES_AT_A_TIME = 256_000_000
# More would hold more whole photos in memory.
_MAX_THREADS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPredicted:
    """A file without a prediction.

    Attributes:
        image: Its path.
        reason: Why, in a few words.
        is_bad: Whether it should have been an image; else it only lay in a folder of images.
    """

    image: Path
    reason: str
    is_bad: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decoded:
    """An image as the model takes it: (height, width, channels)."""

    path: Path
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

    def one(file: NamedImage) -> Decoded | NotPredicted:
        try:
            pixels, facts = decode_with_facts(file.path, settings)
        except UnreadableImageError as error:
            reason = "the folder holds no files" if file.path.is_dir() else str(error)
            is_bad = file.is_meant or reason == DAMAGED
            return NotPredicted(image=file.path, reason=reason, is_bad=is_bad)
        return Decoded(path=file.path, pixels=pixels, note=_note(facts, settings))

    n = max(1, min(_IMAGES_AT_A_TIME, _BYTES_AT_A_TIME // math.prod(settings.shape)))
    with ThreadPoolExecutor(min(_MAX_THREADS, n_cores())) as pool:
        for start in range(0, len(files), n):
            with warnings.catch_warnings():
                # Of odd metadata and of very large photos; both are decoded all the same.
                warnings.filterwarnings("ignore", module=r"PIL\.")
                decoded = list(pool.map(one, files[start : start + n]))
            yield decoded


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
