"""What makes two runs the same, and how they differ."""

from __future__ import annotations

from typing import Any

from tuner.pipeline.identity import differences
from tuner.pipeline.run_options import RunOptions

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
