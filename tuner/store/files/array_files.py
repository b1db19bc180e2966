"""Arrays on disk; apart from `files`, since NumPy takes its time to import."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tuner.store.files.whole_files import write_atomically


def write_array(path: Path, array: np.ndarray) -> None:
    """Write a .npy file atomically.

    Raises:
        OSError: If it cannot be written, with its `errno`.
    """
    with write_atomically(path) as file:
        np.save(_Writer(file), array)


def write_zeros(path: Path, shape: tuple[int, ...]) -> None:
    """Write a .npy file of float32 zeros atomically.

    On most disks it takes no room until something else is written to it.

    Raises:
        OSError: If it cannot be written.
    """
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": shape}
    )
    with write_atomically(path) as file:
        file.write(header.getvalue())
        file.truncate(len(header.getvalue()) + 4 * math.prod(shape))


class _Writer:
    """A file object that NumPy does not recognise as a file.

    NumPy writes to real files past Python, and a full disk then sets no `errno`.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.write = file.write
