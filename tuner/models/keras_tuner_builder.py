"""For a person's own `build(hp)`: Keras Tuner's `HyperParameters` that answer with given values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras_tuner


def hyperparameters(values: Mapping[str, Any]) -> keras_tuner.HyperParameters:
    """`HyperParameters` whose `hp.Int(name, ...)` and the like return `values[name]`, else their default."""
    hp = keras_tuner.HyperParameters()
    hp.values = dict(values)
    return hp
