"""`datasets`: the cards, and whether their data is there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuner.data.card import card_folders, card_names, load_card
from tuner.data.load import missing_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDataset:
    """One line of the list.

    Attributes:
        name: What `run` calls it.
        title: What people call it.
        is_there: Whether `run` finds its data.
        missing: Where its data should lie; empty where it is there.
        fetch: How to get it.
    """

    name: str
    title: str
    is_there: bool
    missing: tuple[Path, ...]
    fetch: str


def list_datasets(data_root: Path) -> list[ListedDataset]:
    """All data sets with a card.

    Raises:
        ConfigurationError: For mistakes in a card.
    """
    folders = card_folders()
    found = []
    for name in card_names(folders):
        card = load_card(name, folders)
        missing = tuple(missing_paths(card, data_root))
        found.append(
            ListedDataset(name=name, title=card.title, is_there=not missing, missing=missing, fetch=card.fetch)
        )
    return found
