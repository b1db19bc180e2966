"""Imports and sets up the framework, in half of the usual processor time."""

from __future__ import annotations

import gc
import importlib
import sys

from tuner.backend import environment

_ACTIVE = "tuner.backend.active"


def load(*others: str) -> None:
    """Import the framework, and leave its devices alone, so that the process may still be forked.

    Args:
        others: Modules that are imported together with it.

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
        for name in (_ACTIVE, *others):
            importlib.import_module(name)
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
