"""Ranges and lists are narrowed to where the best settings lie, within what was searched."""

from __future__ import annotations

import pytest

from tuner.refinement.narrowing import narrowed
from tuner.space.definition import Parameter


def number(low: float, high: float, **more: object) -> Parameter:
    return Parameter(name="x", **{"kind": "float", "low": low, "high": high, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parameter", "best", "ends"),
    [
        (number(0.0, 1.0), [0.3, 0.4], (0.2, 0.5)),
        # Physical bounds are those of what was searched.
        (number(0.0, 1.0), [0.0, 0.05], (0.0, 0.15)),
        (number(0.0, 1.0), [0.1, 0.9], None),
        (number(1e-4, 1e-2, log=True), [1e-3], (0.00063, 0.00159)),
        (number(0.0, 0.5, step=0.05), [0.2, 0.25], (0.15, 0.3)),
        (number(1, 8, kind="int"), [3], (2, 4)),
        (number(1, 2, kind="int"), [1, 2], None),
    ],
)
def test_a_range_is_narrowed_around_the_best_values(
    parameter: Parameter, best: list[float], ends: tuple[float, float] | None
) -> None:
    found = narrowed(parameter, best, best)
    assert (found and (found.low, found.high)) == ends
    if found and ends:
        assert all(found.low <= value <= found.high for value in best)  # type: ignore[operator]


def test_a_list_of_numbers_keeps_a_neighbour_on_either_side() -> None:
    one = Parameter(name="x", kind="ordinal", choices=(128, 8, 16, 32, 64))
    assert narrowed(one, [16], []) == Parameter(name="x", kind="ordinal", choices=(8, 16, 32))
    assert narrowed(one, [128], []) == Parameter(name="x", kind="ordinal", choices=(128, 64))
    assert narrowed(one, [16, 64], []) is None


def test_words_that_were_tried_often_and_are_never_among_the_best_go() -> None:
    one = Parameter(name="x", kind="choice", choices=("adam", "sgd", "rmsprop"))
    tried = ["adam"] * 9 + ["sgd"] * 9 + ["rmsprop"] * 2
    found = narrowed(one, ["adam"], tried)
    assert found is not None
    # Two tries are bad luck.
    assert found.choices == ("adam", "rmsprop")
    assert narrowed(one, ["adam", "sgd"], tried) is None
    assert narrowed(one, [], tried) is None
