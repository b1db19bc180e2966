"""What `tuner.run` takes as options, before anything is read or trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tuner
from tuner.api import run as module
from tuner.errors import ConfigurationError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"max_epochs": np.int64(3)}, 3),
        ({"max_epochs": np.array(3)}, 3),
        ({"set": {"search.max_epochs": np.int64(3)}}, {"search.max_epochs": 3}),
        ({"set": {"space.filters": [np.int64(4), np.int64(8)]}}, {"space.filters": [4, 8]}),
        ({"image_size": (np.int64(8), np.int64(9))}, (8, 9)),
        ({"time_budget": np.float32(90)}, 90.0),
        ({"image_size": np.array([8, 9])}, [8, 9]),
    ],
    ids=str,
)
def test_numbers_of_numpy_are_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], expected: Any
) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(module, "call_of", asked.update)
    monkeypatch.setattr(module, "call_run", lambda *_: None)
    tuner.run("digits", out=tmp_path, **given)
    (name,) = given
    assert asked[name] == expected
    assert isinstance(asked[name], type(expected))


def test_options_that_do_not_go_together_are_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pair = np.zeros((4, 8, 8), dtype="uint8"), np.arange(4) % 2
    with pytest.raises(ConfigurationError, match="--gpus-per-trial goes with --executor ray"):
        tuner.run(pair, gpus_per_trial=0.5)
    assert not list(tmp_path.iterdir())


def test_a_name_beside_a_path_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=r"name is given, but .* has its own"):
        tuner.run(str(tmp_path), name="mine")


@pytest.mark.parametrize("name", ["out", "data_dir"])
def test_a_folder_is_a_path(name: str) -> None:
    options: dict[str, Any] = {name: 3}
    with pytest.raises(ConfigurationError, match=f"{name}: int is not a path"):
        tuner.run("digits", **options)
