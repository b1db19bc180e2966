"""The search: a method, a board of trials and new settings, driven by a loop of our own.

The package can be called: `tuner.search(build, x, y)` is the function of the Python API. Python
puts a package in the place of any attribute of its name, as soon as one of its modules is imported.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _CallablePackage(ModuleType):
    """A package that passes calls on to `tuner.api.search.search`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Search what a `build(hp)` declares; see `tuner.api.search.search`."""
        # By name: this package itself must not depend on what stands above it.
        return import_module("tuner.api.search").search(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
