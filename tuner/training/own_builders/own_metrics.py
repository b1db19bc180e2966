"""Metrics that a builder of your own has compiled.

One that raises is left out, so that it fails no training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from tuner.backend.active import backend
from tuner.errors import ConfigurationError
from tuner.training.own_builders.label_form import function_of
from tuner.training.own_builders.model_form import brief


def leave_out_failing(model: keras.Model, targets: np.ndarray, outputs: Any) -> dict[str, str]:
    """Take those metrics out of a compiled model that raise on its labels and outputs.

    Args:
        model: Compiled.
        targets: Labels in the form that its loss takes, (n, ...).
        outputs: What the model puts out for as many images, as it arranges it.

    Returns:
        Why each that is left out has failed, by its name.

    Raises:
        ConfigurationError: If Keras does not know one of the metrics.
    """
    # Keras offers no other way to take one out (keras/src/trainers/compile_utils.py).
    compiled = getattr(model, "_compile_metrics", None)
    if compiled is None:
        return {}
    if not compiled.built:
        try:
            compiled.build(targets, outputs)
        except Exception as error:
            raise ConfigurationError(
                f"the metrics that the model is compiled with cannot be used: {brief(error)}",
                'name metrics of Keras, such as metrics=["accuracy"], or pass objects.',
            ) from error
    (only,) = keras.tree.flatten(outputs)
    failing: dict[str, str] = {}
    for group in filter(None, [*compiled._flat_metrics, *compiled._flat_weighted_metrics]):
        problems = [(metric, _problem(metric, targets, only)) for metric in group.metrics]
        failing |= {metric.name: problem for metric, problem in problems if problem}
        group.metrics = [metric for metric, problem in problems if not problem]
    return failing


def scalar(value: Any) -> float:
    """A metric's value as one number: the mean of a vector, such as one with a score per class."""
    return float(value) if np.ndim(value) == 0 else float(np.asarray(value).mean())


def scalars(metrics: Mapping[str, Any]) -> dict[str, float]:
    """What a step measures, one number by each name.

    A metric with several named values counts as several.
    """
    found: dict[str, float] = {}
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            found |= scalars({f"{name}_{part}": one for part, one in value.items()})
        elif value is not None:
            found[name] = scalar(value)
    return found


def _problem(metric: keras.metrics.Metric, targets: np.ndarray, outputs: Any) -> str | None:
    """Why a metric cannot be computed; None where it can."""
    arrays = keras.ops.convert_to_tensor(targets), keras.ops.convert_to_tensor(outputs)
    try:
        # Outside of a graph first: variables that a first call creates may not be created inside.
        _updated(metric)(*arrays)
        scalars({metric.name: metric.result()})
        if not _is_of_keras(metric):
            backend.run_traced(_updated(metric), *arrays)
    # Code of any kind runs here.
    except Exception as error:
        return brief(error)
    finally:
        metric.reset_state()
    return None


def _updated(metric: keras.metrics.Metric) -> Callable[[Any, Any], Any]:
    def update(targets: Any, outputs: Any) -> Any:
        metric.update_state(targets, outputs)
        return metric.result()

    return update


def _is_of_keras(metric: keras.metrics.Metric) -> bool:
    """Whether nothing but Keras' own code computes a metric, which works inside a graph."""
    function = function_of(getattr(metric, "_fn", None))
    return all(
        str(getattr(one, "__module__", "")).startswith("keras.")
        for one in (type(metric), function)
        if one is not None
    )
