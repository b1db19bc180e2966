"""Learning curves of others as tasks for `priors.py`: what a setting scores is looked up.

The folder is one of `mfbench`'s form: `mfbench/tasks.py` with `load_task(name)`, whose tasks have
`R` epochs, a `space` of parameters, and `curve(setting)`, the values at each epoch, the higher the
better. Of a table of recorded trainings a setting gets the curve of the nearest one.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tuner.space.definition import Parameter, Space
from tuner.space.sampling import sample

IMAGE_TASKS = ("cifar10-cnn3", "lcb-fashion-mnist", "imagenet-convnext")

# Settings that are drawn to find the best one, beside the recorded ones.
N_DRAWN = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A task of recorded learning curves.

    Attributes:
        name: As the folder calls it.
        max_epochs: Epochs of its curves.
        space: What is searched.
        best: The setting with the best last value of all that were looked at.
        curve: The values of a setting at each epoch.
    """

    name: str
    max_epochs: int
    space: Space
    best: Mapping[str, Any]
    curve: Callable[[Mapping[str, Any]], Sequence[float]]

    def instance(self, seed: int) -> tuple[Mapping[str, Any], Callable[..., float]]:
        """The same for every seed: the curves are what they are."""
        del seed
        return self.best, lambda values, epoch: float(self.curve(values)[epoch - 1])


def recorded(folder: Path, names: Sequence[str]) -> tuple[Recorded, ...]:
    """Some tasks of a folder."""
    sys.path.insert(0, str(folder))
    tasks = importlib.import_module("mfbench.tasks")
    scale = importlib.import_module("mfbench.space")
    found = []
    for name in names:
        task = tasks.load_task(name)
        space = Space(parameters=tuple(parameter(one) for one in task.space), fixed={})
        rng = np.random.default_rng(0)
        looked_at = [sample(space, rng) for _ in range(N_DRAWN)]
        looked_at += [scale.from_unit(task.space, row) for row in getattr(task, "U", ())]
        found.append(
            Recorded(
                name=name,
                max_epochs=task.R,
                space=space,
                best=max(looked_at, key=task.final),
                curve=lambda values, task=task: task.curve(values)[0],
            )
        )
    return tuple(found)


def parameter(stated: Mapping[str, Any]) -> Parameter:
    """A parameter of ours."""
    if stated["type"] == "ord":
        return Parameter(name=stated["name"], kind="ordinal", choices=tuple(stated["choices"]))
    return Parameter(
        name=stated["name"],
        kind=stated["type"],
        low=stated["lo"],
        high=stated["hi"],
        log=stated["log"],
    )
