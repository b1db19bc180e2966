"""Inputs and outputs of a model of your own, and models that are built lazily."""

from __future__ import annotations

from typing import Any

import keras
import pytest
from keras import layers

from tests.images import image_spec
from tests.soak import published
from tuner.errors import ConfigurationError
from tuner.training.own_builders.model_form import fit_to, units_of

SPEC = image_spec(2)


class FromHp:
    """Answers with the default."""

    def Int(self, name: str, low: int, high: int, **options: Any) -> int:  # noqa: N802 - Keras Tuner's name
        return low


@pytest.mark.parametrize(
    "build", [published.build_lazy, published.build_subclassed], ids=lambda b: b.__name__
)
def test_lazy_model_is_built_on_the_images_shape(build: Any) -> None:
    model = build(FromHp())
    assert fit_to(model, "net:build", SPEC) == 2
    assert model.built
    assert model.count_params() > 0
    assert units_of(model) == 2


@pytest.mark.parametrize(
    ("build", "message", "fix"),
    [
        (published.build_two_inputs, "takes 2 inputs (",
         "build it with one input, keras.Input((8, 8, 1))."),
        (published.build_two_outputs, "outputs 2 arrays; expected one",
         "return a model with that output alone"),
        (published.build_large, "takes images of 64x64x1, but the data set's are 8x8x1",
         "image: {height: 64,"),
        (published.build_three_units, "outputs 3 values, but there are 2 classes",
         "image_spec.n_classes"),
        (published.build_maps, "outputs an array of n x 6 x 6 x 2; expected n x 2",
         "GlobalAveragePooling2D()"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_the_way_out(build: Any, message: str, fix: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        fit_to(build(FromHp()), "net:build", SPEC)
    assert f'model "net:build" {message}' in caught.value.message
    assert fix in caught.value.hint


def sequential(shape: Any, **options: Any) -> keras.Model:
    return keras.Sequential([keras.Input(shape, **options), layers.Flatten(), layers.Dense(2)])


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: sequential((64,)), "takes images of 64, but the data set's are 8x8x1"),
        (lambda: sequential((8, 8, 3)), "takes images of 8x8x3"),
        (lambda: sequential((8, 8, 1), batch_size=16), "takes exactly 16 images at a time"),
        (
            lambda: keras.Sequential([layers.Conv2D(2, 9), layers.Flatten(), layers.Dense(2)]),
            "cannot take images of 8x8x1 (values 0-255, float32): ",
        ),
    ],
)
def test_other_images_are_refused(model: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        fit_to(model(), "net:build", SPEC)
    assert message in caught.value.message
