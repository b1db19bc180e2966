"""How many epochs priors save, or cost where they mislead: searches without training.

Hyperband (factor 3), or another method, searches through the real `Study`. Three made-up tasks are
over the hyperparameters of a CNN: a task has a best setting; the further a setting is from it, the
lower its accuracy ends, and it rises as learning curves do. With `--bench`, learning curves that
others have recorded take their place (`recorded_tasks.py`). Nothing is trained, and the same seeds
give the same numbers. Priors are good (near the best setting), random, or misleading (at the far
end of every hyperparameter, with the worst word as the favourite).

    python -m benchmarks.priors [--seeds 40] [--method NAME] [--bench FOLDER] [--tasks NAME ...]

With Hyperband it takes about two minutes of a core.

For each task and kind it prints the epochs until the best score so far reaches what a search
without priors has after its first iteration, on average; searches that do not get there in three
iterations count as that long, and are counted. Intervals are of the mean, 95 %, by bootstrap over
seeds; those of the ratio are paired by seed.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.recorded_tasks import IMAGE_TASKS, recorded
from tuner.records.trial import Trial
from tuner.search.methods.rungs import brackets
from tuner.search.rehearsal import Clock, rehearse
from tuner.search.study import make_study
from tuner.space.definition import Objective, Parameter, Prior, Space
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import parse_space
from tuner.space.priors import favouring
from tuner.space.sampling import active_parameters, draw, grid_values
from tuner.space.search_settings import SearchSettings

SPACE = """
version: 1
space:
  conv_blocks: {type: int, min: 2, max: 4}
  convs_per_block: {type: int, min: 1, max: 2}
  filters: {type: choice, values: [16, 32, 64, 96], per: conv_blocks}
  kernel_size: {type: choice, values: [3, 5], per: conv_blocks}
  batch_norm: {type: boolean}
  conv_dropout: {type: float, min: 0.0, max: 0.3, step: 0.1}
  dropout: {type: float, min: 0.0, max: 0.6, step: 0.05}
  pooling: [flatten, global_average]
  dense_units: [0, 64, 128, 256]
  optimizer: [adam, adamw, sgd]
  learning_rate: {type: float, min: 1e-4, max: 1e-1, sampling: log}
  weight_decay: {type: float, min: 1e-6, max: 1e-2, sampling: log}
  label_smoothing: {type: float, min: 0.0, max: 0.2, step: 0.05}
  batch_size: [16, 32, 64, 128]
  shift: {type: float, min: 0.0, max: 0.2, step: 0.05}
  rotation: {type: float, min: 0.0, max: 20.0, step: 5.0}
  random_erasing: {type: float, min: 0.0, max: 0.5, step: 0.25}
"""
N_ITERATIONS = 3
KINDS = ("none", "good", "random", "misleading")
# What a setting loses at most by one hyperparameter of weight 1.
LOSS = 0.35
NOISE = 0.004


# A score of a setting after an epoch; what is random in it comes from a generator of its own.
Score = Callable[[Mapping[str, Any], int], float]


class Task(Protocol):
    """A data set without its data.

    Attributes:
        name: For the table.
        max_epochs: Of the last rung.
        space: What is searched, without priors.
    """

    name: str
    max_epochs: int
    space: Space

    def instance(self, seed: int) -> tuple[Mapping[str, Any], Score]:
        """The best setting, and what settings score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUp:
    """A made-up task; each seed has a best setting of its own.

    Attributes:
        name: For the table.
        weights: How much each hyperparameter matters; one that is left out matters 0.02.
        slow: How much longer a good setting takes to rise than a bad one; at 0 all are alike.
    """

    name: str
    weights: Mapping[str, float]
    slow: float = 0.0
    max_epochs: int = 27
    space: Space = parse_space(parse_document(SPACE, "benchmark")).space

    def instance(self, seed: int) -> tuple[Mapping[str, Any], Score]:
        """A best setting that is drawn, and curves that rise to what a setting ends at."""
        best = best_of(self.space, np.random.default_rng([seed, 1]))
        noise = np.random.default_rng([seed, 3])

        def score(values: Mapping[str, Any], epoch: int) -> float:
            lost = loss(self, self.space, best, values)
            return accuracy(lost, epoch, self.slow) + float(noise.normal(0, NOISE))

        return best, score


