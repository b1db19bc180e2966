"""A training as an order."""

from __future__ import annotations

import pytest

from tests.images import train_task
from tuner.space.vocabulary import BATCH_TERMS, TRAINING_TERMS, VOCABULARIES


def test_task_of_a_family_has_every_value_and_keeps_those_that_are_stated() -> None:
    task = train_task(model="cnn", values={"filters": 8, "filters_1": 16})
    assert task.values == {"filters": 8, "filters_1": 16}
    assert set(task.all_values) == {*VOCABULARIES["cnn"], "filters_1"}
    assert (task.all_values["filters"], task.all_values["filters_1"]) == (8, 16)


@pytest.mark.parametrize("model", ["m:build", "sigmoid_cnn", "efficientnet_b2/head"])
def test_task_of_another_model_has_the_values_that_training_reads(model: str) -> None:
    task = train_task(model=model, values={"units": 3, "batch_size": 7})
    assert set(task.all_values) == {*TRAINING_TERMS, *BATCH_TERMS, "units"}
    assert task.all_values["batch_size"] == 7
