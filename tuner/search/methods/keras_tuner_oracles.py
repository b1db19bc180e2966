"""Keras Tuner's own search methods: its oracles as they are, driven by our loop and executors.

An oracle says which trial is next and takes what became of it, in the order in which that happens
here. It is asked by its public calls alone, and decides as it does under `keras_tuner.Hyperband`
and its like. Different is only what surrounds it:

- It writes no files. After a restart a fresh oracle goes through the log of the search again, and
  stands where the other one stood.
- Its rule of three failures in a row is off; the search has its own rule.
- A seed of 0 means "any seed" to it, so that another number stands for 0.
"""

from __future__ import annotations

import math
import warnings
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial as KerasTunerTrial
from keras_tuner.engine.trial import TrialStatus

from tuner.errors import ConfigurationError
from tuner.records.trial import Trial
from tuner.search.board import Board
from tuner.search.methods import bayesian, grid, hyperband, random
from tuner.search.methods.keras_tuner_space import declared, on_space
from tuner.search.methods.method import Method, Proposer, SearchCost, Setup, Step, TrialEvent
from tuner.search.methods.one_core import on_one_core
from tuner.search.methods.random import Draws
from tuner.search.methods.rungs import brackets, promotable
from tuner.space.sampling import complete_setting
from tuner.space.search_settings import SearchSettings

_SEED_FOR_0 = 2**31 - 1


class _OracleMethod(Method):
    """An oracle that decides steps together with their values.

    It is asked again while it waits, and each time may draw numbers. At which ends it had nothing
    to start is therefore logged with the next start, and asked again after a restart.
    """

    like: type[Method]

    def __init__(self, setup: Setup) -> None:
        """Make the oracle.

        Raises:
            ConfigurationError: If there is nothing to search, which ends an oracle at once.
        """
        super().__init__(setup)
        if not setup.space.parameters:
            raise ConfigurationError(
                f"search.method is {setup.settings.method}, and no hyperparameter is searched",
                "search one, or choose another search.method.",
            )
        self._trials: list[KerasTunerTrial] = []
        self._n_ended = 0
        self._waits: list[int] = []
        self._oracle = self.make_oracle(
            objective=keras_tuner.Objective(setup.objective.name, setup.objective.direction),
            hyperparameters=declared(setup.space, steps=True),
            seed=setup.seed or _SEED_FOR_0,
            max_consecutive_failed_trials=math.inf,
        )
        self._oracle.verbose = 0
        # Of this oracle alone: whatever it decides, it decides from memory.
        self._oracle.save = lambda: None
        self._oracle._save_trial = lambda trial: None

    @abstractmethod
    def make_oracle(self, **usual: Any) -> keras_tuner.Oracle:
        """The oracle, with the arguments that all of them take."""

    @property
    def proposer(self) -> Proposer:
        """Never asked: every step brings its values along."""
        return Draws(self.setup)

    def next_step(self, board: Board) -> Step | None:
        """Tell the oracle what has ended, then ask it."""
        for trial_id in board.ended[self._n_ended :]:
            self._end(board.trials[trial_id])
        return self._ask()

    def may_promote(self, board: Board) -> set[str]:
        """What may be promoted; of an oracle without rungs nothing."""
        return set()

    def state(self) -> Mapping[str, Any]:
        """After how many ends the oracle had nothing to start, since the last start."""
        waits, self._waits = self._waits, []
        return {"waits": waits}

    def restore(self, history: Sequence[TrialEvent], states: Sequence[Mapping[str, Any]]) -> None:
        """Go through everything once more.

        Raises:
            ValueError: If the oracle now decides otherwise than the log says.
        """
        waits = iter([state.get("waits", []) for state in states])
        pending = list(next(waits, []))
        for event, trial in history:
            while pending and pending[0] == self._n_ended:
                pending.pop(0)
                self._ask()
            if event == "ended":
                self._end(trial)
                continue
            if trial.origin:
                next(waits, [])
                continue
            pending = list(next(waits, []))
            step = self._ask()
            if step is None or step.trial(trial.trial_id, step.values or {}) != trial:
                raise ValueError(f"Keras Tuner starts another trial than {trial.trial_id}")
        self._waits = []

    @classmethod
    def cost(cls, settings: SearchSettings, n_settings: int | None) -> SearchCost:
        """That of our method of the same kind; in a small space an oracle may end sooner."""
        found = cls.like.cost(settings, n_settings)
        return replace(found, is_exact=found.is_exact and n_settings is None)

    @classmethod
    def words(cls, settings: SearchSettings) -> str:
        """Our words for the same kind."""
        return f"Keras Tuner's {cls.like.words(settings)}"

    @classmethod
    def stand_in(cls) -> type[Method]:
        """A forecast needs no settings: our method of the same kind is quicker."""
        return cls.like

    def _ask(self) -> Step | None:
        with on_one_core(), warnings.catch_warnings():
            # Its Gaussian process warns wherever its kernel meets a bound.
            warnings.simplefilter("ignore")
            answer = self._oracle.create_trial(f"worker-{len(self._trials)}")
        if answer.status != TrialStatus.RUNNING:
            self._waits.append(self._n_ended)
            return None
        self._trials.append(answer)
        return self._step(answer.hyperparameters.values)

    def _step(self, values: Mapping[str, Any]) -> Step:
        return Step(
            bracket=0,
            rung=0,
            first_epoch=1,
            last_epoch=self.setup.settings.max_epochs,
            values=self._setting(values),
        )

    def _setting(self, values: Mapping[str, Any]) -> dict[str, Any]:
        # Rounded to the space, a parent may activate a child to which Keras Tuner gave no value.
        # Keras Tuner's own model of the scores assumes the default there as well.
        return complete_setting(self.setup.space, on_space(self.setup.space, values))

    def _end(self, trial: Trial) -> None:
        self._n_ended += 1
        if trial.origin:
            return
        found = self._trials[int(trial.trial_id) - self.setup.n_starts]
        if trial.score is None:
            found.status, found.message = TrialStatus.FAILED, trial.error
        else:
            self._oracle.update_trial(found.trial_id, {self.setup.objective.name: trial.score})
            found.status = TrialStatus.COMPLETED
        self._oracle.end_trial(found)


