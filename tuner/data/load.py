"""From a card to its images: the right loader, behind the cache."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from tuner.data.cache import cache_key, delete_outdated, has_damaged, load_cached, new_entry
from tuner.data.cache_folder import locked
from tuner.data.card import Card, ClassFolders
from tuner.data.images import Images
from tuner.errors import DataError

# Each module has `sources(card, data_root)` and `read(card, data_root, allocate)`; imported where used, since Pillow
# and scikit-learn take their time.
_LOADERS: Mapping[str, str] = MappingProxyType(
    {
        "fer_csv": "tuner.data.fer_csv",
        "class_folders": "tuner.data.class_folders",
        "array_csv": "tuner.data.array_csv",
        "npz": "tuner.data.npz",
        "generator": "tuner.data.generators",
    }
)


def load_images(card: Card, data_root: Path) -> Images:
    """Read a data set, from the cache if its source is unchanged.

    Where another process decodes the same data set just now, this waits for it. Class folders whose decoded images
    would exceed the cache's limit are streamed.

    Raises:
        DataError: If the data are missing or unusable; a missing data set's message says how to get it.
        ConfigurationError: If the environment's limit of the cache is no size.
    """
    missing = missing_paths(card, data_root)
    if missing:
        raise DataError(
            f"{card.name}: the data are missing: there is no {missing[0]}",
            f"{card.how_to_get}. Works right now: `python -m tuner run drawn_faces`.",
        )
    loader = importlib.import_module(_LOADERS[card.files.type])
    sources = loader.sources(card, data_root)
    key = cache_key(card, sources)
    cached = load_cached(card, key, data_root)
    if cached is not None:
        return cached
    with locked(card.name, data_root) as is_alone:
        # Another process may have filled it meanwhile.
        cached = load_cached(card, key, data_root)
        if cached is not None:
            return cached
        is_mended = has_damaged(card, key, data_root)
        if is_alone:
            delete_outdated(card, key, data_root)
        with new_entry(card, key, data_root) as entry:
            images: Images
            if isinstance(card.files, ClassFolders) and not entry.has_room(len(sources)):
                images = loader.stream(card, data_root)
            else:
                images = loader.read(card, data_root, entry.allocate)
            entry.keep(images)
    # Memory-mapped from here on, unless the cache could not be written.
    return replace(load_cached(card, key, data_root) or images, is_mended=is_mended)


def missing_paths(card: Card, data_root: Path) -> list[Path]:
    """The card's files and folders that are not there; empty where the data set can be loaded."""
    paths = [data_root / name for name in card.paths]
    return [path for path in paths if not path.exists()]
