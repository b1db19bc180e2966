"""Arrays are taken for images only where no mistake is possible."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.images import image_spec
from tuner.api.array_images import array_images
from tuner.errors import DataError
from tuner.records.image import ImageSpec

GREY = replace(image_spec(), height=6, width=8, channels=1)
COLOUR = replace(GREY, channels=3)


@pytest.mark.parametrize(
    ("shape", "spec", "n"),
    [
        ((2, 6, 8, 1), GREY, 2),
        ((6, 8, 1), GREY, 1),
        ((2, 6, 8), GREY, 2),
        ((6, 8), GREY, 1),
        ((2, 6, 8, 3), COLOUR, 2),
        ((6, 8, 3), COLOUR, 1),
    ],
)
def test_shapes_that_are_images(shape: tuple[int, ...], spec: ImageSpec, n: int) -> None:
    pixels = np.arange(np.prod(shape)).reshape(shape) % 256
    found = array_images(pixels, spec)
    assert found.shape == (n, *spec.shape)
    assert found.dtype == np.uint8
    assert (found.reshape(shape) == pixels).all()


@pytest.mark.parametrize(
    ("images", "spec", "message"),
    [
        (np.zeros((2, 3, 6, 8)), COLOUR, r"put them last: images\.transpose\(0, 2, 3, 1\)"),
        (np.zeros((3, 6, 8)), COLOUR, r"put them last: images\.transpose\(1, 2, 0\)"),
        (np.zeros((2, 8, 6, 3)), COLOUR, r"which takes \(n, 6, 8, 3\)"),
        (np.zeros((2, 6, 8, 3)), GREY, r"images of shape \(2, 6, 8, 3\) do not fit the model"),
        (np.zeros((0, 6, 8, 1)), GREY, "there is no image to predict"),
        ([], GREY, "there is no image to predict"),
        ([np.zeros((6, 8)), np.zeros((8, 6))], GREY, "images: cannot convert list to an array"),
        (np.full((6, 8), 256.0), GREY, "these go from 256 to 256"),
        (np.full((6, 8), -1), GREY, "these go from -1 to -1"),
        (np.full((6, 8), np.nan), GREY, "these go from nan to nan"),
        (np.full((6, 8), 0.5), GREY, "multiply them by 255"),
        (np.full((6, 8), "a"), GREY, "images must be numbers from 0 to 255"),
        (None, GREY, "images must be numbers from 0 to 255"),
    ],
)
def test_what_is_no_image_says_what_to_do(images: Any, spec: ImageSpec, message: str) -> None:
    with pytest.raises(DataError, match=message):
        array_images(images, spec)


def test_fractions_are_kept() -> None:
    found = array_images(np.full((6, 8), 100.5), GREY)
    assert found.dtype == np.float32
    assert (found == 100.5).all()
