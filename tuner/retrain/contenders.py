"""The opponents of the winner, and the rules that are the same for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.records.contender import Contender
from tuner.records.training import EarlyStopping

SCRATCH_NOTE = "trained from scratch: no ImageNet weights were at hand, so this is not the network at its best"
PRETRAINED_NOTE = "ImageNet weights, frozen; only the head was trained"

# The last map of a 48-pixel image is 2x2, where ImageNet's features say little.
PRETRAINED_INPUT_SIZE = 96

EFFICIENTNET_VALUES = {"dropout": 0.2, "optimizer": "adam", "learning_rate": 1e-3, "batch_size": 32}


@dataclass(frozen=True, slots=True, kw_only=True)
class EfficientNetSettings:
    """How EfficientNetB2 is trained where it is compared without ImageNet weights.

    Attributes:
        input_size: Pixels that images are enlarged to.
        max_epochs: Ceiling; None for the other models' one.
        max_train_images: None for all.
    """

    input_size: int
    max_epochs: int | None = None
    max_train_images: int | None = None


def efficientnet(
    settings: EfficientNetSettings, rule: EarlyStopping, max_epochs: int, *, pretrained: bool
) -> Contender:
    """EfficientNetB2 with a trained head on ImageNet's frozen features, or from scratch."""
    limited = settings.max_train_images if not pretrained else None
    note = PRETRAINED_NOTE if pretrained else SCRATCH_NOTE
    if limited:
        note += f"; at most {limited} training images and {settings.max_epochs} epochs, as a first look"
    return Contender(
        name="efficientnet_b2",
        title="EfficientNetB2 (ImageNet)" if pretrained else "EfficientNetB2 (from scratch)",
        model="efficientnet_b2_head" if pretrained else "efficientnet_b2",
        values={"input_size": PRETRAINED_INPUT_SIZE if pretrained else settings.input_size, **EFFICIENTNET_VALUES},
        max_epochs=max_epochs if pretrained else settings.max_epochs or max_epochs,
        early_stopping=rule,
        note=note,
        in_verdict=pretrained,
        max_train_images=limited,
    )
