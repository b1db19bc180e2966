"""Optuna: a study in a journal file, which optuna-dashboard opens while a search runs."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuner.space.definition import Parameter
from tuner.trackers.tracked import Points, RunEnd, Training
from tuner.trackers.tracker import Tracker

_KEY = "training"


class OptunaTracker(Tracker):
    """One study per run, one trial per setting over all its rungs.

    A trial that has ended cannot go on in Optuna. So a setting that a rung may still continue is
    running there; at the search's end it is complete, or pruned where others went deeper.
    """

    def open(self) -> None:
        """Open the study, or make it."""
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        path = self._path
        _mend(path)
        # Optuna's other lock needs links, which Windows gives to few.
        backend = JournalFileBackend(str(path), lock_obj=JournalFileOpenLock(str(path)))
        self._study = optuna.create_study(
            storage=JournalStorage(backend),
            study_name=self.run.name,
            direction="minimize" if self.run.objective.direction == "min" else "maximize",
            load_if_exists=True,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            # The dashboard's name for it would be "Objective 0".
            self._study.set_metric_names([self.run.objective.name])
        self._numbers = {
            trial.user_attrs[_KEY]: trial.number
            for trial in self._study.get_trials(deepcopy=False)
            if _KEY in trial.user_attrs
        }

    def keeps(self, metric: str) -> bool:
        """Optuna has one value for each step."""
        return metric == self.run.objective.name

    def begin(self, training: Training) -> Points:
        """Find or make the trial; retrainings are attributes of the study."""
        if training.kind == "retraining":
            return training.points
        if training.key not in self._numbers:
            self.discard(training)
            return {}
        values = self._frozen(training).intermediate_values
        return {step: {self.run.objective.name: value} for step, value in values.items()}

    def discard(self, training: Training) -> None:
        """Add another trial; an earlier one of this setting has failed."""
        from optuna.trial import TrialState, create_trial

        if training.key in self._numbers and not self._is_finished(training):
            self._study.tell(self._numbers[training.key], state=TrialState.FAIL)
        params, distributions, others = _parameters(training.values, self.run.axes)
        with warnings.catch_warnings():
            # A list among the choices is kept, and need only not be a key.
            warnings.simplefilter("ignore")
            trial = create_trial(
                state=TrialState.RUNNING,
                params=params,
                distributions=distributions,
                user_attrs={_KEY: training.key, **others},
            )
        self._study.add_trial(trial)
        self._numbers[training.key] = len(self._study.get_trials(deepcopy=False)) - 1

    def add(self, training: Training, points: Points) -> None:
        """Report values of the objective."""
        if training.kind == "trial" and not self._is_finished(training):
            trial = self._trial(training)
            for step, metrics in points.items():
                trial.report(metrics[self.run.objective.name], step)

    def end(self, training: Training) -> None:
        """Write the trial's attributes; of a retraining those of the study."""
        said: Mapping[str, Any] = {**training.numbers, **training.words}
        if training.kind == "retraining":
            self._study.set_user_attr(f"retrained: {training.key}", said)
        elif not self._is_finished(training):
            trial = self._trial(training)
            scores = {
                str(step): metrics["score"]
                for step, metrics in training.points.items()
                if "score" in metrics
            }
            for name, value in {**said, "scores_by_epoch": scores}.items():
                trial.set_user_attr(name, value)

    def settle(self, training: Training) -> None:
        """End the trial."""
        from optuna.trial import TrialState

        if training.kind == "retraining" or self._is_finished(training):
            return
        number = self._numbers[training.key]
        if training.score is None or not math.isfinite(training.score):
            self._study.tell(number, state=TrialState.FAIL)
        elif training.is_comparable:
            self._study.tell(number, training.score)
        else:
            # `tell` would give a pruned trial the value of its last epoch, not its score
            # (optuna/study/_tell.py), and takes no other value.
            self._study._storage.set_trial_state_values(
                self._frozen(training)._trial_id, TrialState.PRUNED, [training.score]
            )

    def finish(self, end: RunEnd) -> None:
        """Write the study's attributes."""
        for name, value in {**end.numbers, **end.words}.items():
            self._study.set_user_attr(name, value)

    @property
    def viewer(self) -> str:
        """The dashboard on the run's journal."""
        return f"optuna-dashboard {self._path.as_posix()}"

    @property
    def _path(self) -> Path:
        return self.run.folder / "optuna.journal"

    def _frozen(self, training: Training) -> Any:
        return self._study.get_trials(deepcopy=False)[self._numbers[training.key]]

    def _trial(self, training: Training) -> Any:
        from optuna.trial import Trial

        return Trial(self._study, self._frozen(training)._trial_id)

    def _is_finished(self, training: Training) -> bool:
        return bool(self._frozen(training).state.is_finished())


def _mend(path: Path) -> None:
    """Cut off a last line that a crash left half written: Optuna would write on in it."""
    if path.is_file():
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            path.write_bytes(whole)


def _parameters(
    values: Mapping[str, Any], axes: Mapping[str, Parameter]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Parameters with their distributions, and what Optuna cannot have among them."""
    params, distributions, others = dict[str, Any](), dict[str, Any](), dict[str, Any]()
    for name, value in values.items():
        distribution = _distribution(axes[name], value)
        if distribution is None:
            others[f"value of {name}"] = value
        else:
            params[name], distributions[name] = value, distribution
    return params, distributions, others


def _distribution(axis: Parameter, value: Any) -> Any:
    """What a value was drawn from; None where it is no choice of the space.

    A known setting that the search began with may lie outside of a range: Optuna takes a wider one,
    but no other choices.
    """
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if axis.choices:
        is_one = any(value == one and type(value) is type(one) for one in axis.choices)
        return CategoricalDistribution(axis.choices) if is_one else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    assert axis.low is not None
    assert axis.high is not None
    low, high = min(axis.low, value), max(axis.high, value)
    if axis.kind == "int" and isinstance(value, int):
        step = 1 if axis.log or not axis.step else int(axis.step)
        is_on_step = low == axis.low and (value - low) % step == 0
        return IntDistribution(int(low), int(high), log=axis.log, step=step if is_on_step else 1)
    return FloatDistribution(float(low), float(high), log=axis.log and low > 0)