TASKS = (
    MadeUp(name="few matter", weights={"learning_rate": 1.0, "optimizer": 0.3, "dropout": 0.2}),
    MadeUp(
        name="many matter",
        weights={
            "learning_rate": 0.5, "dropout": 0.25, "weight_decay": 0.25, "shift": 0.2,
            "batch_norm": 0.2, "pooling": 0.15, "label_smoothing": 0.15, "optimizer": 0.2,
            "filters_0": 0.15, "filters_1": 0.15, "batch_size": 0.15, "conv_blocks": 0.2,
        },
    ),
    MadeUp(
        name="short runs mislead",
        weights={"learning_rate": 0.7, "dropout": 0.4, "weight_decay": 0.3, "shift": 0.3},
        slow=1.0,
    ),
)  # fmt: skip


def place(parameter: Parameter, value: Any) -> float:
    """A value's place from 0 to 1 on its scale, of a list by rank."""
    if parameter.choices:
        ordered = sorted(parameter.choices)
        return ordered.index(value) / (len(ordered) - 1)
    assert parameter.low is not None and parameter.high is not None
    if parameter.log:
        return math.log(value / parameter.low) / math.log(parameter.high / parameter.low)
    return float((value - parameter.low) / (parameter.high - parameter.low))


def value_at(parameter: Parameter, share: float) -> Any:
    """The value nearest to a place from 0 to 1."""
    grid = sorted(parameter.choices) if parameter.choices else grid_values(parameter)
    if grid is not None and not parameter.log:
        return grid[round(share * (len(grid) - 1))]
    assert parameter.low is not None and parameter.high is not None
    if not parameter.log:
        return parameter.low + share * (parameter.high - parameter.low)
    value = parameter.low * (parameter.high / parameter.low) ** share
    return round(value) if parameter.kind == "int" else value


def is_word(parameter: Parameter) -> bool:
    """Whether the values have no order."""
    return parameter.kind in ("choice", "boolean")


def best_of(space: Space, rng: np.random.Generator) -> dict[str, Any]:
    """The best value of every hyperparameter; of numbers not at the very ends."""
    return {
        p.name: draw(p, rng) if is_word(p) else value_at(p, float(rng.uniform(0.15, 0.85)))
        for p in space.parameters
    }


def with_priors(
    space: Space, kind: str, best: Mapping[str, Any], rng: np.random.Generator
) -> Space:
    """The space with a prior on every hyperparameter."""
    if kind == "none":
        return space
    return replace(
        space,
        parameters=tuple(
            replace(p, prior=prior(p, kind, best[p.name], rng)) for p in space.parameters
        ),
    )


def prior(parameter: Parameter, kind: str, best: Any, rng: np.random.Generator) -> Prior:
    """A prior of a kind; good ones are off by a tenth of the range on average."""
    if is_word(parameter):
        others = [choice for choice in parameter.choices if choice != best]
        favourites = {"good": [best], "random": parameter.choices, "misleading": others}[kind]
        return favouring(parameter.choices, favourites[int(rng.integers(len(favourites)))])
    at = place(parameter, best)
    if kind == "good":
        share = float(np.clip(at + rng.normal(0, 0.125), 0, 1))
    else:
        share = float(rng.random()) if kind == "random" else float(at < 0.5)
    return Prior(value=value_at(parameter, share))


def loss(task: MadeUp, space: Space, best: Mapping[str, Any], values: Mapping[str, Any]) -> float:
    """What a setting loses against the best one; a distance of half a range costs most of it."""
    total = 0.0
    for p in active_parameters(space, values):
        if is_word(p):
            distance = float(values[p.name] != best[p.name])
        else:
            distance = min(1.0, 2 * abs(place(p, values[p.name]) - place(p, best[p.name])))
        total += task.weights.get(p.name, 0.02) * distance**2
    return LOSS * total / (1 + total)


