"""A card for an NPZ of arrays, or for a folder of NPY files."""

from __future__ import annotations

from pathlib import Path

from tuner.data.cards.card import Card
from tuner.data.formats.npz import Npz
from tuner.data.own.made_card import image_settings, made_card


def npz_card(path: Path) -> Card:
    """Make the card.

    Raises:
        DataError: If the arrays cannot be understood.
    """
    from tuner.data.arrays.array_file import open_arrays
    from tuner.data.arrays.array_layout import image_layout
    from tuner.data.arrays.array_names import part_names

    arrays = open_arrays(path)
    name = part_names(arrays, path)[0].images
    layout = image_layout(arrays[name], f"{path.name}, {name}")
    return made_card(
        path,
        files=Npz(type="npz", path=str(path.resolve())),
        image=image_settings(layout.height, layout.width, layout.channels, path.name),
    )
