"""PyTorch files of the layout before 1.6, written instruction by instruction.

Nothing here needs PyTorch.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping

import numpy as np

HEADER = b"".join(
    pickle.dumps(part, protocol=2)
    for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True, "type_sizes": {"int": 4}})
)


def text(value: str) -> bytes:
    encoded = value.encode()
    return b"X" + len(encoded).to_bytes(4, "little") + encoded


def number(value: int) -> bytes:
    return b"J" + value.to_bytes(4, "little", signed=True)


def numbers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(number(value) for value in values) + b"t"


def storage(key: str, n_elements: int, kind: bytes = b"ctorch\nFloatStorage\n") -> bytes:
    return b"(" + text("storage") + kind + text(key) + text("cpu") + number(n_elements) + b"NtQ"


def tensor(stored: bytes, size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> bytes:
    empty = b"ccollections\nOrderedDict\n)R"
    arguments = stored + number(offset) + numbers(size) + numbers(stride) + b"\x89" + empty
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + arguments + b"tR"


def named(tensors: Mapping[str, bytes]) -> bytes:
    pairs = b"".join(text(name) + one for name, one in tensors.items())
    return b"\x80\x02ccollections\nOrderedDict\n)R(" + pairs + b"u."


def elements(array: np.ndarray) -> bytes:
    return array.size.to_bytes(8, "little") + array.tobytes()


def torch_file(tensors: bytes, storages: Mapping[str, np.ndarray]) -> bytes:
    stored = b"".join(elements(array) for array in storages.values())
    return HEADER + tensors + pickle.dumps(list(storages), protocol=2) + stored
