"""A search that begins with known-good settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.search.fakes import FakeExecutor
from tests.search.loops import begin
from tuner.errors import SearchError
from tuner.records.trial import StartSetting

START = StartSetting(origin="baseline", values={"filters": [4, 4]}, model="sigmoid_cnn")


def test_a_start_of_another_model_is_trained_as_that_model_to_the_end(tmp_path: Path) -> None:
    executor = FakeExecutor(lambda task, epoch: {"val_accuracy": 0.5})
    trials = begin(tmp_path, executor, starts=[START])
    first, *others = executor.tasks
    assert (first.model, first.values, first.first_epoch, first.last_epoch) == (
        "sigmoid_cnn",
        {"filters": [4, 4]},
        1,
        9,
    )
    assert {task.model for task in others} == {"cnn"}
    assert [trial.origin for trial in trials if trial.model] == ["baseline"]


def test_a_search_in_which_all_but_the_start_fails_has_found_nothing(tmp_path: Path) -> None:
    executor = FakeExecutor(
        lambda task, epoch: (
            {"val_accuracy": 0.5} if task.model == "sigmoid_cnn" else "no such layer"
        )
    )
    with pytest.raises(
        SearchError, match="no trial succeeded: 10 of 10 failed with: no such layer"
    ):
        begin(tmp_path, executor, starts=[START])


def test_a_start_that_fails_leaves_the_search_alone(tmp_path: Path) -> None:
    executor = FakeExecutor(
        lambda task, epoch: "too large" if task.model == "sigmoid_cnn" else {"val_accuracy": 0.5}
    )
    trials = begin(tmp_path, executor, starts=[START])
    assert [trial.error for trial in trials if trial.origin] == ["too large"]
    assert len([trial for trial in trials if trial.score is not None]) == 23
