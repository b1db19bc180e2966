"""How much memory a worker may take, and has taken."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from tuner.execution.memory import default_limit_bytes, in_gib, used_bytes

MIB = 2**20


def test_workers_share_four_fifths_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tuner.execution.memory._CGROUPS", tmp_path)
    total = psutil.virtual_memory().total
    assert default_limit_bytes(2) == int(total * 0.8 / 2)


@pytest.mark.parametrize("name", ["memory.max", "memory/memory.limit_in_bytes"])
def test_container_grants_less_than_the_machine_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setattr("tuner.execution.memory._CGROUPS", tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(f"{100 * MIB}\n")
    assert default_limit_bytes(1) == 80 * MIB


def test_container_without_a_limit_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tuner.execution.memory._CGROUPS", tmp_path)
    without = default_limit_bytes(1)
    (tmp_path / "memory.max").write_text("max\n")
    assert default_limit_bytes(1) == without


def test_arrays_count_and_mapped_files_do_not(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones(32 * MIB, dtype="uint8"))
    before = used_bytes(os.getpid())
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    assert mapped.sum() == 32 * MIB
    assert used_bytes(os.getpid()) - before < 16 * MIB
    # Not of the heap, which may have as much free and in memory already.
    own = np.frombuffer(
        mmap.mmap(-1, 32 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS), dtype="uint8"
    )
    own[:] = mapped
    assert used_bytes(os.getpid()) - before >= 32 * MIB - MIB
    del own


def test_system_that_does_not_tell_shared_memory_is_asked_what_is_unique(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class MacProcess:
        def __init__(self, pid: int) -> None:
            assert pid == 7

        def memory_info(self) -> SimpleNamespace:
            return SimpleNamespace(rss=300 * MIB)

        def memory_full_info(self) -> SimpleNamespace:
            return SimpleNamespace(rss=300 * MIB, uss=200 * MIB)

    monkeypatch.setattr(psutil, "Process", MacProcess)
    assert used_bytes(7) == 200 * MIB


def test_process_that_has_ended_uses_nothing() -> None:
    process = psutil.Popen(["true"])
    process.wait()
    assert used_bytes(process.pid) == 0


def test_amounts_are_told_in_gib() -> None:
    assert [in_gib(int(n * 2**30)) for n in (3, 3.12, 0.5)] == ["3 GiB", "3.12 GiB", "0.5 GiB"]
