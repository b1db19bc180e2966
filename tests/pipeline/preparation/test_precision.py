"""In which precision a run trains."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tuner.execution.execution_options import ExecutionOptions
from tuner.pipeline.preparation import precision as module
from tuner.pipeline.preparation.precision import decide
from tuner.records.events import Event, Notice
from tuner.space.definition import PrecisionChoice

FASTER = {"float32": 2.0, "mixed_bfloat16": 1.0}
HARDLY = {"float32": 2.0, "mixed_bfloat16": 1.9}
SLOWER = {"float32": 1.0, "mixed_bfloat16": 5.0}


class Machine:
    """A CPU with units for 16-bit numbers, and what is measured there.

    Attributes:
        n_measured: How often.
        told: Notices.
    """

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.n_measured = 0
        self.told: list[Event] = []
        self._root, self._monkeypatch = root, monkeypatch
        for name in ("TUNER_ACCELERATION", "TUNER_PRECISION"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(module.environment, "gpus", list)
        monkeypatch.setattr(module.cpu, "has_bfloat16_units", lambda: True)
        self.prints(json.dumps(FASTER))

    def prints(self, text: str, returncode: int = 0, errors: str = "") -> None:
        def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
            self.n_measured += 1
            return subprocess.CompletedProcess(command, returncode, text, errors)

        self._monkeypatch.setattr(module.subprocess, "run", run)

    def decide(self, asked: PrecisionChoice = "auto", **execution: Any) -> module.Decision:
        return decide(asked, ExecutionOptions(**execution), self._root, self.told.append)

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.told if isinstance(event, Notice)]

    @property
    def cache(self) -> Path:
        return self._root / ".cache" / "step_speed.json"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("seconds", "precision"),
    [(FASTER, "mixed_bfloat16"), (HARDLY, "float32"), (SLOWER, "float32")],
)
def test_measurement_decides_once_for_all_runs_of_a_machine(
    machine: Machine, seconds: Mapping[str, float], precision: str
) -> None:
    machine.prints(json.dumps(seconds))
    first = machine.decide()
    assert first.precision == str(first) == precision
    machine.prints(json.dumps(FASTER if precision == "float32" else SLOWER))
    n_told = len(machine.told)
    assert machine.decide() == first
    assert (machine.n_measured, len(machine.told)) == (1, n_told)


def test_measurement_and_what_came_of_it_are_told(machine: Machine) -> None:
    begun = "measuring once whether 16-bit training is faster on this machine"
    assert machine.decide().notices == (
        "trains in mixed_bfloat16: 2.0 times as fast as float32 on this machine; --precision"
        " float32 turns it off",
    )
    assert machine.texts == [begun]
    machine.cache.unlink()
    machine.prints(json.dumps(SLOWER))
    assert machine.decide().notices == ()
    assert machine.texts[1:] == [
        begun,
        "trains in float32: a step takes 5.0 times as long in bfloat16",
    ]


def test_lines_before_the_measurement_are_passed_over(machine: Machine) -> None:
    machine.prints(f"hello from sitecustomize\n{json.dumps(FASTER)}\n")
    assert machine.decide().precision == "mixed_bfloat16"


@pytest.mark.parametrize("change", ["processor", "max_isa", "flags"])
def test_another_machine_measures_for_itself(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    machine.decide()
    monkeypatch.setattr(module.cpu, change, lambda: "another")
    machine.prints(json.dumps(SLOWER))
    assert machine.decide().precision == "float32"
    monkeypatch.undo()
    assert len(json.loads(machine.cache.read_text())) == 2


@pytest.mark.parametrize(
    "content",
    ["", "[1]", "3", "{", '{"a": 1}', '{"a": {"float32": "x", "mixed_bfloat16": 1}}', "\x00"],
)
def test_damaged_cache_is_measured_again(machine: Machine, content: str) -> None:
    machine.decide()
    machine.cache.write_text(content)
    assert machine.decide().precision == "mixed_bfloat16"
    assert machine.n_measured == 2
    assert len(json.loads(machine.cache.read_text())) == 1


def test_damaged_entry_costs_no_other_machine_its_own(machine: Machine) -> None:
    machine.cache.parent.mkdir()
    machine.cache.write_text(json.dumps({"other": FASTER, "damaged": 3}))
    machine.decide()
    known = json.loads(machine.cache.read_text())
    assert (len(known), known["other"]) == (2, FASTER)


def test_cache_that_cannot_be_written_stops_nothing(machine: Machine) -> None:
    machine.cache.parent.write_text("a file where the folder should be")
    assert [machine.decide().precision for _ in range(2)] == ["mixed_bfloat16"] * 2
    assert machine.n_measured == 2


@pytest.mark.parametrize("text", ["", "nothing", "[]", "{}", '{"float32": 0, "mixed_bfloat16": 1}'])
def test_measurement_that_fails_leaves_float32_says_so_and_is_kept(
    machine: Machine, text: str
) -> None:
    machine.prints(text)
    found = machine.decide()
    assert found.precision == "float32"
    assert found.notices == (
        "trains in float32: 16-bit training could not be measured (it printed no seconds); delete"
        f" {machine.cache} to try again",
    )
    machine.prints(json.dumps(FASTER))
    assert machine.decide() == found
    assert machine.n_measured == 1


def test_measurement_that_ends_with_an_error_gives_its_last_line(machine: Machine) -> None:
    machine.prints("", returncode=1, errors="Traceback ...\nImportError: no such kernel\n")
    assert "(ImportError: no such kernel)" in machine.decide().notices[0]
    machine.cache.unlink()
    machine.prints("", returncode=-9)
    assert "(exit code -9)" in machine.decide().notices[0]


def test_cpu_without_units_measures_nothing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.cpu, "has_bfloat16_units", lambda: False)
    assert machine.decide() == module.Decision(precision="float32")
    monkeypatch.setattr(module.cpu, "has_bfloat16_units", lambda: None)
    assert machine.decide().precision == "mixed_bfloat16"
    assert machine.n_measured == 1


def test_gpu_decides_for_itself(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.environment, "gpus", lambda: ["0"])
    found = machine.decide()
    assert (found.precision, str(found), found.notices) == (None, "as the device allows", ())
    assert machine.n_measured == 0


def test_ray_without_a_share_of_a_gpu_trains_on_the_cpu(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.environment, "gpus", lambda: ["0"])
    assert machine.decide(executor="ray").precision == "mixed_bfloat16"
    assert machine.decide(executor="ray", gpus_per_trial=0.5).precision is None


def test_cluster_has_one_precision_for_all_trials(machine: Machine) -> None:
    found = machine.decide(executor="ray", ray_address="10.0.0.1:6379")
    assert found.precision == "float32"
    assert "--precision mixed_bfloat16" in found.notices[0]


@pytest.mark.parametrize("asked", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_what_you_ask_for_wins(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, asked: PrecisionChoice
) -> None:
    monkeypatch.setenv("TUNER_ACCELERATION", "off")
    found = machine.decide(asked, executor="ray", ray_address="10.0.0.1:6379")
    assert found == module.Decision(precision=asked)
    assert machine.decide() == module.Decision(precision="float32")
    assert machine.n_measured == 0


def test_environment_decides_where_nothing_else_does(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNER_PRECISION", "mixed_float16")
    assert machine.decide().precision == "mixed_float16"
    assert machine.decide("float32").precision == "float32"
    monkeypatch.setenv("TUNER_PRECISION", "")
    assert machine.decide().precision == "mixed_bfloat16"
