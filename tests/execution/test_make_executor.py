"""How many trainings run at a time, and which GPU each sees; workers and GPUs are made up."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.images import train_task, training_data
from tuner.errors import ConfigurationError
from tuner.execution.execution_options import (
    EXECUTORS,
    ExecutionOptions,
    ExecutorEntry,
    executor_help,
)
from tuner.execution.executor import Reports
from tuner.execution.make_executor import check_installed, make_executor
from tuner.execution.process import process_executor
from tuner.execution.process.task_server import WorkerSettings
from tuner.extras import EXTRAS

REPORTS = Reports(on_epoch=lambda task, epoch: None)


class FakeWorker:
    """Starts no process."""

    def __init__(self, method: str, slot: int, settings: WorkerSettings) -> None:
        self.slot, self.settings = slot, settings
        self.assignment: Any = None
        self.saved: set[Path] = set()

    def begin(self, assignment: Any, data: Any) -> None:
        self.assignment = assignment

    def end(self) -> None:
        """Nothing to end."""


def machine(monkeypatch: pytest.MonkeyPatch, gpus: list[str], cores: int = 8) -> None:
    monkeypatch.setattr(process_executor, "gpus", lambda: gpus)
    monkeypatch.setattr(process_executor, "n_cores", lambda: cores)
    monkeypatch.setattr(process_executor, "default_limit_bytes", lambda n: 2**40)
    monkeypatch.setattr(process_executor, "WorkerProcess", FakeWorker)


def gpus_of_workers(tmp_path: Path, n: int, **options: Any) -> list[str | None]:
    """What each worker sees once `n` trainings have begun."""
    with make_executor(ExecutionOptions(**options), REPORTS, tmp_path / "scratch") as executor:
        executor.add_data("images", training_data(4, 2))
        for number in range(n):
            executor.submit(train_task(task_id=f"t{number}"))
        assert isinstance(executor, process_executor.ProcessExecutor)
        return [worker.settings.gpu for worker in executor._workers]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("gpus", "options", "wanted"),
    [
        ([], {}, 8),
        (["0", "1"], {}, 2),
        (["0", "1"], {"workers": 6}, 6),
        (["0", "1"], {"executor": "inline"}, 1),
    ],
    ids=["one per core", "one per GPU", "as asked for", "inline"],
)
def test_trainings_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    gpus: list[str],
    options: dict[str, Any],
    wanted: int,
) -> None:
    machine(monkeypatch, gpus)
    with make_executor(ExecutionOptions(**options), REPORTS, tmp_path) as executor:
        assert executor.n_workers == wanted


def test_each_gpu_gets_a_worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine(monkeypatch, ["2", "GPU-1a"])
    assert gpus_of_workers(tmp_path, 3) == ["2", "GPU-1a"]


@pytest.mark.parametrize(
    ("gpus", "wanted"), [(["0"], ["0"] * 4), (["0", "1"], ["0", "1", "0", "1"])]
)
def test_workers_that_are_asked_for_share_the_gpus(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, gpus: list[str], wanted: list[str]
) -> None:
    machine(monkeypatch, gpus)
    assert gpus_of_workers(tmp_path, 4, workers=4) == wanted


def test_without_gpus_a_worker_sees_what_its_driver_sees(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine(monkeypatch, [])
    assert gpus_of_workers(tmp_path, 1) == [None]


def test_missing_ray_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigurationError) as caught:
        check_installed(ExecutionOptions(executor="ray"))
    assert (
        str(caught.value)
        == '--executor ray: Ray is not installed\n  Fix: python -m pip install "ray>=2.60", or'
        " leave --executor ray out."
    )
    check_installed(ExecutionOptions(executor="process"))


@pytest.mark.parametrize("entry", EXECUTORS.values(), ids=EXECUTORS)
def test_all_that_the_list_names_is_there(entry: ExecutorEntry) -> None:
    if entry.needs:
        assert entry.needs.lower() in EXTRAS
        pytest.importorskip(entry.needs.lower())
    for target in filter(None, (entry.target, entry.warm_up)):
        module, _, name = target.partition(":")
        assert callable(getattr(importlib.import_module(module), name))


def test_help_names_every_place() -> None:
    assert executor_help() == (
        "Where trainings run: worker processes, this process, or a Ray cluster."
    )
