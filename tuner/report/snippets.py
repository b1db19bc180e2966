"""A setting in the forms that you may paste: Python, YAML and JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from tuner.space.vocabulary import batch_terms_on

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# What YAML takes for a truth value or for nothing.
_YAML_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def python_snippet(recipe_path: str, values: Mapping[str, Any]) -> str:
    """Python code that loads a sealed recipe, builds its model and trains it.

    Args:
        recipe_path: Path of the run's `best.yaml`, as the script sees it.
        values: The recipe's hyperparameters.

    Returns:
        Code that expects `images`, shape (n, height, width, channels), 0-255, and `labels`, shape
            (n,), class numbers.
    """
    # JSON's string literals are Python's too.
    literal = json.dumps(recipe_path, ensure_ascii=False)
    # Keras' `fit` repeats nothing of what the search did to its batches.
    missing = "# without the augmentation, class weights or balanced sampling of the search; "
    left_out = (
        f"{missing}`python -m tuner train --from` uses them\n" if batch_terms_on(values) else ""
    )
    return (
        f"from tuner.recipe import load_recipe\n\nrecipe = load_recipe({literal})\nmodel ="
        f" recipe.build()  # a compiled Keras model; images are 0-255\n{left_out}model.fit(images,"
        " recipe.targets(labels), epochs=recipe.epochs, batch_size=recipe.batch_size)\n"
    )


def as_json(values: Mapping[str, Any]) -> str:
    """Values as JSON; numbers that JSON does not have become null."""
    plain = {
        name: None if isinstance(v, float) and not math.isfinite(v) else v
        for name, v in values.items()
    }
    return json.dumps(plain, indent=2, ensure_ascii=False, default=str) + "\n"


def as_yaml(model: str, values: Mapping[str, Any]) -> str:
    """A search space that fixes these values; a scalar is a fixed value there."""
    lines = ["version: 1", f"model: {_yaml_scalar(model)}", "space:"]
    if not values:
        lines[-1] += " {}"
    for name, value in values.items():
        is_plain = _PLAIN_KEY.fullmatch(name) and name.lower() not in _YAML_WORDS
        key = name if is_plain else json.dumps(name, ensure_ascii=False)
        lines.append(f"  {key}: {_yaml_scalar(value)}")
    return "\n".join(lines) + "\n"


def _yaml_scalar(value: Any) -> str:
    # JSON is YAML; quoting every text keeps `no` and `1e-4` the texts that they are.
    return json.dumps(value, ensure_ascii=False, default=str)
