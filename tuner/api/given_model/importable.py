"""Whether any process finds a function or class by the name of its module."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any


def is_importable(value: Any) -> bool:
    """Whether `module.name` is this very object, in a module that can be imported anew."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
    if not isinstance(module, str) or module == "__main__" or "<" in name:
        return False
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is value and can_be_found(module)


def can_be_found(module: str) -> bool:
    """Whether a new process imports the same file by a module's name.

    `importlib.util.find_spec` would give the loaded one, perhaps of a path that no other one has.
    """
    if module.partition(".")[0] in sys.stdlib_module_names:
        return True
    loaded = sys.modules.get(module)
    around = sys.modules.get(module.rpartition(".")[0])
    places = getattr(around, "__path__", None)
    if "." in module and places is None:
        return False
    finders = [one for one in sys.meta_path if hasattr(one, "find_spec")]
    specs = (one.find_spec(module, places, None) for one in finders)
    spec = next(filter(None, specs), None)
    file = getattr(loaded, "__file__", None)
    return spec is not None and (file is None or _is_same(file, spec.origin))


def _is_same(file: str, other: str | None) -> bool:
    return other is not None and Path(file).resolve() == Path(other).resolve()
