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
    ],
    ids=str,
)
def test_numbers_of_numpy_are_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], expected: Any
) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(module, "call_run", lambda dataset, options: asked.update(options))
    tuner.run("digits", out=tmp_path, **given)
    (name,) = given
    assert asked[name] == expected
    assert isinstance(asked[name], type(expected))


@pytest.mark.parametrize("name", ["out", "data_dir"])
def test_a_folder_is_a_path(name: str) -> None:
    options: dict[str, Any] = {name: 3}
    with pytest.raises(ConfigurationError, match=f"{name}: int is not a path"):
        tuner.run("digits", **options)
