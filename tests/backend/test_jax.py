"""JAX's own: its devices, and what it reads at its first operation."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest

jax = pytest.importorskip("jax", reason="JAX is not installed")

from tuner.backend.jax import BACKEND  # noqa: E402
from tuner.backend.policy import Gpu  # noqa: E402


def device(platform: str, kind: str, **more: Any) -> SimpleNamespace:
    return SimpleNamespace(platform=platform, device_kind=kind, **more)


def test_gpus_are_told_by_name_and_capability(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        device("gpu", "NVIDIA A100", compute_capability="8.0"),
        device("gpu", "MI250", compute_capability="gfx90a"),
        device("cpu", "cpu"),
    ]
    monkeypatch.setattr(jax, "devices", lambda: found)
    assert BACKEND.gpus() == [
        Gpu(name="NVIDIA A100", capability=(8, 0)),
        Gpu(name="MI250", capability=None),
    ]


def test_threads_and_memory_are_set_and_a_persons_own_memory_setting_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NPROC", "8")
    monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", "true")
    BACKEND.prepare_devices(3)
    assert (os.environ["NPROC"], os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"]) == ("3", "true")
    monkeypatch.delenv("XLA_PYTHON_CLIENT_PREALLOCATE")
    BACKEND.prepare_devices(1)
    assert (os.environ["NPROC"], os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"]) == ("1", "false")
