"""What the trained model of a trial takes, held against the constraints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.images import SMALL_CNN, tiny_dataset
from tests.kept_models import KEPT_MODELS
from tests.pipeline.comparison.jobs import job, trial
from tuner.evaluation import latency
from tuner.pipeline.job import Job
from tuner.pipeline.trained_models import trained_problem
from tuner.records.training import TrainTask
from tuner.search.trial_training import trial_checkpoint
from tuner.space.constraints import Constraints
from tuner.training.data import TrainingData
from tuner.training.fit import run_task
from tuner.training.hooks import Hooks


@pytest.fixture
def trained(tmp_path: Path) -> Job:
    """A run whose first trial has been trained."""
    found = job(tmp_path, [])
    dataset = tiny_dataset()
    task = TrainTask(
        task_id="0000",
        model="cnn",
        values=SMALL_CNN,
        seed=0,
        first_epoch=1,
        last_epoch=1,
        save_to=trial_checkpoint(found.folder.state, "0000"),
    )
    data = TrainingData(
        inputs=dataset.images.images,
        labels=dataset.images.labels,
        folds=dataset.split.folds,
        spec=dataset.spec,
    )
    assert run_task(task, data, Hooks(on_epoch=lambda *_: None), KEPT_MODELS).failure is None
    return found


def held(run: Job, bounds: Constraints, **changes: object) -> str | None:
    return trained_problem(replace(run, file=replace(run.file, constraints=bounds)))(
        trial(0, 0.5, **changes)
    )


def test_file_and_latency_are_measured_and_leave_nothing_behind(trained: Job) -> None:
    before = sorted(trained.folder.state.iterdir())
    assert held(trained, Constraints(file_mb=1.0, latency_ms=60_000.0)) is None
    slow, large = (
        held(trained, Constraints(latency_ms=1e-9)),
        held(trained, Constraints(file_mb=1e-3)),
    )
    assert slow is not None
    assert slow.endswith(" of constraints.latency_ms")
    assert large is not None
    assert large.endswith(" MB is over the 0.001 MB of constraints.file_mb")
    assert sorted(trained.folder.state.iterdir()) == before


def test_a_promoted_trial_is_the_network_of_its_parent(trained: Job) -> None:
    assert held(trained, Constraints(latency_ms=1e-9), parent_id="0007") is None


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*arguments: object, **named: object) -> None:
        raise error

    monkeypatch.setattr("tuner.training.finished.finished_model", fail)


def test_a_model_that_cannot_be_measured_has_failed(
    trained: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, TypeError("no such layer"))
    assert held(trained, Constraints(latency_ms=1.0)) == (
        "its model cannot be checked against the constraints: TypeError: no such layer"
    )


def test_a_full_disk_is_no_failure_of_the_trial(
    trained: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, OSError("no space left on the disk"))
    with pytest.raises(OSError, match="no space left"):
        held(trained, Constraints(file_mb=1.0))


def test_without_a_bound_on_what_is_trained_nothing_is_loaded(trained: Job) -> None:
    trial_checkpoint(trained.folder.state, "0000").unlink()
    assert held(trained, Constraints(parameters=1.0)) is None


def test_too_slow_is_said_of_the_least_of_three_medians(monkeypatch: pytest.MonkeyPatch) -> None:
    medians = [9.0, 7.0, 8.0, 1.0]
    monkeypatch.setattr(latency, "_median_ms", lambda *_: medians.pop(0))
    image = tiny_dataset().images.images[:1]
    assert latency.latency_ms(lambda one: one, image, bound_ms=5.0) == 7.0
    medians[:] = [9.0, 4.0, 1.0]
    assert latency.latency_ms(lambda one: one, image, bound_ms=5.0) == 4.0
    assert latency.latency_ms(lambda one: one, image) == 1.0
