"""No dimension of a supplied space is dead: each of its values trains other weights.

One that is dead costs trials and says nothing. `optimizer: [adam, adamw]` with one weight decay is:
Keras' Adam decouples its decay too, so the two are one optimizer.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.images import training_data
from tests.kept_models import kept_models
from tuner.execution.executor import Reports
from tuner.execution.inline import InlineExecutor
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.stages import HEAD
from tuner.models.registry import build, complete
from tuner.records.training import TrainTask
from tuner.space.definition import Parameter, SearchSpaceFile
from tuner.space.parsing.parse import load_space
from tuner.space.sampling import grid_values
from tuner.training.checkpoint import load_checkpoint
from tuner.training.data import TrainingData

__all__ = ["kept_models"]

SPACES = sorted((Path(__file__).parents[2] / "search_spaces").glob("*.yaml"))

# A network as small as can be, in which everything has something to do.
TINY = {"conv_blocks": 1, "filters": 4, "dense_units": 8, "batch_size": 16, "momentum": 0.9}
# They shape the network, so that other values cannot give the same weights.
SHAPES = ("conv_blocks", "convs_per_block", "filters", "kernel_size", "dense_units")
# Of a frozen network only the head is trained here; these come before it.
BEFORE_THE_HEAD = ("input_size", "pooling", "unfreeze_blocks", "fine_tune_learning_rate")

Setting = tuple[tuple[str, Any], ...]


def searched(file: SearchSpaceFile) -> Iterator[Parameter]:
    """What must be told apart by training."""
    left_out = SHAPES if file.model == "cnn" else BEFORE_THE_HEAD
    for parameter in file.space.parameters:
        if not parameter.name.startswith(left_out):
            yield parameter


def values_of(parameter: Parameter) -> list[Any]:
    """Every choice, and the ends of a range."""
    if parameter.choices:
        return list(parameter.choices)
    grid = grid_values(parameter)
    return [parameter.low, parameter.high] if grid is None else [grid[0], grid[-1]]


def settings_of(file: SearchSpaceFile, parameter: Parameter) -> list[Setting]:
    """Settings that differ in nothing but this, under the conditions that switch it on."""
    switched_on = {c.parent: c.values[0] for c in parameter.conditions}
    # Where something else is searched together with it, such as a decay with its optimizer.
    decay = {"weight_decay": 0.1} if parameter.name == "optimizer" else {}
    common = {**TINY, **decay, **switched_on}
    return [tuple(sorted({**common, parameter.name: v}.items())) for v in values_of(parameter)]


def data_of(model: str) -> TrainingData:
    # More than the largest batch.
    data = training_data(160, 8)
    if model == "cnn":
        return data
    features = np.random.default_rng(0).normal(size=(168, BACKBONES[model].n_features))
    return replace(data, inputs=features.astype("float32"))


@cache
def weights(model: str, setting: Setting) -> bytes:
    """What two epochs come to, as bytes."""
    data, values = data_of(model), complete(model, dict(setting))
    part = model if model == "cnn" else model + HEAD
    with tempfile.TemporaryDirectory() as folder:
        executor = InlineExecutor(Reports(on_epoch=lambda task, epoch: None))
        with executor:
            executor.add_data("images", data)
            task = TrainTask(
                task_id="0",
                model=part,
                values=values,
                seed=1,
                first_epoch=1,
                last_epoch=2,
                save_to=Path(folder) / "state.npz",
            )
            executor.submit(task)
            result = executor.next_result()
        assert result.failure is None, result.failure
        state = load_checkpoint(Path(folder) / "state.npz").weights
    n = len(build(part, values, data.spec).variables)
    return b"".join(array.tobytes() for array in state[:n])


def dead(file: SearchSpaceFile) -> list[str]:
    """Hyperparameters of which some values come to the same."""
    found = []
    for parameter in searched(file):
        settings = settings_of(file, parameter)
        if len({weights(file.model, setting) for setting in settings}) < len(settings):
            found.append(parameter.name)
    return found


@pytest.mark.slow
def test_every_value_of_the_supplied_spaces_trains_other_weights() -> None:
    # At once, since most of what they search they have in common.
    found = {path.stem: dead(load_space(path)) for path in SPACES}
    assert found
    assert {name: names for name, names in found.items() if names} == {}


@pytest.mark.slow
def test_adam_beside_adamw_is_found_dead(tmp_path: Path) -> None:
    path = tmp_path / "dead.yaml"
    path.write_text(
        "version: 1\nspace:\n  optimizer: [adam, adamw]\n"
        "  weight_decay: {type: float, min: 1e-3, max: 1e-1, sampling: log}\n",
        encoding="utf-8",
    )
    assert dead(load_space(path)) == ["optimizer"]
