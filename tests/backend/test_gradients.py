"""Gradients outside of training, on the backend that Keras runs on."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tuner.backend import neutral
from tuner.backend.active import backend

POINT = np.array([[1.0, -2.0], [3.0, 0.5]], dtype="float32")


def cubes(values: Any) -> Any:
    return keras.ops.sum(values**3)


def test_gradient_of_a_sum_of_cubes_is_three_times_the_squares() -> None:
    assert np.allclose(backend.gradient(cubes, POINT), 3 * POINT**2)


def test_gradient_goes_through_a_layer_whose_weights_are_constants() -> None:
    dense = keras.layers.Dense(
        1, kernel_initializer=lambda *_, **__: np.array([[2.0], [-1.0]], dtype="float32")
    )
    found = backend.gradient(lambda values: keras.ops.sum(dense(values)), POINT)
    assert np.allclose(found, [[2.0, -1.0]] * 2)


def test_function_that_does_not_depend_on_its_argument_has_gradient_zero() -> None:
    found = backend.gradient(lambda _: keras.ops.sum(keras.ops.ones(3)), POINT)
    assert np.array_equal(found, np.zeros_like(POINT))


def test_a_backend_that_is_not_known_gives_no_gradient() -> None:
    assert neutral.BACKEND.gradient(cubes, POINT) is None
