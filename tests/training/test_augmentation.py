"""What is drawn for a batch, and what becomes of its targets and weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tuner.backend.image_changes import CHANGES
from tuner.errors import ConfigurationError
from tuner.space.vocabulary import AUGMENTATION_TERMS
from tuner.training.augmentation import Augmentation

N, HEIGHT, WIDTH = 4000, 40, 20
ALL: dict[str, Any] = {
    "flip": True, "shift": 0.1, "zoom": 0.2, "rotation": 30.0, "contrast": 0.4,
    "random_erasing": 0.5, "mixup": 0.3,
}  # fmt: skip


def drawn(**terms: Any) -> dict[str, np.ndarray]:
    return Augmentation(terms).draw(np.random.default_rng(0), N, HEIGHT, WIDTH)


def matrices(**terms: Any) -> np.ndarray:
    """The linear parts, (n, 2, 2)."""
    return drawn(**terms)["affine"].reshape(N, 2, 3)[:, :, :2].astype("float64")


def test_settings_without_augmentation_are_off() -> None:
    for values in ({}, {"dropout": 0.3, "batch_size": 8}, dict.fromkeys(ALL, 0) | {"flip": False}):
        assert Augmentation(values).is_off
    assert not any(Augmentation({name: value}).is_off for name, value in ALL.items())


def test_every_term_is_drawn() -> None:
    assert set(ALL) == set(AUGMENTATION_TERMS)
    assert set(drawn(**ALL)) == set(CHANGES)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("rotation", {"affine"}),
        ("contrast", {"contrast"}),
        ("random_erasing", {"erase"}),
        ("mixup", {"mixup"}),
    ],
)
def test_what_is_off_has_no_parameters(name: str, parts: set[str]) -> None:
    assert set(drawn(**{name: ALL[name]})) == parts


def test_parameters_are_one_row_of_float32_for_each_image() -> None:
    for values in drawn(**ALL).values():
        assert (values.dtype, values.ndim, len(values)) == (np.float32, 2, N)


def test_flip_mirrors_half_of_the_images_left_to_right() -> None:
    found = matrices(flip=True)
    mirrored = found[:, 0, 0] < 0
    assert mirrored.mean() == pytest.approx(0.5, abs=0.03)
    np.testing.assert_array_equal(np.abs(found), np.broadcast_to(np.eye(2), found.shape))
    assert (found[:, 1, 1] == 1).all()


def test_shift_is_a_share_of_each_side() -> None:
    affine = drawn(shift=0.1)["affine"]
    assert np.abs(affine[:, 2]).max() == pytest.approx(0.1 * WIDTH, rel=0.02)
    assert np.abs(affine[:, 5]).max() == pytest.approx(0.1 * HEIGHT, rel=0.02)
    assert np.abs(np.corrcoef(affine[:, 2], affine[:, 5])[0, 1]) < 0.05


def test_zoom_scales_both_sides_alike() -> None:
    scale = np.sqrt(np.linalg.det(matrices(zoom=0.2)))
    # The place in the image is the place in the result, divided by the scale.
    assert (1 / scale).min() == pytest.approx(0.8, abs=0.01)
    assert (1 / scale).max() == pytest.approx(1.2, abs=0.01)


def test_rotation_is_even_up_to_its_degrees_either_way() -> None:
    found = matrices(rotation=30.0)
    degrees = np.rad2deg(np.arctan2(found[:, 1, 0], found[:, 1, 1]))
    assert (degrees.min(), degrees.max()) == (
        pytest.approx(-30, abs=0.5),
        pytest.approx(30, abs=0.5),
    )
    np.testing.assert_allclose(np.linalg.det(found), 1, atol=1e-5)


def test_contrast_factors_are_around_one() -> None:
    factors = drawn(contrast=0.4)["contrast"]
    assert (factors.min(), factors.max()) == (
        pytest.approx(0.6, abs=0.01),
        pytest.approx(1.4, abs=0.01),
    )


def test_erased_rectangles_lie_within_the_image_and_cover_what_the_paper_says() -> None:
    top, bottom, left, right = drawn(random_erasing=0.5)["erase"].T
    assert min(top.min(), left.min()) >= 0
    assert bottom.max() <= HEIGHT
    assert right.max() <= WIDTH
    area = (bottom - top) * (right - left) / (HEIGHT * WIDTH)
    assert (area > 0).mean() == pytest.approx(0.5, abs=0.03)
    # Whole pixels: an area is off by up to a row and a column.
    assert 0.005 < area[area > 0].min() < 0.03
    assert 0.17 < area.max() < 0.24


def test_mixups_shares_come_from_the_beta_distribution_and_each_image_is_a_partner_once() -> None:
    partner, share = drawn(mixup=0.3)["mixup"].T
    assert share.mean() == pytest.approx(0.5, abs=0.03)
    # Variance of Beta(a, a): 1 / (4 (2 a + 1)).
    assert share.var() == pytest.approx(1 / (4 * 1.6), rel=0.05)
    np.testing.assert_array_equal(np.sort(partner), np.arange(N))


def batch(targets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    images = np.random.default_rng(1).integers(0, 256, (len(targets), 6, 6, 1), dtype=np.uint8)
    return images, targets, np.linspace(0.5, 2.0, len(targets), dtype="float32")


def test_mixup_mixes_targets_and_weights_as_it_mixes_images() -> None:
    before, augmentation = batch(np.eye(5, dtype="float32")), Augmentation({"mixup": 1.0})
    parameters = augmentation.draw(np.random.default_rng(3), 5, 6, 6)
    _, targets, weights = augmentation(before, np.random.default_rng(3))
    partner, share = parameters["mixup"][:, 0].astype(int), parameters["mixup"][:, 1]
    wanted = share[:, None] * np.eye(5) + (1 - share[:, None]) * np.eye(5)[partner]
    np.testing.assert_allclose(targets, wanted, atol=1e-6)
    np.testing.assert_allclose(
        weights, share * before[2] + (1 - share) * before[2][partner], atol=1e-6
    )
    assert (targets.dtype, weights.dtype) == (np.float32, np.float32)


def test_without_mixup_targets_and_weights_stay() -> None:
    before = batch(np.arange(5, dtype="int32"))
    images, targets, weights = Augmentation({**ALL, "mixup": 0.0})(before, np.random.default_rng(0))
    assert targets is before[1]
    assert weights is before[2]
    assert not np.array_equal(np.asarray(images), before[0])


def test_mixup_of_class_numbers_is_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Augmentation({"mixup": 0.2})(batch(np.arange(5, dtype="int32")), np.random.default_rng(0))
    assert (
        caught.value.message
        == "mixup mixes targets, but the model was compiled with a sparse loss, which takes class"
        " numbers"
    )
    assert caught.value.hint == "compile it with categorical_crossentropy, or set mixup to 0."
