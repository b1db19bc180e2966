"""When workers are up, replaced, reloaded and ended; the processes are scripts of the test's."""

from __future__ import annotations

import itertools
import logging
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import multiprocess

from tuner.errors import ConfigurationError
from tuner.serving.metrics import forget_process
from tuner.serving.start_failure import StartError, take_failure, write_failure
from tuner.serving.workers import METRICS, Workers

Do = Callable[[], None]


@dataclass
class Script:
    """What a process does.

    Attributes:
        looks: It is ready at this look; never where it is None.
        exit_code: It ends with it when it is started.
        on_look: Called at each look.
        on_start: Called when it is started.
        is_stuck: It does not end when it is told to.
    """

    looks: int | None = 1
    exit_code: int | None = None
    on_look: Do = lambda: None
    on_start: Do = lambda: None
    is_stuck: bool = False


@dataclass
class Processes:
    """Stands for uvicorn's class of processes: the nth one follows the nth script.

    Attributes:
        scripts: Processes after the last are ready at once.
        made: Those that were made.
    """

    scripts: list[Script] = field(default_factory=list)
    made: list[Process] = field(default_factory=list)

    def __call__(self, config: object, sockets: object) -> Process:
        n = len(self.made)
        made = Process(self.scripts[n] if n < len(self.scripts) else Script(), pid=1000 + n)
        self.made.append(made)
        return made


class Process:
    def __init__(self, script: Script, pid: int) -> None:
        self.script, self.pid = script, pid
        self.exitcode: int | None = None
        self.is_killed = False
        self.n_looks = 0
        # uvicorn's has multiprocessing's within it.
        self.process: Any = self

    def start(self) -> None:
        self.script.on_start()
        self.exitcode = self.script.exit_code

    def is_alive(self, timeout: float = 0) -> bool:
        return self.exitcode is None

    def is_ready(self, timeout: float) -> bool:
        self.n_looks += 1
        self.script.on_look()
        return (
            self.exitcode is None
            and self.script.looks is not None
            and (self.n_looks >= self.script.looks)
        )

    def terminate(self) -> None:
        if self.exitcode is None and not self.script.is_stuck:
            self.exitcode = 0

    def kill(self) -> None:
        if self.exitcode is None:
            self.is_killed, self.exitcode = True, -signal.SIGKILL

    def join(self, timeout: float | None = None) -> None:
        assert timeout is not None or self.exitcode is not None, "waits for ever"


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    """In place of uvicorn's; its handlers of signals are put back."""
    before = {number: signal.getsignal(number) for number in multiprocess.SIGNALS}
    found = Processes()
    monkeypatch.setattr(multiprocess, "Process", found)
    monkeypatch.setattr("tuner.serving.workers._LOOK_S", 0.0)
    yield found
    for number, handler in before.items():
        signal.signal(number, handler)


def workers_in(folder: Path, on_up: Callable[[Workers], None]) -> Workers:
    (folder / METRICS).mkdir()
    config = uvicorn.Config("none:app", workers=2, log_config=None, log_level=logging.CRITICAL)
    workers = Workers(config, [], folder, lambda: on_up(workers))
    # Each round of uvicorn's waits half a second.
    waits = itertools.count()
    wait = workers.should_exit.wait

    def at_once(timeout: float | None = None) -> bool:
        assert next(waits) < 1000, "no end"
        return wait(0)

    workers.should_exit.wait = at_once  # type: ignore[method-assign]
    return workers


def stop(workers: Workers) -> None:
    workers.signal_queue.append(signal.SIGTERM)


def never(workers: Workers) -> None:
    pytest.fail("is not up")


def test_a_service_is_up_once_all_workers_are_ready(tmp_path: Path, processes: Processes) -> None:
    processes.scripts = [Script(looks=2), Script(looks=5)]
    ups = []

    def up(workers: Workers) -> None:
        ups.append([one.n_looks for one in processes.made])
        stop(workers)

    workers = workers_in(tmp_path, up)
    workers.run()
    (looks,) = ups
    assert looks[1] == 5
    assert workers.is_told_to_stop
    assert [one.exitcode for one in processes.made] == [0, 0]


def test_a_worker_that_ends_before_it_is_ready_ends_the_service(
    tmp_path: Path, processes: Processes
) -> None:
    processes.scripts = [Script(), Script(exit_code=-9)]
    workers = workers_in(tmp_path, never)
    workers.run()
    assert not workers.is_told_to_stop
    assert len(processes.made) == 2, "replaced all the same"
    assert str(workers.failure()) == (
        "a worker process ended with exit code -9 before it was ready\n  Fix: see the messages"
        " above; if memory is short, use fewer --workers."
    )


def test_why_a_worker_could_not_load_the_model_is_the_failure(
    tmp_path: Path, processes: Processes
) -> None:
    def fail() -> None:
        write_failure(tmp_path, Path("run"), ConfigurationError("no model", "give one."))

    processes.scripts = [Script(looks=None), Script(exit_code=STARTUP_FAILURE, on_start=fail)]
    workers = workers_in(tmp_path, never)
    workers.run()
    assert not workers.is_told_to_stop
    failure = workers.failure()
    assert (failure.message, failure.hint, failure.exit_code) == ("no model", "give one.", 2)
    # Nothing waits for the load of the other one.
    assert processes.made[0].is_killed


