"""Settings that a framework reads once, when it is imported; call `prepare` before.

Imports no framework itself.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast, get_args

from tuner.backend.deferred_imports import defer_imports
from tuner.errors import ConfigurationError
from tuner.extras import install_line
from tuner.space.definition import PrecisionChoice

# TensorFlow switches oneDNN on by itself only where the CPU has AVX-512 VNNI; on AVX2 machines it
# gains 1.4 times.
_DEFAULTS = {
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TUNER_ACCELERATION": "auto",
}

# JAX compiles every step and every initializer of new shapes, in each process anew: for a network
# of three blocks 22 of 25 s on a CPU. With a limit to its size, JAX locks the folder while it reads
# and writes (jax/_src/lru_cache.py).
_JAX_DEFAULTS = {
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_COMPILATION_CACHE_MAX_SIZE": str(2**30),
}

_ACCELERATION = ("auto", "off")

_PRECISION = "TUNER_PRECISION"

# Images are (height, width, channels) here. Keras takes these from its keras.json, which another
# project may have written; `tuner.backend.active` sets them for the process, whatever stands there.
KERAS_SETTINGS = {"image_data_format": "channels_last", "floatx": "float32", "epsilon": 1e-7}

# What Keras checks in its keras.json when it is imported, with a traceback for an answer
# (keras/src/backend/config.py).
_KERAS_JSON: Mapping[str, tuple[str, ...]] = {
    "floatx": ("float16", "float32", "float64"),
    "image_data_format": ("channels_last", "channels_first"),
}

# A folder for each GPU that NVIDIA's driver has found.
_GPUS = Path("/proc/driver/nvidia/gpus")


def prepare() -> None:
    """Set what you have not set.

    That is: oneDNN kernels on, start-up messages off, the backend, JAX's cache of programs. And
    what frameworks import for little used parts of theirs is loaded at its first use only.

    The backend is that of Keras where Keras is imported already, else TensorFlow, or JAX where
    there is no TensorFlow.

    Raises:
        ConfigurationError: If the backend is not installed, acceleration is neither `auto` nor
            `off`, or Keras would refuse its own keras.json.
    """
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    _check_keras_json()
    defer_imports()
    if not os.environ.get("KERAS_BACKEND"):
        os.environ["KERAS_BACKEND"] = _backend_in_use() or (
            "tensorflow" if _is_installed("tensorflow") else "jax"
        )
    backend = os.environ["KERAS_BACKEND"]
    if not _is_installed(backend):
        raise ConfigurationError(
            f"Keras' backend is {backend}, which is not installed",
            f"python -m pip install tensorflow, or {install_line('jax')} and set"
            " KERAS_BACKEND=jax.",
        )
    if backend == "jax" and (folder := _compilation_cache()):
        for name, value in {"JAX_COMPILATION_CACHE_DIR": str(folder), **_JAX_DEFAULTS}.items():
            os.environ.setdefault(name, value)
    acceleration = os.environ["TUNER_ACCELERATION"]
    if acceleration not in _ACCELERATION:
        raise ConfigurationError(
            f'TUNER_ACCELERATION is "{acceleration}"; expected {" or ".join(_ACCELERATION)}',
            "unset it, or set it to off, which keeps float32 and TensorFlow's own kernels on a"
            " GPU too.",
        )
    if asked_precision() not in get_args(PrecisionChoice):
        raise ConfigurationError(
            f'{_PRECISION} is "{asked_precision()}"; expected'
            f" {', '.join(get_args(PrecisionChoice))}",
            "unset it, or set it to one of these.",
        )


def _backend_in_use() -> str | None:
    """That of a Keras that was imported before, such as by a script whose keras.json names it."""
    keras = sys.modules.get("keras")
    return None if keras is None else str(keras.backend.backend())


def _check_keras_json() -> None:
    path = Path(os.environ.get("KERAS_HOME") or "~/.keras", "keras.json")
    try:
        path = path.expanduser()
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, RuntimeError, ValueError):
        # Keras takes its defaults then.
        return
    hint = "correct or delete the file; Keras writes a new one."
    if not isinstance(found, dict):
        raise ConfigurationError(f"{path}: Keras cannot read its settings there", hint)
    for name, choices in _KERAS_JSON.items():
        if name in found and found[name] not in choices:
            raise ConfigurationError(
                f"{path}: {name} is {json.dumps(found[name])}; Keras expects"
                f" {' or '.join(choices)}",
                hint,
            )
    if not isinstance(found.get("epsilon", 0.0), float):
        raise ConfigurationError(
            f"{path}: epsilon is {json.dumps(found['epsilon'])}; Keras expects a float", hint
        )


def settings() -> dict[str, str]:
    """The settings in force that change numbers.

    They belong into a run's configuration, and to workers elsewhere.
    """
    return {
        name: os.environ.get(name, "")
        for name in ("KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS", "TUNER_ACCELERATION")
    }


def asked_precision() -> PrecisionChoice:
    """In which precision to train where neither space nor command line says it."""
    asked: Any = os.environ.get(_PRECISION) or "auto"
    return cast(PrecisionChoice, asked)


def is_accelerated() -> bool:
    """Whether a device's own ways to compute may be used."""
    return os.environ.get("TUNER_ACCELERATION") != "off"


def gpus() -> list[str]:
    """The GPUs that this process may use, by what CUDA_VISIBLE_DEVICES calls them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name for name in named.split(",") if name.strip() not in ("", "-1")]
    return [str(number) for number, _ in enumerate(_GPUS.iterdir())] if _GPUS.is_dir() else []


def gpu_models() -> str:
    """The models of the machine's GPUs, such as `Tesla T4`, each once.

    `none` where none may be used.
    """
    if not gpus():
        return "none"
    lines = [
        line
        for file in _GPUS.glob("*/information")
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    models = {line.partition(":")[2].strip() for line in lines if line.startswith("Model:")}
    return ", ".join(sorted(models)) or "unknown"


def _compilation_cache() -> Path | None:
    """The folder for what JAX has compiled: yours, or ours, made where it was not.

    None where none can be kept.
    """
    if (named := os.environ.get("JAX_COMPILATION_CACHE_DIR")) is not None:
        return Path(named)
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "tuner" / "jax"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


def _is_installed(package: str) -> bool:
    return find_spec(package) is not None
