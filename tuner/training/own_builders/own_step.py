"""Whether a model's own training step is written for the backend that Keras runs on."""

from __future__ import annotations

import inspect

import keras

from tuner.errors import ConfigurationError


def check_step(name: str, model: keras.Model, backend: str) -> None:
    """Refuse a `train_step` or `test_step` that is written for another backend.

    Keras passes the state and the data on JAX, and the data alone elsewhere
    (keras/src/backend/*/trainer.py).

    Args:
        name: What messages call the model.
        model: Of any kind; Keras' own steps always fit.
        backend: `tensorflow`, `jax` or `torch`.

    Raises:
        ConfigurationError: With what the step takes and what it should take.
    """
    expected, other = ("state, data", "tensorflow") if backend == "jax" else ("data", "jax")
    n_expected, n_of_other = (2, 1) if backend == "jax" else (1, 2)
    for step in ("train_step", "test_step"):
        takes = _required(getattr(model, step))
        if takes is not None and len(takes) != n_expected:
            change = f"; or set KERAS_BACKEND={other}" if len(takes) == n_of_other else ""
            raise ConfigurationError(
                f'model "{name}": its {step} takes ({", ".join(takes)}), but Keras calls it with'
                f" ({expected}) on {backend}",
                f"write it for {backend}, as in Keras' guide to custom training steps{change}.",
            )


def _required(method: object) -> list[str] | None:
    """Names of the parameters that a method needs; None where it takes any number of them."""
    try:
        parameters = inspect.signature(method).parameters.values()  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    if any(one.kind == one.VAR_POSITIONAL for one in parameters):
        return None
    return [
        one.name for one in parameters if one.default is one.empty and one.kind != one.VAR_KEYWORD
    ]
