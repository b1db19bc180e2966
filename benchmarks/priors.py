"""How many epochs priors save, or cost where they mislead: searches with made-up scores.

Hyperband (27 epochs, factor 3) searches three made-up tasks over the hyperparameters of a CNN,
through the real `Study`. A task has a best setting; the further a setting is from it, the lower its
accuracy ends, and it rises as learning curves do. Nothing is trained, and the same seeds give the
same numbers. Priors are good (near the best setting), random, or misleading (at the far end of
every hyperparameter that matters, with the worst word as the favourite).

    python -m benchmarks.priors [--seeds 40]

It takes about two minutes of a core.

For each task and kind it prints the epochs until the best score so far reaches what a search
without priors has after its first 375 epochs, on average; searches that do not get there in three
iterations (1,125 epochs) count as that long, and are counted. Intervals are of the mean, 95 %, by
bootstrap over seeds; those of the ratio are paired by seed.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.records.trial import Trial
from tuner.search.rehearsal import Clock, rehearse
from tuner.search.study import make_study
from tuner.space.definition import Objective, Parameter, Prior, SearchSettings, Space
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import parse_space
from tuner.space.priors import favouring
from tuner.space.sampling import active_parameters, draw, grid_values

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
SEARCH = SearchSettings(method="hyperband", max_epochs=27, factor=3, iterations=3)
FIRST = 375
KINDS = ("none", "good", "random", "misleading")
# What a setting loses at most by one hyperparameter of weight 1.
LOSS = 0.35
NOISE = 0.004


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A made-up data set.

    Attributes:
        name: For the table.
        weights: How much each hyperparameter matters; one that is left out matters 0.02.
        slow: How much longer a good setting takes to rise than a bad one; at 0 all are alike.
    """

    name: str
    weights: Mapping[str, float]
    slow: float = 0.0


TASKS = (
    Task(name="few matter", weights={"learning_rate": 1.0, "optimizer": 0.3, "dropout": 0.2}),
    Task(
        name="many matter",
        weights={
            "learning_rate": 0.5, "dropout": 0.25, "weight_decay": 0.25, "shift": 0.2,
            "batch_norm": 0.2, "pooling": 0.15, "label_smoothing": 0.15, "optimizer": 0.2,
            "filters_0": 0.15, "filters_1": 0.15, "batch_size": 0.15, "conv_blocks": 0.2,
        },
    ),
    Task(
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
    if grid is not None:
        return grid[round(share * (len(grid) - 1))]
    assert parameter.low is not None and parameter.high is not None
    return parameter.low * (parameter.high / parameter.low) ** share


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


def loss(task: Task, space: Space, best: Mapping[str, Any], values: Mapping[str, Any]) -> float:
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


def best_so_far(task: Task, kind: str, seed: int) -> NDArray[np.float64]:
    """The best score after every epoch of a search."""
    plain = parse_space(parse_document(SPACE, "benchmark")).space
    best = best_of(plain, np.random.default_rng([seed, 1]))
    space = with_priors(plain, kind, best, np.random.default_rng([seed, 2]))
    noise = np.random.default_rng([seed, 3])
    study = make_study(
        space=space,
        objective=Objective(name="val_accuracy", direction="max"),
        settings=SEARCH,
        seed=seed,
        problem=lambda values: None,
    )
    clock = Clock(1)

    def n_epochs(trial: Trial) -> int:
        return trial.last_epoch - trial.first_epoch + 1

    def score(trial: Trial) -> float:
        lost = loss(task, plain, best, trial.values)
        return accuracy(lost, trial.last_epoch, task.slow) + float(noise.normal(0, NOISE))

    scores: list[float] = []
    for trial in rehearse(study, clock, lambda t: clock.occupy(t.trial_id, n_epochs(t)), score):
        before = scores[-1] if scores else 0.0
        # The score is there once the training has ended.
        scores += [before] * (n_epochs(trial) - 1) + [max(before, trial.score or 0.0)]
    return np.array(scores)


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
    n = parser.parse_args().seeds
    print(f"{n} seeds; epochs to the score that no priors reach after {FIRST} epochs on average")
    print(
        f"{'task':<20}{'priors':<12}{'epochs':>8} {'95 %':>14}  {'ratio':>6} {'95 %':>14}  missed"
    )
    for task in TASKS:
        curves = {kind: [best_so_far(task, kind, s) for s in range(n)] for kind in KINDS}
        target = float(np.mean([curve[FIRST - 1] for curve in curves["none"]]))
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
