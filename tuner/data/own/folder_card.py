"""A card for a folder of images."""

from __future__ import annotations

import math
import statistics
import warnings
from collections.abc import Sequence
from pathlib import Path

from tuner.data.cards.card import Card
from tuner.data.decoding.file_facts import FileFacts
from tuner.data.decoding.image_settings import ImageSettings
from tuner.data.decoding.unreadable import counted, remedy
from tuner.data.folders.class_files import list_files
from tuner.data.folders.tree import scan
from tuner.data.formats.class_folders import ClassFolders
from tuner.data.own.folder_layout import understand
from tuner.data.own.made_card import made_card, named
from tuner.data.splits.split_rules import Splits
from tuner.errors import DataError
from tuner.records.image import MOST_PIXELS

_SAMPLED_FILES = 200
_SMALLEST_SIDE = 8
# A JPEG of any size can be decoded so small: what is refused here can be read in no size.
_SMALL = ImageSettings(height=96, width=96, channels=3)


def folder_card(path: Path) -> Card:
    """Make the card.

    Raises:
        DataError: If the layout is not clear, or no image can be read; each cause has its own
            message.
    """
    tree = scan(path)
    layout = understand(tree, str(path))
    files = ClassFolders(
        type="class_folders", path=str(path.resolve()), top=layout.top or None, layout=layout.kind
    )
    splits = Splits.model_validate(layout.parts)
    found = list_files(
        str(named(path.resolve().stem)["name"]),
        tree,
        path,
        roles=splits.roles(),
        top=layout.top,
        layout=layout.kind,
    ).files
    # Of images alone: with a text file beside each, every second file would say nothing.
    images = [Path(file.path) for file in found if not file.is_other]
    image = typical_image(images, f"{path}: there are {len(images):,} files in class folders")
    return made_card(path, files=files, image=image, splits=splits)


def typical_image(files: Sequence[Path], found: str) -> ImageSettings:
    """The typical size of some image files, as a square, and the channels that suit them.

    Args:
        files: At least one.
        found: What a message says of them, such as `photos: there are 20 files in class folders`.

    Raises:
        DataError: If none of them can be read, with the reasons.
    """
    from tuner.data.decoding.decode import GREY_MODES, UnreadableImageError, inspect

    reasons: list[str] = []

    def header(file: Path) -> FileFacts | None:
        try:
            return inspect(file, _SMALL)
        except UnreadableImageError as error:
            reasons.append(str(error))
            return None

    # Evenly spread over the sorted list, so that every class is among them.
    sampled = files[:: max(1, math.ceil(len(files) / _SAMPLED_FILES))]
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # of photos over 89 megapixels, whose header is all that is read here
        headers = [facts for file in sampled if (facts := header(file))]
    if not headers:
        tried = "" if len(sampled) == len(files) else f" of {len(sampled)} that were tried"
        raise DataError(
            f"{found}, and none{tried} can be read as an image: {counted(reasons)}",
            remedy(reasons),
        )
    median = statistics.median([side for facts in headers for side in (facts.height, facts.width)])
    side = min(max(int(median), _SMALLEST_SIDE), MOST_PIXELS)
    is_grey = all(facts.mode in GREY_MODES for facts in headers)
    return ImageSettings(height=side, width=side, channels=1 if is_grey else 3)
