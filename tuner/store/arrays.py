"""Arrays on disk; apart from `files`, since NumPy takes its time to import."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np

from tuner.store.files import write_atomically


def write_array(path: Path, array: np.ndarray) -> None:
    """Write a .npy file atomically.

    Raises:
        OSError: If it cannot be written, with its `errno`.
    """
    with write_atomically(path) as file:
        np.save(_Writer(file), array)


class _Writer:
    """A file that NumPy does not know for one: it would write past Python, and a full disk would have no `errno`."""

    def __init__(self, file: BinaryIO) -> None:
        self.write = file.write