def test_a_worker_that_does_not_stop_is_killed(
    tmp_path: Path, processes: Processes, caplog: pytest.LogCaptureFixture
) -> None:
    processes.scripts = [Script(is_stuck=True), Script()]
    with caplog.at_level(logging.WARNING, "tuner"):
        workers_in(tmp_path, stop).run()
    assert [one.is_killed for one in processes.made] == [True, False]
    assert "worker 1000 did not stop and was killed" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_wait_for_workers(
    tmp_path: Path, processes: Processes, number: signal.Signals
) -> None:
    def send() -> None:
        if processes.made[0].n_looks == 3:
            workers.signal_queue.append(number)

    processes.scripts = [Script(looks=None, on_look=send), Script(looks=None)]
    workers = workers_in(tmp_path, never)
    workers.run()
    assert workers.is_told_to_stop
    assert all(one.is_killed for one in processes.made)


def test_a_reload_that_fails_is_told_at_once_and_changes_nothing(
    tmp_path: Path, processes: Processes, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        write_failure(tmp_path, Path("run"), ConfigurationError("no model", "give one."))

    processes.scripts = [Script(), Script(), Script(exit_code=STARTUP_FAILURE, on_start=fail)]
    workers = workers_in(tmp_path, lambda workers: workers.signal_queue.append(signal.SIGHUP))
    with caplog.at_level(logging.ERROR, "tuner"):
        workers.init_processes()
        workers.handle_signals()
    assert (
        "the model is not reloaded, and the previous workers continue: no model\n  Fix: give one."
        in caplog.text
    )
    assert workers.processes == processes.made[:2]
    stop(workers)
    workers.handle_signals()
    assert workers.is_told_to_stop
    assert take_failure(tmp_path) is None


def test_a_reload_replaces_each_worker(tmp_path: Path, processes: Processes) -> None:
    workers = workers_in(tmp_path, lambda workers: workers.signal_queue.append(signal.SIGHUP))
    workers.init_processes()
    workers.handle_signals()
    assert workers.processes == processes.made[2:]
    assert [one.exitcode for one in processes.made] == [0, 0, None, None]


def test_a_signal_ends_a_reload(
    tmp_path: Path, processes: Processes, caplog: pytest.LogCaptureFixture
) -> None:
    def hang_up(workers: Workers) -> None:
        workers.signal_queue.append(signal.SIGHUP)

    processes.scripts = [Script(), Script(), Script(looks=None, on_look=lambda: stop(workers))]
    workers = workers_in(tmp_path, hang_up)
    workers.run()
    assert workers.is_told_to_stop
    assert [one.is_killed for one in processes.made] == [False, False, True]
    assert not caplog.records


def test_a_worker_that_dies_is_replaced_and_its_requests_are_forgotten(
    tmp_path: Path, processes: Processes
) -> None:
    workers = workers_in(tmp_path, lambda workers: None)
    workers.init_processes()
    workers.keep_subprocess_alive()
    files = [tmp_path / METRICS / f"{kind}_1000.db" for kind in ("gauge_livesum", "counter")]
    for file in files:
        file.touch()
    processes.made[0].exitcode = -9
    workers.keep_subprocess_alive()
    assert [one.pid for one in workers.processes] == [1002, 1001]
    assert [file.exists() for file in files] == [False, True]


def test_a_worker_that_cannot_be_replaced_ends_the_service_with_its_failure(
    tmp_path: Path, processes: Processes
) -> None:
    def fail() -> None:
        write_failure(tmp_path, Path("run"), ConfigurationError("the model is gone", "bring it."))

    def die(workers: Workers) -> None:
        processes.made[0].exitcode = -9

    processes.scripts = [Script(), Script(), Script(exit_code=STARTUP_FAILURE, on_start=fail)]
    workers = workers_in(tmp_path, die)
    workers.run()
    assert not workers.is_told_to_stop
    assert workers.failure().message == "the model is gone"


def test_no_worker_is_left_where_the_first_process_fails(
    tmp_path: Path, processes: Processes
) -> None:
    def fail(workers: Workers) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        workers_in(tmp_path, fail).run()
    assert all(one.is_killed for one in processes.made)


def test_an_error_of_no_kind_of_ours_is_logged_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        raise OSError("no library\nand much more")
    except OSError as error:
        write_failure(tmp_path, Path("run"), error)
    assert "Traceback" in caplog.text
    failure = take_failure(tmp_path)
    assert isinstance(failure, StartError)
    assert failure.message == "run: cannot be loaded: OSError: no library"
    assert (failure.exit_code, failure.hint[:23]) == (1, "see the traceback above")


def test_a_failure_that_was_not_written_to_its_end_is_none(tmp_path: Path) -> None:
    assert take_failure(tmp_path) is None
    (tmp_path / "failure.json").write_text('["no mod')
    assert take_failure(tmp_path) is None


def test_counts_of_a_process_that_has_ended_stay(tmp_path: Path) -> None:
    for name in ("gauge_livesum_7.db", "gauge_livesum_77.db", "counter_7.db"):
        (tmp_path / name).touch()
    forget_process(7, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"gauge_livesum_77.db", "counter_7.db"}
