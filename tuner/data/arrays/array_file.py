"""The arrays of an NPZ, or of a folder of NPY files: their headers, then their rows block by block."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tuner.errors import DataError

_BLOCK_BYTES = 64_000_000
# Rows of an array in Fortran's order are scattered over its file: all of it must be in memory.
MOST_BY_COLUMNS_BYTES = 1_000_000_000


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


def open_arrays(path: Path) -> dict[str, Array]:
    """The headers of all arrays; pickled ones are refused: unpickling runs whatever the file says.

    Raises:
        DataError: If it is not such a file.
    """
    if path.is_dir():
        return {file.stem: _npy_header(file) for file in npy_files(path)}
    with _readable(path), zipfile.ZipFile(path) as archive:
        found = {}
        for member in archive.infolist():
            if not member.filename.endswith(".npy"):
                continue
            with archive.open(member) as file:
                found[member.filename.removesuffix(".npy")] = _whole(file, member.file_size)
        return found


def npy_files(folder: Path) -> list[Path]:
    """The arrays of a folder, sorted; hidden files, such as macOS adds, are none."""
    return sorted(path for path in folder.glob("*.npy") if not path.name.startswith("."))


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


def blocks(path: Path, name: str, array: Array) -> Iterator[NDArray[Any]]:
    """The rows of an array, a few at a time.

    Raises:
        DataError: If the file is damaged.
    """
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
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
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


def shape_words(shape: tuple[int, ...]) -> str:
    """Such as `60 x 28 x 28`."""
    return " x ".join(map(str, shape))
