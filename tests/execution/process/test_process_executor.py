"""What only processes can promise: harm done in a worker stays there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.execution.test_contract import DATA, Clock, Driver, curve, run, run_inline
from tests.images import train_task
from tuner.execution.process.process_executor import ProcessExecutor
from tuner.records.training import EpochMetrics, Failure, TrainTask

pytestmark = pytest.mark.slow

BUILDERS = "tests.execution.builders"
LIMIT_BYTES = 2**30

# Nothing here takes as long; a wait that does has failed.
PATIENCE_S = 60

Make = Callable[..., ProcessExecutor]


@pytest.fixture
def driver() -> Driver:
    return Driver()


@pytest.fixture
def make(tmp_path: Path, driver: Driver) -> Iterator[Make]:
    """Makes an executor with one forked worker, and closes it in the end."""
    made: list[ProcessExecutor] = []

    def make(**settings: Any) -> ProcessExecutor:
        usual = {"n_workers": 1, "scratch": tmp_path / "scratch", "start_method": "forkserver"}
        executor = ProcessExecutor(driver.reports(), **usual | settings)
        made.append(executor)
        executor.add_data("images", DATA)
        return executor

    yield make
    for executor in made:
        executor.close()


def forked_workers(driver: psutil.Process | None = None) -> list[psutil.Process]:
    """Children of the fork server, which is a child itself."""
    children = (driver or psutil.Process()).children()
    workers = (worker for child in children for worker in child.children())
    # One that was killed is there until the fork server has been told.
    return [worker for worker in workers if worker.status() != psutil.STATUS_ZOMBIE]


def failure(executor: ProcessExecutor, **changes: Any) -> Failure:
    found = run(executor, **changes).failure
    assert found is not None
    return found


def kill_worker() -> None:
    forked_workers()[0].kill()


def after_epoch_2(driver: Driver, act: Callable[[], object]) -> list[EpochMetrics]:
    """Do something once the second epoch is told; all epochs that are told."""
    told: list[EpochMetrics] = []

    def hear(task: TrainTask, epoch: EpochMetrics) -> None:
        told.append(epoch)
        if epoch.epoch == 2:
            act()

    driver.hear = hear  # type: ignore[method-assign]
    return told


def test_task_of_a_killed_worker_goes_on_from_its_checkpoint_as_if_nothing_had_happened(
    make: Make, driver: Driver, tmp_path: Path
) -> None:
    told = after_epoch_2(driver, kill_worker)
    result = run(make(checkpoint_s=0.0), last_epoch=30, save_to=tmp_path / "t.npz")
    assert result.n_lost_workers == 1
    assert curve(result) == curve(run_inline(last_epoch=30))
    assert [epoch.epoch for epoch in told] == list(range(1, 31))
    # With its duration: the epoch was not trained again.
    assert result.epochs[0] == told[0]


def test_without_a_checkpoint_no_epoch_is_told_twice(make: Make, driver: Driver) -> None:
    told = after_epoch_2(driver, kill_worker)
    result = run(make(), last_epoch=30)
    assert result.n_lost_workers == 1
    assert curve(result) == curve(run_inline(last_epoch=30))
    assert [epoch.epoch for epoch in told] == list(range(1, 31))


def test_killed_fork_server_is_replaced(make: Make, driver: Driver) -> None:
    after_epoch_2(driver, lambda: forked_workers()[0].parent().kill())
    result = run(make(), last_epoch=30)
    assert (result.failure, result.n_lost_workers) == (None, 1)


def test_interrupt_is_left_to_the_driver(make: Make, driver: Driver) -> None:
    after_epoch_2(driver, lambda: forked_workers()[0].send_signal(signal.SIGINT))
    result = run(make(), last_epoch=30)
    assert (result.failure, result.n_lost_workers) == (None, 0)


@pytest.mark.parametrize(
    ("builder", "values", "reason"),
    [
        (
            "build_killed",
            {"signal": "SIGKILL"},
            "its worker was killed by SIGKILL; the system does this when memory runs out",
        ),
        ("build_killed", {"signal": "SIGSEGV"}, "its worker was killed by SIGSEGV"),
        ("build_exiting", {}, "its worker ended with exit code 3"),
    ],
)
def test_task_that_kills_every_worker_is_lost(
    make: Make, builder: str, values: dict[str, str], reason: str
) -> None:
    executor = make()
    result = run(executor, model=f"{BUILDERS}:{builder}", values=values)
    assert result.failure == Failure(reason=reason, kind="lost")
    assert result.n_lost_workers == 3
    assert run(executor).failure is None


def test_hanging_task_is_ended(make: Make) -> None:
    executor = make(trial_timeout_s=1.5)
    hanging = failure(executor, model=f"{BUILDERS}:build_hanging")
    assert (hanging.reason, hanging.kind) == ("no step in 1.5 s", "hang")


def test_pause_of_the_driver_is_no_hang(
    make: Make, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    after_epoch_2(driver, lambda: clock.advance(10_000))
    result = run(make(), last_epoch=30)
    assert (result.failure, len(result.epochs)) == (None, 30)


def test_clock_of_a_spawned_worker_starts_when_it_is_ready(make: Make) -> None:
    executor = make(start_method="spawn")
    executor.submit(train_task())
    (worker,) = executor._workers
    assert worker.assignment is not None
    assert worker.assignment.alive_s is None
    assert worker.connection.poll(PATIENCE_S)
    assert next(worker.messages()) is None
    assert worker.assignment.alive_s is not None
    assert executor.next_result().failure is None


def test_worker_that_dies_while_all_stops_is_not_replaced(make: Make, driver: Driver) -> None:
    def terminate_all() -> None:
        driver.stop_after = 0
        kill_worker()

    after_epoch_2(driver, terminate_all)
    result = run(make(), last_epoch=10**6)
    assert (result.ended_by, result.failure, result.n_lost_workers) == ("request", None, 1)
    assert forked_workers() == []


def test_each_worker_sees_its_own_gpu(make: Make, tmp_path: Path) -> None:
    executor = make(n_workers=2, gpus=["3", "5"])
    for name in "ab":
        values = {"told": str(tmp_path / name)}
        executor.submit(train_task(model=f"{BUILDERS}:build_telling_gpus", values=values))
    assert [executor.next_result().failure for _ in "ab"] == [None, None]
    assert [(tmp_path / name).read_text() for name in "ab"] == ["3", "5"]


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_worker_starts_without_what_it_rarely_needs(
    make: Make, tmp_path: Path, method: str
) -> None:
    told = tmp_path / "told"
    values = {"told": str(told)}
    executor = make(start_method=method)
    assert run(executor, model=f"{BUILDERS}:build_telling_start", values=values).failure is None
    *modules, n_skipped = told.read_text(encoding="utf-8").split("\n")
    assert {"keras", "tuner.training.fit"} <= set(modules)
    assert not {"sklearn.base", "matplotlib.pyplot"} & set(modules)
    assert int(n_skipped) > 100_000


def test_arrays_of_a_killed_driver_are_deleted_and_never_in_the_way(
    make: Make, tmp_path: Path
) -> None:
    left = tmp_path / "scratch" / "arrays-left"
    left.mkdir(parents=True)
    (left / "inputs.npy").touch()
    assert run(make(), last_epoch=1).failure is None
    assert not left.exists()


def test_arrays_that_cannot_be_deleted_are_not_in_the_way(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.rmtree", lambda folder, ignore_errors: None)
    make().close()
    assert run(make(), last_epoch=1).failure is None


def test_task_that_does_not_stop_in_time_is_ended(
    make: Make, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner.execution.assignment.GRACE_S", 0.5)
    driver.stop_after = 0
    result = run(make(), model=f"{BUILDERS}:build_hanging")
    assert (result.ended_by, result.epochs, result.failure) == ("request", (), None)


def test_task_that_takes_too_much_memory_is_ended(make: Make) -> None:
    large = failure(make(worker_memory_bytes=LIMIT_BYTES), model=f"{BUILDERS}:build_large")
    assert large.kind == "memory"
    assert large.reason.startswith("its worker used ")
    assert large.reason.endswith(" GiB; the limit is 1 GiB")


def pids_of_two_tasks(executor: ProcessExecutor, folder: Path, mib: int) -> list[str]:
    values = {"mib": mib, "pids": str(folder / "pids")}
    for _ in range(2):
        assert (
            run(executor, model=f"{BUILDERS}:build_leaking", values=values, last_epoch=1).failure
            is None
        )
    return (folder / "pids").read_text().split()


def test_worker_that_a_task_left_too_large_is_replaced(make: Make, tmp_path: Path) -> None:
    first, second = pids_of_two_tasks(make(worker_memory_bytes=LIMIT_BYTES), tmp_path, mib=600)
    assert first != second


def test_worker_that_stays_small_trains_the_next_task_too(make: Make, tmp_path: Path) -> None:
    first, second = pids_of_two_tasks(make(worker_memory_bytes=LIMIT_BYTES), tmp_path, mib=1)
    assert first == second


def test_promoted_task_goes_to_the_worker_that_trained_it_before(
    make: Make, tmp_path: Path
) -> None:
    executor = make(n_workers=2)
    values = {name: {"mib": 1, "pids": str(tmp_path / name)} for name in "ab"}
    for name in "ab":
        task = train_task(
            model=f"{BUILDERS}:build_leaking", values=values[name], save_to=tmp_path / f"{name}.npz"
        )
        executor.submit(task)
    for _ in "ab":
        assert executor.next_result().failure is None
    for name in "ba":
        changes = {
            "first_epoch": 3,
            "last_epoch": 3,
            "resume_from": tmp_path / f"{name}.npz",
            "values": values[name],
        }
        assert run(executor, model=f"{BUILDERS}:build_leaking", **changes).failure is None
    pids = {name: (tmp_path / name).read_text().split() for name in "ab"}
    assert pids["a"][0] == pids["a"][1] != pids["b"][0] == pids["b"][1]


def test_no_worker_outlives_close_nor_an_error_of_who_listens(make: Make, driver: Driver) -> None:
    def no_reader(task: Any, epoch: Any) -> None:
        raise BrokenPipeError("nobody reads any more")

    driver.hear = no_reader  # type: ignore[method-assign]
    executor = make(n_workers=2)
    for name in "ab":
        executor.submit(train_task(task_id=name, last_epoch=10**6))
    assert len(forked_workers()) == 2
    with pytest.raises(BrokenPipeError, match="nobody reads any more"):
        executor.next_result()
    executor.close()
    assert forked_workers() == []


# It has no guard, its builder prints, and it would begin anew in every worker that imported it.
SCRIPT = """
from pathlib import Path
from tests.images import train_task, training_data
from tuner.execution.executor import Reports
from tuner.execution.process.process_executor import ProcessExecutor

