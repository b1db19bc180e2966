"""Whether any process finds a function or class by the name of its module."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any


def is_importable(value: Any) -> bool:
    """Whether `module.name` is this very object, in a module that can be imported anew."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
    if not isinstance(module, str) or module == "__main__" or "<" in name:
        return False
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is value and _has_source(module)


def _has_source(module: str) -> bool:
    if module in sys.builtin_module_names:
        return True
    try:
        spec = find_spec(module)
    # A module that was made by hand has none.
    except (ImportError, ValueError):
        return False
    return spec is not None