def accuracy(lost: float, epoch: int, slow: float) -> float:
    """An exponential rise to what the setting ends at."""
    time_constant = 4.0 * (1 + slow * max(0.0, 1 - lost / (0.5 * LOSS)))
    return 0.2 + (0.6 - lost) * (1 - math.exp(-epoch / time_constant))


def best_so_far(task: Task, kind: str, seed: int, method: str) -> NDArray[np.float64]:
    """The best score after every epoch of a search."""
    best, score_of = task.instance(seed)
    study = make_study(
        space=with_priors(task.space, kind, best, np.random.default_rng([seed, 2])),
        objective=Objective(name="val_accuracy", direction="max"),
        settings=search(task, N_ITERATIONS, method),
        seed=seed,
        problem=lambda values: None,
    )
    clock = Clock(1)

    def n_epochs(trial: Trial) -> int:
        return trial.last_epoch - trial.first_epoch + 1

    def score(trial: Trial) -> float:
        return score_of(trial.values, trial.last_epoch)

    scores: list[float] = []
    for trial in rehearse(study, clock, lambda t: clock.occupy(t.trial_id, n_epochs(t)), score):
        before = scores[-1] if scores else -math.inf
        found = before if trial.score is None else max(before, trial.score)
        # The score is there once the training has ended.
        scores += [before] * (n_epochs(trial) - 1) + [found]
    return np.array(scores)


def search(task: Task, n_iterations: int, method: str = "hyperband") -> SearchSettings:
    """As many epochs as some iterations of Hyperband."""
    return SearchSettings(
        method=method, max_epochs=task.max_epochs, factor=3, iterations=n_iterations
    )


def epochs_to(curve: NDArray[np.float64], target: float) -> int:
    """Epochs until a score is reached; all of them where it is not."""
    reached = np.flatnonzero(curve >= target)
    return int(reached[0]) + 1 if reached.size else len(curve)


def interval(values: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """95 %, by bootstrap over seeds: of the mean of one row, of the ratio of the means of two."""
    rng, n = np.random.default_rng(0), len(values[0])
    drawn = rng.integers(n, size=(2000, n))
    means = [row[drawn].mean(axis=1) for row in values]
    found = means[0] / means[1] if len(means) == 2 else means[0]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=40, help="searches of each kind")
    parser.add_argument("--method", default="hyperband", help="any of search.method")
    parser.add_argument("--bench", type=Path, help="folder of recorded learning curves")
    parser.add_argument("--tasks", nargs="*", help="recorded tasks; three of images by default")
    options = parser.parse_args()
    n, tasks = options.seeds, TASKS
    if options.bench is not None:
        tasks = recorded(options.bench, options.tasks or IMAGE_TASKS)
    print(f"{n} seeds; epochs to the score that no priors reach after one iteration on average")
    print(
        f"{'task':<20}{'priors':<12}{'epochs':>8} {'95 %':>14}  {'ratio':>6} {'95 %':>14}  missed"
    )
    for task in tasks:
        curves = {
            kind: [best_so_far(task, kind, s, options.method) for s in range(n)] for kind in KINDS
        }
        first = sum(rung.n_epochs for bracket in brackets(search(task, 1)) for rung in bracket)
        target = float(np.mean([curve[first - 1] for curve in curves["none"]]))
        none = np.array([float(epochs_to(curve, target)) for curve in curves["none"]])
        for kind in KINDS:
            found = np.array([float(epochs_to(curve, target)) for curve in curves[kind]])
            low, high = interval([found])
            ratio_low, ratio_high = interval([found, none])
            missed = sum(curve.max() < target for curve in curves[kind])
            print(
                f"{task.name:<20}{kind:<12}{found.mean():>8.0f} {f'{low:.0f} to {high:.0f}':>14}"
                f"  {found.mean() / none.mean():>6.2f}"
                f" {f'{ratio_low:.2f} to {ratio_high:.2f}':>14}  {missed}"
            )


if __name__ == "__main__":
    main()
