"""What a model of your own predicts.

Probabilities, or logits that get what its loss applies to them.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tests.images import image_spec
from tuner.errors import ConfigurationError
from tuner.training.own_builders.class_outputs import pixels, with_probabilities
from tuner.training.own_builders.model_form import fit_to

SPEC = image_spec(2)
IMAGES = pixels(SPEC).astype("float32")


def model_of(
    units: int, activation: Any = None, loss: Any = None, *, is_subclassed: bool = False
) -> keras.Model:
    keras.utils.set_random_seed(0)
    stack = [
        layers.Rescaling(1 / 255),
        layers.Flatten(),
        layers.Dense(units, activation=activation),
    ]
    model = (
        Wrapped(keras.Sequential(stack))
        if is_subclassed
        else keras.Sequential([keras.Input(SPEC.shape), *stack])
    )
    if loss is not None:
        model.compile("sgd", loss)
    return model


class Wrapped(keras.Model):
    def __init__(self, inner: keras.Model) -> None:
        super().__init__()
        self.inner = inner

    def call(self, images: Any, training: bool = False) -> Any:
        return self.inner(images, training=training)


def shown(model: keras.Model) -> keras.Model:
    return with_probabilities(model, "net:build", SPEC, fit_to(model, "net:build", SPEC))


def refused(model: keras.Model) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        shown(model)
    return caught.value


def own_loss(labels: Any, outputs: Any) -> Any:
    return keras.losses.sparse_categorical_crossentropy(labels, outputs, from_logits=True)


SOFTMAX_LOSSES = [
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    {"dense": keras.losses.CategoricalCrossentropy(from_logits=True)},
    partial(keras.losses.sparse_categorical_crossentropy, from_logits=True),
    own_loss,
]


@pytest.mark.parametrize("is_subclassed", [False, True])
@pytest.mark.parametrize("loss", SOFTMAX_LOSSES, ids=range(len(SOFTMAX_LOSSES)))
def test_logits_get_a_softmax(loss: Any, is_subclassed: bool) -> None:
    model = model_of(2, loss=loss, is_subclassed=is_subclassed)
    topped = shown(model)
    wanted = keras.ops.softmax(model(IMAGES))
    np.testing.assert_allclose(topped(IMAGES), wanted, atol=1e-6)
    assert not topped.compiled


@pytest.mark.parametrize("is_subclassed", [False, True])
def test_one_logit_gets_a_sigmoid(is_subclassed: bool) -> None:
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model = model_of(1, loss=loss, is_subclassed=is_subclassed)
    np.testing.assert_allclose(shown(model)(IMAGES), keras.ops.sigmoid(model(IMAGES)), atol=1e-6)


@pytest.mark.parametrize("is_subclassed", [False, True])
@pytest.mark.parametrize(("units", "activation"), [(2, "softmax"), (1, "sigmoid")])
def test_probabilities_stay_as_they_are_whatever_the_loss_says(
    units: int, activation: str, is_subclassed: bool
) -> None:
    kind = (
        keras.losses.BinaryCrossentropy
        if units == 1
        else keras.losses.SparseCategoricalCrossentropy
    )
    model = model_of(units, activation, kind(from_logits=True), is_subclassed=is_subclassed)
    np.testing.assert_array_equal(shown(model)(IMAGES), model(IMAGES))


@pytest.mark.parametrize("is_subclassed", [False, True])
def test_logits_of_a_loss_that_takes_probabilities_are_refused_with_the_line_to_add(
    is_subclassed: bool,
) -> None:
    error = refused(
        model_of(2, loss="sparse_categorical_crossentropy", is_subclassed=is_subclassed)
    )
    assert "they look like logits, and its loss does not say from_logits" in error.message
    assert error.hint == (
        'end it with keras.layers.Dense(2, activation="softmax"), or compile it with '
        "loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)."
    )


@pytest.mark.parametrize("is_subclassed", [False, True])
def test_logit_that_happens_to_lie_between_0_and_1_is_refused(is_subclassed: bool) -> None:
    model = model_of(1, loss="binary_crossentropy", is_subclassed=is_subclassed)
    fit_to(model, "net:build", SPEC)
    kernel, bias = model.trainable_variables
    kernel.assign(np.abs(kernel) * 0.01)
    bias.assign([0.2])
    before = np.array(model(IMAGES))
    assert 0 < before.min() < before.max() < 1
    assert "outputs one logit, not a probability" in refused(model).message
    np.testing.assert_array_equal(model(IMAGES), before)


def test_uncompiled_logits_are_refused() -> None:
    assert "not class probabilities" in refused(model_of(2)).message


@pytest.mark.parametrize(
    ("units", "activation", "message"),
    [
        (2, "sigmoid", "outputs values that do not sum to 1 over the classes"),
        (1, "linear", "outputs one logit, not a probability"),
        (2, "tanh", "not class probabilities"),
    ],
)
def test_what_is_no_distribution_is_refused(units: int, activation: str, message: str) -> None:
    assert message in refused(model_of(units, activation)).message


@pytest.mark.parametrize("is_subclassed", [False, True])
def test_sigmoids_that_happen_to_sum_to_1_are_refused(is_subclassed: bool) -> None:
    model = model_of(2, "sigmoid", is_subclassed=is_subclassed)
    fit_to(model, "net:build", SPEC)
    for variable in model.trainable_variables:
        variable.assign(np.zeros(variable.shape))
    np.testing.assert_array_equal(model(IMAGES), 0.5)
    assert "do not sum to 1" in refused(model).message


def test_values_that_are_not_finite_are_refused() -> None:
    model = model_of(2, lambda outputs: outputs / 0)
    assert refused(model).hint == "begin it with keras.layers.Rescaling(1 / 255)."


def test_softmax_over_one_unit_is_refused() -> None:
    with pytest.warns(UserWarning, match="axis has size 1"):
        model = model_of(1, "softmax")
        error = refused(model)
    assert "ends with softmax over one unit, which is always 1" in error.message


def test_one_output_in_a_dict_is_taken_out() -> None:
    inputs = keras.Input(SPEC.shape)
    outputs = layers.Dense(2, activation="softmax")(
        layers.Flatten()(layers.Rescaling(1 / 255)(inputs))
    )
    model = shown(keras.Model(inputs, {"species": outputs}))
    assert model(IMAGES).shape == (10, 2)
