"""Whether the code of your own module is still what stands in its file: Python imports it once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tuner.errors import ConfigurationError
from tuner.models.source import source_paths

# By source file: its hash and its module's spec, which a reload makes anew.
_LOADED: dict[str, tuple[str, Any]] = {}


@contextmanager
def code_as_imported(model: str | None) -> Iterator[None]:
    """Refuse a module that was edited since this process imported it, and remember it for later.

    A module that something else has imported is remembered from its first call on.

    Args:
        model: As `--model` takes it.

    Raises:
        ConfigurationError: If the source was edited and the module not reloaded.
    """
    names = [one for one in (model or "").split(",") if ":" in one]
    found = {path: digest for name in names for path, digest in source_paths(name).items()}
    _check(found)
    _LOADED.update(_with_specs(found))
    try:
        yield
    finally:
        # What it imported only now.
        _LOADED.update(_with_specs(found))


def _check(found: dict[str, str]) -> None:
    for path, (digest, spec) in _with_specs(found).items():
        before, loaded = _LOADED.get(path, (digest, None))
        if spec is not None and spec is loaded and digest != before:
            raise ConfigurationError(
                f"{path} was edited after this process had imported it; the old code would train",
                f"call importlib.reload on the module {spec.name} and what imports from it, or"
                " restart the kernel.",
            )


def _with_specs(found: dict[str, str]) -> dict[str, tuple[str, Any]]:
    modules = [one for one in list(sys.modules.values()) if getattr(one, "__file__", None) in found]
    specs = {str(one.__file__): getattr(one, "__spec__", None) for one in modules}
    return {path: (digest, specs.get(path)) for path, digest in found.items()}
