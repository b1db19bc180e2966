"""Builders that do harm to the process they run in."""

from __future__ import annotations

import errno
import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np

from tests.training.builders import build_compiled
from tuner.records.image import ImageSpec
from tuner.training import fit

_leaked: list[np.ndarray] = []


def build_on_full_disk(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    """The next checkpoint finds no room."""
    save = fit.save_checkpoint

    def no_room(checkpoint: Any, path: Path) -> None:
        fit.save_checkpoint = save
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    fit.save_checkpoint = no_room
    return build_compiled(values, image_spec)


def build_printing(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    """Prints to stdout, in Python and in another program."""
    print("from Python", flush=True)  # noqa: T201 - what it is for
    subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
    return build_compiled(values, image_spec)


def build_killed(values: Mapping[str, Any], image_spec: ImageSpec) -> None:
    os.kill(os.getpid(), getattr(signal, values["signal"]))


def build_exiting(values: Mapping[str, Any], image_spec: ImageSpec) -> None:
    os._exit(3)


def build_hanging(values: Mapping[str, Any], image_spec: ImageSpec) -> None:
    threading.Event().wait()


def build_large(values: Mapping[str, Any], image_spec: ImageSpec) -> None:
    """Takes memory until somebody ends it; 4 GiB at most, in case nobody does."""
    for _ in range(64):
        _leaked.append(np.ones(2**23))
    threading.Event().wait()


def build_telling_gpus(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    """Writes into a file which GPUs its process may use."""
    Path(values["told"]).write_text(os.environ["CUDA_VISIBLE_DEVICES"], encoding="ascii")
    return build_compiled({}, image_spec)


def build_telling_start(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    """Writes the names of imported modules and the number of frozen objects to a file."""
    told = [*sys.modules, str(gc.get_freeze_count())]
    Path(values["told"]).write_text("\n".join(told), encoding="utf-8")
    return build_compiled({}, image_spec)


def build_leaking(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    """Leaves behind MiB of memory, and the number of its process in a file."""
    _leaked.append(np.ones((values["mib"], 2**17)))
    with open(values["pids"], "a", encoding="ascii") as file:
        file.write(f"{os.getpid()}\n")
    return build_compiled(values, image_spec)


def build_raising(values: Mapping[str, Any], image_spec: ImageSpec) -> None:
    """Raises what cannot be printed, sent or kept."""

    class OddError(Exception):
        def __str__(self) -> Any:
            match values["kind"]:
                case "raises":
                    raise RuntimeError("no words")
                case "no text":
                    return cast(Any, 3)
                case "leaves":
                    raise SystemExit(3)
                case "huge":
                    return "x" * 50_000_000
            return "\ud800 \x1b[2J\n\u2028\0" + values["kind"]

        __repr__ = __str__

        def __reduce__(self) -> Any:
            raise RuntimeError("cannot be sent")

    if values["kind"] == "exit":
        raise SystemExit(3)
    raise OddError(threading.Lock())
