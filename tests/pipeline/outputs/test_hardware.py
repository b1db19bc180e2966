"""What `results.json` says of the machine."""

from __future__ import annotations

import keras
import pytest

from tuner.backend import active
from tuner.backend.policy import Gpu, choose
from tuner.pipeline.outputs.hardware import hardware

T4 = Gpu(name="Tesla T4", capability=(7, 5))


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that seems to have one."""
    monkeypatch.setattr(active.backend, "gpus", lambda: [T4])
    monkeypatch.setattr(active, "policy", lambda: choose([T4]))


@pytest.mark.usefixtures("gpu")
def test_acceleration_is_that_of_this_machine_but_for_ray() -> None:
    here, cluster = (hardware(executor, 2, None) for executor in ("process", "ray"))
    assert (here["gpu"], here["acceleration"]) == ("Tesla T4", str(choose([T4])))
    assert cluster["acceleration"] == cluster["precision"] == "as each node decides"
    assert here["precision"] == "mixed_float16"
    assert hardware("ray", 2, "mixed_bfloat16")["precision"] == "mixed_bfloat16"
    by_hand = hardware("process", 2, "float32")
    assert (by_hand["precision"], by_hand["acceleration"].split(",")[0]) == ("float32", "float32")


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("executor", ["processes", "ray"])
def test_of_a_backend_that_cannot_be_asked_nothing_is_claimed(
    monkeypatch: pytest.MonkeyPatch, executor: str
) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    found = hardware(executor, 1, None)
    assert (found["gpu"], found["acceleration"]) == ("unknown", "unknown")
