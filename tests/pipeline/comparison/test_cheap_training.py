"""What it costs to repeat a training."""

from __future__ import annotations

from pytest import MonkeyPatch

from tests.images import stopping, tiny_dataset
from tuner.pipeline.comparison import cheap_training
from tuner.pipeline.comparison.cheap_training import cheap_seeds, training_multiply_adds
from tuner.records.contender import Contender


def contender(model: str, values: dict[str, object], max_epochs: int) -> Contender:
    return Contender(
        name="tuned",
        title="Tuned",
        model=model,
        values=values,
        max_epochs=max_epochs,
        early_stopping=stopping(patience=2),
        schedule="constant",
    )


LARGE = {"conv_blocks": 1, "filters": 512, "convs_per_block": 4, "kernel_size": 3}


def test_long_trainings_of_large_networks_are_not_repeated() -> None:
    small = contender("cnn", {**LARGE, "filters": 8}, 10)
    large = contender("cnn", LARGE, 100_000)
    assert cheap_seeds([small, small], tiny_dataset(), 1, 3) == 3
    assert cheap_seeds([small, large], tiny_dataset(), 1, 3) == 1


def test_what_is_dear_for_three_seeds_may_be_cheap_for_two(monkeypatch: MonkeyPatch) -> None:
    one, other = contender("cnn", LARGE, 10), contender("cnn", LARGE, 20)
    total = sum(training_multiply_adds(each, tiny_dataset()) for each in (one, other))
    monkeypatch.setattr(cheap_training, "CHEAP", 1.5 * total)
    assert cheap_seeds([one, other], tiny_dataset(), 1, 3) == 2
    monkeypatch.setattr(cheap_training, "CHEAP", 0.5 * total)
    assert cheap_seeds([one, other], tiny_dataset(), 1, 3) == 1


def test_of_a_frozen_backbone_only_the_head_counts() -> None:
    frozen = {"weights": "imagenet", "unfreeze_blocks": 0, "input_size": 224}
    head = contender("efficientnet_lite2", frozen, 1000)
    assert cheap_seeds([head], tiny_dataset(), 1, 3) == 3
