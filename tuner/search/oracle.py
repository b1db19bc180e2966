"""Keras Tuner's oracle as the search uses it: the one module of the search that imports keras_tuner.

What Keras Tuner 1.4.8 does differently, and is mended here without a fork (engine/oracle.py):
`seed=0` means a random seed, and equal seeds share most of their settings; 20 collisions end the
search of a small space; three failures in a row raise, and looking for them takes longer with every
trial; the whole state is rewritten to disk at every step; and a call that raises keeps its lock.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

import keras_tuner
import numpy as np
from keras_tuner.engine import trial as keras_tuner_trial
from keras_tuner.src.engine import oracle as keras_tuner_oracle

from tuner.errors import SpaceError
from tuner.records.trial import Trial
from tuner.search.board import Board
from tuner.search.methods import Step
from tuner.search.order import method_for
from tuner.search.proposals import Proposals, every_setting
from tuner.search.schedule import total
from tuner.space.definition import Objective, Parameter, SearchSettings, Space
from tuner.space.sampling import grid_values, has_setting, is_complete

RUNNING = keras_tuner_trial.TrialStatus.RUNNING
STOPPED = keras_tuner_trial.TrialStatus.STOPPED
IDLE = keras_tuner_trial.TrialStatus.IDLE


class SearchOracle(keras_tuner.Oracle):
    """Proposes trials and promotes the best, as the method of the settings decides.

    Attributes:
        board: All trials and rungs.
    """

    def __init__(
        self,
        *,
        space: Space,
        objective: Objective,
        settings: SearchSettings,
        seed: int,
        problem: Callable[[Mapping[str, Any]], str | None],
        n_workers: int = 1,
        n_wanted: int = 0,
    ) -> None:
        """Declare every hyperparameter beforehand.

        Args:
            space: What to search.
            objective: What to optimise.
            settings: The method and its numbers.
            seed: Decides every setting; 0 is a seed.
            problem: Why a setting cannot be built, or None.
            n_workers: Trials at a time; it decides in which order Hyperband's brackets begin.
            n_wanted: The checkpoints of so many of the best settings are wanted after the search.
        """
        # Not `max_trials`: trial ids would be as wide as it is.
        super().__init__(
            objective=keras_tuner.Objective(objective.name, objective.direction),
            hyperparameters=_declared(space),
            allow_new_entries=False,
        )
        self.verbose = 0
        self._space = space
        self._settings = settings
        self._method = method_for(settings, n_workers)
        self.board = Board(objective, self._method.places, n_wanted)
        self._proposals = Proposals(space, seed, problem)
        self._grid = every_setting(space)
        self._is_exhausted = False
        self._past: deque[Trial] = deque()

    @property
    def n_rejected(self) -> int:
        """Settings that could not be built, and were never proposed."""
        return len(self._proposals.rejected)

    @property
    def rejected(self) -> str:
        """One line about the first of them; empty where there is none."""
        return next(iter(self._proposals.rejected.values()), "")

    def next_trial(self) -> Trial | None:
        """The next trial to train, or None where there is nothing to start now.

        Raises:
            SpaceError: If no setting of the space can be built.
        """
        with self._lock_freed():
            answer = self.create_trial(f"worker-{len(self.trials)}")
        if answer.status == RUNNING:
            return self.board.trials[answer.trial_id]
        if not self.trials and self.rejected:
            raise SpaceError(
                f"none of {self.n_rejected} drawn settings can be built, as {self.rejected}",
                "widen the space, or use larger images.",
            )
        return None

    def end(self, trial: Trial) -> None:
        """Take a trial that ended: with a score, or with the error that throws it out of its rung like the worst."""
        ended = self.trials[trial.trial_id]
        with self._lock_freed():
            if trial.score is None:
                ended.status, ended.message = keras_tuner_trial.TrialStatus.FAILED, trial.error
            else:
                self.update_trial(trial.trial_id, {self.objective.name: trial.score})
                ended.status = keras_tuner_trial.TrialStatus.COMPLETED
            self.end_trial(ended)
        self.board.end(trial)

    def generator_state(self) -> dict[str, Any]:
        """What to keep beside the trial that has just started, so that `restore` can go on after it; as JSON.

        It holds only what is new since the last call, so that it stays short however many trials
        there are.
        """
        return self._proposals.news() | {"is_exhausted": self._is_exhausted}

    def restore(
        self,
        history: Iterable[tuple[Literal["started", "ended"], Trial]],
        states: Iterable[Mapping[str, Any]],
    ) -> None:
        """Go on exactly as the oracle would have that saw all this.

        Args:
            history: Every start and end of a trial, in their order; a trial that ended has its
                score or its error.
            states: All that `generator_state` gave, in order.

        Raises:
            ValueError: If a trial has a setting that the space does not have.
        """
        states = list(states)
        for event, trial in history:
            if event == "started":
                if not has_setting(self._space, trial.values):
                    raise ValueError(
                        f"trial {trial.trial_id} has a setting that is not in the space"
                    )
                self._past.append(trial)
                self.next_trial()
            else:
                self.end(trial)
        new = [trial.values for trial in self.board.trials.values() if trial.parent_id is None]
        self._proposals.restore(new, states)
        if any(state["is_exhausted"] for state in states):
            self._exhaust()

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Keras Tuner's hook: the values of the next trial, which the board has then taken."""
        trial = self._past.popleft() if self._past else self._decided(trial_id)
        if trial is None:
            return {"status": IDLE if self.board.running else STOPPED}
        self.board.start(trial)
        return {"status": RUNNING, "values": _keras_tuner_values(trial)}

    def _decided(self, trial_id: str) -> Trial | None:
        limit = self._settings.max_trials
        if limit is not None and len(self.board.trials) >= limit:
            return None
        while (step := self._method.next_step(self.board)) is not None:
            values = self._values(step)
            if values is not None:
                return Trial(
                    trial_id=trial_id,
                    values=values,
                    bracket=step.bracket,
                    rung=step.rung,
                    parent_id=step.parent_id,
                    first_epoch=step.first_epoch,
                    last_epoch=step.last_epoch,
                )
            self._exhaust()
        return None

    def _values(self, step: Step) -> Mapping[str, Any] | None:
        if step.parent_id is not None:
            return self.board.trials[step.parent_id].values
        if self._settings.method == "grid":
            return self._proposals.first_of(self._grid)
        return self._proposals.drawn(
            self._expected_best() if self._settings.method == "bayesian" else ()
        )

    def _exhaust(self) -> None:
        self._is_exhausted = True
        self._method.no_new_settings()

    def _expected_best(self) -> Iterator[dict[str, Any]]:
        """What Keras Tuner's Gaussian process would try next; nothing before there are enough trials to fit it to."""
        n_parameters, n_ended = len(self._space.parameters), len(self.board.rung(0, 0).ranked)
        # Keras Tuner's own 3 per parameter would often be all there are.
        if not n_parameters or n_ended < max(
            3, min(3 * n_parameters, total(self._settings)[0] // 3)
        ):
            return
        model = keras_tuner.oracles.BayesianOptimizationOracle(
            objective=self.objective,
            num_initial_points=1,
            hyperparameters=self.hyperparameters,
            seed=int(self._proposals.generator.integers(1, 2**31)),
        )
        with warnings.catch_warnings():
            # The fit says so wherever its kernel meets a bound; the proposal is as good.
            warnings.simplefilter("ignore")
            # Fitted to the ended trials first, the process can guess the scores of running ones.
            model.trials = {
                key: trial for key, trial in self.trials.items() if key not in self.board.running
            }
            model.gpr.fit(*model._vectorize_trials())
            model.trials, model.ongoing_trials = self.trials, self.ongoing_trials
            values = model.populate_space("")["values"]
        proposed = dict(self._space.fixed) | _on_grid(self._space, values)
        # Brought to its step, a parent may switch on what Keras Tuner has given no value.
        if is_complete(self._space, proposed):
            yield proposed

    @contextmanager
    def _lock_freed(self) -> Iterator[None]:
        """Free Keras Tuner's lock of this oracle where a call raised under it; the next thread would wait for ever."""
        try:
            yield
        except BaseException:
            keras_tuner_oracle.THREADS[self] = None
            if keras_tuner_oracle.LOCKS[self].locked():
                keras_tuner_oracle.LOCKS[self].release()
            raise

    def _check_consecutive_failures(self) -> None:
        """Check nothing: the search has its own rule, and Keras Tuner's looks at every trial each time."""

    def save(self) -> None:
        """Write nothing: the run's folder has its own records."""

    def _save_trial(self, trial: keras_tuner_trial.Trial) -> None:
        """Write nothing: the run's folder has its own records."""


def _keras_tuner_values(trial: Trial) -> dict[str, Any]:
    """Values with the names by which Keras Tuner's Hyperband tells what to train."""
    extra = {
        "tuner/epochs": trial.last_epoch,
        "tuner/initial_epoch": trial.first_epoch - 1,
        "tuner/bracket": trial.bracket,
        "tuner/round": trial.rung,
    }
    return (
        dict(trial.values)
        | extra
        | ({"tuner/trial_id": trial.parent_id} if trial.parent_id else {})
    )


def _on_grid(space: Space, values: Mapping[str, Any]) -> dict[str, Any]:
    """Active values in the space's order, each brought to the nearest that its parameter allows."""
    return {
        parameter.name: _nearest(values[parameter.name], parameter)
        for parameter in space.parameters
        if parameter.name in values
    }


def _nearest(value: Any, parameter: Parameter) -> Any:
    if parameter.choices:
        return value
    grid = grid_values(parameter)
    if grid is not None:
        return min(grid, key=lambda allowed: abs(allowed - value))
    # On a logarithmic scale the ends come out a rounding error beside themselves.
    return float(np.clip(value, parameter.low, parameter.high))


def _declared(space: Space) -> keras_tuner.HyperParameters:
    hp = keras_tuner.HyperParameters()
    for parameter in space.parameters:
        _declare(hp, parameter)
    return hp


def _declare(hp: keras_tuner.HyperParameters, parameter: Parameter) -> None:
    """Declare one parameter inside the scopes of its conditions."""
    if parameter.conditions:
        first, *rest = parameter.conditions
        with hp.conditional_scope(first.parent, list(first.values)):
            _declare(hp, replace(parameter, conditions=tuple(rest)))
        return
    sampling = "log" if parameter.log else "linear"
    match parameter.kind:
        case "boolean":
            hp.Boolean(parameter.name)
        case "choice":
            hp.Choice(parameter.name, list(parameter.choices), ordered=False)
        case "int":
            hp.Int(
                parameter.name, int(parameter.low or 0), int(parameter.high or 0), sampling=sampling
            )
        case _:
            hp.Float(parameter.name, parameter.low, parameter.high, sampling=sampling)
