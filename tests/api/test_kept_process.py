"""A call leaves its process as it was, and is the only one in it."""

from __future__ import annotations

import gc
import os
import random
import subprocess
import sys
import threading
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
from tuner.api import calling, kept_process
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
        env=os.environ | {"PYTHONPATH": str(Path(tuner.__file__).parents[1])},
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


class _ToldLock:
    """A lock that tells when it is asked for."""

    def __init__(self, asked: threading.Event) -> None:
        self._asked, self._lock = asked, threading.RLock()

    def __enter__(self) -> None:
        self._asked.set()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_a_second_thread_waits_until_the_first_has_restored_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits_or_is_in, is_left = threading.Event(), threading.Event()
    # `raising`: without a lock, the thread is in at once, and the assertions below fail.
    monkeypatch.setattr(kept_process, "_PROCESS", _ToldLock(waits_or_is_in), raising=False)
    found: list[str | None] = []

    def second() -> None:
        with process_kept():
            found.append(os.environ.get("TUNER_TEST_ADDED"))
            waits_or_is_in.set()
            is_left.wait()

    thread = threading.Thread(target=second)
    with process_kept():
        waits_or_is_in.clear()
        os.environ["TUNER_TEST_ADDED"] = "first"
        thread.start()
        waits_or_is_in.wait()
    is_left.set()
    thread.join()
    is_leaked = os.environ.pop("TUNER_TEST_ADDED", None) is not None
    assert found == [None]
    assert not is_leaked


def test_a_thread_may_call_within_its_own_call() -> None:
    with process_kept(), process_kept():
        pass


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


@pytest.mark.parametrize("is_used", [False, True])
def test_random_numbers_of_pytorch_are_forked_on_gpus_that_it_uses(
    monkeypatch: pytest.MonkeyPatch, is_used: bool
) -> None:
    entered: list[str] = []
    asked: list[list[int]] = []

    def fork_rng(*, devices: list[int]) -> Any:
        asked.append(devices)
        return closing(_Closed(entered))

    cuda = SimpleNamespace(is_initialized=lambda: is_used, device_count=lambda: 2)
    torch: Any = SimpleNamespace(random=SimpleNamespace(fork_rng=fork_rng), cuda=cuda)
    monkeypatch.setitem(sys.modules, "torch", torch)
    with process_kept():
        assert entered == []
    assert entered == ["closed"]
    assert asked == [[0, 1] if is_used else []]


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
