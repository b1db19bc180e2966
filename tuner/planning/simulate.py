"""Searches and retrainings on clocks alone, idle ends included: a real method, random scores."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tuner.metrics.ranking import winner
from tuner.planning.measure import Cost
from tuner.records.contender import Contender
from tuner.records.trial import StartSetting, Trial
from tuner.search.methods.method import Setup, method_class
from tuner.search.methods.rungs import Rung
from tuner.search.rehearsal import AnySetting, Clock, rehearse
from tuner.search.study import Study
from tuner.space.definition import Objective, Space
from tuner.space.search_settings import SearchSettings

_CHANCE = Objective(name="chance", direction="max")


class Crew(Clock):
    """Workers of an executor, as clocks in seconds."""

    def __init__(self, n_workers: int, *, keeps_models: bool) -> None:
        """Begin at 0 seconds.

        Args:
            n_workers: Trainings at a time.
            keeps_models: Whether a worker that has traced a model has it for the next training.
        """
        super().__init__(n_workers)
        self.n_workers = n_workers
        self._keeps_models = keeps_models
        self._traced: list[set[str]] = [set() for _ in range(n_workers)]

    @property
    def now_s(self) -> float:
        """Seconds since they began."""
        return self.now

    def begin(self, task_id: str, model: str, cost: Cost, epochs_s: float) -> None:
        """Let an idle worker train, if possible one that has traced the model."""
        worker = max(self.idle, key=lambda number: model in self._traced[number])
        trace_s = 0.0 if model in self._traced[worker] else cost.trace_s
        if self._keeps_models:
            self._traced[worker].add(model)
        self.occupy(task_id, cost.build_s + trace_s + epochs_s, worker)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSearch:
    """A search as it may go.

    Attributes:
        winner: The winner's model, by the name that the crew gets.
        cost: The winner's.
        brackets: The rungs of each bracket, as they were filled.
        n_checkpoints: Checkpoints on disk at most.
    """

    winner: str
    cost: Cost
    brackets: tuple[tuple[Rung, ...], ...]
    n_checkpoints: int


def simulate_search(
    settings: SearchSettings,
    costs: Sequence[Cost],
    n_train: int,
    n_settings: int | None,
    crew: Crew,
    rng: np.random.Generator,
    starts: Sequence[Cost] = (),
) -> SimulatedSearch:
    """Search.

    Args:
        settings: The method and its numbers.
        costs: Of the first settings that it will try; those of later ones are drawn from them.
        n_train: Training images.
        n_settings: Distinct settings of the space; None where they do not run out.
        crew: Trains.
        rng: Decides scores, and costs of later settings.
        starts: Of the settings that the search begins with.
    """
    made_up = _Settings(len(costs), n_settings, rng)
    first = [
        StartSetting(
            origin="start",
            values={"number": -number, "cost": len(costs) + number - 1, "score": rng.random()},
        )
        for number in range(1, len(starts) + 1)
    ]
    study = _study(settings, crew.n_workers, made_up, first)
    costs = [*costs, *starts]
    n_checkpoints = most = 0

    def begin(trial: Trial) -> None:
        nonlocal n_checkpoints, most
        n_checkpoints += 1
        most = max(most, n_checkpoints)
        cost = costs[trial.values["cost"]]
        n_epochs = trial.last_epoch - trial.first_epoch + 1
        crew.begin(trial.trial_id, _model(trial), cost, n_epochs * cost.image_s * n_train)

    for _ in rehearse(study, crew, begin, lambda trial: trial.values["score"]):
        n_checkpoints -= len(study.disposable())
    trials = study.board.trials.values()
    best = winner(trials, _CHANCE)
    return SimulatedSearch(
        winner=_model(best),
        cost=costs[best.values["cost"]],
        brackets=_brackets(trial for trial in trials if not trial.origin),
        n_checkpoints=most,
    )


def simulate_retraining(
    contenders: Sequence[tuple[Contender, str, Cost]],
    n_train: int,
    n_seeds: int,
    crew: Crew,
    rng: np.random.Generator,
) -> None:
    """Retrain seed by seed, as a run does.

    Args:
        contenders: Each with its model, by the name that the crew gets, and its cost.
        n_train: Training images of those that have no limit of their own.
        n_seeds: Trainings of each.
        crew: Trains.
        rng: Decides when trainings end.
    """
    waiting = deque([*contenders] * n_seeds)
    while waiting or crew.has_busy:
        while waiting and crew.has_idle:
            contender, model, cost = waiting.popleft()
            n_images = min(n_train, contender.max_train_images or n_train)
            crew.begin(
                contender.name, model, cost, n_epochs(contender, rng) * cost.image_s * n_images
            )
        crew.next_end()


def n_epochs(contender: Contender, rng: np.random.Generator) -> int:
    """Epochs of a training, which may end at any epoch that its stopping rule allows."""
    rule, last = contender.early_stopping, contender.max_epochs
    first = last if rule.patience is None else min(rule.patience + 1, last)
    return int(rng.integers(1 if rule.stop_metric else first, last + 1))


def _model(trial: Trial) -> str:
    return f"setting {trial.values['number']}"


def _study(
    settings: SearchSettings,
    n_workers: int,
    made_up: _Settings,
    starts: Sequence[StartSetting],
) -> Study:
    """The real method and the real board, with settings that are made up."""
    setup = Setup(
        settings=settings,
        space=Space(parameters=(), fixed={}),
        objective=_CHANCE,
        generator=np.random.default_rng(0),
        seed=0,
        n_workers=n_workers,
    )
    method = method_class(settings.method).stand_in()(setup)
    return Study(setup, method, made_up, starts=starts)


class _Settings(AnySetting):
    """Settings with a number, a cost and a score, as many as the space has."""

    def __init__(self, n_costs: int, n_settings: int | None, rng: np.random.Generator) -> None:
        self._n_costs, self._n_settings, self._rng = n_costs, n_settings, rng
        self._n_new = 0

    def first_of(self, proposed: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        number = self._n_new
        if number == self._n_settings:
            return None
        self._n_new += 1
        cost = number if number < self._n_costs else int(self._rng.integers(self._n_costs))
        return {"number": number, "cost": cost, "score": self._rng.random()}


def _brackets(trials: Iterable[Trial]) -> tuple[tuple[Rung, ...], ...]:
    """What was started, the oldest bracket first."""
    sizes = Counter((t.bracket, t.first_epoch, t.last_epoch) for t in trials)
    found: dict[int, list[Rung]] = {}
    for (bracket, first, last), n in sizes.items():
        found.setdefault(bracket, []).append(Rung(n_trials=n, first_epoch=first, last_epoch=last))
    return tuple(
        tuple(sorted(rungs, key=lambda rung: rung.first_epoch)) for rungs in found.values()
    )
