"""The packages that decide what a run computes."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import tuner

_PACKAGES = ("tensorflow", "jax", "keras", "keras-tuner", "numpy", "scikit-learn", "pillow")


def versions() -> dict[str, str]:
    """Version of each installed package that decides what a run computes."""
    found = {"tuner": tuner.__version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
