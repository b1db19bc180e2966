"""A search that dies, is stopped or meets its deadline: what goes on, counts or has failed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.search.fakes import FakeExecutor
from tests.search.loops import Answer, begin, by_x
from tuner.execution.seeds import TRIALS, task_seed
from tuner.execution.stop import StopRequest
from tuner.records.events import Event, TrialEnded, TrialStarted
from tuner.records.training import Ending, TrainResult, TrainTask
from tuner.records.trial import Trial
from tuner.search.trial_training import root


class KilledError(BaseException):
    """Stands for the end of the process."""


def without_durations(trials: list[Trial]) -> list[Trial]:
    return sorted(
        (replace(trial, duration_s=0.0) for trial in trials), key=lambda trial: trial.trial_id
    )


def dying(n_epochs: int) -> Answer:
    """Answers as usual, and dies in the epoch after so many."""
    left = iter(range(n_epochs))

    def answer(task: TrainTask, epoch: int) -> Mapping[str, float] | str:
        if next(left, None) is None:
            raise KilledError
        return "broken" if task.values["x"] < 0.1 else by_x(task, epoch)

    return answer


ENDLESS = 10**6


@pytest.mark.slow
@pytest.mark.parametrize("n_workers", [1, 3])
def test_search_that_dies_in_any_epoch_goes_on_to_the_same_trials(
    tmp_path: Path, n_workers: int
) -> None:
    undisturbed = begin(tmp_path / "whole", FakeExecutor(dying(ENDLESS), n_workers))
    n_epochs = sum(len(trial.epochs) for trial in undisturbed)
    assert any(trial.error for trial in undisturbed)
    for cut in range(n_epochs):
        folder = tmp_path / f"cut-{cut}"
        with pytest.raises(KilledError):
            begin(folder, FakeExecutor(dying(cut), n_workers))
        assert without_durations(
            begin(folder, FakeExecutor(dying(ENDLESS), n_workers))
        ) == without_durations(undisturbed)


def test_search_that_dies_again_and_again_ends_with_the_same_trials(tmp_path: Path) -> None:
    undisturbed = begin(tmp_path / "whole", FakeExecutor(dying(ENDLESS)))
    n_deaths = 0
    while True:
        try:
            trials = begin(tmp_path / "again", FakeExecutor(dying(12)))
        except KilledError:
            n_deaths += 1
        else:
            break
    assert n_deaths >= 5
    assert without_durations(trials) == without_durations(undisturbed)


def test_search_that_has_ended_is_not_run_again(tmp_path: Path) -> None:
    first = begin(tmp_path, FakeExecutor(by_x))
    again = FakeExecutor(by_x)
    assert begin(tmp_path, again) == first
    assert again.tasks == []


def test_trials_that_had_not_ended_are_the_first_to_go_on_and_are_told_once(tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        begin(tmp_path, FakeExecutor(dying(1), n_workers=3))
    executor, events = FakeExecutor(by_x), []
    begin(tmp_path, executor, listener=events.append)
    assert [task.task_id for task in executor.tasks[:3]] == ["0001", "0002", "0003"]
    started = [event.trial.trial_id for event in events if isinstance(event, TrialStarted)]
    assert len(started) == len(set(started)) == 22


def test_requested_stop_leaves_the_search_to_another_time(tmp_path: Path) -> None:
    request, n_told = StopRequest(), 0

    def ask(event: Event) -> None:
        nonlocal n_told
        n_told += isinstance(event, TrialEnded)
        if n_told == 7:
            request.reason = "interrupted"

    stopped = begin(tmp_path, FakeExecutor(by_x), listener=ask, request=request)
    assert len(stopped) == 7
    undisturbed = begin(tmp_path / "whole", FakeExecutor(by_x))
    assert without_durations(begin(tmp_path, FakeExecutor(by_x))) == without_durations(undisturbed)


def test_trial_that_was_asked_to_stop_has_not_ended(tmp_path: Path) -> None:
    class Stopping(FakeExecutor):
        def next_result(self) -> TrainResult:
            request.reason = "interrupted"
            return replace(super().next_result(), ended_by="request")

    request = StopRequest()
    assert begin(tmp_path, Stopping(by_x), request=request) == []
    assert len(begin(tmp_path, FakeExecutor(by_x))) == 23


def test_deadline_starts_nothing_more_and_closes_the_search(tmp_path: Path) -> None:
    executor = FakeExecutor(by_x)
    trials = begin(tmp_path, executor, deadline=time.time())
    # Without any score there would be nothing to return.
    assert [trial.trial_id for trial in trials] == ["0000"]
    assert executor.tasks[0].stop_at is not None
    assert begin(tmp_path, FakeExecutor(by_x)) == trials


def test_trial_that_the_deadline_ended_is_stopped_and_counts(tmp_path: Path) -> None:
    class Late(FakeExecutor):
        def next_result(self) -> TrainResult:
            return replace(super().next_result(), ended_by="deadline")

    (trial,) = begin(tmp_path, Late(by_x), deadline=time.time())
    assert (trial.status, trial.score) == ("stopped", pytest.approx(trial.values["x"] + 0.001))


@pytest.mark.parametrize("endings", [("deadline", "request"), ("request", "deadline")])
def test_trial_that_was_asked_to_stop_counts_where_the_deadline_has_closed_the_search(
    tmp_path: Path, endings: tuple[Ending, Ending]
) -> None:
    class LateAndStopping(FakeExecutor):
        def next_result(self) -> TrainResult:
            request.reason = "interrupted"
            return replace(super().next_result(), ended_by=next(left))

    request, left = StopRequest(), iter(endings)
    stopped = begin(tmp_path, LateAndStopping(by_x, n_workers=2), request=request)
    again = FakeExecutor(by_x)
    trials = begin(tmp_path, again)
    assert again.tasks == []
    assert trials == stopped
    assert [trial.status for trial in trials] == ["stopped", "stopped"]
    assert all(trial.score is not None for trial in trials)


def test_trial_that_was_asked_to_stop_before_its_first_epoch_has_failed_in_a_closed_search(
    tmp_path: Path,
) -> None:
    class LateAndStopping(FakeExecutor):
        def next_result(self) -> TrainResult:
            result = super().next_result()
            if request.is_made():
                return replace(result, epochs=(), ended_by="request")
            request.reason = "interrupted"
            return replace(result, ended_by="deadline")

    request = StopRequest()
    assert len(begin(tmp_path, LateAndStopping(by_x, n_workers=2), request=request)) == 1
    _, late = begin(tmp_path, FakeExecutor(by_x))
    assert late.error == "the search ended before its training did"


def test_promotion_goes_on_with_the_seed_that_its_root_succeeded_with(tmp_path: Path) -> None:
    # Each setting fails once, so that whatever is promoted has been tried twice.
    failing = {task_seed(1, TRIALS, number, 0, 0) for number in range(23)}
    executor = FakeExecutor(lambda t, e: "broken" if t.seed in failing else by_x(t, e))
    by_id = {trial.trial_id: trial for trial in begin(tmp_path, executor, n_retries=1)}
    promoted = [task for task in executor.tasks if task.resume_from]
    assert promoted
    for task in promoted:
        assert task.seed == task_seed(
            1, TRIALS, int(root(by_id[task.task_id], by_id).trial_id), 1, 0
        )


def test_trial_that_the_search_had_no_time_for_has_failed(tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        begin(tmp_path, FakeExecutor(dying(6), n_workers=3))
    trials = begin(tmp_path, FakeExecutor(by_x), deadline=time.time())
    late = [trial for trial in trials if trial.error]
    assert [trial.error for trial in late] == ["the search ended before its training did"] * 3
    assert {trial.trial_id for trial in trials} == {
        f"{number:04d}" for number in range(len(trials))
    }


def test_search_that_dies_after_the_deadline_promotes_nothing_that_the_deadline_cut(
    tmp_path: Path,
) -> None:
    class LateThenDead(FakeExecutor):
        def next_result(self) -> TrainResult:
            if len(self.tasks) > 2:
                raise KilledError
            return replace(super().next_result(), ended_by="deadline")

    def die(event: Event) -> None:
        if isinstance(event, TrialEnded):
            raise KilledError

    with pytest.raises(KilledError):
        begin(tmp_path, LateThenDead(by_x, n_workers=2), listener=die)
    again = FakeExecutor(by_x)
    trials = begin(tmp_path, again)
    assert again.tasks == []
    assert [trial.status for trial in trials] == ["stopped", "failed"]
