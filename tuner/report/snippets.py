"""The lines that train the best setting inside somebody's own script."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tuner.space.vocabulary import batch_terms_on


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
    # Keras' `fit` knows nothing of what the search did to its batches.
    missing = "# without the augmentation, class weights or balanced sampling of the search; "
    left_out = (
        f"{missing}`python -m tuner train --from` has them\n" if batch_terms_on(values) else ""
    )
    return (
        f"from tuner.recipe import load_recipe\n\nrecipe = load_recipe({literal})\nmodel ="
        f" recipe.build()  # a compiled Keras model; images are 0-255\n{left_out}model.fit(images,"
        " recipe.targets(labels), epochs=recipe.epochs, batch_size=recipe.batch_size)\n"
    )
