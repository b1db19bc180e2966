"""`tuner.search`: Keras Tuner's `build(hp)`, searched by this engine."""

from __future__ import annotations

import inspect
import os
from typing import Any

from tuner.api.finished_run import FinishedRun
from tuner.api.given_data.arrays import ClassNames
from tuner.api.given_data.place import NAME
from tuner.api.keywords import option_lines, signature_with
from tuner.api.run import run
from tuner.api.space import SPACE_KEYS, Space
from tuner.errors import ConfigurationError

OBJECTIVE = "val_accuracy"
# They follow from the arguments.
_DECIDED = frozenset(("model", "search_only"))


def search(
    build: Any,
    x: Any,
    y: Any = None,
    *,
    validation_data: Any = None,
    objective: Any = OBJECTIVE,
    max_epochs: int | None = None,
    factor: int | None = None,
    compare: bool = False,
    test: Any = None,
    name: str = NAME,
    class_names: ClassNames | None = None,
    **options: Any,
) -> FinishedRun:
    """Search what a builder declares, and nothing else: names, ranges and conditions are its own.

    Without a comparison nothing is retrained: the best setting and its score on validation images
    are what you get.

    Args:
        build: `build(hp)`, a `keras_tuner.HyperModel` or its class, or `"module:name"`.
        x: Images, as for `tuner.run`; or, without `y`, data in any form that `tuner.run` takes.
        y: Labels (n,), or one-hot (n, classes).
        validation_data: `(x_val, y_val)`, by which settings are ranked. Without it 10 % of the
            images validate, or five folds of fewer than 500 images. In each case some images are
            sealed for a test: `test=(x, y)`, or 10 % of `x` (20 % under 500).
        objective: A metric of validation, such as `val_accuracy`; or a `keras_tuner.Objective`.
        max_epochs: Epochs of Hyperband's last rung. None takes what a space of yours says, else the
            preset: 27 without one.
        factor: Hyperband's reduction factor between rungs, likewise; 3 without a preset.
        compare: Whether the winner is retrained, compared and tested as `tuner.run` does.
        test: As for `tuner.run`, and so are `name` and `class_names`.
        name: What data in memory are called in reports.
        class_names: Names of the classes, in the order of the labels, or by label.
        **options: As for `tuner.run`. `space` may add settings that the builder does not declare,
            such as `batch_size`, or narrow what it does.

    Returns:
        The finished run.

    Raises:
        ConfigurationError: For a builder that cannot be searched, with the reason, before anything
            is trained; and as `tuner.run` does.
        DataError: As `tuner.run` does.
        SearchError: As `tuner.run` does.
        RunInterrupted: As `tuner.run` does.

    Example:
        >>> import keras
        >>> import numpy as np
        >>> def build(hp):
        ...     layers = [keras.Input((4, 4, 1)), keras.layers.Flatten()]
        ...     layers.append(keras.layers.Dense(hp.Choice("units", [2, 4]), activation="relu"))
        ...     model = keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")])
        ...     model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        ...     return model
        >>> y = np.arange(600) % 2
        >>> x = np.random.default_rng(0).integers(0, 100, (600, 4, 4)) + 100 * y[:, None, None]
        >>> run = tuner.search(build, x, y, max_epochs=1, executor="inline", quiet=True)
        >>> run.results.search.searched
        ('units',)
    """
    for decided in _DECIDED & set(options):
        raise ConfigurationError(
            f"search has no option {decided}",
            "the builder is the first argument; compare=True adds the comparison.",
        )
    data = x if y is None else (x, y)
    given: dict[str, Any] = {
        "max_epochs": max_epochs,
        "factor": factor,
        **options,
        "space": _space(objective, options.get("space")),
        "model": build,
        "search_only": not compare,
    }
    return run(
        data,
        validation_data=validation_data,
        test=test,
        name=name,
        class_names=class_names,
        **given,
    )


def _space(objective: Any, given: Any) -> Any:
    """The space of yours, or an empty one, with the objective; the builder declares the rest.

    A file of yours is taken as it is.

    Raises:
        ConfigurationError: If both it and the argument may name the objective, or it names a model.
    """
    direction = getattr(objective, "direction", None)
    if direction is not None:
        objective = {"name": objective.name, "direction": direction}
    is_file = isinstance(given, str | os.PathLike)
    data = {} if is_file else given.data if isinstance(given, Space) else given or {}
    if objective != OBJECTIVE and (is_file or {"objective", "objectives"} & set(data)):
        raise ConfigurationError(
            "objective is given twice: as an argument, and in the space",
            "state it in one of the two places.",
        )
    if is_file:
        return given
    if "model" in data:
        raise ConfigurationError(
            "the space has a model, and the builder is one too",
            "leave it out of the space; the builder is the first argument.",
        )
    ranges = data if not SPACE_KEYS & set(data) else {}
    whole = {} if ranges is data else dict(data)
    return Space({"space": dict(ranges), "objective": objective, **whole, "model": "own:build"})


search.__signature__ = signature_with(  # type: ignore[attr-defined]
    inspect.signature(search), without=_DECIDED
)
search.__doc__ = (search.__doc__ or "").replace(
    "narrow what it does.\n", f"narrow what it does.\n\n{option_lines(without=_DECIDED)}\n"
)
