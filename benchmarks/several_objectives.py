"""What a search loses, or wins, that promotes by several objectives: fronts at equal epochs.

Curves are looked up, the methods and their `Study` are the real ones. Settings come from a task of
recorded learning curves whose networks can be counted (`recorded_tasks.py`), or from a run of ours
that trained all of its settings to the end (`--set search.method=random`). Three orders of a rung:

- score: the best score first, as a run does.
- front: by non-dominated sorting of score and multiply-adds, the better score first within a front
  (after Schmucker et al., Multi-objective Asynchronous Successive Halving, 2021).
- alternating: the first of either order by turns.

Of each search the front of the settings that were trained about as long as any other is taken, with
their whole trainings' scores. Its area (hypervolume) is that of score and logarithm of the
multiply-adds, scaled: 0 is the median score of drawn settings and the most multiply-adds, 1 the
best score and the least. The best score is on the same scale.

    python -m benchmarks.several_objectives --bench ../shared/bench/mfbench [--seeds 12]
        [--tasks cifar10-cnn3 ...] [--run reports/digits/RUN]
"""

from __future__ import annotations

import argparse
import importlib
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recorded_tasks import parameter
from tuner.metrics.ranking import best_settings, comparable
from tuner.models import cnn_size
from tuner.models.registry import complete
from tuner.pipeline.outputs.searched_space import searched_space
from tuner.records.image import ImageSpec
from tuner.records.trial import Trial
from tuner.search.board import Board
from tuner.search.methods.method import Setup, method_class
from tuner.search.rehearsal import AnySetting, Clock, rehearse
from tuner.search.study import Study
from tuner.space.definition import Objective, Space
from tuner.space.families import built
from tuner.space.sampling import sample
from tuner.space.search_settings import SearchSettings
from tuner.store.run_folder import RunFolder
from tuner.store.trial_tables import TrialTables

SCORE = Objective(name="value", direction="max")
METHODS = ("hyperband", "asha")
ORDERS = ("score", "front", "alternating")
FACTOR = 3
N_DRAWN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A setting of which all is known.

    Attributes:
        curve: Its best score up to each epoch.
        multiply_adds: Of its network.
    """

    curve: np.ndarray
    multiply_adds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is searched.

    Attributes:
        name: For the table.
        max_epochs: Epochs of a whole training.
        settings: In the order in which a search with a seed draws them.
    """

    name: str
    max_epochs: int
    settings: Callable[[int], Sequence[Known]]


def of_cifar(values: Mapping[str, Any]) -> float:
    """A CNN of three layers on 32 pixels, each followed by a pooling by 2."""
    first, second, third = (2 ** values[f"log2_n_units_{i}"] for i in (1, 2, 3))
    return 9 * float(3 * first * 32**2 + first * second * 16**2 + second * third * 8**2)


def of_resnet(values: Mapping[str, Any]) -> float:
    """Blocks of two convolutions."""
    return float(values["num_blocks"] * 2 * (values["num_filters"] * values["filter_size"]) ** 2)


COUNTS = {"cifar10-cnn3": of_cifar, "tinyimagenet-resnet": of_resnet}


def recorded(folder: Path, name: str, max_epochs: int = 27) -> Task:
    """A task of recorded curves, each shortened to as many epochs."""
    sys.path.insert(0, str(folder))
    task = importlib.import_module("mfbench.tasks").load_task(name)
    space = Space(parameters=tuple(parameter(one) for one in task.space), fixed={})

    def known(values: Mapping[str, Any]) -> Known:
        curve = np.asarray(task.curve(values)[0])
        places = np.linspace(0, len(curve) - 1, max_epochs).round().astype(int)
        return Known(curve=np.maximum.accumulate(curve[places]), multiply_adds=COUNTS[name](values))

    def settings(seed: int) -> list[Known]:
        rng = np.random.default_rng(seed)
        return [known(sample(space, rng)) for _ in range(N_DRAWN)]

    return Task(name=name, max_epochs=max_epochs, settings=settings)


def trained(run: Path) -> Task:
    """The whole trainings of a run of the CNN family."""
    folder = RunFolder(run)
    results, file = folder.read_results(), searched_space(folder)
    data = results.data
    spec = ImageSpec(
        height=data.height,
        width=data.width,
        channels=data.channels,
        class_names=tuple(str(number) for number in range(len(data.train_counts))),
        mean=(0.0,) * data.channels,
        std=(1.0,) * data.channels,
    )
    ended = comparable(TrialTables(run, results.search.searched).read())
    found = []
    for trial in ended:
        model, values = built(file, {**file.space.fixed, **trial.values}, trial.model)
        scores = [epoch.metrics[results.search.objective] for epoch in trial.epochs]
        n = cnn_size.multiply_adds(complete(model, values), spec)
        found.append(Known(curve=np.maximum.accumulate(scores), multiply_adds=float(n)))
    longest = max(len(one.curve) for one in found)
    whole = [one for one in found if len(one.curve) == longest]

    def settings(seed: int) -> list[Known]:
        order = np.random.default_rng(seed).permutation(len(whole))
        return [whole[number] for number in order]

    return Task(name=f"{data.name}, trained", max_epochs=longest, settings=settings)


