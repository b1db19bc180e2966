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
