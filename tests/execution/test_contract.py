"""What every executor does with its tasks; a new member joins `MEMBERS`."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest

from tests.images import SMALL_CNN, train_task, training_data
from tuner.execution.executor import Executor, Reports
from tuner.execution.inline import InlineExecutor
from tuner.execution.process.process_executor import ProcessExecutor
from tuner.records.training import EpochMetrics, FoldDone, TrainResult, TrainTask
from tuner.space.definition import Precision
from tuner.training.checkpoint import load_checkpoint

DATA = training_data(40, 10)

# Enough that a request to stop comes before the last, few enough to train them all.
MANY_EPOCHS = 100


class Driver:
    """Hears the epochs, and may ask to stop."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []
        self.folds: list[FoldDone] = []
        self.stop_after: int | None = None

    def hear(self, task: TrainTask, epoch: EpochMetrics) -> None:
        self.told.append((task.task_id, epoch.epoch))

    def hear_fold(self, task: TrainTask, fold: FoldDone) -> None:
        self.folds.append(fold)

    def is_stopping(self) -> bool:
        return self.stop_after is not None and len(self.told) >= self.stop_after

    def reports(self) -> Reports:
        return Reports(on_epoch=self.hear, is_stopping=self.is_stopping, on_fold=self.hear_fold)


