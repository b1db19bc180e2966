"""What Keras keeps for the whole process, and a builder of your own may change for its models."""

from __future__ import annotations

from dataclasses import dataclass

import keras


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasSettings:
    """Keras' settings of a process.

    Not the order of an image's axes, which is the same for all models.

    Attributes:
        precision: The dtype policy of new layers.
        floatx: The type of numbers of inputs, losses and metrics, such as `float32`.
        epsilon: What keeps logarithms and divisions finite.
    """

    precision: keras.DTypePolicy
    floatx: str
    epsilon: float


def current() -> KerasSettings:
    """The settings in force."""
    return KerasSettings(
        precision=keras.config.dtype_policy(),
        floatx=keras.config.floatx(),
        epsilon=keras.config.epsilon(),
    )


def put(settings: KerasSettings) -> None:
    """Bring settings into force."""
    keras.config.set_floatx(settings.floatx)
    keras.config.set_epsilon(settings.epsilon)
    keras.config.set_dtype_policy(settings.precision)
