"""What a run's files hold, as data frames: names as text, classes by name, numbers as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from tuner.names import one_line
from tuner.records.results import ModelResult, Results, SeedResult
from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial
from tuner.store.kept_predictions import KeptPredictions

_CURVE_COLUMNS = ("trial_id", "model", "seed", "epoch", "duration_s")
_METRIC = "metrics."
# Scores of a training that a column of their own holds.
_SCORES = (
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "balanced_accuracy",
    "macro_f1",
    "log_loss",
    "calibration_error",
)


def trials_frame(trials: Sequence[Trial], results: Results) -> pd.DataFrame:
    """One row per trial, with the columns of trials.csv.

    Args:
        trials: In the order of their ends.
        results: For the searched names, and the family where a trial states none.
    """
    names = dict.fromkeys(results.search.searched)
    names |= dict.fromkeys(name for trial in trials for name in trial.values)
    takes = dict.fromkeys(name for trial in trials for name in _taken(trial))
    columns: dict[str, Any] = {
        "trial_id": _texts(trial.trial_id for trial in trials),
        "status": _texts(trial.status for trial in trials),
        "score": _floats(trial.score for trial in trials),
        "epochs": _whole(len(trial.epochs) for trial in trials),
        "duration_s": _floats(trial.duration_s for trial in trials),
        "error": _texts(trial.error for trial in trials),
        "bracket": _whole(trial.bracket for trial in trials),
        "rung": _whole(trial.rung for trial in trials),
        "parent_id": _texts(trial.parent_id for trial in trials),
        "first_epoch": _whole(trial.first_epoch for trial in trials),
        "last_epoch": _whole(trial.last_epoch for trial in trials),
        "n_parameters": _column(trial.n_parameters for trial in trials),
        "model": _texts(trial.model or results.search.model for trial in trials),
        "origin": _texts(trial.origin for trial in trials),
    }
    columns |= {
        f"takes.{name}": _column(_taken(trial).get(name) for trial in trials) for name in takes
    }
    columns |= {
        f"values.{name}": _column(trial.values.get(name) for trial in trials) for name in names
    }
    return pd.DataFrame(columns)


def curves_frame(trials: Sequence[Trial]) -> pd.DataFrame:
    """One row per trial and epoch, with the columns of curves.csv."""
    rows = [
        {"trial_id": trial.trial_id, **_epoch_row(epoch)}
        for trial in trials
        for epoch in trial.epochs
    ]
    frame = _frame(rows, ("trial_id", "epoch", "duration_s"))
    return frame.astype({"trial_id": _TEXT, "epoch": "int64", "duration_s": "float64"})


def retraining_curves_frame(results: Results) -> pd.DataFrame:
    """One row per model, training and epoch."""
    rows = [
        {"model": model.name, "seed": run.seed, **_epoch_row(epoch)}
        for model in results.models
        for run in model.runs
        for epoch in run.epochs
    ]
    frame = _frame(rows, ("model", "seed", "epoch", "duration_s"))
    kinds = {"model": _TEXT, "seed": "int64", "epoch": "int64", "duration_s": "float64"}
    return frame.astype(kinds)


def scores_frame(results: Results) -> pd.DataFrame:
    """One row per model and training, with its scores on the test set."""
    found = results.recommendation
    rows = [
        _score_row(model, run, is_recommended=found is not None and found.model == model.name)
        for model in results.models
        for run in model.runs
    ]
    columns = {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
    return pd.DataFrame(
        {name: _column(columns.get(name, ()), kind) for name, kind in _SCORE_KINDS.items()}
    )


def predictions_frame(kept: KeptPredictions, class_names: Sequence[str]) -> pd.DataFrame:
    """One row per test image, model and training, with the columns of `predict --out`.

    Args:
        kept: What the models said.
        class_names: In the order of the class numbers.
    """
    names = np.array(class_names, dtype=object)
    parts = []
    for (model, seed), shares in kept.probabilities.items():
        best = shares.argmax(axis=1)
        columns: dict[str, Any] = {
            "image": _texts(kept.images),
            "label": _texts(names[kept.labels]),
            "model": _texts([model] * len(best)),
            "seed": _whole([seed] * len(best)),
            "class": _texts(names[best]),
            "confidence": shares.max(axis=1),
        }
        parts.append(pd.DataFrame(columns | share_columns(shares, class_names)))
    return pd.concat(parts, ignore_index=True)


def share_columns(shares: np.ndarray, class_names: Sequence[str]) -> dict[str, np.ndarray]:
    """A column for each class; shares are (n, classes)."""
    return {f"probability.{name}": shares[:, i] for i, name in enumerate(class_names)}


# A text column keeps the ids' zeros, and its missing cells are pandas' own.
_TEXT = "string"
_SCORE_KINDS = {
    "model": _TEXT,
    "title": _TEXT,
    "family": _TEXT,
    "seed": "int64",
    "is_kept": "bool",
    "is_recommended": "bool",
    "in_verdict": "bool",
    "best_epoch": "int64",
    "validation_score": "float64",
    "n_test": "int64",
    **dict.fromkeys(_SCORES, "float64"),
    "duration_s": "float64",
    "n_parameters": "Int64",
    "file_size_bytes": "Int64",
    "latency_ms": "float64",
}


def _score_row(model: ModelResult, run: SeedResult, *, is_recommended: bool) -> dict[str, Any]:
    return {
        "model": model.name,
        "title": model.title,
        "family": model.model,
        "seed": run.seed,
        "is_kept": run.is_kept,
        "is_recommended": is_recommended,
        "in_verdict": model.in_verdict,
        "best_epoch": run.best_epoch,
        "validation_score": run.validation_score,
        "n_test": run.test.n,
        **{name: getattr(run.test, name) for name in _SCORES},
        "duration_s": run.duration_s,
        "n_parameters": model.n_parameters,
        "file_size_bytes": model.file_size_bytes,
        "latency_ms": model.latency_ms,
    }


def _taken(trial: Trial) -> dict[str, Any]:
    """What its model takes, as far as that was measured."""
    return {name: value for name, value in asdict(trial.takes).items() if value is not None}


def _epoch_row(epoch: EpochMetrics) -> dict[str, Any]:
    metrics = {_metric_column(name): value for name, value in epoch.metrics.items()}
    return {"epoch": epoch.epoch, "duration_s": epoch.duration_s, **metrics}


def _metric_column(name: str) -> str:
    """The column of a metric; a builder of your own may call one `epoch`."""
    is_taken = name in _CURVE_COLUMNS or name.startswith(_METRIC)
    return f"{_METRIC}{name}" if is_taken else one_line(name)


def _frame(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """A frame of these columns, then of the others that rows have."""
    names = dict.fromkeys([*columns, *(name for row in rows for name in row)])
    return pd.DataFrame(rows, columns=list(names))


def _texts(values: Iterable[str | None]) -> pd.Series[Any]:
    return _column(values, _TEXT)


def _floats(values: Iterable[float | None]) -> pd.Series[Any]:
    return _column(values, "float64")


def _whole(values: Iterable[int]) -> pd.Series[Any]:
    return _column(values, "int64")


def _column(values: Iterable[Any], kind: str | None = None) -> pd.Series[Any]:
    """A column of one kind; by default that of the values, where they are of one.

    Whole numbers and switches are of pandas' nullable kinds, so that a missing one leaves the
    others as they are.
    """
    found = list(values)
    return pd.Series(found, dtype=kind or _kind(found))


def _kind(values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return "Int64"
    if kinds and kinds <= {int, float}:
        return "float64"
    return _TEXT if kinds == {str} else "object"
