"""Adam in one pass gives what Keras' own gives."""

from __future__ import annotations

from collections import Counter

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
    """Weights and the optimizer's own variables after five updates."""
    variables = [keras.Variable(value) for value in START]
    optimizer.build(variables)
    for gradients in GRADIENTS:
        optimizer.apply([tf.constant(gradient) for gradient in gradients], variables)
    return [np.asarray(variable) for variable in [*variables, *optimizer.variables]]


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_same_weights_and_moments_as_keras(name: str, weight_decay: float) -> None:
    options = {"learning_rate": 0.01, "weight_decay": weight_decay}
    ours, theirs = (
        trained(getattr(module, name)(**options)) for module in (backend, neutral.BACKEND)
    )
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_rows_of_an_embedding_are_updated_too() -> None:
    def updated(optimizer: keras.optimizers.Optimizer) -> np.ndarray:
        table = keras.Variable(np.ones((4, 2), dtype="float32"))
        optimizer.build([table])
        rows = tf.IndexedSlices(tf.ones([1, 2]), tf.constant([2]), tf.constant([4, 2]))
        optimizer.apply([rows], [table])
        return np.asarray(table)

    np.testing.assert_array_equal(updated(backend.Adam(0.1)), updated(neutral.BACKEND.Adam(0.1)))


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_one_kernel_updates_each_variable_and_all_of_them_share_the_powers(name: str) -> None:
    optimizer = getattr(backend, name)(0.01, weight_decay=0.1)
    variables = [keras.Variable(value) for value in START]
    optimizer.build(variables)
    step = tf.function(lambda *gradients: optimizer.apply(list(gradients)), autograph=False)
    graph = step.get_concrete_function(*map(tf.constant, GRADIENTS[0])).graph
    found = Counter(node.type for node in graph.get_operations())
    assert (found["ResourceApplyAdam"], found["Pow"]) == (len(START), 2)
