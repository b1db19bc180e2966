"""Keras Tuner's Gaussian process as a proposer: fitted afresh to the board at every proposal."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial as KerasTunerTrial
from keras_tuner.engine.trial import TrialStatus

from tuner.records.trial import Trial
from tuner.search.board import Board
from tuner.search.methods.keras_tuner_space import declared, on_space
from tuner.search.methods.method import Setup
from tuner.search.methods.one_core import on_one_core
from tuner.space.sampling import has_setting, is_complete


def expected_best(setup: Setup, board: Board) -> Iterator[dict[str, Any]]:
    """What Keras Tuner's Gaussian process would try next.

    Args:
        setup: Space, objective and generator.
        board: The trials so far; running ones count with a guess of their scores.
    """
    space = declared(setup.space)
    model = keras_tuner.oracles.BayesianOptimizationOracle(
        objective=keras_tuner.Objective(setup.objective.name, setup.objective.direction),
        num_initial_points=1,
        hyperparameters=space,
        # A generator that begins with 0 would be seeded by chance.
        seed=int(setup.generator.integers(1, 2**31)),
    )
    trials = {
        trial_id: _trial(space, trial)
        for trial_id, trial in board.trials.items()
        # What the search began with may lie outside of the space, which the process cannot encode.
        if trial.model is None and has_setting(setup.space, trial.values)
    }
    with on_one_core(), warnings.catch_warnings():
        # The fit says so wherever its kernel meets a bound; the proposal is as good.
        warnings.simplefilter("ignore")
        # Fitted to the ended trials first, the process can guess the scores of running ones.
        model.trials = {key: trial for key, trial in trials.items() if key not in board.running}
        model.gpr.fit(*model._vectorize_trials())
        model.trials = trials
        model.ongoing_trials = {key: trial for key, trial in trials.items() if key in board.running}
        values = model.populate_space("")["values"]
    proposed = on_space(setup.space, values)
    # Brought to its step, a parent may switch on what Keras Tuner has given no value.
    if is_complete(setup.space, proposed):
        yield proposed


def _trial(space: keras_tuner.HyperParameters, trial: Trial) -> KerasTunerTrial:
    hyperparameters = space.copy()
    hyperparameters.values = dict(trial.values)
    status = {"running": TrialStatus.RUNNING, "failed": TrialStatus.FAILED}
    found = KerasTunerTrial(
        hyperparameters=hyperparameters,
        trial_id=trial.trial_id,
        status=status.get(trial.status, TrialStatus.COMPLETED),
    )
    found.score = trial.score
    return found
