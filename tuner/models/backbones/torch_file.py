"""Tensors of a PyTorch file, read without PyTorch and without running anything that is in it.

The layout is that of PyTorch before 1.6 (torch/serialization.py, `_legacy_load`): five pickles,
which are a magic number, a version, the sizes of C types, the tensors, and the keys of their
storages; then, for each storage, its number of elements in 8 bytes and the elements. An ordinary
unpickler would call whatever function such a file names.
"""

from __future__ import annotations

import hashlib
import math
import pickle
import pickletools
from collections import OrderedDict
from io import SEEK_CUR, BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tuner.models.backbones.weights import WeightsError

_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001
_DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "?",
}
_MAX_REASON = 200
_HINT = "delete the file and install its package again; use no file from elsewhere."


class _Storage(NamedTuple):
    """Elements in a row, which tensors are views of."""

    key: str
    dtype: str
    n_elements: int


class _Tensor(NamedTuple):
    """A view as the file states it.

    Nothing of it is checked yet. Offset and strides count elements.
    """

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class _UnreadableError(Exception):
    """Why a file is refused."""


def read_tensors(path: Path, sha256: str | None = None) -> dict[str, np.ndarray]:
    """Read a file of named tensors.

    Args:
        path: A `.pth` file in the layout of PyTorch before 1.6.
        sha256: What the SHA-256 of the file must be, in 64 hexadecimal digits; None takes any file.

    Returns:
        The tensors by name, as views of the file's bytes that cannot be written to.

    Raises:
        WeightsError: If it cannot be read, is another file, is damaged, or names anything but
            tensors.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path.name}: it cannot be read: {error.strerror}", _HINT) from error
    found = hashlib.sha256(data).hexdigest()
    if sha256 not in (None, found):
        raise WeightsError(
            f"{path.name}: its SHA-256 begins with {found[:16]}; expected {str(sha256)[:16]}", _HINT
        )
    try:
        return _tensors(data)
    except _UnreadableError as error:
        # It quotes the file, which may hold anything that steers a terminal.
        reason = str(error)[:_MAX_REASON].encode("unicode_escape").decode()
        raise WeightsError(f"{path.name}: {reason}", _HINT) from error
    # A damaged pickle makes the unpickler fail in any way.
    except Exception as error:
        raise WeightsError(
            f"{path.name}: it is damaged, or no PyTorch file from before 1.6", _HINT
        ) from error


def _tensors(data: bytes) -> dict[str, np.ndarray]:
    file = BytesIO(data)
    magic, version, system = (_unpickle(file, data) for _ in range(3))
    if (magic, version, system["little_endian"]) != (_MAGIC, _VERSION, True):
        raise _UnreadableError("it is no PyTorch file from before 1.6")
    tensors, keys = dict(_unpickle(file, data)), _unpickle(file, data)
    storages: dict[str, _Storage] = {}
    for name, tensor in tensors.items():
        if type(name) is not str or type(tensor) is not _Tensor:
            raise _UnreadableError("it holds other things than named tensors")
        if storages.setdefault(tensor.storage.key, tensor.storage) != tensor.storage:
            raise _UnreadableError(f"it states storage {tensor.storage.key} in two ways")
    if sorted(keys) != sorted(storages):
        raise _UnreadableError("its list of storages is not that of its tensors")
    elements = {key: _elements(file, data, storages[key]) for key in keys}
    if file.read(1):
        raise _UnreadableError("something follows its last storage")
    return {name: _array(tensor, elements) for name, tensor in tensors.items()}


def _unpickle(file: BytesIO, data: bytes) -> Any:
    """The next pickle of a file whose content is `data`."""
    start = file.tell()
    for opcode, argument, _ in pickletools.genops(file):
        # The C unpickler makes room for any number of remembered objects, and looks an extension up
        # by itself.
        if opcode.name.startswith("EXT") or ("PUT" in opcode.name and (argument or 0) > len(data)):
            raise _UnreadableError(
                f"its pickle has an instruction {opcode.name} {argument} that no tensor needs"
            )
    return _Unpickler(BytesIO(data[start : file.tell()])).load()


class _Unpickler(pickle.Unpickler):
    """Knows `OrderedDict`, tensors and storages, in place of every importable object."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            # A function of its own for each mention, since a pickle may set attributes of what it
            # is given.
            return lambda storage, offset, size, stride, *_: _Tensor(storage, offset, size, stride)
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        raise _UnreadableError(f"it names {module}.{name}, which is no part of a tensor")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _device, n_elements, view = pid
        if (
            kind != "storage"
            or dtype not in _DTYPES.values()
            or type(key) is not str
            or view is not None
        ):
            raise _UnreadableError("it holds storages of another layout")
        return _Storage(key, dtype, n_elements)


def _elements(file: BytesIO, data: bytes, storage: _Storage) -> memoryview:
    n_elements = int.from_bytes(file.read(8), "little")
    if n_elements != storage.n_elements:
        raise _UnreadableError(
            f"storage {storage.key} has {n_elements} elements; expected {storage.n_elements}"
        )
    n_bytes = n_elements * np.dtype(storage.dtype).itemsize
    elements = memoryview(data)[file.tell() :][:n_bytes]
    if len(elements) != n_bytes:
        raise _UnreadableError(
            f"storage {storage.key} ends after {len(elements)} of {n_bytes} bytes"
        )
    file.seek(n_bytes, SEEK_CUR)
    return elements


def _array(tensor: _Tensor, elements: dict[str, memoryview]) -> np.ndarray:
    storage, offset, size, stride = tensor
    if min((offset, *size, *stride)) < 0 or math.prod(size) > storage.n_elements:
        # A stride of 0 makes any number of elements out of one.
        raise _UnreadableError(
            f"a tensor of {size} does not fit into its storage of {storage.n_elements} elements"
        )
    dtype = np.dtype(storage.dtype)
    strides = [dtype.itemsize * n for n in stride]
    # NumPy refuses what reaches beyond the buffer.
    return np.ndarray(size, dtype, elements[storage.key], offset * dtype.itemsize, strides)
