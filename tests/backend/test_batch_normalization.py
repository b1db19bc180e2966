"""The fused BatchNormalization against Keras' own layer."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tuner.backend.active import backend

MAPS = np.random.default_rng(0).normal(3.0, 2.0, size=(3, 5, 4, 4, 6)).astype("float32")


def pair(**settings: Any) -> tuple[keras.layers.Layer, keras.layers.Layer]:
    """The fused layer and Keras' own, with the same uneven gamma and beta."""
    layers = backend.BatchNormalization(**settings), keras.layers.BatchNormalization(**settings)
    for layer in layers:
        layer.build((None, 4, 4, 6))
        layer.set_weights([np.linspace(0.5, 1.5, 6) + i for i, _ in enumerate(layer.get_weights())])
    return layers


def outputs_and_gradients(
    layer: keras.layers.Layer, batch: np.ndarray, training: bool
) -> list[np.ndarray]:
    inputs = tf.constant(batch)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=training)
        loss = tf.reduce_sum(outputs**3)
    gradients = tape.gradient(loss, [inputs, *(v.value for v in layer.trainable_variables)])
    return [outputs.numpy(), *(g.numpy() for g in gradients)]


def assert_same(
    fused: keras.layers.Layer, plain: keras.layers.Layer, training: bool = True
) -> None:
    """Several steps give the same outputs, gradients and moving statistics."""
    for batch in MAPS:
        for ours, theirs in zip(
            outputs_and_gradients(fused, batch, training),
            outputs_and_gradients(plain, batch, training),
            strict=True,
        ):
            np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)
    for ours, theirs in zip(fused.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"momentum": 0.9, "epsilon": 0.1},
        {"scale": False},
        {"center": False},
        {"scale": False, "center": False},
    ],
    ids=str,
)
def test_training_equals_keras_layer(settings: dict[str, Any]) -> None:
    assert_same(*pair(**settings))


def test_moving_variance_is_of_the_biased_variance_as_in_keras() -> None:
    fused, _ = pair(momentum=0.0)
    fused(MAPS[0], training=True)
    np.testing.assert_allclose(
        fused.moving_variance.numpy(), MAPS[0].var(axis=(0, 1, 2)), rtol=1e-5
    )
    np.testing.assert_allclose(fused.moving_mean.numpy(), MAPS[0].mean(axis=(0, 1, 2)), rtol=1e-5)


def test_inference_equals_keras_layer_and_moves_nothing() -> None:
    fused, plain = pair()
    before = fused.get_weights()
    assert_same(fused, plain, training=False)
    for old, new in zip(before, fused.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_frozen_layer_uses_its_moving_statistics_even_while_training() -> None:
    fused, plain = pair()
    fused.trainable = plain.trainable = False
    before = fused.get_weights()
    np.testing.assert_allclose(
        fused(MAPS[0], training=True), plain(MAPS[0], training=True), rtol=1e-6, atol=1e-6
    )
    np.testing.assert_array_equal(fused.get_weights(), before)


def test_rank_two_inputs_equal_keras_layer() -> None:
    vectors = MAPS.reshape(3, -1, 6)
    fused, plain = backend.BatchNormalization(), keras.layers.BatchNormalization()
    for batch in vectors:
        np.testing.assert_allclose(
            fused(batch, training=True), plain(batch, training=True), rtol=1e-6, atol=1e-6
        )
    for ours, theirs in zip(fused.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_trains_through_the_fused_kernel() -> None:
    fused, _ = pair()
    graph = (
        tf.function(lambda x: fused(x, training=True))
        .get_concrete_function(tf.TensorSpec((None, 4, 4, 6)))
        .graph
    )
    assert "FusedBatchNormV3" in {operation.type for operation in graph.get_operations()}
