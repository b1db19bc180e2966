"""The search: a method, a board of trials and new settings, driven by a loop of our own.

The package can be called: `tuner.search(build, x, y)` is the function of the Python API. Python
puts a package in the place of any attribute of its name, as soon as one of its modules is imported.
"""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _CallablePackage(ModuleType):
    """A package that passes calls on to `tuner.api.search.search`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Search what a `build(hp)` declares; see `tuner.api.search.search`."""
        return _function()(*args, **kwargs)

    @property
    def __signature__(self) -> inspect.Signature:
        """That of the function, for `help` and `inspect`."""
        return inspect.signature(_function())

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        """That of the function, for `help`."""
        text: str | None = _function().__doc__
        return text


def _function() -> Any:
    # By name: this package itself must not depend on what stands above it.
    return import_module("tuner.api.search").search


sys.modules[__name__].__class__ = _CallablePackage
