"""A call leaves its process as it was, and is the only one in it."""

from __future__ import annotations

import gc
import os
import random
import subprocess
import sys
import weakref
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

import tuner
from tuner.api import calling
from tuner.api.finished_run import FinishedRun
from tuner.api.kept_process import process_kept
from tuner.backend import keras_settings
from tuner.errors import ConfigurationError
from tuner.store.run_folder import RunFolder


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    before, axes = keras_settings.current(), keras.config.image_data_format()
    yield
    keras_settings.put(before)
    keras.config.set_image_data_format(axes)


def test_settings_of_keras_hold_again_afterwards() -> None:
    keras.config.set_floatx("float64")
    keras.config.set_image_data_format("channels_first")
    keras.config.set_dtype_policy("mixed_bfloat16")
    with process_kept():
        assert keras.config.floatx() == "float32"
        assert keras.config.image_data_format() == "channels_last"
        keras.config.set_dtype_policy("float16")
    assert keras.config.floatx() == "float64"
    assert keras.config.image_data_format() == "channels_first"
    assert keras.config.dtype_policy().name == "mixed_bfloat16"


def test_a_builder_that_is_taken_in_changes_no_settings(tmp_path: Path) -> None:
    """In a new process, since the engine sets Keras when it is imported first."""
    (tmp_path / "script.py").write_text(
        "import sys, keras, tuner\n"
        "keras.config.set_image_data_format('channels_first')\n"
        "before = list(sys.path)\n"
        "try:\n"
        "    tuner.run('no such data', model=lambda hp: None)\n"
        "except tuner.errors.ConfigurationError as error:\n"
        "    print(keras.config.image_data_format(), sys.path == before)\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(Path(tuner.__file__).parents[1])},
    )  # fmt: skip
    assert done.stdout == "channels_first True\n"


def test_what_keras_keeps_for_a_process_is_there_again_and_does_not_reach_a_call() -> None:
    keras.config.disable_traceback_filtering()
    keras.config.disable_interactive_logging()
    try:
        with process_kept():
            assert keras.config.is_traceback_filtering_enabled()
            assert keras.config.dtype_policy().name == "float32"
            keras.backend.clear_session()
        assert not keras.config.is_traceback_filtering_enabled()
        assert not keras.config.is_interactive_logging_enabled()
    finally:
        keras.config.enable_traceback_filtering()
        keras.config.enable_interactive_logging()


def test_environment_variables_are_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNER_TEST_CHANGED", "before")
    monkeypatch.setenv("TUNER_TEST_DELETED", "before")
    with process_kept():
        os.environ["TUNER_TEST_CHANGED"] = os.environ["TUNER_TEST_ADDED"] = "within"
        del os.environ["TUNER_TEST_DELETED"]
    assert os.environ["TUNER_TEST_CHANGED"] == os.environ["TUNER_TEST_DELETED"] == "before"
    assert "TUNER_TEST_ADDED" not in os.environ


def test_what_was_there_before_the_first_call_can_still_be_collected() -> None:
    class Node:
        pass

    gc.unfreeze()
    node = Node()
    node.itself = node  # type: ignore[attr-defined]
    known = weakref.ref(node)
    with process_kept():
        gc.freeze()
    del node
    gc.collect()
    gc.freeze()
    assert known() is None


def test_a_program_without_a_console_can_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with calling._streams_kept():
        pass


def test_random_numbers_of_pytorch_are_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    entered: list[str] = []
    torch: Any = SimpleNamespace(random=SimpleNamespace(fork_rng=lambda: closing(_Closed(entered))))
    monkeypatch.setitem(sys.modules, "torch", torch)
    with process_kept():
        assert entered == []
    assert entered == ["closed"]


class _Closed:
    def __init__(self, told: list[str]) -> None:
        self._told = told

    def close(self) -> None:
        self._told.append("closed")


def test_random_numbers_go_on() -> None:
    def draw() -> list[float]:
        numbers = [random.random(), np.random.rand(), *_of_tensorflow()]
        return [*numbers, float(keras.random.uniform(()))]

    keras.utils.set_random_seed(3)
    expected = [draw(), draw()]
    keras.utils.set_random_seed(3)
    found = [draw()]
    with process_kept():
        keras.utils.set_random_seed(7)
        draw()
    assert [*found, draw()] == expected


def _of_tensorflow() -> list[float]:
    if keras.backend.backend() != "tensorflow":
        return []
    import tensorflow as tf

    return [float(tf.random.uniform(()))]


def test_pythons_path_is_as_before() -> None:
    before = list(sys.path)
    with process_kept():
        sys.path.insert(0, "elsewhere")
    assert sys.path == before


def test_a_second_call_at_once_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with (
        calling.one_call_at_a_time(),
        pytest.raises(ConfigurationError, match="another run in this process has not ended yet"),
    ):
        tuner.run("digits", quiet=True)
    with calling.one_call_at_a_time():
        pass


def test_a_missed_improvement_has_the_finished_run(
    run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "missed_improvement", lambda _: "the winner is not better")
    outcome: Any = SimpleNamespace(stopped=False, folder=RunFolder(run.folder))
    options: Any = None
    with pytest.raises(calling.MissedImprovementError) as raised:
        calling._ended(outcome, options, is_told=False, is_gated=True)
    assert raised.value.run.folder == run.folder
