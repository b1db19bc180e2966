"""Arrays and Keras' objects by what is in them, where their pickles hold more than that."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

_OF_ARRAYS = frozenset(("tensorflow", "jax", "jaxlib", "torch"))


def array_of(value: Any) -> Any:
    """An array of NumPy, or a tensor as one; None for anything else.

    Raises:
        Exception: Of any kind, if a framework has no values for its tensor.
    """
    module = type(value).__module__
    is_known = module == "numpy" or module.partition(".")[0] in _OF_ARRAYS
    if not is_known or not all(hasattr(value, name) for name in ("__array__", "dtype", "shape")):
        return None
    import numpy as np

    return np.asarray(value)


def config_of(value: Any) -> Any:
    """The configuration of Keras' layer, optimizer, loss or the like, with a layer's weights.

    Names are by order: Keras counts its objects in each process. None for anything else.

    Raises:
        Exception: Of any kind, if it has no configuration.
    """
    if not callable(getattr(value, "get_config", None)) or not _is_of_keras(type(value)):
        return None
    import keras

    config = keras.saving.serialize_keras_object(value)
    names: dict[str, int] = {}
    for name in _names(config):
        names.setdefault(name, len(names))
    is_layer = isinstance(value, keras.layers.Layer)
    kinds = [type(one) for one in (value._flatten_layers() if is_layer else (value,))]
    _refuse_yours(config, {kind.__name__ for kind in kinds})
    weights = [one.numpy() for one in value.weights] if is_layer else []
    return _renamed(config, names), kinds, weights


def _is_of_keras(kind: type) -> bool:
    tops = {one.__module__.partition(".")[0] for one in kind.__mro__}
    return "keras" in tops and "keras" in sys.modules


def _refuse_yours(config: Any, known: set[str]) -> None:
    """Refuse a function or class of yours inside of a configuration, which has its name only."""
    if isinstance(config, dict):
        name = config.get("class_name")
        is_kept = (config.get("module") or "").partition(".")[0] == "keras" or name in known
        if name == "__lambda__" or ("registered_name" in config and not is_kept):
            raise TypeError(f"a Keras object that is made with {config.get('config')!r:.60}")
    for one in config.values() if isinstance(config, dict) else config:
        if isinstance(one, dict | list | tuple):
            _refuse_yours(one, known)


def _names(config: Any) -> Iterator[str]:
    if isinstance(config, dict):
        if isinstance(name := config.get("name"), str):
            yield name
        for one in config.values():
            yield from _names(one)
    elif isinstance(config, list | tuple):
        for one in config:
            yield from _names(one)


def _renamed(config: Any, names: dict[str, int]) -> Any:
    if isinstance(config, dict):
        return {key: _renamed(one, names) for key, one in config.items()}
    if isinstance(config, list | tuple):
        return [_renamed(one, names) for one in config]
    return f"name {names[config]}" if isinstance(config, str) and config in names else config