class Drawn(AnySetting):
    """Settings by their numbers, one after the other."""

    def __init__(self, n: int) -> None:
        """As many as there are."""
        self._left = iter(range(n))

    def first_of(self, proposed: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        """The next one."""
        number = next(self._left, None)
        return None if number is None else {"number": number}


class OrderedBoard(Board):
    """A board whose rungs are ordered anew whenever one of their trials ends."""

    def __init__(self, cost: Callable[[Trial], float], order: str) -> None:
        """Take what a trial's network computes, and one of `ORDERS`."""
        super().__init__(SCORE)
        self._cost, self._order = cost, order
        self._places: dict[int, float] = {}

    def _entry(self, trial: Trial) -> tuple[float, int]:
        cost, number = super()._entry(trial)
        return self._places.get(number, cost), number

    def _take_place(self, trial: Trial) -> None:
        rung = self.rung(trial.bracket, trial.rung)
        numbers = [number for _, number in rung.ranked]
        numbers.append(self._numbers[trial.trial_id])
        waiting = {number for _, number in rung.candidates} | {numbers[-1]}
        ordered = self._ordered(numbers)
        self._places.update((number, float(place)) for place, number in enumerate(ordered))
        rung.ranked = [(self._places[number], number) for number in ordered]
        rung.candidates = [entry for entry in rung.ranked if entry[1] in waiting]

    def _ordered(self, numbers: Sequence[int]) -> list[int]:
        trials = {number: self.trials[self._ids[number]] for number in numbers}
        points = {n: (-(one.score or 0.0), self._cost(one)) for n, one in trials.items()}
        by_score = sorted(numbers, key=lambda n: (points[n][0], n))
        if self._order == "score":
            return by_score
        left, by_front = list(by_score), list[int]()
        while left:
            front = [n for n in left if not any(_beats(points[m], points[n]) for m in left)]
            by_front += front
            left = [n for n in left if n not in front]
        if self._order == "front":
            return by_front
        turns = [n for pair in zip(by_score, by_front, strict=True) for n in pair]
        return list(dict.fromkeys(turns))


def _beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one != other and one[0] <= other[0] and one[1] <= other[1]


def play(task: Task, method: str, order: str, seed: int) -> tuple[float, float, int]:
    """A search: the area of its front, the whole training's score of its winner, and its epochs."""
    known = task.settings(seed)
    settings = SearchSettings(
        method=method, max_epochs=task.max_epochs, factor=FACTOR, iterations=1
    )
    setup = Setup(
        settings=settings,
        space=Space(parameters=(), fixed={}),
        objective=SCORE,
        generator=np.random.default_rng(seed),
        seed=seed,
        n_workers=1,
    )
    study = Study(setup, method_class(method)(setup), Drawn(len(known)))

    def of(trial: Trial) -> Known:
        return known[trial.values["number"]]

    study.board = OrderedBoard(lambda trial: of(trial).multiply_adds, order)
    clock = Clock(1)
    ended = list(
        rehearse(
            study,
            clock,
            lambda trial: clock.occupy(trial.trial_id, 1.0),
            lambda trial: float(of(trial).curve[trial.last_epoch - 1]),
        )
    )
    whole = best_settings(comparable(ended), SCORE, len(ended))
    final = [(-float(of(t).curve[-1]), _scaled_cost(of(t), known)) for t in whole]
    seen = [(-(t.score or 0.0), cost) for t, (_, cost) in zip(whole, final, strict=True)]
    front = [
        one
        for one, shown in zip(final, seen, strict=True)
        if not any(_beats(other, shown) for other in seen)
    ]
    area = hypervolume([(_scaled_score(-score, known), cost) for score, cost in front])
    return area, _scaled_score(-final[0][0], known), study.board.n_epochs


def _scaled_score(score: float, known: Sequence[Known]) -> float:
    last = [float(one.curve[-1]) for one in known]
    middle = float(np.median(last))
    return (score - middle) / ((max(last) - middle) or 1.0)


def _scaled_cost(one: Known, known: Sequence[Known]) -> float:
    low, high = (math.log(f(k.multiply_adds for k in known)) for f in (min, max))
    return (math.log(one.multiply_adds) - low) / ((high - low) or 1.0)


def hypervolume(points: Iterable[tuple[float, float]]) -> float:
    """The area between the points (score, cost) and a score of 0 at a cost of 1."""
    area, best = 0.0, 0.0
    for score, cost in sorted(points, key=lambda point: point[1]):
        area += max(0.0, score - best) * max(0.0, 1 - cost)
        best = max(best, score)
    return area


def main() -> None:
    """Print a row for each task, method and order."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--bench", type=Path)
    options.add_argument("--tasks", nargs="*", default=list(COUNTS))
    options.add_argument("--run", type=Path)
    options.add_argument("--seeds", type=int, default=12)
    given = options.parse_args()
    tasks = [recorded(given.bench, name) for name in given.tasks] if given.bench else []
    tasks += [trained(given.run)] if given.run else []
    print("task | method | order | area | less `score` | winner | epochs")
    for slow in tasks:
        cached = {seed: slow.settings(seed) for seed in range(given.seeds)}
        task = replace(slow, settings=cached.__getitem__)
        for method in METHODS:
            base = np.zeros(given.seeds)
            for order in ORDERS:
                found = np.array([play(task, method, order, seed) for seed in range(given.seeds)])
                base = found[:, 0] if order == "score" else base
                gain = found[:, 0] - base
                error = gain.std(ddof=1) / math.sqrt(given.seeds)
                print(
                    f"{task.name} | {method} | {order} | {found[:, 0].mean():.3f}"
                    f" | {gain.mean():+.3f} +- {error:.3f} | {found[:, 1].mean():.3f}"
                    f" | {found[:, 2].mean():.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
