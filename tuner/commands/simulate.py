"""A run on clocks alone: what its trainings would take on some workers, idle ends included; nothing is trained."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tuner.records.trial import Trial
from tuner.search.board import Board
from tuner.search.methods import METHODS, Method, Step
from tuner.search.schedule import Rung
from tuner.space.definition import Objective, SearchSettings

# A pass forwards and back costs about three times the pass forwards.
FORWARD_SHARE = 1 / 3

# Of the tracing of a training step, what tracing a prediction takes.
_PREDICTION_TRACE_SHARE = 1 / 4

_CHANCE = Objective(name="chance", direction="max")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What it takes to train a model.

    Attributes:
        name: Tells models apart.
        build_s: Seconds to build it and to save its checkpoint, in every training.
        trace_s: Seconds that its first epoch takes more than others, where the worker does not know it yet.
        image_s: Seconds per training image.
        batch_size: Images per step.
        checkpoint_bytes: Size of a checkpoint.
    """

    name: str
    build_s: float
    trace_s: float
    image_s: float
    batch_size: int
    checkpoint_bytes: int

    @property
    def step_s(self) -> float:
        """Seconds of a training step."""
        return self.image_s * self.batch_size

    @property
    def start_s(self) -> float:
        """Seconds until the first step of a model that is not known."""
        return self.build_s + self.trace_s

    def epoch_s(self, n_train: int, n_validation: int) -> float:
        """Seconds of an epoch."""
        return self.image_s * (n_train + FORWARD_SHARE * n_validation)

    def score_s(self, n_test: int) -> float:
        """Seconds to score one training on the test set."""
        return self.build_s + _PREDICTION_TRACE_SHARE * self.trace_s + self.image_s * FORWARD_SHARE * n_test


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Retrainings of one model.

    Attributes:
        cost: Of the model.
        epoch_s: Seconds of an epoch.
        max_epochs: Ceiling.
        patience: Epochs without improvement after which one ends; None trains to the ceiling.
        n_seeds: How many.
    """

    cost: Cost
    epoch_s: float
    max_epochs: int
    patience: int | None
    n_seeds: int

    def n_epochs(self, rng: np.random.Generator) -> int:
        """Epochs of one of them: nobody knows when it stops improving."""
        first = self.max_epochs if self.patience is None else min(self.patience + 1, self.max_epochs)
        return int(rng.integers(first, self.max_epochs + 1))


class Crew:
    """Workers of an executor, as clocks.

    Attributes:
        now_s: Seconds since they began.
    """

    def __init__(self, n_workers: int, n_kept: int) -> None:
        """Begin at 0 seconds.

        Args:
            n_workers: Trainings at a time.
            n_kept: Models that a worker knows at a time.
        """
        self.now_s = 0.0
        self._known: list[deque[str]] = [deque(maxlen=n_kept) for _ in range(n_workers)]
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

    def begin(self, task_id: str, cost: Cost, epochs_s: float) -> None:
        """Let an idle worker train, best one that knows the model."""
        worker = max(self._idle, key=lambda number: cost.name in self._known[number])
        self._idle.remove(worker)
        known = self._known[worker]
        seconds = cost.build_s + epochs_s
        if cost.name in known:
            known.remove(cost.name)
        else:
            seconds += cost.trace_s
        known.append(cost.name)
        heapq.heappush(self._busy, (self.now_s + seconds, worker, task_id))

    def next_end(self) -> str:
        """Go on to the end of the next training, and name it."""
        self.now_s, worker, task_id = heapq.heappop(self._busy)
        self._idle.append(worker)
        return task_id


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSearch:
    """A search as it may go.

    Attributes:
        winner: Place of the winner among the costs.
        brackets: The rungs of each bracket, as they were filled.
        n_checkpoints: Checkpoints on disk at most.
    """

    winner: int
    brackets: tuple[tuple[Rung, ...], ...]
    n_checkpoints: int


def simulate_search(
    settings: SearchSettings,
    costs: Sequence[Cost],
    sizes: tuple[int, int],
    n_settings: int | None,
    crew: Crew,
    rng: np.random.Generator,
) -> SimulatedSearch:
    """Search, with chance as the judge.

    Args:
        settings: The method and its numbers.
        costs: Of the first settings that it will try; those of later ones are drawn from them.
        sizes: Training and validation images.
        n_settings: Distinct settings of the space; None where they do not run out.
        crew: Trains.
        rng: Decides scores, and costs of later settings.
    """
    search = _Search(settings, len(costs), n_settings, rng)
    n_checkpoints = 0
    while True:
        while crew.has_idle and (trial := search.next_trial()):
            cost = costs[trial.values["cost"]]
            n_epochs = trial.last_epoch - trial.first_epoch + 1
            crew.begin(trial.trial_id, cost, n_epochs * cost.epoch_s(*sizes))
        if not crew.has_busy:
            break
        n_checkpoints = max(n_checkpoints, search.n_checkpoints)
        search.end(crew.next_end())
    return SimulatedSearch(winner=search.winner(), brackets=search.brackets(), n_checkpoints=n_checkpoints)


def simulate_retraining(works: Sequence[Work], crew: Crew, rng: np.random.Generator) -> None:
    """Retrain every model with every seed, in the order of a run."""
    waiting = deque(work for work in works for _ in range(work.n_seeds))
    while waiting or crew.has_busy:
        while waiting and crew.has_idle:
            work = waiting.popleft()
            crew.begin(work.cost.name, work.cost, work.n_epochs(rng) * work.epoch_s)
        crew.next_end()


class _Search:
    """The real method and the real board; only the scores are chance.

    Attributes:
        n_checkpoints: Of trials that run, and of those that others may go on from.
    """

    def __init__(
        self, settings: SearchSettings, n_costs: int, n_settings: int | None, rng: np.random.Generator
    ) -> None:
        self._method: Method = METHODS[settings.method](settings)
        self._board = Board(_CHANCE, self._method.places)
        self._max_trials, self._n_settings, self._n_costs = settings.max_trials, n_settings, n_costs
        self._rng = rng
        self._n_started = 0
        self.n_checkpoints = 0

    def next_trial(self) -> Trial | None:
        trials = self._board.trials
        if self._max_trials is not None and len(trials) >= self._max_trials:
            return None
        while step := self._method.next_step(self._board):
            if step.parent_id is None and self._n_started == self._n_settings:
                self._method.no_new_settings()
                continue
            trial = self._trial(step, f"{len(trials):04}")
            self._board.start(trial)
            self.n_checkpoints += 1
            return trial
        return None

    def _trial(self, step: Step, trial_id: str) -> Trial:
        values = self._board.trials[step.parent_id].values if step.parent_id else self._new_setting()
        return Trial(
            trial_id=trial_id,
            values=values,
            bracket=step.bracket,
            rung=step.rung,
            parent_id=step.parent_id,
            first_epoch=step.first_epoch,
            last_epoch=step.last_epoch,
        )

    def _new_setting(self) -> dict[str, float | int]:
        number, self._n_started = self._n_started, self._n_started + 1
        cost = number if number < self._n_costs else int(self._rng.integers(self._n_costs))
        return {"cost": cost, "score": self._rng.random()}

    def end(self, trial_id: str) -> None:
        trial = self._board.trials[trial_id]
        self._board.end(replace(trial, score=trial.values["score"]))
        self.n_checkpoints -= len(self._board.disposable())

    def winner(self) -> int:
        best = max(self._board.trials.values(), key=lambda trial: trial.score or 0.0)
        return int(best.values["cost"])

    def brackets(self) -> tuple[tuple[Rung, ...], ...]:
        """What was started, the oldest bracket first."""
        sizes = Counter((t.bracket, t.first_epoch, t.last_epoch) for t in self._board.trials.values())
        return tuple(
            tuple(
                Rung(n_trials=sizes[key], first_epoch=key[1], last_epoch=key[2])
                for key in sorted(sizes)
                if key[0] == bracket
            )
            for bracket in dict.fromkeys(key[0] for key in sizes)
        )
