"""What each kind of augmentation does to pixels, by TensorFlow's way and by Keras' own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tuner.backend import neutral
from tuner.backend.active import backend

N = 3
IMAGES = np.random.default_rng(0).integers(0, 256, (N, 5, 6, 3), dtype=np.uint8)
SQUARE = IMAGES[:, :, :5]
EVERYTHING: dict[str, np.ndarray] = {
    "affine": np.array(
        [[0.9, 0.2, 1.3, -0.2, 0.9, -0.4], [-1, 0, 0, 0, 1, 0], [1, 0, 9, 0, 1, 9]], dtype="float32"
    ),
    "contrast": np.array([[0.5], [1.0], [1.6]], dtype="float32"),
    "erase": np.array([[0, 2, 1, 4], [0, 0, 0, 0], [4, 5, 0, 6]], dtype="float32"),
    "mixup": np.array([[2, 0.9], [0, 0.5], [1, 0.0]], dtype="float32"),
}


@pytest.fixture(params=[backend, neutral.BACKEND], ids=["active", "neutral"])
def augment(request: pytest.FixtureRequest) -> Any:
    return lambda images, **parameters: np.asarray(request.param.augment(images, parameters))


def alike(*row: float) -> np.ndarray:
    """The same parameters for each image."""
    return np.tile(np.array(row, dtype="float32"), (N, 1))


def test_images_keep_their_shape_and_kind(augment: Any) -> None:
    found = augment(IMAGES, **EVERYTHING)
    assert (found.shape, found.dtype) == (IMAGES.shape, np.uint8)


def test_identity_changes_nothing(augment: Any) -> None:
    np.testing.assert_array_equal(augment(IMAGES, affine=alike(1, 0, 0, 0, 1, 0)), IMAGES)


def test_mirror_is_exact(augment: Any) -> None:
    np.testing.assert_array_equal(
        augment(IMAGES, affine=alike(-1, 0, 0, 0, 1, 0)), IMAGES[:, :, ::-1]
    )


def test_quarter_turn_is_exact(augment: Any) -> None:
    np.testing.assert_array_equal(
        augment(SQUARE, affine=alike(0, -1, 0, 1, 0, 0)), np.rot90(SQUARE, axes=(1, 2))
    )


def test_shift_by_whole_pixels_reflects_at_the_edge(augment: Any) -> None:
    found = augment(IMAGES, affine=alike(1, 0, 2, 0, 1, -1))
    np.testing.assert_array_equal(found[:, 1:, :4], IMAGES[:, :4, 2:])
    np.testing.assert_array_equal(found[:, 1:, 4:], IMAGES[:, :4, [4, 3]])
    np.testing.assert_array_equal(found[:, 0, :4], IMAGES[:, 1, 2:])


def test_places_between_pixels_are_interpolated(augment: Any) -> None:
    found = augment(IMAGES, affine=alike(1, 0, 0.25, 0, 1, 0.5))
    rows = (IMAGES[:, :-1].astype(float) + IMAGES[:, 1:]) / 2
    wanted = 0.75 * rows[:, :, :-1] + 0.25 * rows[:, :, 1:]
    np.testing.assert_allclose(found[:, :-1, :-1], wanted, atol=0.51)


def test_what_lies_far_outside_gets_the_edge(augment: Any) -> None:
    found = augment(IMAGES, affine=alike(1, 0, 100, 0, 1, 0))
    np.testing.assert_array_equal(found, np.repeat(IMAGES[:, :, :1], 6, axis=2))


def test_contrast_moves_pixels_from_or_to_their_images_mean_within_the_scale(augment: Any) -> None:
    factors = np.array([0.0, 1.0, 3.0], dtype="float32")
    found = augment(IMAGES, contrast=factors[:, None])
    mean = IMAGES.mean(axis=(1, 2, 3), keepdims=True)
    wanted = np.clip(mean + factors[:, None, None, None] * (IMAGES - mean), 0, 255)
    np.testing.assert_allclose(found, wanted, atol=0.51)
    assert {found[2].min(), found[2].max()} == {0, 255}


def test_erased_rectangle_gets_the_images_mean_and_the_rest_stays(augment: Any) -> None:
    found = augment(
        IMAGES, erase=np.array([[1, 3, 2, 5], [0, 5, 0, 6], [2, 2, 0, 6]], dtype="float32")
    )
    mean = np.round(IMAGES.mean(axis=(1, 2, 3)))
    wanted = IMAGES.copy()
    wanted[0, 1:3, 2:5] = mean[0]
    wanted[1] = mean[1]
    np.testing.assert_array_equal(found, wanted)


def test_mixup_mixes_each_image_with_its_partner(augment: Any) -> None:
    found = augment(IMAGES, mixup=EVERYTHING["mixup"])
    share = np.array([0.9, 0.5, 0.0])[:, None, None, None]
    np.testing.assert_allclose(found, share * IMAGES + (1 - share) * IMAGES[[2, 0, 1]], atol=0.51)


def test_both_ways_agree_on_everything_together() -> None:
    one, other = (
        np.asarray(implementation.augment(IMAGES, EVERYTHING), dtype=int)
        for implementation in (backend, neutral.BACKEND)
    )
    # Where a value lies between two whole numbers, the last bit decides, and contrast may double
    # that.
    assert np.abs(one - other).max() <= 2
