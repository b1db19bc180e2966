"""Builders in the forms that Keras and Keras Tuner publish, for 8 x 8 grey images of two classes.

The module stands alone: a copy of it in somebody's working directory is `net.py`.
"""

from __future__ import annotations

from typing import Any

import keras
import keras_tuner
from keras import layers, ops

SHAPE = (8, 8, 1)
SPARSE = "sparse_categorical_crossentropy"


def network(
    hp: Any, head: Any, *, first: Any = None, kind: type[keras.Model] = keras.Model
) -> keras.Model:
    """Images to whatever the head puts out."""
    inputs = keras.Input(SHAPE)
    features = layers.Rescaling(1 / 255)(inputs)
    if first is not None:
        features = first(features)
    features = layers.Conv2D(hp.Int("units", 4, 8, step=4), 3, activation="relu")(features)
    return kind(inputs, head(layers.Flatten()(features)))


def compiled(model: keras.Model, loss: Any = SPARSE, metrics: Any = ("accuracy",)) -> keras.Model:
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=loss, metrics=list(metrics))
    return model


def softmax() -> Any:
    return layers.Dense(2, activation="softmax")


def build_lazy(hp: Any) -> keras.Model:
    """A Sequential that does not say what it takes."""
    hidden = layers.Dense(hp.Int("units", 4, 8, step=4), activation="relu")
    return compiled(
        keras.Sequential([layers.Rescaling(1 / 255), layers.Flatten(), hidden, softmax()])
    )


class Subclassed(keras.Model):
    def __init__(self, units: int) -> None:
        super().__init__()
        self.scale, self.flatten = layers.Rescaling(1 / 255), layers.Flatten()
        self.hidden, self.head = layers.Dense(units, activation="relu"), softmax()

    def call(self, images: Any, training: bool = False) -> Any:
        return self.head(self.hidden(self.flatten(self.scale(images))))


def build_subclassed(hp: Any) -> keras.Model:
    return compiled(Subclassed(hp.Int("units", 4, 8, step=4)))


def build_functional(hp: Any) -> keras.Model:
    return compiled(network(hp, softmax()))


class Hyper(keras_tuner.HyperModel):
    def __init__(self, n_classes: int = 2) -> None:
        super().__init__()
        self.n_classes = n_classes

    def build(self, hp: Any) -> keras.Model:
        return compiled(network(hp, layers.Dense(self.n_classes, activation="softmax")))


def build_conditional(hp: Any) -> keras.Model:
    kind = hp.Choice("kind", ["small", "large"])
    with hp.conditional_scope("kind", ["small"]):
        units = hp.Int("units_small", 2, 4, step=2) if kind == "small" else 0
    with hp.conditional_scope("kind", ["large"]):
        units = hp.Int("units_large", 8, 16, step=8) if kind == "large" else units
    head = [layers.Flatten(), layers.Dense(units, activation="relu"), softmax()]
    return compiled(keras.Sequential([keras.Input(SHAPE), layers.Rescaling(1 / 255), *head]))


class Scale(layers.Layer):
    """Without `get_config`, and known to nobody."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor


def build_custom_layer(hp: Any) -> keras.Model:
    return compiled(network(hp, softmax(), first=Scale(2.0)))


def build_lambda(hp: Any) -> keras.Model:
    return compiled(network(hp, softmax(), first=layers.Lambda(lambda pixels: (pixels - 0.5) * 2)))


def build_logits(hp: Any) -> keras.Model:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return compiled(network(hp, layers.Dense(2)), loss)


def build_f1(hp: Any) -> keras.Model:
    return compiled(
        network(hp, softmax()), "categorical_crossentropy", ["accuracy", keras.metrics.F1Score()]
    )


class WithStep(keras.Model):
    """A training step, a loss and metrics of its own, as in Keras' guide to them."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.inner = keras.Sequential(
            [
                layers.Rescaling(1 / 255),
                layers.Flatten(),
                layers.Dense(units, activation="relu"),
                layers.Dense(2),
            ]
        )
        self.loss_function = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.right = keras.metrics.SparseCategoricalAccuracy(name="accuracy")

    def call(self, images: Any, training: bool = False) -> Any:
        return self.inner(images, training=training)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, **others: Any) -> Any:
        return self.loss_function(y, y_pred)

    def train_step(self, data: Any) -> dict[str, Any]:
        import tensorflow as tf

        images, labels = data
        with tf.GradientTape() as tape:
            outputs = self(images, training=True)
            loss = self.compute_loss(y=labels, y_pred=outputs)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return self._told(loss, labels, outputs)

    def test_step(self, data: Any) -> dict[str, Any]:
        images, labels = data
        outputs = self(images, training=False)
        return self._told(self.compute_loss(y=labels, y_pred=outputs), labels, outputs)

    def _told(self, loss: Any, labels: Any, outputs: Any) -> dict[str, Any]:
        self.loss_tracker.update_state(loss)
        self.right.update_state(labels, outputs)
        return {metric.name: metric.result() for metric in self.metrics}

    @property
    def metrics(self) -> list[Any]:
        return [self.loss_tracker, self.right]


