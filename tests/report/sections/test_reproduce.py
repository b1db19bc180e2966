"""What repeats a run."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from tests.report.fixtures import (
    results,
)
from tuner.report.sections import reproduce
from tuner.space.schema import Method


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("hyperband", "Hyperband, 27 epochs at most, factor 3, 1 iteration"),
        ("asha", "ASHA, 27 epochs at most, factor 3"),
        ("random", "random search, 27 epochs at most"),
        ("bayesian", "Bayesian optimisation, 27 epochs at most"),
        ("grid", "grid search, 27 epochs at most"),
    ],
)
def test_every_method_has_its_own_name_and_only_its_own_numbers(method: str, words: str) -> None:
    assert reproduce.search_words(replace(results().search, method=method)) == words


def test_every_method_of_a_space_has_a_name() -> None:
    assert set(reproduce.METHODS) == set(get_args(Method))


def test_reproduction_hides_the_folders_of_the_machine() -> None:
    run = results()
    found = reproduce.compute(
        replace(
            run, run=replace(run.run, command="python -m tuner run faces --data-dir /home/ann/x")
        )
    )
    assert found.command == "python -m tuner run faces --data-dir …/x"
    assert found.folders_hidden
