"""In which precision a run trains: decided once, before it begins, and the same for all trials.

Loads no framework.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.backend import cpu, environment
from tuner.data.cache.cache_folder import cache_folder
from tuner.execution.execution_options import ExecutionOptions
from tuner.pipeline.versions import versions
from tuner.records.events import Listener, Notice
from tuner.space.definition import Precision, PrecisionChoice
from tuner.store.files.whole_files import write_atomically

# How much faster a step must get, so that chance decides nothing.
_GAIN = 1.1

# A process of its own: no framework is loaded yet, and one thread computes, as in a worker.
MEASUREMENT = (
    "from tuner.backend import environment; environment.prepare();"
    "from tuner.training import step_speed; step_speed.main()"
)
_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """In which precision a run trains.

    Attributes:
        precision: Keras' dtype policy; None leaves it to the GPU that trains.
        notices: What is odd about it, in a line each.
    """

    precision: Precision | None
    notices: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.precision or "as the GPU allows"


def decide(
    asked: PrecisionChoice, execution: ExecutionOptions, data_root: Path, listener: Listener
) -> Decision:
    """Decide by what you ask for; else by devices, and on a CPU by a measurement.

    Args:
        asked: `precision` of the space or the command line.
        execution: Where trainings run.
        data_root: Folder of the data: its cache keeps the measurement.
        listener: Gets a notice before the measurement, which takes some ten seconds.
    """
    if asked != "auto":
        return Decision(precision=asked, notices=(f"trains in {asked}, as asked for",))
    if not environment.is_accelerated():
        return Decision(precision="float32")
    if execution.ray_address:
        # Trials of one search must share it, and nobody knows what nodes that join later can do.
        return Decision(
            precision="float32",
            notices=(
                "trains in float32, since nodes of a Ray cluster may differ; --precision"
                " mixed_bfloat16 where all have a GPU or CPU with 16-bit units",
            ),
        )
    if environment.gpus():
        return Decision(precision=None)
    if cpu.has_bfloat16_units() is False:
        return Decision(precision="float32")
    return _by_speed(cache_folder(data_root) / "step_speed.json", listener)


def _by_speed(cache: Path, listener: Listener) -> Decision:
    known = _read(cache)
    key = _key()
    if key not in known:
        listener(
            Notice(text="measuring, once on this machine, whether 16-bit training is faster ...")
        )
        try:
            known = {**known, key: _measured()}
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            return Decision(
                precision="float32",
                notices=(f"trains in float32: 16-bit training could not be measured ({error})",),
            )
        _write(known, cache)
    return _decision(known[key])


def _decision(seconds: Mapping[str, float]) -> Decision:
    gain = seconds["float32"] / seconds["mixed_bfloat16"]
    if gain < _GAIN:
        return Decision(precision="float32")
    return Decision(
        precision="mixed_bfloat16",
        notices=(
            f"trains in mixed_bfloat16, {gain:.1f} times as fast as float32 on this CPU;"
            " --precision float32 for the other",
        ),
    )


def _measured() -> dict[str, float]:
    """Seconds by precision, from a process of its own.

    Raises:
        OSError: If it cannot be started.
        SubprocessError: If it fails, or takes too long.
        ValueError: If it does not say what is expected.
    """
    found = subprocess.run(
        [sys.executable, "-c", MEASUREMENT],
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=True,
    )
    return _checked(json.loads(found.stdout))


def _checked(seconds: Any) -> dict[str, float]:
    try:
        checked = {name: float(seconds[name]) for name in ("float32", "mixed_bfloat16")}
    except (LookupError, TypeError) as error:
        raise ValueError("it gave no seconds") from error
    if not all(0 < value < _PATIENCE_S for value in checked.values()):
        raise ValueError("it gave no seconds")
    return checked


def _read(cache: Path) -> dict[str, dict[str, float]]:
    """What was measured before; nothing where the file is missing or damaged."""
    try:
        content = json.loads(cache.read_text(encoding="utf-8"))
        return {str(key): _checked(seconds) for key, seconds in content.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _write(known: Mapping[str, Any], cache: Path) -> None:
    # It is measured again, then.
    with suppress(OSError), write_atomically(cache) as file:
        file.write(json.dumps(known, indent=1).encode())


def _key() -> str:
    """Of all that decides how fast a step is: a folder of data may serve several machines."""
    parts = (cpu.processor(), cpu.max_isa(), environment.settings(), versions())
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
