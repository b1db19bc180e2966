"""Adam in one pass gives what Keras' own gives."""

from __future__ import annotations

from collections import Counter
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tuner.backend import neutral
from tuner.backend.active import backend

RNG = np.random.default_rng(0)
START = [RNG.normal(size=shape).astype("float32") for shape in ((3, 3, 2, 4), (7,))]
GRADIENTS = [[RNG.normal(size=value.shape).astype("float32") for value in START] for _ in range(5)]


def trained(optimizer: keras.optimizers.Optimizer) -> list[np.ndarray]:
    """Weights and the optimizer's own variables after five updates, eager and traced in turn."""
    variables = [keras.Variable(value) for value in START]
    optimizer.build(variables)

    def update(*gradients: tf.Tensor) -> None:
        optimizer.apply(list(gradients), variables)

    traced = tf.function(update, autograph=False)
    for number, gradients in enumerate(GRADIENTS):
        (traced if number % 2 else update)(*map(tf.constant, gradients))
    return [np.asarray(variable) for variable in [*variables, *optimizer.variables]]


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
@pytest.mark.parametrize(
    "options",
    [
        {"weight_decay": 0.0},
        {"weight_decay": 0.1},
        {"global_clipnorm": 1.0},
        {"gradient_accumulation_steps": 2},
        {"use_ema": True, "ema_overwrite_frequency": 2},
    ],
    ids=str,
)
def test_same_weights_and_moments_as_keras(name: str, options: dict[str, Any]) -> None:
    ours, theirs = (
        trained(getattr(module, name)(learning_rate=0.01, **options))
        for module in (backend, neutral.BACKEND)
    )
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_rows_of_an_embedding_are_updated_too() -> None:
    def updated(optimizer: keras.optimizers.Optimizer) -> np.ndarray:
        table, dense = (keras.Variable(np.ones((4, 2), dtype="float32")) for _ in range(2))
        optimizer.build([table, dense])
        rows = tf.IndexedSlices(tf.ones([1, 2]), tf.constant([2]), tf.constant([4, 2]))
        optimizer.apply([rows, tf.ones([4, 2])], [table, dense])
        return np.stack([table, dense])

    ours, theirs = (updated(module.Adam(0.1)) for module in (backend, neutral.BACKEND))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_one_kernel_updates_each_variable_and_all_of_them_share_the_powers(name: str) -> None:
    optimizer = getattr(backend, name)(0.01, weight_decay=0.1)
    variables = [keras.Variable(value) for value in START]
    optimizer.build(variables)
    step = tf.function(lambda *gradients: optimizer.apply(list(gradients)), autograph=False)
    graph = step.get_concrete_function(*map(tf.constant, GRADIENTS[0])).graph
    found = Counter(node.type for node in graph.get_operations())
    assert (found["ResourceApplyAdam"], found["Pow"]) == (len(START), 2)
