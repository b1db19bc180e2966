"""What a worker's trainings start counts towards its memory, and ends with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from tuner.execution.process.process_tree import ProcessTree

MIB = 2**20
PATIENCE_S = 30

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux keeps orphans in the tree"
)


@pytest.fixture
def started() -> Iterator[list[psutil.Process]]:
    """Processes to kill in the end, whatever has become of the test."""
    found: list[psutil.Process] = []
    yield found
    for process in found:
        with suppress(psutil.Error):
            process.kill()


def start(how: str, started: list[psutil.Process]) -> subprocess.Popen[str]:
    """Start a worker or a driver, and wait until its processes are there."""
    head = subprocess.Popen(
        [sys.executable, "-m", "tests.execution.process.process_trees", how],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    started.append(psutil.Process(head.pid))
    assert head.stdout
    with head.stdout:
        line = head.stdout.readline()
    started += [psutil.Process(int(number)) for number in line.split()]
    return head


def all_end(processes: list[psutil.Process]) -> bool:
    # A process without a parent that waits for it may stay as a zombie where nobody collects those.
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE_S)
    return all(process.status() == psutil.STATUS_ZOMBIE for process in alive)


def test_everything_that_a_worker_has_started_ends_with_it(started: list[psutil.Process]) -> None:
    worker = start("worker", started)
    tree = ProcessTree(worker.pid)
    assert 64 * MIB <= tree.used_bytes() < 512 * MIB
    tree.end()
    worker.wait(PATIENCE_S)
    assert len(started) == 5
    assert all_end(started[1:])
    tree.end()  # Nobody is left.
    assert ProcessTree(worker.pid).used_bytes() == 0


def test_what_is_left_of_a_worker_that_was_killed_ends_too(started: list[psutil.Process]) -> None:
    worker = start("worker", started)
    tree = ProcessTree(worker.pid)
    tree.used_bytes()
    worker.kill()
    worker.wait(PATIENCE_S)
    tree.end()
    assert all_end(started[1:])


def test_a_process_that_has_got_the_number_of_a_dead_worker_is_left_alone(
    started: list[psutil.Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = start("worker", started)
    tree = ProcessTree(stranger.pid)
    monkeypatch.setattr(tree, "_began_s", 0.0)
    assert tree.used_bytes() == 0
    tree.end()
    assert stranger.poll() is None
    assert all(process.is_running() for process in started)
    stranger.kill()
    stranger.wait(PATIENCE_S)


def test_children_of_a_worker_end_when_its_driver_is_killed(started: list[psutil.Process]) -> None:
    driver = start("driver", started)
    driver.kill()
    driver.wait(PATIENCE_S)
    assert len(started) == 3
    assert all_end(started[1:])
