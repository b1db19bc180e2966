"""One batch at a time: traced once, and the same by TensorFlow's way and by Keras' own."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from tests.images import SMALL_CNN, banded_images, image_spec, train_task, training_data
from tuner.backend import neutral
from tuner.backend.active import backend
from tuner.backend.protocol import Backend
from tuner.training.compiled import compiled_model, targets
from tuner.training.prepared import PreparedModels

SPEC = image_spec()
IMAGES, LABELS = banded_images(20, SPEC)


class Counting(keras.layers.Layer):
    """Passes its inputs on and counts how often Python runs it.

    Once per trace, not once per step.
    """

    calls = 0

    def call(self, inputs: Any) -> Any:
        self.calls += 1
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    return compiled_model("cnn", {**SMALL_CNN, "dropout": 0.0}, SPEC)


def test_each_function_is_traced_once_or_on_jax_once_for_each_size_of_a_batch() -> None:
    counting = Counting()
    network = keras.Sequential(
        [
            keras.layers.Input(SPEC.shape),
            counting,
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    network.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    counting.calls = 0
    wanted = targets(network, LABELS)
    functions = backend.steps(network, (IMAGES[:1], wanted[:1]))
    n_train, n_test = (3, 2) if keras.backend.backend() == "jax" else (1, 1)
    for n in (8, 8, 3, 20):
        functions.train(IMAGES[:n], wanted[:n])
    assert counting.calls == n_train
    for n in (20, 5):
        functions.test(IMAGES[:n], wanted[:n])
    assert counting.calls == n_train + n_test


@pytest.mark.parametrize("implementation", [backend, neutral.BACKEND])
def test_optimizer_is_built_before_the_first_step(implementation: Any) -> None:
    network = model()
    assert not network.optimizer.built
    implementation.steps(network, (IMAGES[:1], targets(network, LABELS[:1])))
    assert network.optimizer.built


def test_neutral_twin_has_the_same_metrics_over_all_batches() -> None:
    found = []
    for implementation in (backend, neutral.BACKEND):
        network = model()
        wanted = targets(network, LABELS)
        functions = implementation.steps(network, (IMAGES[:1], wanted[:1]))
        for n in (12, 8):
            trained = functions.train(IMAGES[:n], wanted[:n])
        trained = {name: float(value) for name, value in trained.items()}
        network.reset_metrics()
        for part in (slice(0, 12), slice(12, 20)):
            tested = functions.test(IMAGES[part], wanted[part])
        tested = {name: float(value) for name, value in tested.items()}
        predicted = implementation.predictor(network)(IMAGES)
        found.append((trained, tested, predicted))
    (trained, tested, predicted), (neutral_trained, neutral_tested, neutral_predicted) = found
    assert (
        trained.keys()
        == neutral_trained.keys()
        == {"loss", "accuracy", "macro_f1", "balanced_accuracy"}
    )
    assert trained == pytest.approx(neutral_trained, abs=1e-4)
    assert tested == pytest.approx(neutral_tested, abs=1e-4)
    np.testing.assert_allclose(predicted, neutral_predicted, atol=1e-4)
    assert predicted.shape == (20, 2)


@pytest.mark.parametrize("implementation", [backend, neutral.BACKEND])
def test_weights_count_in_the_loss_of_a_step(implementation: Any) -> None:
    network = model()
    wanted = targets(network, LABELS)
    function = implementation.steps(
        network, (IMAGES[:1], wanted[:1], np.ones(1, dtype="float32"))
    ).train
    losses = [
        float(function(IMAGES, wanted, np.full(20, w, dtype="float32"))["loss"]) for w in (0.0, 0.0)
    ]
    assert losses == [0.0, 0.0]
    network.reset_metrics()
    plain = model()
    once = implementation.steps(plain, (IMAGES[:1], wanted[:1])).train(IMAGES, wanted)
    twice = implementation.steps(
        model(), (IMAGES[:1], wanted[:1], np.ones(1, dtype="float32"))
    ).train(IMAGES, wanted, np.full(20, 2.0, dtype="float32"))
    assert float(twice["loss"]) == pytest.approx(2 * float(once["loss"]), rel=1e-5)
    assert float(twice["accuracy"]) == float(once["accuracy"])


@pytest.mark.parametrize("implementation", [backend, neutral.BACKEND])
def test_every_backend_has_all_that_the_protocol_names(implementation: Backend) -> None:
    names = [name for name in vars(Backend) if not name.startswith("_")]
    assert {"steps", "augment", "gradient"} <= set(names)
    assert not [n for n in [*names, *Backend.__annotations__] if not hasattr(implementation, n)]


def test_settings_that_differ_in_their_learning_rate_share_steps_on_every_backend() -> None:
    models, data = PreparedModels(), training_data()
    settings = [{**SMALL_CNN, "learning_rate": rate} for rate in (0.01, 0.001)]
    first, second = (models.prepare(train_task(values=values), data) for values in settings)
    assert first is second
    assert float(second.model.optimizer.learning_rate) == pytest.approx(0.001)


def test_model_compiled_without_jit_trains_as_with_it() -> None:
    def losses(jit_compile: bool | str) -> list[float]:
        network = keras.Sequential(
            [
                keras.layers.Input(SPEC.shape),
                keras.layers.Flatten(),
                keras.layers.Dense(2, activation="softmax"),
            ]
        )
        network.set_weights([np.full((64, 2), 0.01, dtype="float32"), np.zeros(2, dtype="float32")])
        network.compile("sgd", "categorical_crossentropy", jit_compile=jit_compile)
        wanted = targets(network, LABELS)
        train = backend.steps(network, (IMAGES[:1], wanted[:1])).train
        return [float(train(IMAGES[:n], wanted[:n])["loss"]) for n in (12, 8)]

    assert losses(jit_compile=False) == pytest.approx(losses(jit_compile="auto"), rel=1e-5)