reports = Reports(on_epoch=lambda task, epoch: print("epoch", epoch.epoch, flush=True))
executor = ProcessExecutor(reports, n_workers=1, scratch=Path("scratch"), start_method="{method}")
executor.add_data("images", training_data())
executor.submit(train_task(model="own:build", values={{}}, last_epoch={last_epoch}))
failure = executor.next_result().failure
print("done", failure and failure.reason, flush=True)
"""

OWN = """
from tests.training.builders import build_compiled

def build(values, image_spec):
    print("chatter", flush=True)
    return build_compiled(values, image_spec)
"""


def start_script(folder: Path, method: str, last_epoch: int) -> subprocess.Popen[str]:
    (folder / "own.py").write_text(OWN)
    (folder / "script.py").write_text(SCRIPT.format(method=method, last_epoch=last_epoch))
    return start(folder, "script.py")


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Python in a folder, and in a process group of its own."""
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root)},
        start_new_session=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_what_a_builder_prints_in_a_worker_goes_to_the_log(make: Make, tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text("before\n")
    result = run(make(log=log), model=f"{BUILDERS}:build_printing", values={}, last_epoch=1)
    assert result.failure is None
    assert log.read_text().splitlines() == ["before", "from Python", "from a child"]


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_script_without_a_guard_uses_its_own_builder_and_keeps_its_output(
    tmp_path: Path, method: str
) -> None:
    with start_script(tmp_path, method, last_epoch=2) as script:
        told, chatter = script.communicate(timeout=PATIENCE_S)
    assert told.splitlines() == ["epoch 1", "epoch 2", "done None"]
    assert "chatter" in chatter


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_nothing_outlives_a_driver_that_is_killed(tmp_path: Path, method: str) -> None:
    with start_script(tmp_path, method, last_epoch=10**6) as script:
        assert script.stdout is not None
        assert script.stdout.readline() == "epoch 1\n"
        others = psutil.Process(script.pid).children(recursive=True)
        script.kill()
        script.communicate(timeout=PATIENCE_S)
    assert len(others) >= 2
    assert psutil.wait_procs(others, timeout=PATIENCE_S)[1] == []


# Interrupts arrive while the fork server imports the framework, which takes seconds.
INTERRUPTED = """
import signal
from multiprocessing import forkserver
from pathlib import Path
from tests.images import train_task, training_data
from tuner.execution.executor import Reports
from tuner.execution.process.process_executor import ProcessExecutor
from tuner.execution.process.start import warm_up

signal.signal(signal.SIGINT, lambda *interrupt: None)
warm_up()
server = forkserver._forkserver._forkserver_pid
print("warming up", flush=True)
input()
reports = Reports(on_epoch=lambda task, epoch: None)
options = dict(n_workers=1, scratch=Path("scratch"), start_method="forkserver")
with ProcessExecutor(reports, **options) as executor:
    executor.add_data("images", training_data())
    executor.submit(train_task())
    failure = executor.next_result().failure
    print(failure, server == forkserver._forkserver._forkserver_pid, flush=True)
"""


def test_interrupt_while_the_framework_loads_leaves_the_fork_server_alone(tmp_path: Path) -> None:
    with start(tmp_path, "-c", INTERRUPTED) as script:
        assert script.stdout is not None
        assert script.stdout.readline() == "warming up\n"
        os.killpg(script.pid, signal.SIGINT)
        told, complaints = script.communicate("\n", timeout=PATIENCE_S)
    assert told == "None True\n"
    assert "KeyboardInterrupt" not in complaints
