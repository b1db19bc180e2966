"""What Keras Tuner proposes becomes a setting of the space."""

from __future__ import annotations

import pytest

from tuner.search.methods.keras_tuner_space import declared, on_space
from tuner.search.proposals import setting_key
from tuner.space.definition import Condition, Parameter, Space

OPTIMIZER = Parameter(name="optimizer", kind="choice", choices=("sgd", "adam"))


@pytest.mark.parametrize("value", [True, False])
def test_conditional_fixed_true_stays_true(value: bool) -> None:
    conditions = (Condition(parent="optimizer", values=("sgd",)),)
    flip = Parameter(name="flip", kind="choice", choices=(value,), conditions=conditions)
    space = Space(parameters=(OPTIMIZER, flip), fixed={})
    # Keras Tuner makes them 1 and 0.
    proposed = declared(space).values
    found = on_space(space, proposed)
    assert found["flip"] is value
    assert setting_key(found) == setting_key({"optimizer": "sgd", "flip": value})


def test_a_value_is_brought_to_the_range_that_holds() -> None:
    sgd, adam = ((Condition(parent="optimizer", values=(name,)),) for name in ("sgd", "adam"))
    ranges = (
        Parameter(name="rate", kind="float", low=0.01, high=0.1, log=True, conditions=sgd),
        Parameter(name="rate", kind="ordinal", choices=(1e-4, 1e-3), conditions=adam),
    )
    space = Space(parameters=(OPTIMIZER, *ranges), fixed={})
    assert on_space(space, {"optimizer": "sgd", "rate": 0.2})["rate"] == 0.1
    assert on_space(space, {"optimizer": "adam", "rate": 1e-3})["rate"] == 1e-3
    # A value of the other list belongs to no setting here.
    assert on_space(space, {"optimizer": "adam", "rate": 0.05}) == {"optimizer": "adam"}
    hp = declared(space)
    for optimizer, low, high in (("sgd", 0.01, 0.1), ("adam", 1e-4, 1e-3)):
        hp.values["optimizer"] = optimizer
        (found,) = (one for one in hp.space if one.name == "rate" and hp.is_active(one))
        assert (found.prob_to_value(0.0), found.prob_to_value(1 - 1e-12)) == pytest.approx(
            (low, high)
        )


@pytest.mark.parametrize("step", [1, 2, 3, 4, 7])
def test_whole_number_becomes_the_nearest_on_its_step(step: int) -> None:
    units = Parameter(name="units", kind="int", low=-3, high=-3 + 5 * step, step=step)
    space = Space(parameters=(units,), fixed={})
    allowed = range(-3, -3 + 5 * step + 1, step)
    for value in range(-6, 45):
        nearest = min(allowed, key=lambda one: abs(one - value))
        assert on_space(space, {"units": value}) == {"units": nearest}


def test_range_of_whole_numbers_of_any_width_is_brought_to_it_at_once() -> None:
    units = Parameter(name="units", kind="int", low=1, high=10**30, log=True)
    space = Space(parameters=(units,), fixed={})
    for value, nearest in ((10**29 + 1, 10**29 + 1), (10**30 + 1, 10**30), (0, 1)):
        assert on_space(space, {"units": value}) == {"units": nearest}
