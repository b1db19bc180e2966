"""What a call changes in its process, as it was before."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

# Keras has no public function for its own random numbers (keras/src/utils/rng_utils.py).
_OF_KERAS = ("global_random_seed", "global_seed_generator")


@contextmanager
def path_kept() -> Iterator[None]:
    """Restore where Python finds modules."""
    path = list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = path


@contextmanager
def process_kept() -> Iterator[None]:
    """Restore Python's path, Keras' settings and the random numbers of Python, NumPy and Keras.

    A training within this process sets them. What is not imported yet is left alone.
    """
    with ExitStack() as after, path_kept():
        after.callback(random.setstate, random.getstate())
        if (numpy := sys.modules.get("numpy")) is not None:
            after.callback(numpy.random.set_state, numpy.random.get_state())
        if "keras" in sys.modules:
            after.callback(_keras_kept())
        yield


def _keras_kept() -> Callable[[], None]:
    """What restores Keras; the settings of this engine are in force until then."""
    import keras
    from keras.src.backend.common import global_state

    from tuner.backend import environment, keras_settings

    axes, settings = keras.config.image_data_format(), keras_settings.current()
    numbers: dict[str, Any] = {name: global_state.get_global_attribute(name) for name in _OF_KERAS}
    keras.config.set_image_data_format(environment.KERAS_SETTINGS["image_data_format"])
    keras.config.set_floatx(environment.KERAS_SETTINGS["floatx"])
    keras.config.set_epsilon(environment.KERAS_SETTINGS["epsilon"])

    def restore() -> None:
        keras.config.set_image_data_format(axes)
        keras_settings.put(settings)
        for name, value in numbers.items():
            global_state.set_global_attribute(name, value)

    return restore
