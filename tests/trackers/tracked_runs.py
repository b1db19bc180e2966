"""A small run for the trackers: rungs, conditions, failures, a start setting, retrainings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.report.fixtures import recommending
from tests.report.fixtures import results as report_results
from tuner.metrics.ranking import COMPARABLE
from tuner.records.events import (
    SEARCHING,
    EpochEnded,
    Event,
    StageStarted,
    TrialEnded,
    TrialStarted,
)
from tuner.records.results import Results
from tuner.records.training import EpochMetrics
from tuner.records.trial import NO_BRACKET, Trial
from tuner.space.definition import Condition, Objective, Parameter
from tuner.store.trial_tables import TrialTables
from tuner.trackers.tracked import TrackedRun

MAX_EPOCHS = 4
PARAMETERS = (
    Parameter(name="optimizer", kind="choice", choices=("sgd", "adam")),
    Parameter(
        name="momentum",
        kind="float",
        low=0.8,
        high=0.99,
        conditions=(Condition(parent="optimizer", values=("sgd",)),),
    ),
    Parameter(name="learning_rate", kind="float", low=1e-4, high=1e-1, log=True),
    Parameter(name="filters", kind="ordinal", choices=(8, 16)),
    Parameter(name="conv_blocks", kind="int", low=1, high=3),
    Parameter(name="batch_norm", kind="boolean", choices=(False, True)),
)
SGD = {
    "optimizer": "sgd",
    "momentum": 0.9,
    "learning_rate": 0.1 / 3,
    "filters": 8,
    "conv_blocks": 2,
    "batch_norm": True,
}
ADAM = {
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "filters": 16,
    "conv_blocks": 3,
    "batch_norm": False,
}
# A known setting of which two values lie outside of the space.
KNOWN = {**ADAM, "conv_blocks": 5, "filters": 32}

BREACH = "constraint broken: 1,234 parameters, but parameters <= 1,000"


def epoch(number: int, value: float, loss: float | None = None) -> EpochMetrics:
    metrics = {"loss": 1 / number if loss is None else loss, "val_accuracy": value}
    return EpochMetrics(epoch=number, metrics=metrics, duration_s=0.125)


def trial(trial_id: str, values: dict[str, Any], *epochs: EpochMetrics, **more: Any) -> Trial:
    usual: dict[str, Any] = {
        "bracket": 0,
        "rung": 0,
        "parent_id": None,
        "first_epoch": 1,
        "last_epoch": 2,
        "duration_s": 1.23456,
        "n_parameters": 1234,
    }
    if "error" not in more:
        usual["score"] = max(e.metrics["val_accuracy"] for e in epochs)
    return Trial(trial_id=trial_id, values=values, epochs=epochs, **usual | more)


TRIALS = (
    trial(
        "0000",
        KNOWN,
        *(epoch(n, n / 7) for n in range(1, 5)),
        last_epoch=4,
        bracket=NO_BRACKET,
        origin="baseline",
    ),
    trial("0001", SGD, epoch(1, 0.1 + 0.2), epoch(2, 1 / 3)),
    trial("0002", ADAM, epoch(1, 0.1, loss=math.nan), error="loss is nan | in epoch 1"),
    trial("0003", {**ADAM, "filters": 8}, epoch(1, 0.5), epoch(2, 0.55)),
    trial("0004", {**SGD, "momentum": 0.85}, epoch(1, 0.2), epoch(2, 0.25)),
    trial("0005", {**SGD, "filters": 16}, epoch(1, 0.3), epoch(2, 0.35), error=BREACH),
    trial(
        "0006",
        {**ADAM, "filters": 8},
        epoch(3, 0.6),
        epoch(4, 2 / 3),
        first_epoch=3,
        last_epoch=4,
        rung=1,
        parent_id="0003",
    ),
    trial(
        "0007",
        SGD,
        epoch(3, 0.2),
        first_epoch=3,
        last_epoch=4,
        rung=1,
        parent_id="0001",
        error="OOM",
    ),
)
# The trials of each setting, by the first.
SETTINGS = {
    "0000": ("0000",),
    "0001": ("0001", "0007"),
    "0002": ("0002",),
    "0003": ("0003", "0006"),
    "0004": ("0004",),
    "0005": ("0005",),
}


def events(trials: Sequence[Trial] = TRIALS) -> Iterator[Event]:
    """What is told of a search in one worker."""
    yield StageStarted(title=SEARCHING)
    for one in trials:
        yield TrialStarted(trial=replace(one, score=None, error=None, epochs=()))
        for ended in one.epochs:
            yield EpochEnded(task_id=one.trial_id, last_epoch=one.last_epoch, epoch=ended)
        yield TrialEnded(trial=one, is_best=False)


def finished() -> Results:
    """What the run has come to."""
    usual = recommending(report_results(3, n_seeds=2, n_test=30))
    search = replace(
        usual.search,
        objective="val_accuracy",
        max_epochs=MAX_EPOCHS,
        parameters=PARAMETERS,
        n_trials=len(TRIALS),
        best_trial_id="0006",
        best_score=2 / 3,
        best_values=TRIALS[6].values,
    )
    return replace(usual, search=search)


def tracked(root: Path, name: str = "20260131-101500-0a1b2c3d") -> TrackedRun:
    """The run as trackers know it, in a new folder."""
    folder = root / "reports" / "faces" / name
    folder.mkdir(parents=True)
    return TrackedRun(
        folder=folder,
        objective=Objective(name="val_accuracy", direction="max"),
        parameters=PARAMETERS,
        max_epochs=MAX_EPOCHS,
        comparable=COMPARABLE,
    )


def from_tables(run: TrackedRun) -> tuple[Trial, ...]:
    """The trials as the tables give them back."""
    tables = TrialTables(run.folder, [parameter.name for parameter in PARAMETERS])
    tables.rewrite(TRIALS)
    return tuple(tables.read())