class Clock:
    """The executors' clock, which a test may put forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ahead_s = 0.0
        monkeypatch.setattr(
            "tuner.execution.assignment.monotonic", lambda: monotonic() + self._ahead_s
        )

    def advance(self, seconds: float) -> None:
        self._ahead_s += seconds


def forked(reports: Reports, scratch: Path) -> Executor:
    return ProcessExecutor(reports, n_workers=2, scratch=scratch, start_method="forkserver")


def spawned(reports: Reports, scratch: Path) -> Executor:
    return ProcessExecutor(reports, n_workers=1, scratch=scratch, start_method="spawn")


def inline(reports: Reports, scratch: Path) -> Executor:
    return InlineExecutor(reports)


MEMBERS: list[Callable[[Reports, Path], Executor]] = [inline, forked, spawned]


# Each worker that is spawned imports the framework for itself.
_PARAMS = [
    pytest.param(member, marks=pytest.mark.slow if member is spawned else (), id=member.__name__)
    for member in MEMBERS
]
each_member = partial(pytest.fixture, params=_PARAMS)


@each_member(scope="module")
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Executor, Driver]]:
    """One executor for all tests, since workers take seconds to start."""
    driver = Driver()
    with request.param(driver.reports(), tmp_path_factory.mktemp("scratch")) as executor:
        yield executor, driver


@each_member()
def short_lived(request: pytest.FixtureRequest, tmp_path: Path) -> Executor:
    """An executor that its test closes."""
    executor: Executor = request.param(Driver().reports(), tmp_path)
    return executor


@pytest.fixture
def driver(pair: tuple[Executor, Driver]) -> Driver:
    pair[1].told, pair[1].folds, pair[1].stop_after = [], [], None
    return pair[1]


@pytest.fixture
def executor(pair: tuple[Executor, Driver], driver: Driver) -> Executor:
    pair[0].add_data("images", DATA)
    return pair[0]


def run(executor: Executor, **changes: Any) -> TrainResult:
    executor.submit(train_task(**changes))
    return executor.next_result()


@cache
def run_inline(**changes: Any) -> TrainResult:
    """What this process trains, once for all members that are compared with it."""
    executor = InlineExecutor(Driver().reports())
    executor.add_data("images", DATA)
    return run(executor, **changes)


def curve(result: TrainResult) -> list[dict[str, float]]:
    assert result.failure is None, result.failure
    return [dict(epoch.metrics) for epoch in result.epochs]


def test_every_task_gets_its_own_result(executor: Executor, driver: Driver) -> None:
    tasks = [train_task(task_id=f"t{n}", last_epoch=n) for n in (3, 1)][: executor.n_workers]
    for task in tasks:
        executor.submit(task)
    results = [executor.next_result() for _ in tasks]
    assert {(r.task_id, len(r.epochs), r.ended_by) for r in results} == {
        (t.task_id, t.last_epoch, "last_epoch") for t in tasks
    }


def test_epochs_are_told_in_order_before_the_result(executor: Executor, driver: Driver) -> None:
    result = run(executor, task_id="a", last_epoch=3)
    assert (
        driver.told
        == [("a", epoch.epoch) for epoch in result.epochs]
        == [("a", 1), ("a", 2), ("a", 3)]
    )


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_results_are_the_same_to_the_last_bit_wherever_a_task_runs(
    executor: Executor, precision: Precision, tmp_path: Path
) -> None:
    whole = curve(run_inline(precision=precision, last_epoch=4))
    first = run(executor, precision=precision, save_to=tmp_path / "1.npz")
    promoted = {"first_epoch": 3, "last_epoch": 4, "resume_from": tmp_path / "1.npz"}
    assert curve(first) + curve(run(executor, precision=precision, **promoted)) == whole


def test_failed_task_is_a_result_and_the_next_one_runs(executor: Executor) -> None:
    failed = run(executor, model="tests.training.builders:build_broken").failure
    assert failed is not None
    assert (failed.reason, failed.kind) == ("ValueError: this builder is broken", "error")
    assert "build_broken" in failed.traceback
    assert run(executor, last_epoch=1).failure is None


def test_loss_that_is_not_finite_is_a_failure_of_its_own_kind(executor: Executor) -> None:
    values = {**SMALL_CNN, "optimizer": "sgd", "learning_rate": 1e30, "batch_norm": False}
    failed = run(executor, values=values, last_epoch=3).failure
    assert failed is not None
    assert failed.kind == "diverged"


@pytest.mark.parametrize("kind", ["raises", "no text", "leaves", "huge", "unsafe", "exit"])
def test_error_that_cannot_be_printed_or_sent_is_one_failed_task(
    executor: Executor, kind: str
) -> None:
    result = run(executor, model="tests.execution.builders:build_raising", values={"kind": kind})
    assert result.failure
    assert result.n_lost_workers == 0
    assert result.failure.reason.startswith("SystemExit: 3" if kind == "exit" else "OddError: ")
    assert len(result.failure.reason) <= 300
    assert (
        result.failure.reason.encode("utf-8").isascii()
        or "\N{REPLACEMENT CHARACTER}" in result.failure.reason
    )
    assert "build_raising" in result.failure.traceback
    assert len(result.failure.traceback) < 30_000


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_task_asked_to_stop_goes_on_from_its_checkpoint_to_the_same_result(
    executor: Executor, driver: Driver, tmp_path: Path, precision: Precision
) -> None:
    driver.stop_after = 1
    order = {"last_epoch": MANY_EPOCHS, "precision": precision}
    stopped = run(executor, **order, save_to=tmp_path / "t.npz")
    assert stopped.ended_by == "request"
    assert 1 <= len(stopped.epochs) < MANY_EPOCHS
    assert load_checkpoint(tmp_path / "t.npz").epochs == stopped.epochs
    driver.stop_after = None
    whole = run(executor, **order, save_to=tmp_path / "t.npz")
    assert whole.ended_by == "last_epoch"
    assert curve(whole) == curve(run_inline(**order))


def test_no_epoch_begins_after_the_deadline(executor: Executor) -> None:
    result = run(executor, last_epoch=5, stop_at=0.0)
    assert (len(result.epochs), result.ended_by) == (1, "deadline")


def test_full_disk_is_no_result_and_says_which_file(executor: Executor, tmp_path: Path) -> None:
    full = {
        "model": "tests.execution.builders:build_on_full_disk",
        "values": {},
        "save_to": tmp_path / "t.npz",
    }
    with pytest.raises(OSError, match="No space left on device") as caught:
        run(executor, **full)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "t.npz"))
    assert run(executor, last_epoch=1).failure is None


def test_data_of_the_same_name_are_replaced(executor: Executor) -> None:
    before = run(executor)
    executor.add_data("images", replace(DATA, labels=1 - DATA.labels))
    assert curve(run(executor)) != curve(before)
    executor.add_data("images", DATA)
    assert curve(run(executor)) == curve(before)


def test_tasks_train_on_the_data_that_they_name(executor: Executor) -> None:
    executor.add_data("few", replace(DATA, folds=(replace(DATA.folds[0], train=np.arange(20)),)))
    named = run(executor, data="few")
    assert curve(named) != curve(run(executor))


def test_the_end_of_each_fold_is_told(executor: Executor, driver: Driver) -> None:
    run(executor, last_epoch=1)
    assert driver.folds == []
    executor.add_data("folds", replace(DATA, folds=DATA.folds * 2))
    run(executor, data="folds", last_epoch=1)
    assert driver.folds == [FoldDone(epoch=1, n_done=n, n_folds=2) for n in (1, 2)]


def test_close_leaves_no_file_behind_and_closing_again_does_no_harm(
    short_lived: Executor, tmp_path: Path
) -> None:
    with short_lived:
        short_lived.add_data("images", DATA)
        short_lived.submit(train_task(last_epoch=10**6))
    short_lived.close()
    assert list(tmp_path.iterdir()) == []
