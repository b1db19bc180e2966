"""From a card to its images: the right loader, behind the cache."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from tuner.data.cache import cache_key, load_cached, store
from tuner.data.card import ArrayCsv, Card, Generated
from tuner.data.images import Images
from tuner.errors import DataError

# Each module has `sources(card, data_root)` and `read(card, data_root)`; imported where used, since Pillow and
# scikit-learn take their time.
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

    Raises:
        DataError: If the data are missing or unusable; a missing data set's message says how to get it.
    """
    missing = missing_paths(card, data_root)
    if missing:
        fetch = card.fetch.strip().rstrip(".") or "put it there"
        raise DataError(
            f"{card.name}: the data are missing: there is no {missing[0]}",
            f"{fetch}. Works right now: `python -m tuner run drawn_faces`.",
        )
    loader = importlib.import_module(_LOADERS[card.files.type])
    key = cache_key(card, loader.sources(card, data_root))
    cached = load_cached(card.name, key, data_root)
    if cached is not None:
        return cached
    images: Images = loader.read(card, data_root)
    store(images, key, data_root)
    # Memory-mapped from here on, unless the cache could not be written.
    return load_cached(card.name, key, data_root) or images


def missing_paths(card: Card, data_root: Path) -> list[Path]:
    """The card's files and folders that are not there; empty where the data set can be loaded."""
    files = card.files
    if isinstance(files, Generated):
        return []
    if isinstance(files, ArrayCsv):
        named = (files.train_images, files.train_labels, files.test_images, files.test_labels)
        paths = [data_root / name for name in named if name is not None]
    else:
        paths = [data_root / files.path]
    return [path for path in paths if not path.exists()]
