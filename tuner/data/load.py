"""From a card to its images: the right loader, behind the cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tuner.data.cache.cache_folder import locked
from tuner.data.cache.cached_images import (
    cache_key,
    delete_outdated,
    has_damaged,
    load_cached,
    new_entry,
)
from tuner.data.cards.card import Card
from tuner.data.images import Images
from tuner.errors import MissingDataError


def load_images(card: Card, data_root: Path) -> Images:
    """Read a data set, from the cache if its source is unchanged.

    Where another process decodes the same data set just now, this waits for it. Image files whose
    decoded images would exceed the cache's limit are streamed.

    Raises:
        MissingDataError: If the data are missing, with how to get them.
        DataError: If they are unusable.
        ConfigurationError: If the environment's limit of the cache is no size.
    """
    missing = missing_paths(card, data_root)
    if missing:
        raise MissingDataError(
            f"{card.name}: the data are missing: there is no {missing[0]}",
            f"{card.how_to_get}; if they are elsewhere, name their root with --data-dir. To try"
            " tuner without them: `python -m tuner run drawn_faces --preset quick`.",
        )
    sources = card.files.sources(card, data_root)
    images = _load(card, data_root, sources.paths)
    if sources.left_out is None:
        return images
    return replace(images, left_out=sources.left_out(images))


def _load(card: Card, data_root: Path, sources: Sequence[str | Path]) -> Images:
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
            if card.files.has_image_files and not entry.has_room(len(sources)):
                images = card.files.stream(card, data_root)
            else:
                images = card.files.read(card, data_root, entry.allocate)
            entry.keep(images)
    # Memory-mapped from here on, unless the cache could not be written.
    return replace(load_cached(card, key, data_root) or images, is_mended=is_mended)


def missing_paths(card: Card, data_root: Path) -> list[Path]:
    """The card's files and folders that are not there; empty where the data set can be loaded."""
    paths = [data_root / name for name in card.paths]
    return [path for path in paths if not path.exists()]
