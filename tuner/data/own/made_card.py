"""What every card that is made up for own data has in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tuner.data.cards.card import Card
from tuner.data.decoding.image_settings import ImageSettings
from tuner.errors import DataError
from tuner.names import plain_name, printable
from tuner.records.image import LEAST_PIXELS, MOST_PIXELS

# Source of a card that was made up for your own folder or file.
OWN_DATA = "own data"


def made_card(path: Path, **fields: Any) -> Card:
    """A card of own data, named after its path."""
    return Card(**named(path.resolve().stem), source=OWN_DATA, **fields)


def named(stem: str) -> dict[str, Any]:
    """Name and title of a card after a file's stem."""
    return {"name": plain_name(stem, "own_data"), "title": printable(stem) or "own data"}


def image_settings(height: int, width: int, channels: int, where: str) -> ImageSettings:
    """Settings that leave images at their size.

    Args:
        height: Pixels.
        width: Pixels.
        channels: 1, or anything else for 3.
        where: Begins the message.

    Raises:
        DataError: If a side is too short or too long.
    """
    if not (min(height, width) >= LEAST_PIXELS and max(height, width) <= MOST_PIXELS):
        raise DataError(
            f"{where}: images are {height:,} x {width:,}; expected {LEAST_PIXELS} to"
            f" {MOST_PIXELS:,} pixels a side",
            "resize them to that range, or give a folder of image files, which can be resized to"
            " any size.",
        )
    return ImageSettings(height=height, width=width, channels=1 if channels == 1 else 3)
