"""Which file holds the search space of a data set or of a backbone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import tuner
from tuner.data.cards.card import Card
from tuner.data.cards.card_files import card_folders, card_names
from tuner.data.own.made_card import OWN_DATA
from tuner.errors import ConfigurationError
from tuner.models.backbones.catalog import BACKBONES
from tuner.space.parsing.families import BASELINE


def space_folders() -> list[Path]:
    """Where spaces are looked for: `search_spaces/` here, then those that the package brings."""
    package = Path(tuner.__file__).parent
    bundled = package / "_bundled" / "search_spaces"
    return [
        Path("search_spaces"),
        bundled if bundled.is_dir() else package.parent / "search_spaces",
    ]


def space_path(card: Card, given: Path | None, model: str | None = None) -> Path:
    """The space to search: the given one; else the backbone's, if asked for; else the data set's.

    Args:
        card: Of the data set.
        given: What you name; None where you name nothing.
        model: The same; several names are parted by commas.

    Raises:
        ConfigurationError: If there is none.
    """
    if given is not None:
        return given
    for path in _places(card, model):
        if path.is_file():
            return path
    raise ConfigurationError(
        f"there is no search space for {card.name}", "name one with --space FILE."
    )


def _places(card: Card, model: str | None) -> Iterator[Path]:
    """Where a space may stand, best first."""
    folders = space_folders()
    # The baseline brings no space of its own.
    names = [name.strip() for name in (model or "").split(",") if name.strip() != BASELINE]
    if names and all(name in BACKBONES for name in names):
        # All backbones have the same hyperparameters.
        for name in (names[0], "efficientnet_b2"):
            yield from (folder / f"{name}.yaml" for folder in folders)
        return
    # A supplied space of the name of your own data is for other data.
    is_namesake = card.source == OWN_DATA and card.name in {*card_names(card_folders()), *BACKBONES}
    for folder in folders:
        if not (is_namesake and folder.resolve() == folders[-1].resolve()):
            yield folder / f"{card.space_name}.yaml"
    yield from (folder / "default.yaml" for folder in folders)
