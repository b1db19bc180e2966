"""Contenders for tests: a winner, its baselines, and a backbone."""

from __future__ import annotations

from tuner.data.cards.published_baseline import Baseline
from tuner.models.registry import complete
from tuner.records.contender import Contender
from tuner.records.training import EarlyStopping
from tuner.retrain.contenders import baselines

STATED = Baseline.model_validate(
    {
        "model": "sigmoid_cnn",
        "title": "t",
        "source": "s",
        "values": {},
        "published": {"epochs": 20, "stop_metric": "accuracy", "stop_value": 0.999},
    }
)
TUNED = Contender(
    name="tuned",
    title="Tuned",
    model="cnn",
    values={},
    max_epochs=2,
    early_stopping=EarlyStopping(monitor="val_accuracy", direction="max", patience=2),
)
FROZEN = Contender(
    name="efficientnet_b2",
    title="EfficientNetB2 (ImageNet)",
    model="efficientnet_b2",
    values=complete("efficientnet_b2", {"input_size": 96}),
    max_epochs=2,
    early_stopping=TUNED.early_stopping,
)


def stated_baselines(*compare: str) -> list[Contender]:
    """The baseline in the forms that are asked for."""
    return list(baselines(TUNED, STATED, compare))
