"""A training step that is written for another backend is refused with what it should take."""

from __future__ import annotations

from typing import Any

import keras
import pytest

from tests.api.shapes import JaxStep, OwnStep, TensorFlowStep
from tuner.errors import ConfigurationError
from tuner.training.own_builders.own_step import check_step


class AnyStep(keras.Model):
    def train_step(self, *given: Any) -> Any:
        return super().train_step(*given)


class StepWithOption(TensorFlowStep):
    def train_step(self, data: Any, scale: float = 1.0) -> Any:
        return super().train_step(data)


@pytest.mark.parametrize(
    ("kind", "backend", "message"),
    [
        (TensorFlowStep, "jax", r"its train_step takes \(data\), but Keras calls it with \(state,"),
        (JaxStep, "tensorflow", r"its train_step takes \(state, data\), but Keras calls it with"),
        (JaxStep, "torch", r"\(data\) on torch"),
    ],
)
def test_another_backends_step_is_refused(kind: type, backend: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as raised:
        check_step("mine", kind(4), backend)
    assert "KERAS_BACKEND=" in raised.value.hint


def test_a_step_for_no_backend_is_not_sent_to_another() -> None:
    model = keras.Sequential()
    model.train_step = lambda first, second, third: None
    with pytest.raises(ConfigurationError, match=r"takes \(first, second, third\)") as raised:
        check_step("mine", model, "tensorflow")
    assert "KERAS_BACKEND" not in raised.value.hint


@pytest.mark.parametrize(
    "model",
    [
        {"tensorflow": TensorFlowStep, "jax": JaxStep}[keras.backend.backend()](4),
        OwnStep(4),
        AnyStep(),
        keras.Sequential(),
    ],
    ids=["own", "Keras' own", "any", "sequential"],
)
def test_a_step_for_this_backend_is_accepted(model: keras.Model) -> None:
    check_step("mine", model, keras.backend.backend())


def test_a_parameter_with_a_default_is_an_option() -> None:
    model = StepWithOption(4)
    # Keras' own `test_step` is that of the backend at hand.
    model.test_step = lambda data: None
    check_step("mine", model, "tensorflow")
