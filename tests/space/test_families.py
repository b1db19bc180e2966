"""Several families in one space: what a setting looks like, and what is built from it."""

from __future__ import annotations

import numpy as np
import pytest

from tuner.search.methods.guided import near
from tuner.space.definition import FAMILY, Condition, Family, Parameter, Prior, Space, spanning
from tuner.space.families import as_built, holding, together
from tuner.space.sampling import has_setting, n_settings, sample


def choice(name: str, *values: object, when: tuple[str, object] | None = None) -> Parameter:
    conditions = (Condition(parent=when[0], values=(when[1],)),) if when else ()
    return Parameter(name=name, kind="choice", choices=values, conditions=conditions)


CNN = Family(
    name="cnn",
    model="cnn",
    space=Space(
        parameters=(
            choice("optimizer", "adamw", "sgd"),
            choice("momentum", 0.8, 0.9, when=("optimizer", "sgd")),
            choice("batch_size", 16, 32),
        ),
        fixed={"filters": 8},
    ),
)
HEAD = Family(
    name="efficientnet_lite0",
    model="efficientnet_lite0",
    space=Space(
        parameters=(choice("batch_size", 32, 64),), fixed={"optimizer": "adam", "input_size": 32}
    ),
)
BASELINE = Family(
    name="baseline", model="sigmoid_cnn", space=Space(parameters=(), fixed={"filters": [4, 4]})
)
FAMILIES = (BASELINE, CNN, HEAD)
SPACE = together(FAMILIES)


def test_the_family_is_the_first_hyperparameter() -> None:
    assert SPACE.searched == (FAMILY, "optimizer", "momentum", "batch_size")
    assert SPACE.parameters[0].choices == ("baseline", "cnn", "efficientnet_lite0")
    assert SPACE.fixed == {}


def test_a_setting_holds_the_family_and_what_is_active_under_it_alone() -> None:
    rng = np.random.default_rng(0)
    drawn = [sample(SPACE, rng) for _ in range(200)]
    assert {frozenset(values) for values in drawn} == {
        frozenset({FAMILY}),
        frozenset({FAMILY, "optimizer", "batch_size"}),
        frozenset({FAMILY, "optimizer", "momentum", "batch_size"}),
        frozenset({FAMILY, "batch_size"}),
    }
    assert all(has_setting(SPACE, values) for values in drawn)
    heads = {v["batch_size"] for v in drawn if v[FAMILY] == "efficientnet_lite0"}
    assert heads == {32, 64}


def test_every_familys_settings_are_counted() -> None:
    # The baseline alone; sgd with two momenta and adamw, each with two sizes; two sizes of a head.
    assert n_settings(SPACE) == 1 + (2 + 1) * 2 + 2


def test_values_of_another_family_are_no_setting() -> None:
    assert not has_setting(SPACE, {FAMILY: "efficientnet_lite0", "batch_size": 16})
    assert not has_setting(SPACE, {FAMILY: "baseline", "batch_size": 32})
    assert not has_setting(SPACE, {"batch_size": 32})


def test_what_is_fixed_for_a_family_is_put_back_where_it_is_built() -> None:
    assert as_built("cnn", FAMILIES, {FAMILY: "efficientnet_lite0", "batch_size": 64}) == (
        "efficientnet_lite0",
        {"optimizer": "adam", "input_size": 32, "batch_size": 64},
    )
    assert as_built("cnn", FAMILIES, {FAMILY: "baseline"}) == ("sigmoid_cnn", {"filters": [4, 4]})


def test_a_model_that_is_searched_alone_may_have_a_hyperparameter_called_model() -> None:
    assert as_built("mine:build", (), {FAMILY: "deep"}) == ("mine:build", {FAMILY: "deep"})


def test_a_family_that_is_not_there_is_said() -> None:
    with pytest.raises(ValueError, match="model is cnm, which is none of the space's families"):
        as_built("cnn", FAMILIES, {FAMILY: "cnm"})


def test_axes_span_the_ranges_of_all_families() -> None:
    ranges = [one for one in SPACE.parameters if one.name == "batch_size"]
    assert spanning(ranges).choices == (16, 32, 64)


def test_near_a_setting_another_familys_values_are_drawn_anew() -> None:
    origin, rng = {FAMILY: "cnn", "optimizer": "adamw", "batch_size": 16}, np.random.default_rng(0)
    found = [near(SPACE, origin, rng) for _ in range(300)]
    assert all(has_setting(SPACE, values) for values in found)
    heads = [values["batch_size"] for values in found if values[FAMILY] == "efficientnet_lite0"]
    # Both are drawn: 16, which is no size of a head, is not carried over.
    assert set(heads) == {32, 64}
    assert len(heads) < sum(values[FAMILY] == "cnn" for values in found)


def test_what_is_held_keeps_its_usual_value_and_takes_along_what_waits_for_another() -> None:
    usual = Prior(value=0)
    space = Space(
        parameters=(
            Parameter(name="blocks", kind="ordinal", choices=(0, 1, 2), prior=usual),
            choice("slow_rate", 0.1, 0.2, when=("blocks", 1)),
            choice("fast_rate", 0.3, 0.4, when=("blocks", 0)),
            choice("size", 96, 160),
        ),
        fixed={"weights": "imagenet"},
    )
    held = holding(space, {"blocks", "size", "no such name"})
    assert held.fixed == {"weights": "imagenet", "blocks": 0}
    # A list without a usual value is searched all the same.
    assert held.parameters == (choice("fast_rate", 0.3, 0.4), choice("size", 96, 160))
    assert holding(space, ()) == space
