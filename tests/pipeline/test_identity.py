"""What makes two runs the same, and how they differ."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.cli.calling import write_space
from tests.images import tiny_dataset
from tuner.pipeline.identity import differences, identity
from tuner.pipeline.run_options import RunOptions
from tuner.space.parsing.parse import load_space

OPTIONS = RunOptions(dataset="digits")
NOW: dict[str, Any] = {"seed": 1}


def test_differences_are_told_whatever_the_configuration_says() -> None:
    then = {"seed": [1], "space": {"parameters": [{"name": ["x"]}, 3]}, "data": None}
    now = {"seed": 1, "space": {"parameters": [{"name": "x"}]}, "data": {"test": "a"}}
    assert list(differences(then, now)) == [
        "seed is 1, was [1]",
        'space.parameters is [{"name": "x"}], was [{"name": ["x"]}, 3]',
        'data is {"test": "a"}, was not there',
    ]


def test_a_budget_belongs_to_what_a_run_is_where_it_decides_how_much_is_searched(
    tmp_path: Path,
) -> None:
    file, dataset = load_space(write_space(tmp_path)), tiny_dataset()

    def found(**changes: Any) -> dict[str, Any]:
        return identity(replace(OPTIONS, **changes), file, dataset, "float32", ())

    usual, sized = found(), found(time_budget_s=1800.0)
    assert list(differences(usual, sized)) == ["time_budget_s is 1800.0, was not there"]
    assert found(outer=1, time_budget_s=1800.0) == found(outer=1)


def test_trackers_are_no_part_of_what_a_run_is(tmp_path: Path) -> None:
    file, dataset = load_space(write_space(tmp_path)), tiny_dataset()
    plain = identity(OPTIONS, file, dataset, "float32", ())
    tracked = identity(
        replace(OPTIONS, track=("mlflow",)),
        replace(file, track=("optuna",)),
        dataset,
        "float32",
        (),
    )
    assert tracked == plain
