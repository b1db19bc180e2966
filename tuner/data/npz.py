"""NPZ files, and folders of NPY files, with arrays of images and labels."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.array_names import Pair, pairs
from tuner.data.card import Card, Npz
from tuner.data.images import Allocate, Images, make_images, printable
from tuner.data.labels import is_label, number_labels
from tuner.data.left_out import left_out
from tuner.data.value_range import ValueRange, range_of, range_words, to_8_bits
from tuner.errors import DataError

_BLOCK_BYTES = 64_000_000
# Rows of an array in Fortran's order are scattered over its file, so that all of it must be held in memory.
_MOST_BY_COLUMNS_BYTES = 1_000_000_000
_CHANNELS = (1, 3, 4)
# Of one label; NumPy gives each the room of the longest.
_MOST_LABEL_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Array:
    """An array of the file, as its header describes it.

    Attributes:
        shape: Its shape.
        dtype: Its type.
        by_columns: Whether it is stored in Fortran's order.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    by_columns: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How an array holds images.

    Attributes:
        height: Pixels.
        width: Pixels.
        channels: 1, 3 or 4.
        is_first: Whether the channels come before height and width.
    """

    height: int
    width: int
    channels: int
    is_first: bool

    def channels_last(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Images of this layout as (n, height, width, channels)."""
        if self.is_first:
            return np.moveaxis(images, 1, -1)
        return images.reshape(len(images), self.height, self.width, self.channels)


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
    return sorted(path.glob("*.npy")) if path.is_dir() else [path]


def read(card: Card, data_root: Path, allocate: Allocate) -> Images:
    """Read the arrays, a few images at a time; by one scale for all of them.

    Images without a label are left out, and arrays that belong to no images are named.

    Raises:
        DataError: If arrays are missing, or their shapes, types or values cannot be those of images and labels.
    """
    assert isinstance(card.files, Npz)
    path = data_root / card.files.path
    arrays = open_arrays(path)
    found = part_names(arrays, path, card.files)
    for pair in found:
        _check(arrays, path, pair, card)
    value_range = _range(path, arrays, found, card)
    pixels = allocate(sum(arrays[pair.images].shape[0] for pair in found))
    rows = _Rows()
    for pair in found:
        n = len(rows.labels)
        texts = _labels(path, pair.labels, arrays[pair.labels])
        labelled = [row for row, text in enumerate(texts) if is_label(text)]
        out = pixels[n : n + len(labelled)]
        _fill(out, labelled, path, pair.images, arrays[pair.images], value_range, card)
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
        f"{printable(name)} ({_shape(array.shape) or 'one value'})"
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
        ),
    )


def open_arrays(path: Path) -> dict[str, Array]:
    """The headers of all arrays; pickled ones are refused, since unpickling runs whatever the file says.

    Raises:
        DataError: If it is not such a file.
    """
    if path.is_dir():
        return {file.stem: _npy_header(file) for file in sorted(path.glob("*.npy"))}
    with _readable(path), zipfile.ZipFile(path) as archive:
        found = {}
        for member in archive.infolist():
            if not member.filename.endswith(".npy"):
                continue
            with archive.open(member) as file:
                found[member.filename.removesuffix(".npy")] = _whole(file, member.file_size)
        return found


def _npy_header(path: Path) -> Array:
    with _readable(path), path.open("rb") as file:
        return _whole(file, path.stat().st_size)


def _whole(file: IO[bytes], n_bytes: int) -> Array:
    array = _header(file)
    if n_bytes != file.tell() + math.prod(array.shape) * array.dtype.itemsize:
        raise ValueError("cut off")
    return array


@contextmanager
def _opened(path: Path, name: str) -> Iterator[IO[bytes]]:
    """An array of the NPZ, or of the folder."""
    if path.is_dir():
        with _readable(path), (path / f"{name}.npy").open("rb") as file:
            yield file
        return
    with _readable(path), zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
        yield member


