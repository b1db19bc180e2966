"""Extremes of a space."""

from __future__ import annotations

from tests.images import image_spec
from tuner.planning.corners import build_corner, corners
from tuner.space.definition import Condition, Parameter, Space

SPACE = Space(
    parameters=(
        Parameter(name="conv_blocks", kind="int", low=1, high=6),
        Parameter(name="filters", kind="choice", choices=(8, 4, 6)),
        Parameter(name="learning_rate", kind="float", low=1e-4, high=1e-2, log=True),
        Parameter(name="optimizer", kind="choice", choices=("adam", "sgd")),
        Parameter(
            name="momentum",
            kind="float",
            low=0.8,
            high=0.9,
            conditions=(Condition(parent="optimizer", values=("sgd",)),),
        ),
    ),
    fixed={"batch_size": 20, "dense_units": 8},
)


def test_corners_hold_only_ends_of_ranges_and_are_distinct() -> None:
    found = corners(SPACE)
    assert {values["conv_blocks"] for values in found} == {1, 6}
    assert {values["filters"] for values in found} == {4, 8}
    assert {values["learning_rate"] for values in found} == {1e-4, 1e-2}
    assert {values.get("momentum") for values in found} == {None, 0.8, 0.9}
    assert len({repr(sorted(values.items())) for values in found}) == len(found) > 4


def test_checkpoint_holds_the_weights_and_both_moments_of_adam() -> None:
    found = build_corner("cnn", {"conv_blocks": 1}, image_spec())
    assert found.problem is None
    assert 2.9 < found.checkpoint_bytes / (4 * found.n_parameters) < 3.1


def test_impossible_corner_gives_its_reason() -> None:
    found = build_corner("cnn", {"conv_blocks": 6}, image_spec())
    assert (
        found.problem == "conv_blocks is 6, but 6 poolings by 2 would shrink 8x8 images below 1x1"
    )
    assert found.n_parameters == found.checkpoint_bytes == 0


def test_builder_that_raises_is_an_impossible_corner() -> None:
    found = build_corner("tests.execution.builders:missing", {}, image_spec())
    assert (
        found.problem
        == 'model "tests.execution.builders:missing": tests.execution.builders has no function'
        " missing"
    )
