"""Builders in the shapes of Keras Tuner's "getting started", for 8 x 8 grey images."""

from __future__ import annotations

from typing import Any

import keras
import keras_tuner
from keras import layers

SPARSE = "sparse_categorical_crossentropy"


def _finished(inputs: Any, features: Any, optimizer: Any = "adam") -> keras.Model:
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(features))
    model.compile(optimizer, SPARSE, metrics=["accuracy"])
    return model


def _begun() -> tuple[Any, Any]:
    inputs = keras.Input((8, 8, 1))
    return inputs, layers.Flatten()(layers.Rescaling(1 / 255)(inputs))


def conditional(hp: Any) -> keras.Model:
    """Scopes: each kind of network has hyperparameters of its own."""
    inputs, x = _begun()
    kind = hp.Choice("kind", ["wide", "deep"])
    with hp.conditional_scope("kind", ["wide"]):
        if kind == "wide":
            x = layers.Dense(hp.Int("width", 8, 16, step=4), activation="relu")(x)
    with hp.conditional_scope("kind", ["deep"]):
        if kind == "deep":
            for _ in range(hp.Int("depth", 1, 2)):
                x = layers.Dense(4, activation=hp.Choice("activation", ["relu", "tanh"]))(x)
    return _finished(inputs, x)


def numbers(hp: Any) -> keras.Model:
    """Choices of whole numbers and of floats of several sizes."""
    inputs, x = _begun()
    x = layers.Dense(hp.Choice("units", [4, 16, 8]), activation="relu")(x)
    return _finished(inputs, x, keras.optimizers.Adam(hp.Choice("rate", [0.1, 1e-4, 1.0])))


def fixed(hp: Any) -> keras.Model:
    """A value that is stated, beside one that is searched."""
    inputs, x = _begun()
    x = layers.Dense(hp.Fixed("units", 8), activation="relu")(x)
    rate = hp.Float("rate", 1e-4, 1e-2, sampling="log")
    return _finished(inputs, x, keras.optimizers.Adam(rate))


def loop(hp: Any) -> keras.Model:
    """As many layers as one value says, each with a value of its own."""
    inputs, x = _begun()
    for i in range(hp.Int("num_layers", 1, 3)):
        x = layers.Dense(hp.Int(f"units_{i}", 4, 12, step=4), activation="relu")(x)
    if hp.Boolean("dropout"):
        x = layers.Dropout(0.25)(x)
    return _finished(inputs, x)


class OwnFit(keras_tuner.HyperModel):
    """A HyperModel whose `fit` has a hyperparameter too."""

    def build(self, hp: Any) -> keras.Model:
        inputs, x = _begun()
        return _finished(inputs, layers.Dense(hp.Int("units", 4, 8, step=4))(x))

    def fit(self, hp: Any, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
        return model.fit(*args, shuffle=hp.Boolean("shuffle"), **kwargs)


class OwnStep(keras.Model):
    """A subclassed model, for a training step of its own."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.flatten, self.scale = layers.Flatten(), layers.Rescaling(1 / 255)
        self.hidden = layers.Dense(units, activation="relu")
        self.head = layers.Dense(2, activation="softmax")

    def call(self, images: Any) -> Any:
        return self.head(self.hidden(self.scale(self.flatten(images))))


class TensorFlowStep(OwnStep):
    """As in Keras' guide "Customizing what happens in fit() with TensorFlow"."""

    def train_step(self, data: Any) -> Any:
        import tensorflow as tf

        images, labels = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=labels, y_pred=self(images, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


class JaxStep(OwnStep):
    """As in Keras' guide "Customizing what happens in fit() with JAX"."""

    def loss_of(self, trainable: Any, others: Any, images: Any, labels: Any) -> Any:
        outputs, others = self.stateless_call(trainable, others, images)
        return self.compute_loss(images, labels, outputs), others

    def train_step(self, state: Any, data: Any) -> Any:
        import jax

        trainable, others, optimizer, metrics = state
        gradient = jax.value_and_grad(self.loss_of, has_aux=True)
        (loss, others), gradients = gradient(trainable, others, *data)
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trainable)
        return {"loss": loss}, (trainable, others, optimizer, metrics)


def own_step(hp: Any) -> keras.Model:
    written = {"tensorflow": TensorFlowStep, "jax": JaxStep}[keras.backend.backend()]
    model = written(hp.Int("units", 4, 8, step=4))
    model.compile("adam", SPARSE, metrics=["accuracy"])
    return model


# The values that each may have; None for those that are a range.
DECLARED: dict[str, dict[str, set[Any] | None]] = {
    "conditional": {
        "kind": {"wide", "deep"}, "width": {8, 12, 16}, "depth": {1, 2},
        "activation": {"relu", "tanh"},
    },
    "numbers": {"units": {4, 8, 16}, "rate": {0.1, 1e-4, 1.0}},
    "fixed": {"units": {8}, "rate": None},
    "loop": {
        "num_layers": {1, 2, 3}, "units_0": {4, 8, 12}, "units_1": {4, 8, 12},
        "units_2": {4, 8, 12}, "dropout": {True, False},
    },
    "OwnFit": {"units": {4, 8}},
    "own_step": {"units": {4, 8}},
}  # fmt: skip


def two_inputs(hp: Any) -> keras.Model:
    """Not supported: an image and something else."""
    first, second = keras.Input((8, 8, 1)), keras.Input((hp.Int("n", 1, 2),))
    x = layers.Concatenate()([layers.Flatten()(first), second])
    return _finished([first, second], x)


def mixed_types(hp: Any) -> keras.Model:
    """Refused by Keras Tuner itself."""
    inputs, x = _begun()
    return _finished(inputs, layers.Dense(int(hp.Choice("units", [4, 8.5])))(x))
