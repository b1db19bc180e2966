"""When a task hangs, is overdue, or is given up.

The rules of all executors, by a clock that the tests set.
"""

from __future__ import annotations

import pytest

from tests.execution.test_contract import Clock
from tests.images import train_task
from tuner.execution.assignment import GRACE_S, MAX_LOST, PAUSE_S, Assignment, PauseDetector
from tuner.records.training import Failure

HANG = Failure(reason="no step in 10 s", kind="hang")
LOST = Failure(reason="its worker died", kind="lost")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def begun(*, is_ready: bool = True) -> Assignment:
    assignment = Assignment(task=train_task())
    assignment.begin(is_ready=is_ready)
    return assignment


def test_silence_longer_than_the_timeout_is_a_hang(clock: Clock) -> None:
    assignment = begun()
    clock.advance(9)
    assert assignment.hang(10.0) is None
    clock.advance(2)
    assert assignment.hang(10.0) == HANG
    assert assignment.hang(None) is None
    assignment.mark_alive()
    assert assignment.hang(10.0) is None


def test_time_to_load_the_framework_is_no_silence(clock: Clock) -> None:
    assignment = begun(is_ready=False)
    clock.advance(1000)
    assert assignment.hang(10.0) is None
    assignment.mark_alive()
    clock.advance(11)
    assert assignment.hang(10.0) == HANG


def test_pause_counts_neither_as_silence_nor_against_the_time_to_stop(clock: Clock) -> None:
    assignment = begun()
    assignment.ask_to_stop()
    clock.advance(9)
    clock.advance(1000)
    assignment.ignore_pause(1000)
    assert (assignment.hang(10.0), assignment.is_overdue()) == (None, False)
    clock.advance(2)
    assert assignment.hang(10.0) == HANG
    clock.advance(GRACE_S)
    assert assignment.is_overdue()


def test_pause_before_the_last_sign_of_life_gives_no_time_in_advance(clock: Clock) -> None:
    assignment = begun()
    clock.advance(1000)
    assignment.mark_alive()
    assignment.ignore_pause(1000)
    clock.advance(11)
    assert assignment.hang(10.0) == HANG


def test_only_a_long_gap_between_two_looks_is_a_pause(clock: Clock) -> None:
    detector = PauseDetector()
    clock.advance(PAUSE_S - 1)
    assert detector.pause_s() == 0
    clock.advance(PAUSE_S + 1)
    assert detector.pause_s() == pytest.approx(PAUSE_S + 1, abs=0.5)
    assert detector.pause_s() == 0


def test_request_to_stop_is_made_once_and_forgotten_by_the_next_worker(clock: Clock) -> None:
    assignment = begun()
    assert [assignment.ask_to_stop(), assignment.ask_to_stop()] == [True, False]
    assignment.begin(is_ready=True)
    assert assignment.ask_to_stop()


def test_task_begins_again_until_too_many_workers_died_under_it() -> None:
    assignment = begun()
    assert [assignment.lose(LOST, is_stopping=False) for _ in range(MAX_LOST)] == [None] * MAX_LOST
    result = assignment.lose(LOST, is_stopping=False)
    assert result is not None
    assert (result.failure, result.n_lost_workers) == (LOST, MAX_LOST + 1)


def test_task_that_loses_its_worker_while_all_stops_does_not_begin_again() -> None:
    result = begun().lose(LOST, is_stopping=True)
    assert result is not None
    assert (result.failure, result.ended_by, result.n_lost_workers) == (None, "request", 1)
