"""A call leaves its process as it was, and is the only one in it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
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


def test_random_numbers_go_on() -> None:
    def draw() -> list[float]:
        numbers = [random.random(), np.random.rand()]
        return [*numbers, float(keras.random.uniform(()))]

    keras.utils.set_random_seed(3)
    expected = [draw(), draw()]
    keras.utils.set_random_seed(3)
    found = [draw()]
    with process_kept():
        keras.utils.set_random_seed(7)
        draw()
    assert [*found, draw()] == expected


def test_pythons_path_is_as_before() -> None:
    before = list(sys.path)
    with process_kept():
        sys.path.insert(0, "elsewhere")
    assert sys.path == before


def test_a_second_call_at_once_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with (
        calling.alone(),
        pytest.raises(ConfigurationError, match="another run in this process has not ended yet"),
    ):
        tuner.run("digits", quiet=True)
    with calling.alone():
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
