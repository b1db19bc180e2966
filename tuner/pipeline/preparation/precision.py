"""In which precision a run trains: decided once, before it begins, and the same for all trials.

Loads no framework.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

import tuner
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
    "from tuner.backend import framework; framework.load();"
    "from tuner.training import step_speed; step_speed.main()"
)
_PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """In which precision a run trains.

    Attributes:
        precision: Keras' dtype policy; None leaves it to the device that trains.
        notices: Remarks to show before the search, a line each.
    """

    precision: Precision | None
    notices: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.precision or "as the device allows"


def decide(
    asked: PrecisionChoice, execution: ExecutionOptions, data_root: Path, listener: Listener
) -> Decision:
    """Decide by what you ask for; else by devices, and on a CPU by a measurement.

    Args:
        asked: `precision` of the space or the command line; TUNER_PRECISION stands in for `auto`.
        execution: Where trainings run.
        data_root: Folder of the data: its cache keeps the measurement.
        listener: Is told before and after the measurement, which takes some ten seconds.
    """
    if asked == "auto":
        asked = environment.asked_precision()
    if asked != "auto":
        return Decision(precision=asked)
    if not environment.is_accelerated():
        return Decision(precision="float32")
    if execution.ray_address:
        return Decision(
            precision="float32",
            notices=(
                "trains in float32, because the nodes of a Ray cluster may differ; if all of them"
                " have a GPU or CPU with 16-bit units, use --precision mixed_bfloat16",
            ),
        )
    # Ray hides GPUs from trainings that ask for none.
    if environment.gpus() and not (execution.entry.is_remote and not execution.gpus_per_trial):
        return Decision(precision=None)
    if cpu.has_bfloat16_units() is False:
        return Decision(precision="float32")
    return _by_speed(cache_folder(data_root) / "step_speed.json", listener)


def _by_speed(cache: Path, listener: Listener) -> Decision:
    key = _key()
    # Two measurements at a time would disturb each other, and might decide differently.
    with _locked(cache):
        known = _read(cache)
        if key in known:
            return _decision(known[key], cache)
        listener(Notice(text="measuring once whether 16-bit training is faster on this machine"))
        found = _measured()
        _write({**known, key: found}, cache)
    decision = _decision(found, cache)
    if isinstance(found, Mapping) and not decision.notices:
        seconds, of_16_bits = found["float32"], found["mixed_bfloat16"]
        listener(
            Notice(
                text=(
                    f"trains in float32: a step takes {of_16_bits / seconds:.1f} times as long in"
                    " bfloat16"
                )
            )
        )
    return decision


def _decision(found: Mapping[str, float] | str, cache: Path) -> Decision:
    """What follows from a measurement, or from the reason why there is none."""
    if isinstance(found, str):
        notice = (
            f"trains in float32: 16-bit training could not be measured ({found}); delete"
            f" {cache} to try again"
        )
        return Decision(precision="float32", notices=(notice,))
    gain = found["float32"] / found["mixed_bfloat16"]
    if gain < _GAIN:
        return Decision(precision="float32")
    notice = (
        f"trains in mixed_bfloat16: {gain:.1f} times as fast as float32 on this machine;"
        " --precision float32 turns it off"
    )
    return Decision(precision="mixed_bfloat16", notices=(notice,))


def _measured() -> dict[str, float] | str:
    """Seconds by precision, from a process of its own; or why there are none, in a line."""
    # The folder of the command may hold a keras.py of yours: -P leaves it out.
    paths = [str(Path(tuner.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    try:
        found = subprocess.run(
            [sys.executable, "-P", "-c", MEASUREMENT],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{type(error).__name__}"
    if found.returncode:
        return next(iter(found.stderr.strip().splitlines()[-1:]), f"exit code {found.returncode}")
    try:
        return _checked(json.loads(found.stdout.splitlines()[-1]))
    except (LookupError, TypeError, ValueError):
        return "it printed no seconds"


def _checked(seconds: Any) -> dict[str, float]:
    """Seconds by precision.

    Raises:
        LookupError: If one is missing.
        TypeError: If one is no number.
        ValueError: If one cannot be.
    """
    checked = {name: float(seconds[name]) for name in ("float32", "mixed_bfloat16")}
    if not all(0 < value < _PATIENCE_S for value in checked.values()):
        raise ValueError("no seconds")
    return checked


@contextmanager
def _locked(cache: Path) -> Iterator[None]:
    """Be the only process that measures; where nothing can be locked, one of several."""
    lock = filelock.FileLock(cache.with_name(f".{cache.name}.lock"))
    with suppress(OSError, NotImplementedError):
        cache.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _read(cache: Path) -> dict[str, dict[str, float] | str]:
    """What was measured before; nothing where the file is missing, and no damaged entries."""
    known: dict[str, dict[str, float] | str] = {}
    try:
        content = json.loads(cache.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return known
    for key, found in content.items() if isinstance(content, dict) else ():
        with suppress(LookupError, TypeError, ValueError):
            known[key] = found if isinstance(found, str) else _checked(found)
    return known


def _write(known: Mapping[str, Any], cache: Path) -> None:
    # It is measured again, then.
    with suppress(OSError), write_atomically(cache) as file:
        file.write(json.dumps(known, indent=1).encode())


def _key() -> str:
    """Of all that decides how fast a step is: a folder of data may serve several machines."""
    parts = (
        cpu.processor(),
        sorted(cpu.flags()),
        cpu.max_isa(),
        environment.settings(),
        versions(),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
