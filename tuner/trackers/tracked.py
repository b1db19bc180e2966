"""What trackers are given: a run, its trainings as they come to be, and its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tuner.records.results import ModelResult, Results, SeedResult
from tuner.records.trial import Trial, TrialStatus
from tuner.space.definition import Objective, Parameter, by_name, spanning

# Metrics of each epoch, which counts from 1.
Points = Mapping[int, Mapping[str, float]]
Words = Mapping[str, str]
Numbers = Mapping[str, float]
TrainingKind = Literal["trial", "retraining"]

# The metric that holds a trial's score at its last epoch, as trials.csv does.
SCORE = "score"
EPOCH_SECONDS = "epoch_duration_s"
_RESERVED = (SCORE, EPOCH_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedRun:
    """A run as trackers know it; the same while it goes on and afterwards.

    Attributes:
        folder: Its folder, whose name is the run's.
        objective: What the search optimises.
        parameters: The searched hyperparameters; a name stands once for each of its ranges.
        max_epochs: Epochs of the last rung.
        comparable: A setting may win that was trained for this share of the deepest one's epochs.
    """

    folder: Path
    objective: Objective
    parameters: tuple[Parameter, ...]
    max_epochs: int
    comparable: float

    @property
    def name(self) -> str:
        """The run's name."""
        return self.folder.name

    @property
    def dataset(self) -> str:
        """The data set's name, which the folder above has."""
        return self.folder.parent.name

    @property
    def reports(self) -> Path:
        """Root of the reports."""
        return self.folder.parent.parent

    @property
    def axes(self) -> Mapping[str, Parameter]:
        """One parameter per searched name, over all ranges that it has."""
        return {name: spanning(ranges) for name, ranges in by_name(self.parameters).items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One line of a tracker: a setting over all its rungs, or one retraining of a contender.

    Attributes:
        key: Names it within its run, such as `trial 0003` or `tuned seed 0`.
        kind: What it is.
        values: The active hyperparameters.
        points: The metrics of all epochs so far; `score` where a rung ended.
        status: Of its last trial.
        error: Why it failed; empty otherwise.
        score: The score of its deepest trial that has one; of a retraining that of its validation.
        numbers: What it has one of, such as `test_accuracy`.
        words: Likewise, in words.
        is_comparable: Whether it was trained deep enough to win.
        is_settled: Whether no rung will continue it.
    """

    key: str
    kind: TrainingKind
    values: Mapping[str, Any]
    points: Points
    status: TrialStatus
    error: str = ""
    score: float | None = None
    numbers: Numbers = field(default_factory=dict)
    words: Words = field(default_factory=dict)
    is_comparable: bool = True
    is_settled: bool = False

    @property
    def slug(self) -> str:
        """The key without spaces, for names of files."""
        return self.key.replace(" ", "-")

    @property
    def has_failed(self) -> bool:
        """Whether nothing came of it: a setting that failed on a later rung keeps its score."""
        return self.status == "failed" and self.score is None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """What a run has come to.

    Attributes:
        numbers: Such as the mean test accuracy of each model.
        words: The recommendation with its rule, the winner's trial, the verdict.
    """

    numbers: Numbers
    words: Words


def trial_key(trial_id: str) -> str:
    """The key of the setting that a trial of the first rung begins."""
    return f"trial {trial_id}"


def of_trials(
    chain: Sequence[Trial], run: TrackedRun, deepest: int = 0, *, is_over: bool = False
) -> Training:
    """A setting, from its trials on all rungs.

    Args:
        chain: Its trials, the first rung's first; at least one.
        run: The run.
        deepest: Epochs that the deepest setting with a score was trained for.
        is_over: Whether the search is.
    """
    first, last = chain[0], chain[-1]
    scored = [trial for trial in chain if trial.score is not None]
    depth = scored[-1].depth if scored else 0
    is_deepest = last.status == "completed" and last.last_epoch >= run.max_epochs
    return Training(
        key=trial_key(first.trial_id),
        kind="trial",
        values={name: first.values[name] for name in run.axes if name in first.values},
        points=_points(chain),
        status=last.status,
        error=last.error or "",
        score=scored[-1].score if scored else None,
        numbers=_trial_numbers(chain),
        words=_trial_words(chain),
        is_comparable=bool(scored) and depth >= run.comparable * deepest,
        is_settled=is_over or last.status == "failed" or is_deepest,
    )


def _points(chain: Sequence[Trial]) -> Points:
    points: dict[int, dict[str, float]] = {}
    for trial in chain:
        for epoch in trial.epochs:
            metrics = {_metric(name): value for name, value in epoch.metrics.items()}
            # As precise as curves.csv.
            points[epoch.epoch] = {**metrics, EPOCH_SECONDS: round(epoch.duration_s, 3)}
        if trial.score is not None and trial.epochs:
            points[trial.epochs[-1].epoch][SCORE] = trial.score
    return points


def _metric(name: str) -> str:
    """A metric's name; a builder of your own may call one `score`."""
    return f"metrics.{name}" if name in _RESERVED else name


def _trial_numbers(chain: Sequence[Trial]) -> Numbers:
    last = chain[-1]
    numbers: dict[str, float] = {
        "bracket": last.bracket,
        "rung": last.rung,
        "duration_s": round(sum(round(trial.duration_s, 3) for trial in chain), 3),
    }
    counted = [trial.n_parameters for trial in chain if trial.n_parameters is not None]
    return numbers | ({"n_parameters": counted[-1]} if counted else {})


def _trial_words(chain: Sequence[Trial]) -> Words:
    first, last = chain[0], chain[-1]
    words = {
        "trials": ", ".join(trial.trial_id for trial in chain),
        "status": last.status,
        "error": last.error or "",
        "origin": first.origin,
        "model": first.model or "",
    }
    return {name: text for name, text in words.items() if text}


def of_results(results: Results) -> Iterator[Training]:
    """The retrainings of a run that has ended, each with its scores on the sealed test images."""
    for model in results.models:
        for run in model.runs:
            yield _of_seed(model, run)


def _of_seed(model: ModelResult, run: SeedResult) -> Training:
    numbers: dict[str, float] = {
        "seed": run.seed,
        "best_epoch": run.best_epoch,
        "duration_s": round(run.duration_s, 3),
        "test_accuracy": run.test.accuracy,
        "test_balanced_accuracy": run.test.balanced_accuracy,
        "test_macro_f1": run.test.macro_f1,
        "test_log_loss": run.test.log_loss,
        "test_calibration_error": run.test.calibration_error,
    }
    if run.validation_score is not None:
        numbers["validation_score"] = run.validation_score
    points = {
        epoch.epoch: {
            **{_metric(name): value for name, value in epoch.metrics.items()},
            EPOCH_SECONDS: round(epoch.duration_s, 3),
        }
        for epoch in run.epochs
    }
    return Training(
        key=f"{model.name} seed {run.seed}",
        kind="retraining",
        values=model.values,
        points=points,
        status="completed",
        score=run.validation_score,
        numbers=numbers,
        words={"contender": model.name, "title": model.title, "model": model.model},
        is_settled=True,
    )


def end_of(results: Results) -> RunEnd:
    """What a run has come to; of an unfinished one, so far."""
    search, recommended = results.search, results.recommendation
    numbers = {"n_trials": float(search.n_trials), "n_failed": float(search.n_failed)}
    words = {"state": results.run.state, "objective": search.objective}
    if search.best_trial_id:
        numbers["winner_score"] = search.best_score
        words["winner_trial"] = search.best_trial_id
    for model in results.models:
        if model.runs:
            accuracies = [run.test.accuracy for run in model.runs]
            numbers[f"test_accuracy.{model.name}"] = sum(accuracies) / len(accuracies)
        if model.error:
            words[f"failed.{model.name}"] = model.error
    if recommended:
        words |= {"recommended": recommended.model, "recommended_by": recommended.rule}
    if difference := results.main_difference:
        words["verdict"] = f"{difference.verdict}, against {difference.opponent}"
    return RunEnd(numbers=numbers, words=words)
