"""What is added to a model: pixels cast, probabilities calibrated and completed."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tests.images import image_spec
from tuner.exports.formats import INPUT_TYPES, InputType
from tuner.exports.whole_graph import whole_graph
from tuner.metrics.calibration import tempered
from tuner.training.compiled import probabilities

SPEC = image_spec(n_classes=3)
PIXELS = np.random.default_rng(0).integers(0, 256, size=(5, *SPEC.shape), dtype=np.uint8)


def dense_model(units: int = 3, activation: str = "softmax") -> keras.Model:
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input(SPEC.shape),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(units, activation=activation),
        ]
    )


def mean_of_two() -> keras.Model:
    """Ends with a mean of probabilities, as an ensemble does."""
    images = keras.Input(SPEC.shape)
    return keras.Model(
        images, keras.layers.Average()([dense_model()(images), dense_model()(images / 2)])
    )


def own(model: keras.Model) -> np.ndarray:
    found = keras.ops.convert_to_numpy(model(PIXELS.astype("float32"), training=False))
    return probabilities(found)


def exported(model: keras.Model, images: np.ndarray) -> np.ndarray:
    found: np.ndarray = keras.ops.convert_to_numpy(model(images, training=False))
    return found


@pytest.mark.parametrize("input_type", INPUT_TYPES)
@pytest.mark.parametrize("make", [dense_model, mean_of_two])
def test_calibration_is_that_of_the_recipe(make: object, input_type: InputType) -> None:
    assert callable(make)
    model = make()
    graph = whole_graph(model, SPEC, 1.7, input_type)
    assert graph.input.dtype == input_type
    assert graph.input_shape == (None, *SPEC.shape)
    found = exported(graph, PIXELS.astype(input_type))
    np.testing.assert_allclose(found, tempered(own(model), 1.7), atol=1e-6)


def test_sigmoid_unit_gives_both_probabilities() -> None:
    model = dense_model(1, "sigmoid")
    graph = whole_graph(model, image_spec(), 0.6, "uint8")
    np.testing.assert_allclose(exported(graph, PIXELS), tempered(own(model), 0.6), atol=1e-6)


def test_without_a_temperature_the_outputs_stay_as_they_are() -> None:
    model = dense_model()
    for temperature in (None, 1.0):
        graph = whole_graph(model, SPEC, temperature, "uint8")
        np.testing.assert_allclose(exported(graph, PIXELS), own(model), atol=1e-7)


def test_calibration_of_a_dense_end_adds_no_operation() -> None:
    graph = whole_graph(dense_model(), SPEC, 1.7, "float32")
    kinds = [type(layer).__name__ for layer in graph._flatten_layers(include_self=False)]
    assert not {"Log", "Softmax", "Divide"} & set(kinds)


def test_the_given_model_stays_as_it_is() -> None:
    model = dense_model()
    before = own(model)
    whole_graph(model, SPEC, 2.5, "uint8")
    np.testing.assert_array_equal(own(model), before)


def test_a_very_sure_model_stays_finite() -> None:
    model = mean_of_two()
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Dense):
            layer.set_weights([weights * 1000 for weights in layer.get_weights()])
    found = exported(whole_graph(model, SPEC, 0.05, "uint8"), PIXELS)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
