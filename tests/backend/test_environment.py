"""Settings that are read when a framework is imported."""

from __future__ import annotations

import pytest

from tuner.backend import environment

NAMES = ("TF_ENABLE_ONEDNN_OPTS", "TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND")


def test_prepare_switches_onednn_on_and_names_the_default_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        # Set first, so that whatever `prepare` writes is undone after the test.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    assert environment.settings() == {"KERAS_BACKEND": "", "TF_ENABLE_ONEDNN_OPTS": ""}
    environment.prepare()
    assert environment.settings() == {"KERAS_BACKEND": "tensorflow", "TF_ENABLE_ONEDNN_OPTS": "1"}


def test_prepare_leaves_what_a_person_has_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    environment.prepare()
    assert environment.settings() == {"KERAS_BACKEND": "jax", "TF_ENABLE_ONEDNN_OPTS": "0"}
