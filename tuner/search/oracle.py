"""Keras Tuner's Hyperband oracle as the search uses it: the one module of the search that imports keras_tuner.

What Keras Tuner 1.4.8 does differently, and is mended here without a fork: a failed trial leaves its rung one short, so
that nothing is promoted any more (tuners/hyperband.py, `populate_space`); `seed=0` means a random seed, and equal seeds
share most of their settings (engine/oracle.py, `_random_values`); 20 collisions end the search of a small space before
any promotion; three failures in a row raise; and the whole state is rewritten to disk at every step.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine import trial as keras_tuner_trial

from tuner.errors import ConfigurationError
from tuner.records.trial import Trial
from tuner.space.definition import Objective, Parameter, SearchSettings, Space
from tuner.space.sampling import n_settings, sample

# At least so many draws in a row must bring nothing new before a space counts as exhausted.
MIN_DRAWS = 1000

COMPLETED = keras_tuner_trial.TrialStatus.COMPLETED
FAILED = keras_tuner_trial.TrialStatus.FAILED

_EPOCHS, _INITIAL = "tuner/epochs", "tuner/initial_epoch"
_BRACKET, _RUNG, _PARENT = "tuner/bracket", "tuner/round", "tuner/trial_id"


class HyperbandOracle(keras_tuner.oracles.HyperbandOracle):
    """Proposes trials and promotes the best of each rung.

    Attributes:
        rejected: One line about the first of them; empty where there is none.
    """

    def __init__(
        self,
        *,
        space: Space,
        objective: Objective,
        settings: SearchSettings,
        seed: int,
        problem: Callable[[Mapping[str, Any]], str | None],
    ) -> None:
        """Declare every hyperparameter beforehand.

        Args:
            space: What to search.
            objective: What to optimise.
            settings: Hyperband's numbers.
            seed: Decides every setting; 0 is a seed.
            problem: Why a setting cannot be built, or None.
        """
        super().__init__(
            objective=keras_tuner.Objective(objective.name, objective.direction),
            max_epochs=settings.max_epochs,
            factor=settings.factor,
            hyperband_iterations=settings.iterations,
            seed=seed,
            hyperparameters=_declared(space),
            allow_new_entries=False,
            max_consecutive_failed_trials=sys.maxsize,
        )
        self.verbose = 0
        self.rejected = ""
        self._space = space
        self._n_settings = n_settings(space)
        # Of a small space hardly a setting stays untried; one behind several conditions is drawn seldom, and may.
        self._max_draws = max(MIN_DRAWS, 20 * min(self._n_settings or 0, MIN_DRAWS))
        self._problem = problem
        self._rejected: set[str] = set()
        self._generator = np.random.default_rng(seed)

    @property
    def n_rejected(self) -> int:
        """Settings that were drawn, could not be built, and were never proposed."""
        return len(self._rejected)

    def next_trial(self) -> Trial | None:
        """The next trial to train, or None where there is nothing to start now.

        Raises:
            ConfigurationError: If no setting of the space can be built.
        """
        answer = self.create_trial(f"worker-{len(self.trials)}")
        if answer.status != keras_tuner_trial.TrialStatus.RUNNING:
            if not self.trials and self.rejected:
                raise ConfigurationError(
                    f"none of {self.n_rejected} drawn settings can be built, as {self.rejected}",
                    "widen the space, or use larger images.",
                )
            return None
        values = answer.hyperparameters.values
        return Trial(
            trial_id=answer.trial_id,
            values={name: value for name, value in values.items() if not name.startswith("tuner/")},
            bracket=values[_BRACKET],
            rung=values[_RUNG],
            parent_id=values.get(_PARENT),
            first_epoch=values[_INITIAL] + 1,
            last_epoch=values[_EPOCHS],
        )

    def complete(self, trial_id: str, score: float) -> None:
        """Report the score of a trial that ended well."""
        self.update_trial(trial_id, {self.objective.name: score})
        self._end(trial_id, COMPLETED)

    def fail(self, trial_id: str) -> None:
        """Report a trial that failed: it is thrown out of its rung like the worst one."""
        self._end(trial_id, FAILED)

    def _end(self, trial_id: str, status: str) -> None:
        trial = self.trials[trial_id]
        trial.status = status
        self.end_trial(trial)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Fill the first rungs, then promote; new brackets start when the present ones have nothing to do."""
        for bracket in self._brackets:
            values = self._first_rung_values(bracket, trial_id) or self._promoted_values(bracket, trial_id)
            if values:
                return {"status": "RUNNING", "values": values}
        last = self._current_bracket == 0 and self._current_iteration + 1 == self.hyperband_iterations
        if last:
            return {"status": "IDLE" if self.ongoing_trials else "STOPPED"}
        self._increment_bracket_num()
        self._start_new_bracket()
        return self.populate_space(trial_id)

    def _first_rung_values(self, bracket: dict[str, Any], trial_id: str) -> dict[str, Any] | None:
        number, rung = bracket["bracket_num"], bracket["rounds"][0]
        if bracket.get("exhausted") or len(rung) >= self._get_size(number, 0):
            return None
        values = self._new_setting()
        if values is None:
            bracket["exhausted"] = True
            return None
        rung.append({"past_id": None, "id": trial_id})
        return values | {_EPOCHS: self._get_epochs(number, 0), _INITIAL: 0, _BRACKET: number, _RUNG: 0}

    def _promoted_values(self, bracket: dict[str, Any], trial_id: str) -> dict[str, Any] | None:
        """Values of the best trial that surely belongs to the next rung: enough others are worse."""
        number, rungs = bracket["bracket_num"], bracket["rounds"]
        for i in range(1, len(rungs)):
            trials = [self.trials[entry["id"]] for entry in rungs[i - 1]]
            promoted = {entry["past_id"] for entry in rungs[i]}
            waiting = [t for t in trials if t.status == COMPLETED and t.trial_id not in promoted]
            n_ended = len(waiting) + sum(t.status == FAILED for t in trials)
            n_losers = max(0, self._rung_size(bracket, i - 1) - self._get_size(number, i))
            if not waiting or n_ended <= n_losers or len(promoted) >= self._get_size(number, i):
                continue
            best = max(waiting, key=lambda t: t.score if self.objective.direction == "max" else -t.score)
            rungs[i].append({"past_id": best.trial_id, "id": trial_id})
            return best.hyperparameters.values | {
                _EPOCHS: self._get_epochs(number, i),
                _INITIAL: self._get_epochs(number, i - 1),
                _BRACKET: number,
                _RUNG: i,
                _PARENT: best.trial_id,
            }
        return None

    def _rung_size(self, bracket: dict[str, Any], rung: int) -> int:
        """Trials that the rung will hold once full: fewer than planned where settings ran out or failed before."""
        planned = self._get_size(bracket["bracket_num"], rung)
        if rung == 0:
            return len(bracket["rounds"][0]) if bracket.get("exhausted") else planned
        before = [self.trials[entry["id"]] for entry in bracket["rounds"][rung - 1]]
        alive = self._rung_size(bracket, rung - 1) - sum(t.status == FAILED for t in before)
        return min(planned, alive)

    def _new_setting(self) -> dict[str, Any] | None:
        """A setting that was not tried yet and can be built, or None where none is found."""
        for _ in range(self._max_draws):
            if self._n_settings and len(self._tried_so_far) + len(self._rejected) >= self._n_settings:
                return None
            values = sample(self._space, self._generator)
            reason = self._problem(values)
            key = self._compute_values_hash(values)
            if reason:
                self._rejected.add(key)
                self.rejected = self.rejected or reason
            elif key not in self._tried_so_far:
                self._tried_so_far.add(key)
                return values
        return None

    def save(self) -> None:
        """Write nothing: the run's folder has its own records."""

    def _save_trial(self, trial: keras_tuner_trial.Trial) -> None:
        """Write nothing: the run's folder has its own records."""


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
            hp.Int(parameter.name, int(parameter.low or 0), int(parameter.high or 0), sampling=sampling)
        case _:
            hp.Float(parameter.name, parameter.low, parameter.high, sampling=sampling)
