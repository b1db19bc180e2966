"""The arrays of an NPZ, or of a folder of NPY files: their headers, then a memory map of each.

What is mapped is a copy in an unnamed file of the cache (docs/adr/0023-arrays-by-memory-map.md): a
file that somebody shortens, or a drive that fails, would otherwise kill the process that has it
mapped.
"""

from __future__ import annotations

import errno
import lzma
import math
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from tuner.errors import DataError

_BLOCK_BYTES = 16_000_000
_COPIED_BYTES = 4_000_000
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


def map_array(path: Path, name: str, array: Array, room: Path) -> NDArray[Any]:
    """An array as a memory map.

    Args:
        path: The NPZ, or the folder.
        name: Of the array.
        array: Its header.
        room: Folder for the copy that is mapped; where it cannot be written, the system's folder
            for such files. Nothing is left in it.

    Raises:
        DataError: If the file is damaged, or there is no room.
    """
    n_bytes = math.prod(array.shape) * array.dtype.itemsize
    if not n_bytes:
        # A shape may be too large for NumPy even where one side of it is 0.
        with _readable(path):
            return np.empty(array.shape, array.dtype)
    order: Literal["C", "F"] = "F" if array.by_columns else "C"
    with _opened(path, name) as file, _unnamed_file(room) as copy:
        _header(file)
        with _written(path, name, n_bytes, room):
            _reserve(copy, n_bytes)
        for start in range(0, n_bytes, _COPIED_BYTES):
            part = file.read(min(_COPIED_BYTES, n_bytes - start))
            with _written(path, name, n_bytes, room):
                copy.write(part)
                copy.flush()
        if copy.tell() != n_bytes:
            raise EOFError
        return _mapped(copy, array, order)


def _mapped(copy: IO[bytes], array: Array, order: Literal["C", "F"]) -> NDArray[Any]:
    try:
        return np.memmap(copy, dtype=array.dtype, mode="r", shape=array.shape, order=order)
    except OSError:
        # Some network drives map no files; memory does, as far as it goes.
        copy.seek(0)
        return np.fromfile(copy, array.dtype).reshape(array.shape, order=order)


def _reserve(copy: IO[bytes], n_bytes: int) -> None:
    """Fail at once where the disk has no room, rather than when it is full."""
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(copy.fileno(), 0, n_bytes)
    except OSError as error:
        # Some file systems cannot reserve; there, writing fails where the disk is full.
        if error.errno not in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
            raise


@contextmanager
def _written(path: Path, name: str, n_bytes: int, room: Path) -> Iterator[None]:
    """What goes wrong with the copy is not the fault of the data."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{path.name}, {name}: a copy of its {n_bytes / 1e9:,.1f} GB is mapped into"
            f" memory, and cannot be written: {error.strerror}",
            f"free space on the disk of {room}, or of the folder for temporary files (TMPDIR).",
        ) from error


def _unnamed_file(room: Path) -> IO[bytes]:
    with suppress(OSError):
        return tempfile.TemporaryFile(dir=room)
    return tempfile.TemporaryFile()


def blocks(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The rows of an array, a few at a time."""
    step = max(1, _BLOCK_BYTES // max(1, values[:1].nbytes))
    yield from (values[start : start + step] for start in range(0, len(values), step))


def _header(file: IO[bytes]) -> Array:
    version = np.lib.format.read_magic(file)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, by_columns, dtype = read_header(file)
    if dtype.hasobject or not dtype.itemsize or min(shape, default=0) < 0:
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
    # OverflowError: a size that no system call takes.
    except (OverflowError, lzma.LZMAError) as error:
        raise _no_npz(path) from error
    # TokenError: a header that numpy gave to Python's own parser.
    except (zipfile.BadZipFile, zlib.error, SyntaxError, TokenError) as error:
        raise _no_npz(path) from error


def _no_npz(path: Path) -> DataError:
    return DataError(f"{path.name}: it is not an NPZ of plain arrays", "save it with numpy.savez.")


def shape_words(shape: tuple[int, ...]) -> str:
    """Such as `60 x 28 x 28`."""
    return " x ".join(map(str, shape))
