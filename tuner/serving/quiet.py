"""Hide what frameworks print as they start: some of it comes from C++, past Python's streams."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_start() -> Iterator[None]:
    """Send file descriptors 1 and 2 to the null device meanwhile.

    The command line's own messages have descriptors of their own. A descriptor that is closed stays
    closed.
    """
    opened = _null_devices()
    nowhere = opened[-1]
    saved = {number: os.dup(number) for number in (1, 2)}
    try:
        for number in saved:
            os.dup2(nowhere, number)
        yield
    finally:
        for number, copy in saved.items():
            os.dup2(copy, number)
            os.close(copy)
        for number in opened:
            os.close(number)


def _null_devices() -> list[int]:
    """Descriptors of the null device: one for each standard stream that is closed, and another.

    A new descriptor has the lowest free number, so a copy could take that of a closed stream.
    """
    opened = [os.open(os.devnull, os.O_RDWR)]
    while opened[-1] <= 2:
        opened.append(os.open(os.devnull, os.O_RDWR))
    return opened
