"""Names that tell data sets apart: each has a folder of reports, and a data page, of its own.

A card has its name. Own data are called after their folder or file; where another data set has that
name already, a hash of where they lie follows. Who has which name stands under `.names` in the
folder of the reports.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from tuner.data.cards.card import Card
from tuner.data.cards.card_files import card_folders, card_names
from tuner.data.own.made_card import OWN_DATA
from tuner.data.own.resolve import own_path
from tuner.store.files.whole_files import write_text

_NAMES = ".names"
_MOST_BYTES = 10_000
_HASH_DIGITS = (8, 16, 32)


def named_apart(card: Card, target: str, data_root: Path, out: Path) -> Card:
    """The card by a name that no other data set has; nothing is written.

    Args:
        card: What the target stands for.
        target: A card's name, or the path of own data.
        data_root: Folder of the data.
        out: Folder of the reports.
    """
    if card.source != OWN_DATA:
        return card
    owner = _owner(card, target, data_root, out)
    digest = hashlib.sha256(owner.encode()).hexdigest()
    names = [card.name, *(f"{card.name}-{digest[:n]}" for n in _HASH_DIGITS)]
    if card.name in card_names(card_folders()):
        names = names[1:]
    name = next((name for name in names if not _is_taken(out, name, owner)), names[-1])
    return card.model_copy(update={"name": name})


def keep_name(card: Card, target: str, data_root: Path, out: Path) -> None:
    """Note whose name it is; where nothing can be written, the name is just not kept."""
    with suppress(OSError):
        write_text(out / _NAMES / card.name, _owner(card, target, data_root, out))


def _owner(card: Card, target: str, data_root: Path, out: Path) -> str:
    """What has the name: a card, or a path, whichever way it was written on the command line.

    The path is the way from the reports to the data, which stays when both are moved or copied
    together.
    """
    if card.source != OWN_DATA:
        return f"card {card.name}"
    place: Path | str = own_path(target, data_root).resolve()
    # On Windows there is no way to another drive.
    with suppress(ValueError):
        place = os.path.relpath(place, out.resolve())
    # A name that is no UTF-8 is told apart by its escapes, and passes for moved.
    return f"path {place}".encode("utf-8", "backslashreplace").decode()


def _is_taken(out: Path, name: str, owner: str) -> bool:
    if not (out / name).exists():
        return False
    try:
        with open(out / _NAMES / name, encoding="utf-8") as file:
            found = file.read(_MOST_BYTES)
    except (OSError, ValueError):
        # Reports of an older version.
        return False
    kind, _, place = found.partition(" ")
    # Data that were moved keep their reports: where nothing is left at the old place, nobody claims
    # them.
    is_there = kind != "path" or _exists(out, place)
    return found != owner and is_there


def _exists(out: Path, place: str) -> bool:
    with suppress(OSError, ValueError):
        return (out.resolve() / place).exists()
    return False
