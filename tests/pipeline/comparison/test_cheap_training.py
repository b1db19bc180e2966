"""What it costs to repeat a training."""

from __future__ import annotations

from tests.images import stopping, tiny_dataset
from tuner.pipeline.comparison.cheap_training import is_cheap
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


def test_long_trainings_of_large_networks_are_not_cheap() -> None:
    large = {"conv_blocks": 1, "filters": 512, "convs_per_block": 4, "kernel_size": 3}
    assert is_cheap(contender("cnn", {**large, "filters": 8}, 10), tiny_dataset())
    assert not is_cheap(contender("cnn", large, 10_000), tiny_dataset())


def test_of_a_frozen_backbone_only_the_head_counts() -> None:
    frozen = {"weights": "imagenet", "unfreeze_blocks": 0, "input_size": 224}
    assert is_cheap(contender("efficientnet_lite2", frozen, 1000), tiny_dataset())
