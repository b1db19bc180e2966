"""Own builders that train, measure or fail in their own way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from tuner.records.image import ImageSpec


def _dense(image_spec: ImageSpec, kind: type[keras.Model] = keras.Model) -> keras.Model:
    inputs = keras.layers.Input(image_spec.shape)
    features = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs))
    return kind(inputs, keras.layers.Dense(image_spec.n_classes, activation="softmax")(features))


class OwnStep(keras.Model):
    """Its training step changes nothing and gives a metric of its own."""

    def train_step(self, data: Any) -> dict[str, Any]:
        images, targets = data
        loss = self.compute_loss(images, targets, self(images, training=True))
        return {"loss": loss, "own": keras.ops.convert_to_tensor(7.0)}


class NanFirst(keras.Model):
    """Its validation gives NaN, then 2, then 3."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def test_step(self, data: Any) -> dict[str, Any]:
        self.calls.assign(self.calls + 1)
        return {
            "loss": self.calls,
            "own": keras.ops.where(self.calls < 2, float("nan"), self.calls),
        }


class BadValidation(keras.Model):
    """Trains as any model; its validation loss is infinite."""

    def test_step(self, data: Any) -> dict[str, Any]:
        return {"loss": keras.ops.convert_to_tensor(float("inf"))}


def build_bad_validation(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    return _dense(image_spec, BadValidation)


def build_nan_first(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    return _dense(image_spec, NanFirst)


def build_own_step(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    return _dense(image_spec, OwnStep)


def build_compiled(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    model = _dense(image_spec)
    model.compile(
        "sgd",
        "sparse_categorical_crossentropy",
        metrics=[keras.metrics.SparseCategoricalAccuracy("right")],
    )
    return model


def build_scheduled(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    model = _dense(image_spec)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)
    model.compile(keras.optimizers.SGD(schedule), "categorical_crossentropy", metrics=["accuracy"])
    return model


def build_in_16_bits(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    keras.config.set_dtype_policy("mixed_bfloat16")
    return _dense(image_spec)


def build_broken(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    raise ValueError("this builder\nis broken")


def build_seeded(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    keras.utils.set_random_seed(42)
    return _dense(image_spec)


def build_frozen(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    model = _dense(image_spec)
    model.trainable = False
    return model
