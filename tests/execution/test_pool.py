"""The rules of every pool of workers, on workers that a test plays; no process is started."""

from __future__ import annotations

from collections import deque

import pytest

from tests.execution.test_contract import Clock, Driver
from tests.images import train_task
from tuner.execution.assignment import GRACE_S, MAX_LOST, Assignment
from tuner.execution.pool import WorkerPool
from tuner.records.training import EpochMetrics, Failure, FoldDone, TrainResult
from tuner.training.data import TrainingData

EPOCHS = [EpochMetrics(epoch=number, metrics={}, duration_s=1.0) for number in (1, 2)]
RESULT = TrainResult(task_id="t", epochs=(), duration_s=1.0)
DEATH = Failure(reason="its worker died", kind="lost")


class PlayedWorker:
    """Sends what a test has put down for it."""

    def __init__(self) -> None:
        self.assignment: Assignment | None = None
        self.n_asked = 0
        self.has_ended = False

    def ask_to_stop(self) -> None:
        if self.assignment and self.assignment.ask_to_stop():
            self.n_asked += 1

    def release(self) -> None:
        self.assignment = None

    def end(self) -> None:
        self.has_ended = True


class PlayedPool(WorkerPool[PlayedWorker]):
    """One worker at a time.

    Attributes:
        script: What comes from the worker, one entry in each round; a `Failure` is its death.
        started: All workers so far.
        excess: The failure of a worker that has exceeded a limit; None for none.
    """

    n_workers = 1

    def __init__(self, driver: Driver, script: list[object]) -> None:
        super().__init__(driver.reports(), trial_timeout_s=10.0)
        self.script = deque(script)
        self.started: list[PlayedWorker] = []
        self.excess: Failure | None = None

    def add_data(self, name: str, data: TrainingData) -> None:
        raise AssertionError("no test here needs data")

    def _assign(self) -> None:
        if not self._waiting:
            return
        if not self._workers:
            self._workers.append(PlayedWorker())
            self.started.append(self._workers[0])
        (worker,) = self._workers
        if worker.assignment is None:
            worker.assignment = self._waiting.popleft()
            worker.assignment.begin(is_ready=True)

    def _listen(self) -> None:
        if not self.script:
            return
        message, (worker,) = self.script.popleft(), self._workers
        if isinstance(message, Failure):
            self._lose(worker, message)
        else:
            self._take(worker, message)

    def _excess(self, worker: PlayedWorker) -> Failure | None:
        return self.excess


def result_of(pool: PlayedPool) -> TrainResult:
    pool.submit(train_task())
    return pool.next_result()


def test_epochs_and_folds_are_reported_once_and_the_worker_is_idle_after_the_result() -> None:
    driver = Driver()
    fold = FoldDone(epoch=1, n_done=1, n_folds=2)
    pool = PlayedPool(driver, [None, fold, EPOCHS[0], EPOCHS[0], EPOCHS[1], RESULT])
    assert result_of(pool) == RESULT
    assert (driver.told, driver.folds) == ([("t", 1), ("t", 2)], [fold])
    assert pool.started[0].assignment is None


def test_task_goes_to_another_worker_when_its_own_died_and_the_result_counts_that() -> None:
    pool = PlayedPool(Driver(), [EPOCHS[0], DEATH, EPOCHS[0], EPOCHS[1], RESULT])
    assert result_of(pool).n_lost_workers == 1
    assert [worker.has_ended for worker in pool.started] == [True, False]


def test_task_whose_workers_die_again_and_again_has_failed() -> None:
    result = result_of(PlayedPool(Driver(), [DEATH] * (MAX_LOST + 1)))
    assert (result.failure, result.n_lost_workers) == (DEATH, MAX_LOST + 1)


def test_task_whose_worker_died_for_lack_of_memory_does_not_begin_again() -> None:
    death = Failure(reason="its node ran out of memory", kind="memory")
    pool = PlayedPool(Driver(), [death])
    assert result_of(pool).failure == death
    assert len(pool.started) == 1


def test_exception_of_a_worker_is_raised_and_leaves_it_idle() -> None:
    pool = PlayedPool(Driver(), [OSError("no room")])
    with pytest.raises(OSError, match="no room"):
        result_of(pool)
    assert pool.started[0].assignment is None


def test_worker_that_is_silent_for_too_long_is_ended_and_its_task_has_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    # In steps that are no pause of the driver.
    monkeypatch.setattr(PlayedPool, "_listen", lambda pool: clock.advance(3))
    pool = PlayedPool(Driver(), [])
    result = result_of(pool)
    assert result.failure is not None and result.failure.kind == "hang"
    assert pool.started[0].has_ended


def test_worker_that_exceeds_a_limit_is_ended_and_its_task_has_failed() -> None:
    pool = PlayedPool(Driver(), [])
    pool.excess = Failure(reason="too much", kind="memory")
    assert result_of(pool).failure == pool.excess
    assert pool.started[0].has_ended


def test_worker_is_asked_to_stop_once_and_ended_when_it_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, driver = Clock(monkeypatch), Driver()
    driver.stop_after = 1
    pool = PlayedPool(driver, [EPOCHS[0], None, None])
    pool.submit(train_task())
    original = PlayedPool._listen

    def listen(played: PlayedPool) -> None:
        clock.advance(GRACE_S / 8)
        original(played)
        if played.started[0].assignment:
            played.started[0].assignment.mark_alive()

    monkeypatch.setattr(PlayedPool, "_listen", listen)
    result = pool.next_result()
    assert (result.ended_by, result.failure) == ("request", None)
    assert (pool.started[0].n_asked, pool.started[0].has_ended) == (1, True)


def test_close_ends_all_workers_and_drops_what_waits() -> None:
    pool = PlayedPool(Driver(), [])
    with pool:
        pool.submit(train_task(task_id="a"))
        pool.submit(train_task(task_id="b"))
    assert pool.started[0].has_ended
    assert not pool._waiting and not pool._workers
