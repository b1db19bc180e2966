"""A card for a folder of class folders."""

from __future__ import annotations

import math
import statistics
import warnings
from pathlib import Path

from tuner.data.card import Card, ClassFolders, ImageSettings, Splits
from tuner.data.images import FileFacts
from tuner.data.own.made_card import made_card
from tuner.errors import DataError

_SAMPLED_FILES = 200
_LARGEST_SIDE = 96
_LARGEST_IMAGE = ImageSettings(height=_LARGEST_SIDE, width=_LARGEST_SIDE, channels=3)
_PART_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val"),
    "test": ("test", "testing"),
}


def folder_card(path: Path) -> Card:
    """Make the card.

    Raises:
        DataError: If no image is found.
    """
    from tuner.data.class_folders import class_folders, walk

    folders = class_folders(path)
    by_name = {folder.name.lower(): folder.name for folder in folders}
    given = {
        part: next((by_name[name] for name in names if name in by_name), None) for part, names in _PART_NAMES.items()
    }
    has_parts = given["train"] and (given["test"] or given["validation"])
    splits = Splits.model_validate(given) if has_parts else Splits()
    tops = [path / part for part in splits.roles()] or [path]
    files = [top / below for top in tops for folder in class_folders(top) for below in walk(folder)]
    image = typical_image(files)
    if image is None:
        raise DataError(
            f"{path}: there are no class folders with images in it", "put each class's images into a folder of its own."
        )
    return made_card(
        path, files=ClassFolders(type="class_folders", path=str(path.resolve())), image=image, splits=splits
    )


def typical_image(files: list[Path]) -> ImageSettings | None:
    """Size and channels that suit these files; None where none of them is an image."""
    from tuner.data.decode import GREY_MODES, UnreadableImageError, inspect

    def header(file: Path) -> FileFacts | None:
        try:
            return inspect(file, _LARGEST_IMAGE)
        except UnreadableImageError:
            return None

    # Evenly spread over the sorted list, so that every class is among them.
    step = max(1, math.ceil(len(files) / _SAMPLED_FILES))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of photos over 89 megapixels, whose header is all that is read here
        headers = [found for file in files[::step] if (found := header(file))]
    if not headers:
        return None
    median = statistics.median([side for facts in headers for side in (facts.height, facts.width)])
    side = min(max(int(median), 8), _LARGEST_SIDE)
    is_grey = all(facts.mode in GREY_MODES for facts in headers)
    return ImageSettings(height=side, width=side, channels=1 if is_grey else 3)
