"""A failed trial is tried again with another seed, as often as you allow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.search.fakes import FakeExecutor
from tests.search.loops import begin, by_x
from tuner.execution.seeds import TRIALS, task_seed
from tuner.execution.stop import StopRequest
from tuner.records.events import Notice
from tuner.records.training import TrainTask


def test_failed_trial_is_tried_again_with_another_seed(tmp_path: Path) -> None:
    first, second = task_seed(1, TRIALS, 4, 0, 0), task_seed(1, TRIALS, 4, 1, 0)
    executor, events = FakeExecutor(lambda t, e: "broken" if t.seed == first else by_x(t, e)), []
    trials = begin(tmp_path, executor, n_retries=1, listener=events.append)
    assert all(trial.status == "completed" for trial in trials)
    assert [task.seed for task in executor.tasks if task.task_id == "0004"] == [first, second]
    assert [e.text for e in events if isinstance(e, Notice)] == ["trial 0004 is retried: broken"]


def test_trial_that_fails_every_time_fails_once(tmp_path: Path) -> None:
    executor = FakeExecutor(lambda t, e: "broken" if t.task_id == "0004" else by_x(t, e))
    trials = begin(tmp_path, executor, n_retries=2)
    assert [t.error for t in trials if t.trial_id == "0004"] == ["broken"]
    assert sum(task.task_id == "0004" for task in executor.tasks) == 3


def test_trial_that_fails_after_a_requested_stop_keeps_its_retries(tmp_path: Path) -> None:
    first, second = task_seed(1, TRIALS, 4, 0, 0), task_seed(1, TRIALS, 4, 1, 0)
    request = StopRequest()

    def answer(task: TrainTask, epoch: int) -> Mapping[str, float] | str:
        if task.seed != first:
            return by_x(task, epoch)
        request.reason = "interrupted"
        return "broken"

    stopped = begin(tmp_path, FakeExecutor(answer), n_retries=1, request=request)
    assert [trial.trial_id for trial in stopped] == ["0000", "0001", "0002", "0003"]
    again = FakeExecutor(answer)
    trials = begin(tmp_path, again, n_retries=1)
    assert all(trial.status == "completed" for trial in trials)
    assert [task.seed for task in again.tasks if task.task_id == "0004"] == [first, second]


def test_trial_that_fails_for_the_last_time_after_a_requested_stop_has_ended(
    tmp_path: Path,
) -> None:
    request = StopRequest()

    def answer(task: TrainTask, epoch: int) -> str:
        request.reason = "interrupted"
        return "broken"

    (trial,) = begin(tmp_path, FakeExecutor(answer), request=request)
    assert trial.error == "broken"
