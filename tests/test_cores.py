"""How many cores there are, whatever the machine has: a container may grant fewer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tuner import cores

CASES = {
    "two of many": ({"cpu.max": "200000 100000\n"}, 2),
    "whole ones only": ({"cpu.max": "250000 100000"}, 2),
    "at least one": ({"cpu.max": "50000 100000"}, 1),
    "no limit": ({"cpu.max": "max 100000"}, 8),
    "version 1": ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
    "version 1, no limit": ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 8),
    "no control groups": ({}, 8),
}


@pytest.mark.parametrize(("files", "n"), CASES.values(), ids=CASES)
def test_quota_of_a_container_counts(
    files: dict[str, str], n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(cores, "_CGROUPS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    assert cores.n_cores() == n


def test_only_one_module_counts_cores() -> None:
    tuner = Path(cores.__file__).parent
    names = ("cpu_count", "sched_getaffinity")
    counting = {
        path.name
        for path in tuner.rglob("*.py")
        if any(name in path.read_text(encoding="utf-8") for name in names)
    }
    assert counting == {"cores.py"}
