"""NPZ files with arrays of images and labels."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.card import Card, Npz
from tuner.data.images import PARTS, Allocate, Images, make_images
from tuner.data.labels import number_labels
from tuner.errors import DataError

_BLOCK_BYTES = 64_000_000
# Rows of an array in Fortran's order are scattered over its file, so that all of it must be held in memory.
_MOST_BY_COLUMNS_BYTES = 1_000_000_000
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


def sources(card: Card, data_root: Path) -> list[Path]:
    """The files that the images are read from."""
    assert isinstance(card.files, Npz)
    return [data_root / card.files.path]


def read(card: Card, data_root: Path, allocate: Allocate) -> Images:
    """Read the arrays, a few images at a time; floats from 0 to 1 become 0 to 255.

    Raises:
        DataError: If arrays are missing, or their shapes, types or values cannot be those of images and labels.
    """
    path = sources(card, data_root)[0]
    arrays = open_arrays(path)
    found = part_names(arrays, path)
    for _, x_name, y_name in found:
        _check(arrays, path, x_name, y_name, card)
    pixels = allocate(sum(arrays[x_name].shape[0] for _, x_name, _ in found))
    labels: list[str] = []
    parts: list[str] = []
    origins: list[str] = []
    for part, x_name, y_name in found:
        n = arrays[x_name].shape[0]
        _fill(pixels[len(labels) : len(labels) + n], path, x_name, arrays[x_name])
        for block in _blocks(path, y_name, arrays[y_name]):
            labels.extend(_texts(block.reshape(-1), f"{path.name}, {y_name}"))
        parts.extend([part] * n)
        origins.extend(f"{x_name}[{row}]" for row in range(n))
    translated = number_labels(card, labels, [f"{path.name}, {origin.replace('x', 'y', 1)}" for origin in origins])
    return make_images(
        name=card.name,
        images=pixels,
        labels=translated.numbers,
        parts=parts,
        origins=origins,
        class_names=translated.names,
    )


def open_arrays(path: Path) -> dict[str, Array]:
    """The headers of all arrays; pickled ones are refused, since unpickling runs whatever the file says.

    Raises:
        DataError: If it is not such a file.
    """
    with _readable(path), zipfile.ZipFile(path) as archive:
        found = {}
        for member in archive.infolist():
            if not member.filename.endswith(".npy"):
                continue
            with archive.open(member) as file:
                array = _header(file)
                if member.file_size != file.tell() + math.prod(array.shape) * array.dtype.itemsize:
                    raise ValueError("cut off")
            found[member.filename.removesuffix(".npy")] = array
        return found


def part_names(arrays: Mapping[str, Any], path: Path) -> list[tuple[str, str, str]]:
    """Part and names of the image and label arrays that belong to it.

    Raises:
        DataError: If there are neither x_train and y_train nor x and y.
    """
    found = [(part, f"x_{part}", f"y_{part}") for part in PARTS if f"x_{part}" in arrays and f"y_{part}" in arrays]
    if found and found[0][0] == "train":
        return found if len(found) > 1 else [("", "x_train", "y_train")]
    if "x" in arrays and "y" in arrays:
        return [("", "x", "y")]
    found_names = ", ".join(sorted(arrays)) or "none"
    raise DataError(
        f"{path.name}: expected the arrays x_train and y_train, or x and y; found {found_names}",
        "save it with numpy.savez(path, x=images, y=labels).",
    )


def image_shape(array: Array, where: str) -> tuple[int, int, int]:
    """(height, width, channels) of an array of images (n, height, width) or (n, height, width, channels).

    Raises:
        DataError: If its shape is another one, or it holds no numbers.
    """
    shape = (*array.shape, 1) if len(array.shape) == 3 else array.shape
    if len(shape) != 4 or shape[-1] not in (1, 3):
        raise DataError(
            f"{where}: the shape is {_shape(array.shape)}; expected n x height x width, or that x 1 or 3 channels",
            "put the channels last.",
        )
    if not np.issubdtype(array.dtype, np.floating) and not np.issubdtype(array.dtype, np.integer):
        raise DataError(f"{where}: the values are of type {array.dtype}; expected numbers", "save them as uint8.")
    return shape[1], shape[2], shape[3]


def _check(arrays: Mapping[str, Array], path: Path, x_name: str, y_name: str, card: Card) -> None:
    """See from the headers that images and labels fit the card and each other."""
    shape = image_shape(arrays[x_name], f"{path.name}, {x_name}")
    if shape != card.image.shape:
        raise DataError(
            f"{path.name}, {x_name}: images are {_shape(shape)}; expected {_shape(card.image.shape)}",
            "correct image: in the card.",
        )
    n_images, n_labels = arrays[x_name].shape[0], math.prod(arrays[y_name].shape)
    if n_labels != n_images:
        raise DataError(
            f"{path.name}: {x_name} has {n_images:,} images, but {y_name} has {n_labels:,} labels",
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


def _fill(out: NDArray[np.uint8], path: Path, name: str, array: Array) -> None:
    is_float = np.issubdtype(array.dtype, np.floating)
    low, high, top = np.inf, -np.inf, 1 if is_float else 255
    start = 0
    for block in _blocks(path, name, array):
        low, high = float(np.minimum(low, block.min())), float(np.maximum(high, block.max()))
        # `not (low and high)` below rather than `low or high`, so that NaN is refused too.
        if low >= 0 and high <= top:
            values = np.rint(block * 255.0) if is_float else block
            out[start : start + len(block)] = values.reshape(len(block), *out.shape[1:])
        start += len(block)
    if len(out) and not (low >= 0 and high <= top):
        kind = "floats from 0 to 1" if is_float else "whole numbers from 0 to 255"
        raise DataError(
            f"{path.name}, {name}: the values reach from {low:g} to {high:g}; expected {kind}",
            "save them as uint8.",
        )


def _blocks(path: Path, name: str, array: Array) -> Iterator[NDArray[Any]]:
    """The rows of an array, a few at a time."""
    row_bytes = math.prod(array.shape[1:]) * array.dtype.itemsize
    step = max(1, _BLOCK_BYTES // max(1, row_bytes))
    with _readable(path), zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
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
