"""The generator is seeded, balanced and varied."""

from __future__ import annotations

import numpy as np

from tuner.data.formats.drawn_faces import EXPRESSIONS, draw_faces


def test_same_seed_same_images_whatever_their_number() -> None:
    few, many = draw_faces(5, seed=3), draw_faces(9, seed=3)
    np.testing.assert_array_equal(few[0], many[0][:5])
    np.testing.assert_array_equal(few[1], many[1][:5])


def test_another_seed_gives_other_images() -> None:
    assert (draw_faces(3, seed=1)[0] != draw_faces(3, seed=2)[0]).any(axis=(1, 2, 3)).all()


def test_shape_type_and_balance() -> None:
    images, labels = draw_faces(14, seed=0, size=32)
    assert images.shape == (14, 32, 32, 1)
    assert images.dtype == np.uint8
    assert np.bincount(labels).tolist() == [2] * len(EXPRESSIONS)


def test_images_differ_and_are_not_flat() -> None:
    images, _ = draw_faces(30, seed=0)
    assert len(np.unique(images.reshape(30, -1), axis=0)) == 30
    assert images.std(axis=(1, 2, 3)).min() > 5
