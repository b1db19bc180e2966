"""Imports and sets up the framework, in half of the usual processor time."""

from __future__ import annotations

import gc
import importlib
import sys

from tuner.backend import environment

_ACTIVE = "tuner.backend.active"


def load() -> None:
    """Import the framework, and leave its devices alone, so that the process may still be forked.

    Raises:
        ConfigurationError: As `environment.prepare` does.
    """
    environment.prepare()
    if _ACTIVE in sys.modules:
        return
    was_enabled = gc.isenabled()
    # The collector runs often during imports, and finds little.
    gc.disable()
    try:
        importlib.import_module(_ACTIVE)
    finally:
        if was_enabled:
            gc.enable()
    # What an import leaves stays. Keras collects garbage with every model that is built anew, for a
    # fourth of a second in all of this.
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
