"""All state of a training in one file, from which it goes on as if it had never stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tuner.records.training import Ending, EpochMetrics, TrainTask
from tuner.store.files.whole_files import write_atomically

State = list[np.ndarray]

# Of what a checkpoint holds beside its arrays; a file of another version is refused.
_VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checkpoint:
    """Where a training is.

    Attributes:
        order: `task_digest` its task.
        state: Of the model and its optimizer after the last epoch; may be empty once the training
            has ended.
        kept: Of the best epoch, where early stopping keeps it; else empty.
        epochs: Metrics of the epochs that the task has trained.
        best: Value of the metric that early stopping watches, in its best epoch; None where nothing
            is watched.
        best_loss: The validation loss in that epoch; None where nothing is watched.
        best_epoch: That epoch; 0 where nothing is watched.
        progress_epoch: As in `EarlyStopper`.
        n_parameters: Of the model.
        duration_s: Seconds that the task has taken.
        ended_by: As in `TrainResult`; None where the training may go on.
    """

    order: str
    state: State
    kept: State
    epochs: tuple[EpochMetrics, ...]
    best: float | None
    best_loss: float | None
    best_epoch: int
    progress_epoch: int
    n_parameters: int
    duration_s: float
    ended_by: Ending | None

    @property
    def weights(self) -> State:
        """What the model of this training holds: its best epoch, or its last."""
        return self.kept or self.state


def task_digest(task: TrainTask) -> str:
    """Digest of what decides a task's outcome: a checkpoint is only its own task's."""
    parts = asdict(task)
    for name in ("save_to", "stop_at"):
        del parts[name]
    parts["resume_from"] = task.resume_from.name if task.resume_from else None
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint atomically."""
    # Without the arrays, which `asdict` would copy.
    about = asdict(replace(checkpoint, state=[], kept=[])) | {
        "version": _VERSION,
        "n_state": len(checkpoint.state),
    }
    del about["state"], about["kept"]
    with write_atomically(path) as file:
        np.savez(file, *checkpoint.state, *checkpoint.kept, about=np.array(json.dumps(about)))


def load_checkpoint(path: Path) -> Checkpoint:
    """Read what `save_checkpoint` wrote.

    Raises:
        ValueError: If it is damaged, or another version's.
        OSError: If it cannot be read.
    """
    try:
        with open(path, "rb") as file, np.load(file) as archive:
            about: dict[str, Any] = json.loads(str(archive["about"]))
            arrays = [archive[f"arr_{i}"] for i in range(len(archive.files) - 1)]
        version = about.pop("version", None)
        if version == _VERSION:
            n_state = about.pop("n_state")
            epochs = tuple(EpochMetrics(**epoch) for epoch in about.pop("epochs"))
            return Checkpoint(state=arrays[:n_state], kept=arrays[n_state:], epochs=epochs, **about)
    except OSError:
        raise
    except Exception as error:
        # NumPy's and zipfile's readers raise whatever a damaged file makes them stumble over.
        raise ValueError(f"{path.name} is damaged") from error
    raise ValueError(f"{path.name} was written by another version")


def own_checkpoint(task: TrainTask) -> Checkpoint | None:
    """The checkpoint that this very task has left behind, or None.

    What cannot be read is no loss but time.
    """
    if task.save_to is None:
        return None
    try:
        checkpoint = load_checkpoint(task.save_to)
    except (OSError, ValueError):
        return None
    return checkpoint if checkpoint.order == task_digest(task) else None


def take_state(model: keras.Model) -> State:
    """Copy every variable of a model and its built optimizer.

    A resumed training then goes on as if never stopped.

    Keras' own weights files leave out the states of the dropout layers' seeds, and fill an
    optimizer only once built.
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


def _assign(variables: Sequence[keras.Variable], state: State) -> None:
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
