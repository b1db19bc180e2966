"""Trainings of a pretrained network that is small: EfficientNet-Lite2 on images of 32 pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.images import train_task, training_data
from tuner.records.training import EpochMetrics, TrainResult, TrainTask
from tuner.training.data import TrainingData
from tuner.training.fit import run_task
from tuner.training.hooks import Hooks
from tuner.training.prepared import PreparedModels

MODEL = "efficientnet_lite2"
DATA = training_data(30, 10, n_rest=7)
# Tracing is most of a training here; tests/training/test_prepared.py checks that it may be kept.
_MODELS = PreparedModels()


def task(weights: str, folder: Path, **changes: Any) -> TrainTask:
    values = {
        "weights": weights,
        "input_size": 32,
        "batch_size": 15,
        "head_epochs": 1,
        **changes.pop("values", {}),
    }
    usual = {
        "model": MODEL,
        "values": values,
        "schedule": "cosine",
        "schedule_epochs": 3,
        "save_to": folder / "t.npz",
    }
    return train_task(**usual | changes)


def trained(order: TrainTask, data: TrainingData, **hooks: Any) -> TrainResult:
    return run_task(order, data, Hooks(on_epoch=_no_listener, **hooks), _MODELS)


def _no_listener(order: TrainTask, epoch: EpochMetrics) -> None:
    return