class KerasTunerHyperband(_OracleMethod):
    """`keras_tuner.Hyperband`."""

    like = hyperband.Hyperband

    def make_oracle(self, **usual: Any) -> keras_tuner.Oracle:
        """With the numbers of the settings."""
        settings = self.setup.settings
        self._sizes = tuple(reversed(brackets(settings)))
        # Of each trial the bracket, numbered on over the iterations.
        self._brackets: list[int] = []
        self._newest = len(self._sizes) - 1
        return keras_tuner.oracles.HyperbandOracle(
            max_epochs=settings.max_epochs,
            factor=settings.factor,
            hyperband_iterations=settings.iterations,
            **usual,
        )

    def may_promote(self, board: Board) -> set[str]:
        """The best of each rung, as many as the next one holds."""
        return promotable(board, self._places)

    def _places(self, bracket: int, rung: int) -> int:
        rungs = self._sizes[bracket % len(self._sizes)]
        return rungs[rung + 1].n_trials if rung + 1 < len(rungs) else 0

    def _step(self, values: Mapping[str, Any]) -> Step:
        parent = values.get("tuner/trial_id")
        # Of a promotion Keras Tuner names the newest bracket, not that of the trial.
        number = values["tuner/bracket"] if parent is None else self._brackets[int(parent)]
        self._brackets.append(self._numbered_on(number) if parent is None else number)
        return Step(
            bracket=self._brackets[-1],
            rung=values["tuner/round"],
            first_epoch=values["tuner/initial_epoch"] + 1,
            last_epoch=values["tuner/epochs"],
            parent_id=None if parent is None else f"{int(parent) + self.setup.n_starts:04d}",
            values=self._setting(values),
        )

    def _numbered_on(self, number: int) -> int:
        n = len(self._sizes)
        iteration = self._newest // n + (number > self._newest % n)
        self._newest = iteration * n + number
        return self._newest


class KerasTunerBayesian(_OracleMethod):
    """`keras_tuner.BayesianOptimization`."""

    like = bayesian.Bayesian

    def make_oracle(self, **usual: Any) -> keras_tuner.Oracle:
        """With as many trials as the budget allows."""
        n_trials = self.cost(self.setup.settings, None).n_trials
        return keras_tuner.oracles.BayesianOptimizationOracle(max_trials=n_trials, **usual)


class KerasTunerRandom(_OracleMethod):
    """`keras_tuner.RandomSearch`."""

    like = random.RandomSearch

    def make_oracle(self, **usual: Any) -> keras_tuner.Oracle:
        """With as many trials as the budget allows."""
        n_trials = self.cost(self.setup.settings, None).n_trials
        return keras_tuner.oracles.RandomSearchOracle(max_trials=n_trials, **usual)


class KerasTunerGrid(_OracleMethod):
    """`keras_tuner.GridSearch`.

    A float range without a step, or a logarithmic one, has about ten values in its grid.
    """

    like = grid.Grid

    def make_oracle(self, **usual: Any) -> keras_tuner.Oracle:
        """It ends with the grid, or with the budget."""
        return keras_tuner.oracles.GridSearchOracle(**usual)

    @classmethod
    def cost(cls, settings: SearchSettings, n_settings: int | None) -> SearchCost:
        """At most this: Keras Tuner's grid may be smaller than the space, and is not counted."""
        return replace(super().cost(settings, n_settings), is_exact=False)

    @classmethod
    def notes(cls, settings: SearchSettings, n_settings: int | None) -> tuple[str, ...]:
        """Say that the budget may cut the grid short."""
        if not cls.like.notes(settings, n_settings):
            return ()
        n = cls.cost(settings, n_settings).n_settings
        return (
            f"search.max_total_epochs ends the grid after {n:,} setting{'' if n == 1 else 's'}, if"
            " it has more",
        )
