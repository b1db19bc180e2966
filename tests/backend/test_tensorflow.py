"""TensorFlow's own: devices, XLA, and what the fast paths make of 16-bit numbers."""

from __future__ import annotations

from logging.handlers import BufferingHandler
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.backend.test_image_changes import EVERYTHING, IMAGES
from tests.images import SMALL_CNN, banded_images, image_spec
from tuner.backend import active, tensorflow
from tuner.backend.policy import Gpu, choose
from tuner.training.compiled import compiled_model, targets

MAPS = np.random.default_rng(0).normal(3.0, 2.0, size=(5, 4, 4, 6)).astype("float32")


def test_memory_of_every_gpu_grows_and_threads_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[Any, ...]] = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [f"{kind}:0", f"{kind}:1"])
    monkeypatch.setattr(
        tf.config.experimental, "set_memory_growth", lambda gpu, on: told.append((gpu, on))
    )
    for name in ("intra", "inter"):
        monkeypatch.setattr(
            tf.config.threading,
            f"set_{name}_op_parallelism_threads",
            lambda n, name=name: told.append((name, n)),
        )
    tensorflow.BACKEND.prepare_devices(3)
    assert told == [("GPU:0", True), ("GPU:1", True), ("intra", 3), ("inter", 1)]


def test_gpus_are_told_by_name_and_capability(monkeypatch: pytest.MonkeyPatch) -> None:
    details = {"a": {"device_name": "Tesla T4", "compute_capability": (7, 5)}, "b": {}}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a", "b"])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", details.__getitem__)
    assert tensorflow.BACKEND.gpus() == [
        Gpu(name="Tesla T4", capability=(7, 5)),
        Gpu(name="GPU", capability=None),
    ]


def test_predicting_with_one_model_after_the_other_is_no_warning() -> None:
    handler = BufferingHandler(capacity=100)
    logger = tf.get_logger()
    logger.addHandler(handler)
    try:
        for _ in range(7):
            model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
            predict = tensorflow.BACKEND.predictor(model)
            for n in (3, 2, 1):
                assert predict(np.ones((n, 2), "uint8")).shape == (n, 2)
    finally:
        logger.removeHandler(handler)
    assert handler.buffer == []


def test_strengths_and_batch_sizes_share_a_trace() -> None:
    tensorflow._change.cache_clear()
    for n in (3, 2, 1):
        tensorflow.BACKEND.augment(
            IMAGES[:n], {"contrast": np.full((n, 1), 0.5 * n, dtype="float32")}
        )
    assert (
        tensorflow._change("contrast", IMAGES.shape[1:], (1,)).experimental_get_tracing_count() == 1
    )


def test_images_are_the_same_without_xla(monkeypatch: pytest.MonkeyPatch) -> None:
    with_xla = np.asarray(tensorflow.BACKEND.augment(IMAGES, EVERYTHING), dtype=int)
    tensorflow._change.cache_clear()
    monkeypatch.setattr(tensorflow, "_has_xla", lambda: False)
    without = np.asarray(tensorflow.BACKEND.augment(IMAGES, EVERYTHING), dtype=int)
    tensorflow._change.cache_clear()
    assert np.abs(with_xla - without).max() <= 2


def losses(*, jit_compile: bool) -> list[float]:
    """Of three training steps and a test of a small network without dropout."""
    spec = image_spec()
    images, labels = banded_images(20, spec)
    keras.utils.set_random_seed(0)
    model = compiled_model("cnn", {**SMALL_CNN, "dropout": 0.0}, spec)
    model.jit_compile = jit_compile
    wanted = targets(model, labels)
    functions = tensorflow.BACKEND.steps(model, (images[:1], wanted[:1]))
    batches = [slice(0, 8), slice(8, 16), slice(16, 20)]
    found = [float(functions.train(images[rows], wanted[rows])["loss"]) for rows in batches]
    model.reset_metrics()
    return [*found, float(functions.test(images, wanted)["loss"])]