def build_own_step(hp: Any) -> keras.Model:
    model = WithStep(hp.Int("units", 4, 8, step=4))
    model.compile(optimizer="adam")
    return model


@keras.saving.register_keras_serializable("published")
class Registered(layers.Layer):
    def __init__(self, factor: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        self.factor = factor

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable("published")
class Forgetful(Registered):
    """Loads as another layer: its configuration leaves the factor out."""

    def get_config(self) -> dict[str, Any]:
        return layers.Layer.get_config(self)


def build_registered(hp: Any) -> keras.Model:
    return compiled(network(hp, softmax(), first=Registered(3.0)))


def build_forgetful(hp: Any) -> keras.Model:
    return compiled(network(hp, softmax(), first=Forgetful(300.0)))


def build_one_logit(hp: Any) -> keras.Model:
    metric = keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)
    return compiled(
        network(hp, layers.Dense(1)), keras.losses.BinaryCrossentropy(from_logits=True), [metric]
    )


def build_one_logit_unsaid(hp: Any) -> keras.Model:
    return compiled(network(hp, layers.Dense(1, kernel_initializer="zeros")), "binary_crossentropy")


def build_logits_unsaid(hp: Any) -> keras.Model:
    return compiled(network(hp, layers.Dense(2)))


def build_two_sigmoids(hp: Any) -> keras.Model:
    return compiled(network(hp, layers.Dense(2, activation="sigmoid")), "binary_crossentropy")


def focal(labels: Any, outputs: Any) -> Any:
    """Of class numbers, by whatever name."""
    numbers = ops.cast(ops.reshape(labels, (-1, 1)), "int32")
    right = ops.take_along_axis(outputs, numbers, axis=1)[:, 0]
    return -ops.log(right + 1e-7) * (1 - right) ** 2


def build_focal(hp: Any) -> keras.Model:
    return compiled(network(hp, softmax()), focal)


def build_loss_in_dict(hp: Any) -> keras.Model:
    return compiled(
        network(hp, layers.Dense(2, activation="softmax", name="species")), {"species": SPARSE}
    )


def build_failing_metric(hp: Any) -> keras.Model:
    def own(labels: Any, outputs: Any) -> Any:
        return outputs.numpy().max()

    return compiled(network(hp, softmax()), metrics=["accuracy", own])


def build_without_accuracy(hp: Any) -> keras.Model:
    return compiled(network(hp, softmax()), metrics=["sparse_categorical_accuracy"])


def build_two_outputs(hp: Any) -> keras.Model:
    inputs = keras.Input(SHAPE)
    features = layers.Flatten()(inputs)
    model = keras.Model(
        inputs, [layers.Dense(2, name="first")(features), layers.Dense(2, name="second")(features)]
    )
    model.compile("adam", loss=[SPARSE] * 2)
    return model


def build_two_inputs(hp: Any) -> keras.Model:
    inputs = [keras.Input(SHAPE), keras.Input((4,))]
    features = layers.Concatenate()([layers.Flatten()(inputs[0]), inputs[1]])
    return compiled(keras.Model(inputs, softmax()(features)))


def build_large(hp: Any) -> keras.Model:
    inputs = keras.Input((64, 64, 1))
    return compiled(keras.Model(inputs, softmax()(layers.Flatten()(inputs))))


def build_three_units(hp: Any) -> keras.Model:
    return compiled(network(hp, layers.Dense(3, activation="softmax")))


def build_maps(hp: Any) -> keras.Model:
    inputs = keras.Input(SHAPE)
    return compiled(keras.Model(inputs, layers.Conv2D(2, 3, activation="softmax")(inputs)))


def build_raising(hp: Any) -> keras.Model:
    raise ValueError("no such layer: Conv9D")
