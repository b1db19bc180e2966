"""The card that a person means: one with a name, or one made up for their own folder or file."""

from __future__ import annotations

import math
import os
import re
import statistics
import warnings
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from tuner.data.archive import archive_stem, is_archive, unpacked
from tuner.data.card import Card, ClassFolders, FerCsv, ImageSettings, Npz, Splits, card_names, load_card
from tuner.data.images import FileFacts, printable
from tuner.data.labels import plain_label
from tuner.errors import DataError

# Source of a card that was made up for a person's own folder or file.
OWN_DATA = "own data"

_SAMPLED_FILES = 200
_LARGEST_SIDE = 96
# What a card's image settings allow.
_LEAST_PIXELS, _MOST_PIXELS = 4, 2048
_LARGEST_IMAGE = ImageSettings(height=_LARGEST_SIDE, width=_LARGEST_SIDE, channels=3)
_FER_CLASSES = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
_FER_SPLITS = Splits(train="Training", validation="PublicTest", test="PrivateTest")
_PART_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val"),
    "test": ("test", "testing"),
}


def resolve(target: str, folders: Sequence[Path], data_root: Path) -> Card:
    """The card that a person means by a name, or one made up for the path of their own data.

    Args:
        target: A card's name, a folder of class folders, a FER-style `.csv`, a `.npz`, or an archive of one of them.
        folders: Where cards are looked for.
        data_root: Folder of the data; a path may be relative to it, too.

    Raises:
        ConfigurationError: If it is neither a card nor a path.
        DataError: If the path is missing, or its data cannot be understood.
    """
    if target in card_names(folders):
        return load_card(target, folders)
    path = Path(target)
    if not path.exists() and (data_root / path).exists():
        path = data_root / path
    if is_archive(path) and path.is_file():
        return card_for(unpacked(path, data_root)).model_copy(update=_named(archive_stem(path)))
    if path.exists() or "/" in target or os.sep in target or path.suffix in {".csv", ".npz"} or is_archive(path):
        return card_for(path)
    return load_card(target, folders)


def card_for(path: Path) -> Card:
    """Make a card for a folder of class folders, a FER-style CSV or an NPZ.

    Raises:
        DataError: If the path is missing, or is none of these.
    """
    if not path.exists():
        raise DataError(
            f"{path}: there is no such file or folder", "check the path, or try `python -m tuner run drawn_faces`."
        )
    if path.is_dir():
        return _folder_card(path)
    if path.suffix.lower() == ".csv":
        return _csv_card(path)
    if path.suffix.lower() == ".npz":
        return _npz_card(path)
    raise DataError(
        f"{path}: a file of this kind is not understood",
        "give a folder of class folders, a .csv, a .npz, or a .zip or .tar.gz of them.",
    )


def _card(path: Path, **fields: Any) -> Card:
    return Card(**_named(path.resolve().stem), source=OWN_DATA, **fields)


def _named(stem: str) -> dict[str, Any]:
    plain = re.sub(r"[^a-z0-9_-]+", "_", stem.lower()).strip("_-")
    return {"name": plain or "own_data", "title": printable(stem)}


def _folder_card(path: Path) -> Card:
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
    image = _typical_image(files)
    if image is None:
        raise DataError(
            f"{path}: there are no class folders with images in it", "put each class's images into a folder of its own."
        )
    return _card(path, files=ClassFolders(type="class_folders", path=str(path.resolve())), image=image, splits=splits)


def _typical_image(files: list[Path]) -> ImageSettings | None:
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


def _csv_card(path: Path) -> Card:
    from tuner.data.fer_csv import csv_rows

    with csv_rows(path) as (names, rows):
        by_name = {name.lower(): name for name in names}
        pixels, usage = by_name.get("pixels"), by_name.get("usage")
        others = [name for name in names if name not in (pixels, usage)]
        label = by_name.get("emotion") or by_name.get("label") or (others[0] if len(others) == 1 else None)
        if pixels is None or label is None:
            raise DataError(
                f"{path.name}: expected a column of labels and a column pixels; found {', '.join(names[:5])}",
                "name the columns in the first line, such as emotion,pixels,Usage.",
            )
        first = next(rows, (0, []))[1]
        classes = None
        if label.lower() == "emotion":
            at = names.index(label)
            classes = _fer_classes(row[at] for row in chain([first], (row for _, row in rows)) if at < len(row))
    n_pixels = len(first[names.index(pixels)].split()) if len(first) == len(names) else 0
    side = math.isqrt(n_pixels)
    if side < 4 or side * side != n_pixels:
        raise DataError(
            f"{path.name}, line 2: it has {n_pixels:,} pixels; expected a square number, such as 2,304 (48 x 48)",
            "correct the row; or write a card, which may state any height and width.",
        )
    return _card(
        path,
        files=FerCsv(
            type="fer_csv",
            path=str(path.resolve()),
            label_column=label,
            pixels_column=pixels,
            usage_column=usage or "Usage",
        ),
        image=_image_settings(side, side, 1, f"{path.name}, line 2"),
        class_names=classes,
        splits=_FER_SPLITS,
    )


def _image_settings(height: int, width: int, channels: int, where: str) -> ImageSettings:
    if not (min(height, width) >= _LEAST_PIXELS and max(height, width) <= _MOST_PIXELS):
        raise DataError(
            f"{where}: images are {height:,} x {width:,}; expected {_LEAST_PIXELS} to {_MOST_PIXELS:,} pixels a side",
            "bring them to a size between, or give a folder of image files, which are brought to any size.",
        )
    return ImageSettings(height=height, width=width, channels=1 if channels == 1 else 3)


def _fer_classes(labels: Iterable[str]) -> list[str] | dict[str, str]:
    """FER's classes as far as they occur; all of them where the loader will refuse a label, or the lack of classes."""
    found = {plain_label(label) for label in labels}
    known = {str(number): name for number, name in enumerate(_FER_CLASSES)}
    present = {label: name for label, name in known.items() if {label, name} & found}
    is_usable = found <= {*known, *_FER_CLASSES} and len(present) > 1
    return present if is_usable and len(present) < len(known) else _FER_CLASSES


def _npz_card(path: Path) -> Card:
    from tuner.data.npz import image_shape, open_arrays, part_names

    arrays = open_arrays(path)
    height, width, channels = image_shape(arrays[part_names(arrays, path)[0][1]], path.name)
    return _card(
        path,
        files=Npz(type="npz", path=str(path.resolve())),
        image=_image_settings(height, width, channels, path.name),
    )
