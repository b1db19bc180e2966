"""The framework of this process, started: seconds of work, half of which is spared here."""

from __future__ import annotations

import gc
import importlib

from tuner.backend import environment


def load() -> None:
    """Import the framework, and leave its devices alone, so that the process may still be forked.

    Raises:
        ConfigurationError: As `environment.prepare` does.
    """
    environment.prepare()
    was_enabled = gc.isenabled()
    # Python looks for garbage whenever so much is new; an import leaves hardly any.
    gc.disable()
    try:
        importlib.import_module("tuner.backend.active")
    finally:
        if was_enabled:
            gc.enable()
    # What an import leaves stays. Keras looks for garbage with every model that is built anew, for
    # a fourth of a second in all of this.
    gc.freeze()


def start(n_threads: int) -> None:
    """Import the framework, and set up its devices.

    Args:
        n_threads: Of one operation.

    Raises:
        ConfigurationError: As `environment.prepare` does.
    """
    load()
    from tuner.backend.active import prepare_devices

    prepare_devices(n_threads)
