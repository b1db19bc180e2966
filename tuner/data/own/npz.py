"""A card for an NPZ of arrays."""

from __future__ import annotations

from pathlib import Path

from tuner.data.card import Card, Npz
from tuner.data.own.made_card import image_settings, made_card


def npz_card(path: Path) -> Card:
    """Make the card.

    Raises:
        DataError: If the arrays cannot be understood.
    """
    from tuner.data.npz import image_shape, open_arrays, part_names

    arrays = open_arrays(path)
    height, width, channels = image_shape(arrays[part_names(arrays, path)[0][1]], path.name)
    return made_card(
        path,
        files=Npz(type="npz", path=str(path.resolve())),
        image=image_settings(height, width, channels, path.name),
    )
