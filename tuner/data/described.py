"""What loaders need of a card."""

from __future__ import annotations

from typing import Protocol

from tuner.data.decoding.image_settings import ImageSettings
from tuner.data.splits.split_rules import Splits


class Described(Protocol):
    """A card, but for what lies where: that is the loader's own part of it."""

    @property
    def name(self) -> str:
        """Name of the data set, for messages too."""

    @property
    def image(self) -> ImageSettings:
        """What every image is turned into."""

    @property
    def splits(self) -> Splits:
        """Which given part plays which role, and the rule of the groups."""

    @property
    def class_names(self) -> list[str] | dict[str, str] | None:
        """The names of the classes, as the card states them."""

    def class_numbers(self) -> tuple[tuple[str, ...], dict[str, int]] | None:
        """The class names in order, and the number of everything the data may call a class."""
