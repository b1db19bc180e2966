"""How a comparison is retrained, and what it tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.images import tiny_dataset
from tests.pipeline.comparison.jobs import Searched, executor, job
from tests.search.fakes import FakeExecutor
from tuner.execution.stop import StopRequest
from tuner.models.backbones.weights import NoPretrainedWeightsError
from tuner.pipeline.comparison import all_contenders
from tuner.pipeline.comparison.retraining import retrain_all
from tuner.pipeline.job import Job
from tuner.records.events import Event, Notice, StageStarted

FEATURES = f"tiny-{tiny_dataset().images.fingerprint[:16]}-features"


def titles(events: list[Event]) -> list[str]:
    return [event.title for event in events if isinstance(event, StageStarted)]


def compared(found: Job, trainer: FakeExecutor) -> Any:
    return retrain_all(found, Searched(), trainer)  # type: ignore[arg-type]


def test_all_are_retrained_side_by_side_the_winner_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Event] = []
    monkeypatch.setattr(all_contenders, "missing_weights", lambda contender: None)
    trainer = executor()
    found = compared(job(tmp_path, events), trainer)
    assert titles(events) == [
        "Looking for pretrained weights",
        "Retraining Tuned, EfficientNetB2 (ImageNet)",
    ]
    assert [(one.name, len(trained)) for one, trained in found] == [
        ("tuned", 2),
        ("efficientnet_b2", 2),
    ]
    assert [task.data for task in trainer.tasks] == ["tuned-fold0", "efficientnet_b2-fold0"] * 2
    assert trainer.data["efficientnet_b2-fold0"].features == Path("datasets/data/.cache") / FEATURES


def test_without_weights_the_network_is_trained_from_scratch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(backbone: Any, values: Any) -> None:
        raise NoPretrainedWeightsError("no network", "connect.")

    events: list[Event] = []
    monkeypatch.setattr("tuner.models.backbones.network.build_network", refuse)
    found = compared(job(tmp_path, events), executor())
    assert titles(events)[1:] == ["Retraining Tuned, EfficientNetB2 (from scratch)"]
    assert [one.model for one, _ in found] == ["cnn", "efficientnet_b2"]
    assert [event.text for event in events if isinstance(event, Notice)] == [
        "this data set has no card that states a baseline, so none is compared",
        "EfficientNetB2 is trained from scratch: no network",
    ][-1:]


def test_request_while_they_train_leaves_the_comparison_for_another_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_contenders, "missing_weights", lambda contender: None)
    request = StopRequest()
    request.reason = "interrupted"
    assert compared(job(tmp_path, [], request=request), executor()) is None