@pytest.mark.slow
def test_steps_compiled_by_xla_train_alike() -> None:
    assert losses(jit_compile=True) == pytest.approx(losses(jit_compile=False), rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("capability", [(7, 5), (8, 0)], ids=["mixed_float16", "mixed_bfloat16"])
def test_network_learns_in_mixed_precision_under_xla(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int]
) -> None:
    policy = choose([Gpu(name="made up", capability=capability)])
    monkeypatch.setattr(active, "policy", lambda: policy)
    spec = image_spec()
    images, labels = banded_images(20, spec)
    keras.utils.set_random_seed(0)
    model = compiled_model(
        "cnn", {**SMALL_CNN, "dropout": 0.2, "conv_dropout": 0.1, "learning_rate": 0.03}, spec
    )
    assert (model.jit_compile, model.layers[1].dtype_policy.name) == (True, policy.precision)
    wanted = targets(model, labels)
    functions = tensorflow.BACKEND.steps(model, (images[:1], wanted[:1]))
    before = float(functions.test(images, wanted)["loss"])
    for _ in range(30):
        functions.train(images, wanted)
    model.reset_metrics()
    assert float(functions.test(images, wanted)["loss"]) < before / 2


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_fused_normalization_in_16_bits_is_keras_own_within_their_accuracy(precision: str) -> None:
    layers = (
        tensorflow.BACKEND.BatchNormalization(dtype=precision),
        keras.layers.BatchNormalization(dtype=precision),
    )
    found = []
    for layer in layers:
        layer.build((None, 4, 4, 6))
        layer.set_weights([np.linspace(0.5, 1.5, 6) + i for i, _ in enumerate(layer.get_weights())])
        inputs = tf.constant(MAPS)
        with tf.GradientTape() as tape:
            outputs = layer(inputs, training=True)
            loss = tf.reduce_sum(tf.cast(outputs, "float32") ** 2)
        gradients = tape.gradient(loss, [v.value for v in layer.trainable_variables])
        assert {v.dtype for v in layer.variables} == {"float32"}
        found.append([outputs, *gradients, *layer.get_weights()])
    assert found[0][0].dtype == found[1][0].dtype == layers[0].compute_dtype
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(
            np.asarray(ours, "float32"), np.asarray(theirs, "float32"), rtol=0.03, atol=0.03
        )


def test_dropout_in_16_bits_keeps_type_share_and_mean() -> None:
    layer = tensorflow.BACKEND.Dropout(0.25, dtype="mixed_bfloat16", seed=1)
    outputs = layer(np.ones((100, 100), dtype="float32"), training=True)
    assert outputs.dtype == "bfloat16"
    found = np.asarray(outputs, dtype="float32")
    assert np.mean(found == 0) == pytest.approx(0.25, abs=0.02)
    assert found.max() == pytest.approx(1 / 0.75, rel=0.01)


def test_scaled_loss_leaves_the_fused_adam_as_it_is() -> None:
    start, gradient = np.ones(3, dtype="float32"), np.array([0.1, -0.2, 0.3], dtype="float32")

    def updated(optimizer: keras.optimizers.Optimizer, scale: float) -> np.ndarray:
        variable = keras.Variable(start)
        optimizer.build([variable])
        for _ in range(3):
            optimizer.apply([tf.constant(gradient * scale)], [variable])
        return np.asarray(variable)

    scaled = keras.mixed_precision.LossScaleOptimizer(tensorflow.Adam(0.01), initial_scale=1024.0)
    np.testing.assert_allclose(
        updated(scaled, 1024.0), updated(tensorflow.Adam(0.01), 1.0), rtol=1e-6
    )


def test_step_with_infinite_gradients_is_left_out() -> None:
    optimizer = keras.mixed_precision.LossScaleOptimizer(
        tensorflow.Adam(0.01), initial_scale=1024.0
    )
    variable = keras.Variable(np.ones(3, dtype="float32"))
    optimizer.build([variable])
    optimizer.apply([tf.constant([np.inf, 1.0, 1.0])], [variable])
    np.testing.assert_array_equal(variable, np.ones(3))
    assert float(optimizer.dynamic_scale) == 512.0


def test_prediction_is_traced_once_for_any_number_of_images() -> None:
    traced: list[int | None] = []

    class Doubling(keras.layers.Layer):
        def call(self, inputs: tf.Tensor) -> tf.Tensor:
            traced.append(inputs.shape[0])
            return 2.0 * inputs

    model = keras.Sequential([keras.Input((4,)), Doubling()])
    traced.clear()
    predict = tensorflow.BACKEND.predictor(model)
    for n in (1, 5, 2):
        images = np.full((n, 4), n, dtype="uint8")
        np.testing.assert_array_equal(predict(images), np.full((n, 4), 2.0 * n))
    assert traced == [None]
