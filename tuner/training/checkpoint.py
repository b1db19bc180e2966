"""All state of a training in one file: weights, seeds of the dropout layers, optimizer."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from tuner.store.files import write_atomically

State = list[np.ndarray]


def take_state(model: keras.Model) -> State:
    """Copy every variable of a model and its built optimizer; a resumed training then goes on as if never stopped.

    Keras' own weights files leave out the states of the dropout layers' seeds, and fill an optimizer only once built.
    """
    return [keras.ops.convert_to_numpy(variable).copy() for variable in _variables(model)]


def put_state(model: keras.Model, state: State) -> None:
    """Assign what `take_state` copied.

    Raises:
        ValueError: If the state is another network's.
    """
    _assign(_variables(model), state)


def put_weights(model: keras.Model, state: State) -> None:
    """Assign the model's own part of what `take_state` copied, and leave the optimizer out.

    Raises:
        ValueError: If the state is another network's.
    """
    variables = _model_variables(model)
    _assign(variables, state[: len(variables)])


def save_state(state: State, path: Path) -> None:
    """Write a state atomically."""
    with write_atomically(path) as file:
        np.savez(file, *state)


def load_state(path: Path) -> State:
    """Read what `save_state` wrote."""
    with np.load(path) as archive:
        return [archive[f"arr_{i}"] for i in range(len(archive.files))]


def _assign(variables: list[keras.Variable], state: State) -> None:
    if [v.shape for v in variables] != [s.shape for s in state]:
        raise ValueError("the checkpoint belongs to another network")
    for variable, value in zip(variables, state, strict=True):
        variable.assign(value)


def _variables(model: keras.Model) -> list[keras.Variable]:
    return _model_variables(model) + list(model.optimizer.variables)


def _model_variables(model: keras.Model) -> list[keras.Variable]:
    # Metrics start anew with every epoch; some exist only after the first step.
    metrics = {id(variable) for metric in model.metrics for variable in metric.variables}
    return [variable for variable in model.variables if id(variable) not in metrics]
