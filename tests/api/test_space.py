"""Spaces made in Python are checked as those of YAML, and are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tuner
from tuner.api.given_space import space_file
from tuner.errors import ConfigurationError

RANGES = {"filters": [16, 32], "learning_rate": {"type": "float", "min": 1e-4, "max": 1e-2}}


def test_ranges_alone_are_a_space() -> None:
    space = tuner.Space(RANGES)
    assert [one.name for one in space.file.space.parameters] == ["filters", "learning_rate"]
    assert space == tuner.Space({"version": 1, "space": RANGES})
    assert space == tuner.Space(space=RANGES) != tuner.Space(space={})


@pytest.mark.parametrize(
    "data",
    [
        {"retrain": {"seeds": 2}},
        {"constraints": {"parameters": "<= 1000"}},
        {"precision": "float32"},
    ],
    ids=str,
)
def test_each_key_of_the_yaml_is_no_hyperparameter(data: dict[str, Any]) -> None:
    assert tuner.Space(data, space={}).data == {"version": 1, **data, "space": {}}


def test_a_hyperparameter_may_have_the_name_of_a_key() -> None:
    ranges = {"normalization": ["rescale", "standardize"]}
    assert tuner.Space(ranges).data["space"] == ranges


def test_a_space_goes_to_yaml_and_back(tmp_path: Path) -> None:
    space = tuner.Space(
        model="cnn",
        space={"filters": (16, np.int64(32)), "dropout": np.float32(0.5), "optimizer": "adam"},
        search={"method": "hyperband", "max_epochs": 9},
    )
    text = space.to_yaml(tmp_path / "a space.yaml")
    again = tuner.Space.from_yaml(tmp_path / "a space.yaml")
    assert again == space
    assert (again.to_yaml(), hash(again)) == (text, hash(space))
    assert again.file.search.max_epochs == 9


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"space": {"filters": {"type": "flaot"}}}, "Space:4: space.filters.type"),
        ({"model": "cnm", "space": {}}, 'model is "cnm"'),
        ({"space": {}, "serach": {}}, "serach"),
        ({"filters": object()}, "object is not a value that a space can hold"),
    ],
)
def test_mistakes_are_those_of_the_yaml(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        tuner.Space(data)
    assert message in str(raised.value)


def test_a_file_is_written_once_and_named_by_its_content(tmp_path: Path) -> None:
    first, again = space_file(RANGES, tmp_path), space_file(tuner.Space(RANGES), tmp_path)
    assert first is not None
    assert first == again
    assert tuner.Space.from_yaml(first) == tuner.Space(RANGES)
    assert space_file(str(first), tmp_path) == first
    assert space_file(None, tmp_path) is None
    with pytest.raises(ConfigurationError, match="space: list is not a search space"):
        space_file([1], tmp_path)
