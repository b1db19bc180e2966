"""`datasets`: the cards, and whether their data is there."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path

from tuner.data.card import card_folders, card_names, load_card
from tuner.data.load import missing_paths
from tuner.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDataset:
    """One line of the list.

    Attributes:
        name: What `run` calls it.
        title: What people call it; empty where the card cannot be used.
        is_there: Whether `run` finds its data.
        missing: Where its data should lie; empty where it is there.
        fetch: How to get it.
        error: The card's mistakes; None where it is in order.
    """

    name: str
    title: str = ""
    is_there: bool = False
    missing: tuple[Path, ...] = ()
    fetch: str = ""
    error: ConfigurationError | None = None

    def state(self) -> list[str]:
        """Lines that say whether it can be used, and if not, what to do."""
        if self.error:
            return ["its card cannot be used:", *str(self.error).splitlines()]
        if self.is_there:
            return ["ready"]
        # Paths and commands stay whole.
        how = textwrap.wrap(self.fetch, 86, break_long_words=False, break_on_hyphens=False)
        return [f"not there: {', '.join(map(str, self.missing))}", *(f"  {line}" for line in how)]


def list_datasets(data_root: Path) -> list[ListedDataset]:
    """All data sets with a card; one whose card has mistakes is listed with them."""
    folders = card_folders()
    found = []
    for name in card_names(folders):
        try:
            card = load_card(name, folders)
        except ConfigurationError as error:
            found.append(ListedDataset(name=name, error=error))
            continue
        missing = tuple(missing_paths(card, data_root))
        found.append(
            ListedDataset(name=name, title=card.title, is_there=not missing, missing=missing, fetch=card.fetch)
        )
    return found
