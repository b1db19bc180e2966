"""EfficientNetB2 as an opponent of the winner, under the winner's rules."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tuner.records.contender import Contender

# The last map of a 48-pixel image is 2x2, where ImageNet's features say little; EfficientNetB2 was made for 260.
PRETRAINED_SIZES = (96, 260)

EFFICIENTNET_VALUES = {"dropout": 0.2, "optimizer": "adam", "learning_rate": 1e-3, "batch_size": 32}


@dataclass(frozen=True, slots=True, kw_only=True)
class FromScratch:
    """How EfficientNetB2 is trained where no ImageNet weights are at hand.

    Attributes:
        input_size: Pixels that images are resized to.
        max_epochs: Ceiling; None for the other models' one.
        max_train_images: None for all.
    """

    input_size: int
    max_epochs: int | None = None
    max_train_images: int | None = None


def pretrained_efficientnet(tuned: Contender, image_side: int) -> Contender:
    """A head on ImageNet's frozen features.

    Args:
        tuned: The winner, whose rules hold.
        image_side: Larger side of the images, in pixels; smaller images are enlarged.
    """
    smallest, largest = PRETRAINED_SIZES
    size = min(max(image_side, smallest), largest)
    return replace(
        tuned,
        name="efficientnet_b2",
        title="EfficientNetB2 (ImageNet)",
        model="efficientnet_b2_head",
        values={"input_size": size, **EFFICIENTNET_VALUES},
        note=f"ImageNet weights, frozen, at {size} px; only the head was trained",
    )


def efficientnet_from_scratch(tuned: Contender, settings: FromScratch) -> Contender:
    """The whole network from random weights; the verdict does not speak of it."""
    note = (
        f"trained from scratch at {settings.input_size} px: no ImageNet weights were at hand, so this is not "
        "the network at its best"
    )
    if settings.max_train_images:
        note += f"; a first look with at most {settings.max_train_images} images and {settings.max_epochs} epochs"
    return replace(
        tuned,
        name="efficientnet_b2",
        title="EfficientNetB2 (from scratch)",
        model="efficientnet_b2",
        values={"input_size": settings.input_size, **EFFICIENTNET_VALUES},
        max_epochs=settings.max_epochs or tuned.max_epochs,
        note=note,
        in_verdict=False,
        max_train_images=settings.max_train_images,
    )
