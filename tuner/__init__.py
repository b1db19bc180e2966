"""Hyperparameter search for image classifiers, from a YAML search space to an HTML report."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuner.api.load import load
    from tuner.api.run import run
    from tuner.api.space import Space

__version__ = "0.1.0"

__all__ = ["Space", "load", "run", "search"]

# Where each public name is defined; `import tuner` imports none of these modules. The package
# `tuner.search` can be called itself, so that its import does not hide the function.
_PUBLIC = {
    "Space": "tuner.api.space",
    "load": "tuner.api.load",
    "run": "tuner.api.run",
}


def __getattr__(name: str) -> Any:
    if name == "search":
        return import_module("tuner.search")
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Not kept as an attribute of the package: a subpackage of the same name would replace it.
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
