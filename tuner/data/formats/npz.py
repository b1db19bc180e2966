"""NPZ files, and folders of NPY files, with arrays of images and labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.arrays.array_file import (
    MOST_BY_COLUMNS_BYTES,
    Array,
    blocks,
    npy_files,
    open_arrays,
    shape_words,
)
from tuner.data.arrays.array_layout import image_layout
from tuner.data.arrays.array_names import Pair, pairs
from tuner.data.cards.card import Card, Npz
from tuner.data.decoding.value_range import ValueRange, range_of, range_words, to_8_bits
from tuner.data.folders.tree import scan
from tuner.data.images import Allocate, Images, make_images, printable
from tuner.data.labels import is_label, number_labels
from tuner.data.left_out import LeftOut, fold, left_out
from tuner.data.tables.pixel_text import LARGEST_VALUE
from tuner.errors import DataError

# Of one label; NumPy gives each the room of the longest.
_MOST_LABEL_BYTES = 4096


@dataclass(slots=True)
class _Rows:
    """What has been read of all arrays."""

    labels: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)


def sources(card: Card, data_root: Path) -> list[Path]:
    """The files that the images are read from."""
    assert isinstance(card.files, Npz)
    path = data_root / card.files.path
    # The folder's own time changes with the files that are left out.
    return [path, *npy_files(path)] if path.is_dir() else [path]


def read(card: Card, data_root: Path, allocate: Allocate) -> Images:
    """Read the arrays, a few images at a time; by one scale for all of them.

    Images without a label are left out, and arrays that belong to no images are named.

    Raises:
        DataError: If arrays are missing, or their shapes, types or values cannot be those of images
            and labels.
    """
    assert isinstance(card.files, Npz)
    path = data_root / card.files.path
    arrays = open_arrays(path)
    found = part_names(arrays, path, card.files)
    for pair in found:
        _check(arrays, path, pair, card)
    ranges = _ranges(path, arrays, found, card)
    value_range = _only_deep(ranges, path)
    pixels = allocate(sum(arrays[pair.images].shape[0] for pair in found))
    rows = _Rows()
    for pair in found:
        n = len(rows.labels)
        texts = _labels(path, pair.labels, arrays[pair.labels])
        labelled = [row for row, text in enumerate(texts) if is_label(text)]
        out = pixels[n : n + len(labelled)]
        _fill(out, labelled, path, pair.images, arrays[pair.images], ranges, card)
        rows.labels.extend(texts[row] for row in labelled)
        rows.parts.extend([pair.part] * len(labelled))
        rows.origins.extend(f"{pair.images}[{row}]" for row in labelled)
        rows.places.extend(f"{path.name}, {pair.labels}[{row}]" for row in labelled)
        rows.unlabelled.extend(
            f"{pair.images}[{row}]" for row, text in enumerate(texts) if not is_label(text)
        )
    translated = number_labels(card, rows.labels, rows.places)
    used = {name for pair in found for name in (pair.images, pair.labels)}
    unused = [
        f"{printable(name)} ({shape_words(array.shape) or 'one value'})"
        for name, array in arrays.items()
        if name not in used
    ]
    return make_images(
        name=card.name,
        images=pixels[: len(rows.labels)],
        labels=translated.numbers,
        parts=rows.parts,
        origins=rows.origins,
        class_names=translated.names,
        value_range=value_range,
        left_out=(
            *left_out("without a label", rows.unlabelled, "image"),
            *left_out("neither images with labels nor labels", unused, "array"),
            *(_other_files(path) if path.is_dir() else ()),
        ),
    )


def _other_files(folder: Path) -> tuple[LeftOut, ...]:
    """What lies beside the arrays of a folder."""
    tree, arrays = scan(folder), {path.name for path in npy_files(folder)}
    others = [printable(name) for name in tree.files() if name not in arrays]
    return (*left_out("not arrays that are read", others, "file"), *fold(tree.all_aside()))


def part_names(arrays: Mapping[str, Array], path: Path, files: Npz | None = None) -> list[Pair]:
    """The arrays of images and of labels of each part: those that the card names, else those that are clear.

    Raises:
        DataError: If it is not clear, or one that the card names is missing.
    """
    stated = () if files is None else _stated(files)
    missing = [name for pair in stated for name in (pair.images, pair.labels) if name not in arrays]
    found = list(stated) or pairs(arrays)
    if found and not missing:
        return found
    names = [
        f"{printable(name)} ({shape_words(array.shape)})" for name, array in sorted(arrays.items())
    ]
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10:,} more" if len(names) > 10 else "")
    if missing:
        raise DataError(
            f"{path.name}: there is no array {missing[0]}; found {shown or 'none'}",
            "correct the names under files in the card.",
        )
    raise DataError(
        f"{path.name}: expected the arrays x_train and y_train, or x and y; found"
        f" {shown or 'none'}",
        "save it with numpy.savez(path, x=images, y=labels); or name them in a card, such as "
        "files: {type: npz, path: FILE, train_images: NAME, train_labels: NAME}.",
    )


def _stated(files: Npz) -> list[Pair]:
    """The pairs that a card names; a single one is of no part."""
    named = [
        Pair(part=part, images=images, labels=labels)
        for part, images, labels in (
            ("train", files.train_images, files.train_labels),
            ("validation", files.validation_images, files.validation_labels),
            ("test", files.test_images, files.test_labels),
        )
        if images is not None and labels is not None
    ]
    return named if len(named) != 1 else [replace(named[0], part="")]


def _check(arrays: Mapping[str, Array], path: Path, pair: Pair, card: Card) -> None:
    """See from the headers that images and labels fit the card and each other."""
    x_name, y_name = pair.images, pair.labels
    layout = image_layout(arrays[x_name], f"{path.name}, {x_name}")
    shape = (layout.height, layout.width, 3 if layout.channels == 4 else layout.channels)
    if shape != card.image.shape:
        raise DataError(
            f"{path.name}, {x_name}: images are {shape_words(shape)}; expected"
            f" {shape_words(card.image.shape)}",
            "correct image: in the card.",
        )
    n_images, labels = arrays[x_name].shape[0], arrays[y_name].shape
    if math.prod(labels) != n_images and (len(labels) != 2 or labels[0] != n_images):
        raise DataError(
            f"{path.name}: {x_name} has {n_images:,} images, but {y_name} has {math.prod(labels):,}"
            " labels",
            "save one label for each image.",
        )
    kind, n_bytes = arrays[y_name].dtype.kind, arrays[y_name].dtype.itemsize
    if kind not in "biufUS" or n_bytes > _MOST_LABEL_BYTES:
        raise DataError(
            f"{path.name}, {y_name}: labels are of type {str(arrays[y_name].dtype)[:60]}; "
            "expected whole numbers or short text",
            "save one whole number, or the name of its class, for each image.",
        )
    for name in (x_name, y_name):
        n_bytes = math.prod(arrays[name].shape) * arrays[name].dtype.itemsize
        if arrays[name].by_columns and n_bytes > MOST_BY_COLUMNS_BYTES:
            raise DataError(
                f"{path.name}, {name}: it takes {n_bytes / 1e9:,.1f} GB in Fortran's order; at most"
                f" {MOST_BY_COLUMNS_BYTES / 1e9:g} GB can be read so",
                "save it by rows: numpy.ascontiguousarray(x).",
            )


def _texts(labels: NDArray[Any], where: str) -> list[str]:
    """Labels as text; bytes are UTF-8."""
    try:
        if labels.dtype.kind == "S":
            return [label.decode() for label in labels.tolist()]
        if labels.dtype.kind == "U":
            # NumPy checks no code points, and Python fails in odd ways on those that are none.
            labels.astype(labels.dtype.newbyteorder("<")).tobytes().decode("utf-32-le")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where}: a label is not valid text", "save whole numbers as labels, or text in UTF-8."
        ) from error
    return [str(label) for label in labels.tolist()]


def _labels(path: Path, name: str, array: Array) -> list[str]:
    """The labels as text; of rows of zeros and a single one, the position of the one."""
    where = f"{path.name}, {name}"
    n_columns = array.shape[1] if len(array.shape) == 2 else 1
    texts: list[str] = []
    for block in blocks(path, name, array):
        if n_columns == 1 or math.prod(array.shape) == array.shape[0]:
            texts.extend(_texts(block.reshape(-1), where))
            continue
        if block.dtype.kind not in "biuf" or not _is_one_hot(block):
            raise DataError(
                f"{where}: {n_columns} labels for each image, of which not always exactly one is 1",
                "give each image one class; several classes for one image are not supported.",
            )
        texts.extend(map(str, block.argmax(axis=1).tolist()))
    return texts


def _is_one_hot(block: NDArray[Any]) -> bool:
    return bool((((block == 0) | (block == 1)).all(axis=1) & (block.sum(axis=1) == 1)).all())


def _ranges(
    path: Path, arrays: Mapping[str, Array], found: list[Pair], card: Card
) -> dict[bool, ValueRange]:
    """The values that become 0 and 255, of floats (True) and of whole numbers that are no bytes (False).

    Raises:
        DataError: If a value is not finite.
    """
    kinds: dict[bool, tuple[float, float]] = {}
    for pair in found:
        array = arrays[pair.images]
        if array.dtype in (np.uint8, np.bool_):
            continue
        lowest, highest = kinds.get(array.dtype.kind == "f", (np.inf, -np.inf))
        for block in blocks(path, pair.images, array):
            lowest, highest = (
                np.minimum(lowest, float(block.min())),
                np.maximum(highest, float(block.max())),
            )
        if not (lowest >= -LARGEST_VALUE and highest <= LARGEST_VALUE) and array.shape[0]:
            raise DataError(
                f"{path.name}, {pair.images}: the values reach from {lowest:g} to {highest:g};"
                " expected numbers",
                "replace what is no number, and save them as uint8.",
            )
        kinds[array.dtype.kind == "f"] = float(lowest), float(highest)
    stated = card.image.value_range
    if stated is not None:
        return dict.fromkeys(kinds, (stated[0], stated[1]))
    return {
        is_float: range_of(*ends, is_float=is_float)
        for is_float, ends in kinds.items()
        if np.isfinite(ends).all()
    }


def _only_deep(ranges: Mapping[bool, ValueRange], path: Path) -> ValueRange | None:
    """The range that is not that of bytes; None where there is none.

    Raises:
        DataError: If there are two. Bytes beside floats of 0 to 1 are one set, though.
    """
    deep = set(ranges.values()) - {(0.0, 255.0)}
    if len(deep) > 1:
        ends = " and ".join(range_words(one) for one in sorted(deep))
        raise DataError(
            f"{path.name}: its arrays have values of {ends}",
            "save all of them by one scale, as uint8.",
        )
    return next(iter(deep), None)


def _fill(
    out: NDArray[np.uint8],
    rows: list[int],
    path: Path,
    name: str,
    array: Array,
    ranges: Mapping[bool, ValueRange],
    card: Card,
) -> None:
    """Fill with the images of some rows."""
    layout = image_layout(array, name)
    start = n = 0
    wanted = np.asarray(rows, dtype=np.int64)
    for block in blocks(path, name, array):
        here = wanted[(wanted >= start) & (wanted < start + len(block))] - start
        images = layout.channels_last(_bytes(block[here], ranges.get(block.dtype.kind == "f")))
        out[n : n + len(here)] = _flat(images, card) if layout.channels == 4 else images
        start, n = start + len(block), n + len(here)


def _bytes(values: NDArray[Any], value_range: ValueRange | None) -> NDArray[np.uint8]:
    if values.dtype == np.bool_:
        return np.where(values, np.uint8(255), np.uint8(0))
    if values.dtype == np.uint8 or value_range is None:
        return values.astype(np.uint8)
    if values.dtype.kind != "f" and value_range == (0.0, 255.0):
        within: NDArray[np.uint8] = np.clip(values, 0, 255).astype(np.uint8)
        return within
    # Of 16 bits, a float has no room for 65,535; of 64, float32 has none for all values.
    wide = values.astype(np.float32) if values.dtype == np.float16 else values
    return to_8_bits(np.clip(wide, *value_range).astype(np.float32), value_range)


def _flat(images: NDArray[np.uint8], card: Card) -> NDArray[np.uint8]:
    """Red, green and blue above the card's background, by the fourth channel."""
    alpha = images[..., 3:].astype(np.float32) / 255
    below = np.asarray(card.image.background, dtype=np.float32)
    return np.rint(images[..., :3] * alpha + below * (1 - alpha)).astype(np.uint8)
