"""What a call changes in its process, as it was before."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from tuner.backend.random_numbers import random_numbers_kept

# Keras keeps its seed, dtype policy, distribution and switches in them, and `clear_session` throws
# them away (keras/src/backend/common/global_state.py).
_STATE_OF_KERAS = ("GLOBAL_STATE_TRACKER", "GLOBAL_SETTINGS_TRACKER")

# Another call in between would take what one has changed for what was there before.
_PROCESS = threading.RLock()


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
    """Restore Python's path and environment variables, random numbers, and all that Keras keeps.

    A training within this process changes them. What is not imported yet is left alone. A second
    thread waits until the first has restored them.
    """
    with _PROCESS, ExitStack() as after, path_kept(), _environment_kept(), random_numbers_kept():
        if not gc.get_freeze_count():
            # The import of a framework freezes what is there: a program may still delete it.
            after.callback(gc.unfreeze)
        if "keras" in sys.modules:
            after.callback(_keras_kept())
        yield


@contextmanager
def _environment_kept() -> Iterator[None]:
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


def _keras_kept() -> Callable[[], None]:
    """What restores Keras; until then, it is as if it had just been imported."""
    import keras
    from keras.src.backend.common import global_state

    from tuner.backend import environment

    config, kept = keras.config, {name: vars(global_state)[name] for name in _STATE_OF_KERAS}
    axes, floatx, epsilon = config.image_data_format(), config.floatx(), config.epsilon()

    def put(image_data_format: str, floatx: str, epsilon: float) -> None:
        config.set_image_data_format(image_data_format)
        config.set_floatx(floatx)
        config.set_epsilon(epsilon)

    def restore() -> None:
        put(axes, floatx, epsilon)
        vars(global_state).update(kept)

    vars(global_state).update({name: threading.local() for name in _STATE_OF_KERAS})
    put(**environment.KERAS_SETTINGS)  # type: ignore[arg-type]
    return restore
