"""Who is retrained for a comparison, and with what."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.calling import write_space
from tests.images import SMALL_CNN, image_spec, tiny_dataset
from tests.search.fakes import FakeExecutor
from tuner.execution.stop import StopRequest
from tuner.models.backbones.weights import NoPretrainedWeightsError
from tuner.pipeline.comparison import scoring as comparison
from tuner.pipeline.job import Job
from tuner.pipeline.run_options import RunOptions
from tuner.records.events import Event, Notice, StageStarted
from tuner.space.parse import load_space
from tuner.store.run_folder import RunFolder

FEATURES = f"tiny-{tiny_dataset().images.fingerprint[:16]}-features"


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


def executor() -> FakeExecutor:
    return FakeExecutor(lambda task, epoch: {"val_accuracy": 0.5})


def titles(events: list[Event]) -> list[str]:
    return [event.title for event in events if isinstance(event, StageStarted)]


def compared(found: Job, trainer: FakeExecutor) -> Any:
    return comparison.retrain_all(found, Searched(), trainer)  # type: ignore[arg-type]


def test_all_are_retrained_side_by_side_the_winner_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Event] = []
    monkeypatch.setattr(comparison, "missing_weights", lambda contender: None)
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
    monkeypatch.setattr(comparison, "missing_weights", lambda contender: None)
    request = StopRequest()
    request.reason = "interrupted"
    assert compared(job(tmp_path, [], request=request), executor()) is None


@pytest.mark.parametrize(
    ("preset", "side", "size"),
    [("quick", 48, 96), ("quick", 150, 150), ("standard", 48, 260), ("standard", 512, 260)],
)
def test_backbones_see_images_as_large_as_they_were_made_for_unless_it_is_to_be_quick(
    tmp_path: Path, preset: str, side: int, size: int
) -> None:
    options = RunOptions(dataset="tiny", preset=preset)
    file = load_space(write_space(tmp_path))
    assert comparison.backbone_rules(options, file, image_spec(side=side)).input_size == size


def test_rate_of_a_backbone_falls_and_the_others_keep_the_presets_schedule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "missing_weights", lambda contender: "no network")
    found = job(tmp_path, [])
    searched = replace(found.file, model="efficientnet_b2", compare=("efficientnet_b2",))
    schedules = [
        one.schedule for one in comparison._contenders(replace(found, file=searched), Searched())
    ]  # type: ignore[arg-type]
    assert schedules[:2] == ["cosine", "constant"]
