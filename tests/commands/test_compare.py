"""The order of a comparison: what the search found never waits for EfficientNetB2's features."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.calling import write_space
from tests.images import SMALL_CNN, tiny_dataset
from tests.search.fakes import FakeExecutor
from tuner.commands import compare
from tuner.commands.job import Job
from tuner.commands.options import RunOptions
from tuner.execution.stop import StopRequest
from tuner.models.efficientnet import NoPretrainedWeightsError
from tuner.records.events import Event, StageStarted
from tuner.retrain import features
from tuner.space.parse import load_space
from tuner.store.run_folder import RunFolder


class Searched:
    """As much of a search's summary as a comparison reads."""

    best_values = SMALL_CNN


def job(folder: Path, events: list[Event], **changes: Any) -> Job:
    file = replace(load_space(write_space(folder)), compare=("efficientnet_b2",))
    usual: dict[str, Any] = {
        "options": RunOptions(dataset="tiny", preset="quick"),
        "card": tiny_dataset().card,
        "file": file,
        "dataset": tiny_dataset(),
        "folder": RunFolder(folder / "run"),
        "tell": events.append,
        "request": StopRequest(),
        "began_s": time.time(),
        "earlier_s": 0.0,
    }
    return Job(**usual | changes)


def zeros(images: np.ndarray) -> np.ndarray:
    return np.zeros((len(images), 1408), "float32")


def frozen(monkeypatch: pytest.MonkeyPatch, extract: Callable[[np.ndarray], np.ndarray] = zeros) -> None:
    monkeypatch.setattr(features, "extractor", lambda values, spec: extract)


def executor() -> FakeExecutor:
    return FakeExecutor(lambda task, epoch: {"val_accuracy": 0.5})


def titles(events: list[Event]) -> list[str]:
    return [event.title for event in events if isinstance(event, StageStarted)]


def compared(found: Job, trainer: FakeExecutor) -> Any:
    return compare.retrain_all(found, Searched(), trainer)  # type: ignore[arg-type]


def test_winner_trains_before_the_features_are_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Event] = []
    frozen(monkeypatch)
    trainer = executor()
    found = compared(job(tmp_path, events), trainer)
    assert titles(events) == [
        "Looking for EfficientNetB2's ImageNet weights",
        "Retraining Tuned",
        "Computing EfficientNetB2's features",
        "Retraining EfficientNetB2 (ImageNet)",
    ]
    assert [(one.name, len(trained)) for one, trained in found] == [("tuned", 2), ("efficientnet_b2", 2)]
    assert trainer.data["efficientnet_b2-fold0"].inputs.shape == (88, 1408)
    assert (tmp_path / "run" / "state" / "features.npy").is_file()


def test_without_weights_all_are_retrained_in_one_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(values: Any, spec: Any) -> None:
        raise NoPretrainedWeightsError("no network")

    events: list[Event] = []
    monkeypatch.setattr(features, "extractor", refuse)
    trainer = executor()
    found = compared(job(tmp_path, events), trainer)
    assert titles(events)[1:] == ["Retraining Tuned, EfficientNetB2 (from scratch)"]
    assert [one.model for one, _ in found] == ["cnn", "efficientnet_b2"]
    assert [task.data for task in trainer.tasks] == ["tuned-fold0", "efficientnet_b2-fold0"] * 2


def test_request_while_features_are_computed_leaves_the_comparison_for_another_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = StopRequest()

    def asked(images: np.ndarray) -> np.ndarray:
        request.reason = "interrupted"
        return zeros(images)

    monkeypatch.setattr(features, "PREDICT_BATCH", 10)
    frozen(monkeypatch, asked)
    trainer = executor()
    assert compared(job(tmp_path, [], request=request), trainer) is None
    assert {task.data for task in trainer.tasks} == {"tuned-fold0"}
    frozen(monkeypatch)
    assert len(compared(job(tmp_path, []), executor())) == 2


def test_head_fails_where_the_time_budget_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen(monkeypatch, lambda images: pytest.fail("there is no time for features"))
    options = RunOptions(dataset="tiny", preset="quick", time_budget_s=0.0)
    (_, tuned), (head, trained) = compared(job(tmp_path, [], options=options), executor())
    assert tuned[0].result.failure is None, "of the winner there is always a training"
    assert head.model == "efficientnet_b2_head"
    assert [one.result.failure.reason for one in trained] == ["the time budget was over before its training began"] * 2


def test_time_that_is_left_is_shared_with_the_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen(monkeypatch)
    trainer, options = executor(), RunOptions(dataset="tiny", preset="quick", time_budget_s=100.0)
    found = job(tmp_path, [], options=options)
    compared(found, trainer)
    ends = [task.stop_at - found.began_s for task in trainer.tasks if task.stop_at]
    # Two trainings of the winner have half of the time; what they leave is the head's.
    assert ends == pytest.approx([25, 50, 50, 100], abs=5)