def part_names(arrays: Mapping[str, Array], path: Path, files: Npz | None = None) -> list[Pair]:
    """The arrays of images and of labels of each part: those that the card names, else those that are clear.

    Raises:
        DataError: If it is not clear, or one that the card names is missing.
    """
    stated = () if files is None else _stated(files)
    missing = [
        name for pair in stated for name in (pair.images, pair.labels) if name not in arrays
    ]
    found = list(stated) or pairs(arrays)
    if found and not missing:
        return found
    names = [f"{printable(name)} ({_shape(array.shape)})" for name, array in sorted(arrays.items())]
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10:,} more" if len(names) > 10 else "")
    if missing:
        raise DataError(
            f"{path.name}: there is no array {missing[0]}; found {shown or 'none'}",
            "correct the names under files in the card.",
        )
    raise DataError(
        f"{path.name}: expected the arrays x_train and y_train, or x and y; found {shown or 'none'}",
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


def image_layout(array: Array, where: str) -> Layout:
    """How an array holds its images.

    Understood are n x height x width, that x 1, 3 or 4 channels, n x 1, 3 or 4 channels x height x width, and n rows of
    a square number of grey values.

    Raises:
        DataError: If its shape is another one, or it holds no numbers.
    """
    shape = array.shape
    if not (array.dtype.kind in "uifb"):
        raise DataError(
            f"{where}: the values are of type {str(array.dtype)[:60]}; expected numbers", "save them as uint8."
        )
    if len(shape) == 2 and shape[1] >= 16 and math.isqrt(shape[1]) ** 2 == shape[1]:
        side = math.isqrt(shape[1])
        return Layout(height=side, width=side, channels=1, is_first=False)
    if len(shape) == 3:
        return Layout(height=shape[1], width=shape[2], channels=1, is_first=False)
    if len(shape) == 4 and shape[3] in _CHANNELS:
        return Layout(height=shape[1], width=shape[2], channels=shape[3], is_first=False)
    if len(shape) == 4 and shape[1] in _CHANNELS:
        return Layout(height=shape[2], width=shape[3], channels=shape[1], is_first=True)
    raise DataError(
        f"{where}: the shape is {_shape(shape)}; expected n x height x width, or that x 1, 3 or 4 channels",
        _reshape_hint(shape),
    )


def _reshape_hint(shape: tuple[int, ...]) -> str:
    if len(shape) == 2 and shape[1] % 3 == 0 and math.isqrt(shape[1] // 3) ** 2 == shape[1] // 3:
        side = math.isqrt(shape[1] // 3)
        return (
            f"{side} x {side} colour images? Then x.reshape(-1, {side}, {side}, 3); or, where all red values come first "
            f"as in CIFAR, x.reshape(-1, 3, {side}, {side})."
        )
    if len(shape) == 4 and shape[2] in _CHANNELS:
        return "the images are along the last axis: numpy.moveaxis(x, -1, 0) puts them first."
    if len(shape) == 5:
        return "volumes and videos are not understood: save single images."
    return "reshape it, channels last."


def _check(arrays: Mapping[str, Array], path: Path, pair: Pair, card: Card) -> None:
    """See from the headers that images and labels fit the card and each other."""
    x_name, y_name = pair.images, pair.labels
    layout = image_layout(arrays[x_name], f"{path.name}, {x_name}")
    shape = (layout.height, layout.width, 3 if layout.channels == 4 else layout.channels)
    if shape != card.image.shape:
        raise DataError(
            f"{path.name}, {x_name}: images are {_shape(shape)}; expected {_shape(card.image.shape)}",
            "correct image: in the card.",
        )
    n_images, labels = arrays[x_name].shape[0], arrays[y_name].shape
    if math.prod(labels) != n_images and (len(labels) != 2 or labels[0] != n_images):
        raise DataError(
            f"{path.name}: {x_name} has {n_images:,} images, but {y_name} has {math.prod(labels):,} labels",
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
        if arrays[name].by_columns and n_bytes > _MOST_BY_COLUMNS_BYTES:
            raise DataError(
                f"{path.name}, {name}: it takes {n_bytes / 1e9:,.1f} GB in Fortran's order; at most "
                f"{_MOST_BY_COLUMNS_BYTES / 1e9:g} GB can be read so",
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
    for block in _blocks(path, name, array):
        if n_columns == 1 or math.prod(array.shape) == array.shape[0]:
            texts.extend(_texts(block.reshape(-1), where))
            continue
        if block.dtype.kind not in "biuf" or not _is_one_hot(block):
            raise DataError(
                f"{where}: {n_columns} labels for each image, of which not always exactly one is 1",
                "give each image one class; several at once cannot be learnt here.",
            )
        texts.extend(map(str, block.argmax(axis=1).tolist()))
    return texts


def _is_one_hot(block: NDArray[Any]) -> bool:
    return bool((((block == 0) | (block == 1)).all(axis=1) & (block.sum(axis=1) == 1)).all())


def _range(
    path: Path, arrays: Mapping[str, Array], found: list[Pair], card: Card
) -> ValueRange | None:
    """The values that become 0 and 255; None where they are whole numbers from 0 to 255 already.

    Raises:
        DataError: If a value is not finite.
    """
    kinds: dict[bool, tuple[float, float]] = {}
    for pair in found:
        array = arrays[pair.images]
        if array.dtype in (np.uint8, np.bool_):
            continue
        lowest, highest = kinds.get(array.dtype.kind == "f", (np.inf, -np.inf))
        for block in _blocks(path, pair.images, array):
            lowest, highest = np.minimum(lowest, block.min()), np.maximum(highest, block.max())
        if not (np.isfinite(lowest) and np.isfinite(highest)) and array.shape[0]:
            raise DataError(
                f"{path.name}, {pair.images}: the values reach from {lowest:g} to {highest:g}; expected numbers",
                "replace what is no number, and save them as uint8.",
            )
        kinds[array.dtype.kind == "f"] = float(lowest), float(highest)
    if card.image.value_range is not None:
        return card.image.value_range[0], card.image.value_range[1]
    ranges = {
        range_of(*ends, is_float=is_float)
        for is_float, ends in kinds.items()
        if np.isfinite(ends).all()
    }
    # Bytes beside floats of 0 to 1 are one set: each kind has its own white.
    deep = ranges - {(0.0, 255.0)}
    if len(deep) > 1:
        ends = " and ".join(range_words(one) for one in sorted(deep))
        raise DataError(
            f"{path.name}: its arrays have values of {ends}", "save all of them by one scale, as uint8."
        )
    return next(iter(deep), None)


def _fill(
    out: NDArray[np.uint8],
    rows: list[int],
    path: Path,
    name: str,
    array: Array,
    value_range: ValueRange | None,
    card: Card,
) -> None:
    """Fill with the images of some rows."""
    layout = image_layout(array, name)
    start = n = 0
    wanted = np.asarray(rows, dtype=np.int64)
    for block in _blocks(path, name, array):
        here = wanted[(wanted >= start) & (wanted < start + len(block))] - start
        images = layout.channels_last(_bytes(block[here], value_range))
        out[n : n + len(here)] = _flat(images, card) if layout.channels == 4 else images
        start, n = start + len(block), n + len(here)


def _bytes(values: NDArray[Any], value_range: ValueRange | None) -> NDArray[np.uint8]:
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    is_byte = values.dtype.kind != "f" and (value_range is None or values.dtype == np.uint8)
    if is_byte or (value_range is None):
        return np.rint(values).astype(np.uint8)
    return to_8_bits(values.astype(np.float32), value_range)


def _flat(images: NDArray[np.uint8], card: Card) -> NDArray[np.uint8]:
    """Red, green and blue above the card's background, by the fourth channel."""
    alpha = images[..., 3:].astype(np.float32) / 255
    below = np.asarray(card.image.background, dtype=np.float32)
    return np.rint(images[..., :3] * alpha + below * (1 - alpha)).astype(np.uint8)


def _blocks(path: Path, name: str, array: Array) -> Iterator[NDArray[Any]]:
    """The rows of an array, a few at a time."""
    row_bytes = math.prod(array.shape[1:]) * array.dtype.itemsize
    step = max(1, _BLOCK_BYTES // max(1, row_bytes))
    with _opened(path, name) as file:
        if array.by_columns or not array.shape:
            whole = np.atleast_1d(np.lib.format.read_array(file, allow_pickle=False))
            yield from (whole[start : start + step] for start in range(0, len(whole), step))
            return
        _header(file)
        for start in range(0, array.shape[0], step):
            n = min(step, array.shape[0] - start)
            block = np.frombuffer(file.read(n * row_bytes), dtype=array.dtype)
            yield block.reshape(n, *array.shape[1:])


def _header(file: IO[bytes]) -> Array:
    version = np.lib.format.read_magic(file)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
    shape, by_columns, dtype = read_header(file)
    if dtype.hasobject or min(shape, default=0) < 0:
        raise ValueError("no plain array")
    return Array(shape=shape, dtype=dtype, by_columns=by_columns)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Whatever is wrong with the file becomes a DataError."""
    try:
        yield
    except DataError:
        raise
    # KeyError: a version of the format that holds no plain arrays. RuntimeError: encrypted.
    except (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, MemoryError) as error:
        raise _no_npz(path) from error
    # TokenError: a header that numpy gave to Python's own parser.
    except (zipfile.BadZipFile, zlib.error, SyntaxError, TokenError) as error:
        raise _no_npz(path) from error


def _no_npz(path: Path) -> DataError:
    return DataError(f"{path.name}: it is not an NPZ of plain arrays", "save it with numpy.savez.")


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
