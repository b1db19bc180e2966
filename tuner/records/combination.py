"""How several predictions become one model's: the members of an ensemble, or views of an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One way to look at an image.

    Attributes:
        down: Pixels that it is shifted by; negative ones go up.
        right: The same; negative ones go left.
        is_mirrored: Whether left and right are exchanged, after the shift.
    """

    down: int = 0
    right: int = 0
    is_mirrored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A setting that takes part in an ensemble, and how it was trained.

    Attributes:
        trial_id: The trial of the search.
        model: Family, or `package.module:function`.
        values: Hyperparameters as the trial states them.
        seed: Of its training.
        epochs: It was trained for so many.
        schedule_epochs: Epochs that a falling rate is stretched over; None for `epochs`.
        share: Its weight in the mean; those of all members add up to 1.
        temperature: What its logits are divided by before the mean is taken; None where its last
            layer is no dense one with softmax or sigmoid.
    """

    trial_id: str
    model: str
    values: Mapping[str, Any]
    seed: int
    epochs: int
    schedule_epochs: int | None
    share: float
    temperature: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """What a model's probabilities are means over: members or views, one of the two.

    Attributes:
        members: Of an ensemble; empty for views.
        views: Of each image; empty for an ensemble.
    """

    members: tuple[Member, ...] = ()
    views: tuple[View, ...] = ()
