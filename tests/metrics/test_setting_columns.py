"""What counts as one hyperparameter, and its values as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.metrics.setting_columns import group_members, groups_of, has_values
from tuner.space.definition import Condition, Parameter, Space
from tuner.space.sampling import sample


def number(name: str, **more: Any) -> Parameter:
    return Parameter(name=name, kind="float", low=0.0, high=1.0, **more)


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (["a", "b"], {"a": 1, "b": 1}),
        (["filters_0", "filters_1", "filters_10"], {"filters (per block)": 3}),
        (["filters_0", "rate"], {"filters_0": 1, "rate": 1}),
        (["filters", "filters_0", "filters_1"], {"filters": 1, "filters (per block)": 2}),
        (["rate", "rate"], {"rate": 2}),
        (["rate_0", "rate_0"], {"rate_0": 2}),
        (["x_01", "x_02"], {"x_01": 1, "x_02": 1}),
        (["_0", "_1", ""], {"_0": 1, "_1": 1, "": 1}),
        (["a\nb_0", "a\nb_1"], {"a\nb (per block)": 2}),
    ],
)
def test_names_with_a_number_and_equal_names_count_as_one(
    names: list[str], groups: dict[str, int]
) -> None:
    found = groups_of([number(name) for name in names])
    assert {name: len(members) for name, members in found.items()} == groups


@given(st.lists(st.text(max_size=4)), st.integers(0, 3))
def test_every_parameter_is_in_one_group(names: list[str], n_blocks: int) -> None:
    parameters = [number(name) for name in [*names, *(f"filters_{i}" for i in range(n_blocks))]]
    grouped = [one for group in groups_of(parameters).values() for one in group]
    assert sorted(p.name for p in grouped) == sorted(p.name for p in parameters)


SPACE = Space(
    parameters=(
        Parameter(name="kind", kind="choice", choices=("a", "b", "c")),
        Parameter(name="units", kind="ordinal", choices=(64, 0, 256)),
        Parameter(name="on", kind="boolean", choices=(False, True)),
        Parameter(name="blocks", kind="int", low=1, high=3),
        Parameter(name="step", kind="float", low=0.1, high=0.7, step=0.1),
        Parameter(
            name="rate",
            kind="float",
            low=1e-4,
            high=1e-2,
            log=True,
            conditions=(Condition(parent="on", values=(True,)),),
        ),
        Parameter(
            name="count",
            kind="int",
            low=1,
            high=64,
            log=True,
            conditions=(Condition(parent="blocks", values=(2, 3)),),
        ),
    ),
    fixed={"batch_size": 32},
)


@given(st.integers(0, 2**32 - 1))
def test_every_drawn_setting_has_values_between_the_ends(seed: int) -> None:
    values = sample(SPACE, np.random.default_rng(seed))
    assert has_values(SPACE.parameters, values)
    for parameter in SPACE.parameters:
        members = group_members([parameter], [values])
        assert bool(members) == (parameter.name in values)
        for member in members:
            assert np.abs(member.columns).max() <= 1
            if parameter.kind != "choice":
                assert np.abs(member.columns[:, 0]).max() <= 0.5 + 1e-9


def test_values_stand_evenly_on_their_own_scale() -> None:
    settings = [
        {"kind": kind, "units": units, "on": True, "rate": rate}
        for kind, units, rate in [("a", 0, 1e-4), ("b", 64, 1e-3), ("c", 256, 1e-2)]
    ]
    kind, units, on, rate = SPACE.parameters[0], *SPACE.parameters[1:3], SPACE.parameters[5]

    def columns(parameter: Parameter) -> list[list[float]]:
        (member,) = group_members([parameter], settings)
        return member.columns.round(6).tolist()

    assert columns(kind) == [[0, 0], [1, 0], [0, 1]]
    assert columns(units) == columns(rate) == [[-0.5, 0.25], [0, 0], [0.5, 0.25]]
    assert columns(on) == [[0.5, 0.25]] * 3


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "d"},
        {"kind": None},
        {"units": 63},
        {"blocks": 4},
        {"step": float("nan")},
        {"rate": None},
        {"on": False},
        {"step": "0.1"},
        {"step": [1]},
    ],
)
def test_a_value_from_outside_or_too_many_is_not_in_the_space(change: dict[str, Any]) -> None:
    inside = {"kind": "a", "units": 0, "on": True, "blocks": 1, "step": 0.3, "rate": 1e-3}
    assert has_values(SPACE.parameters, inside)
    assert not has_values(SPACE.parameters, inside | change)
    for name in inside:
        left = {other: value for other, value in inside.items() if other != name}
        assert not has_values(SPACE.parameters, left)
