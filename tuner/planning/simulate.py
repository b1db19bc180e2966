"""Searches and retrainings on clocks alone, idle ends included: the method is the real one, the scores are chance."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tuner.planning.measure import Cost
from tuner.records.contender import Contender
from tuner.records.trial import Trial
from tuner.search.board import Board
from tuner.search.methods import Step
from tuner.search.order import method_for
from tuner.search.schedule import Rung
from tuner.space.definition import Objective, SearchSettings

_CHANCE = Objective(name="chance", direction="max")


class Crew:
    """Workers of an executor, as clocks.

    Attributes:
        n_workers: Trainings at a time.
        now_s: Seconds since they began.
    """

    def __init__(self, n_workers: int, *, keeps_models: bool) -> None:
        """Begin at 0 seconds.

        Args:
            n_workers: Trainings at a time.
            keeps_models: Whether a worker that has traced a model has it for the next training.
        """
        self.n_workers = n_workers
        self.now_s = 0.0
        self._keeps_models = keeps_models
        self._known: list[set[str]] = [set() for _ in range(n_workers)]
        self._idle = list(range(n_workers))
        self._busy: list[tuple[float, int, str]] = []

    @property
    def has_idle(self) -> bool:
        """Whether another training may begin."""
        return bool(self._idle)

    @property
    def has_busy(self) -> bool:
        """Whether a training is under way."""
        return bool(self._busy)

    def begin(self, task_id: str, model: str, cost: Cost, epochs_s: float) -> None:
        """Let an idle worker train, best one that knows the model."""
        worker = max(self._idle, key=lambda number: model in self._known[number])
        self._idle.remove(worker)
        trace_s = 0.0 if model in self._known[worker] else cost.trace_s
        if self._keeps_models:
            self._known[worker].add(model)
        heapq.heappush(
            self._busy, (self.now_s + cost.build_s + trace_s + epochs_s, worker, task_id)
        )

    def next_end(self) -> str:
        """Go on to the end of the next training, and name it."""
        self.now_s, worker, task_id = heapq.heappop(self._busy)
        self._idle.append(worker)
        return task_id


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSearch:
    """A search as it may go.

    Attributes:
        winner: The winner's model, as a crew knows it.
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
) -> SimulatedSearch:
    """Search.

    Args:
        settings: The method and its numbers.
        costs: Of the first settings that it will try; those of later ones are drawn from them.
        n_train: Training images.
        n_settings: Distinct settings of the space; None where they do not run out.
        crew: Trains.
        rng: Decides scores, and costs of later settings.
    """
    search = _Search(settings, crew.n_workers, len(costs), n_settings, rng)
    n_checkpoints = 0
    while True:
        while crew.has_idle and (trial := search.next_trial()):
            cost = costs[trial.values["cost"]]
            n_epochs = trial.last_epoch - trial.first_epoch + 1
            crew.begin(trial.trial_id, _model(trial), cost, n_epochs * cost.image_s * n_train)
        if not crew.has_busy:
            break
        n_checkpoints = max(n_checkpoints, search.n_checkpoints)
        search.end(crew.next_end())
    best = search.best()
    return SimulatedSearch(
        winner=_model(best),
        cost=costs[best.values["cost"]],
        brackets=search.brackets(),
        n_checkpoints=n_checkpoints,
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
        contenders: Each with its model, as the crew knows it, and its cost.
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
    """Epochs of a training, which ends at any epoch that its stopping rule allows: nobody knows when."""
    rule, last = contender.early_stopping, contender.max_epochs
    first = last if rule.patience is None else min(rule.patience + 1, last)
    return int(rng.integers(1 if rule.stop_metric else first, last + 1))


def _model(trial: Trial) -> str:
    return f"setting {trial.values['number']}"


class _Search:
    """The real method and the real board.

    Attributes:
        n_checkpoints: Of trials that run, and of those that others may go on from.
    """

    def __init__(
        self,
        settings: SearchSettings,
        n_workers: int,
        n_costs: int,
        n_settings: int | None,
        rng: np.random.Generator,
    ) -> None:
        self._method = method_for(settings, n_workers)
        self._board = Board(_CHANCE, self._method.places)
        self._max_trials, self._n_settings, self._n_costs = settings.max_trials, n_settings, n_costs
        self._rng = rng
        self._n_new = 0
        self.n_checkpoints = 0

    def next_trial(self) -> Trial | None:
        trials = self._board.trials
        if self._max_trials is not None and len(trials) >= self._max_trials:
            return None
        while step := self._method.next_step(self._board):
            if step.parent_id is None and self._n_new == self._n_settings:
                self._method.no_new_settings()
                continue
            trial = self._trial(step, f"{len(trials):04}")
            self._board.start(trial)
            self.n_checkpoints += 1
            return trial
        return None

    def end(self, trial_id: str) -> None:
        trial = self._board.trials[trial_id]
        self._board.end(replace(trial, score=trial.values["score"]))
        self.n_checkpoints -= len(self._board.disposable())

    def best(self) -> Trial:
        return max(self._board.trials.values(), key=lambda trial: trial.score or 0.0)

    def brackets(self) -> tuple[tuple[Rung, ...], ...]:
        """What was started, the oldest bracket first."""
        sizes = Counter(
            (t.bracket, t.first_epoch, t.last_epoch) for t in self._board.trials.values()
        )
        found: dict[int, list[Rung]] = {}
        for (bracket, first, last), n in sizes.items():
            found.setdefault(bracket, []).append(
                Rung(n_trials=n, first_epoch=first, last_epoch=last)
            )
        return tuple(
            tuple(sorted(rungs, key=lambda rung: rung.first_epoch)) for rungs in found.values()
        )

    def _trial(self, step: Step, trial_id: str) -> Trial:
        return Trial(
            trial_id=trial_id,
            values=self._board.trials[step.parent_id].values
            if step.parent_id
            else self._new_setting(),
            bracket=step.bracket,
            rung=step.rung,
            parent_id=step.parent_id,
            first_epoch=step.first_epoch,
            last_epoch=step.last_epoch,
        )

    def _new_setting(self) -> dict[str, float | int]:
        number, self._n_new = self._n_new, self._n_new + 1
        cost = number if number < self._n_costs else int(self._rng.integers(self._n_costs))
        return {"number": number, "cost": cost, "score": self._rng.random()}
