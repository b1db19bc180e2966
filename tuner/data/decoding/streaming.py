"""Images that are decoded whenever they are asked for, as they exceed the cache."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tuner.cores import n_cores
from tuner.errors import DataError

if TYPE_CHECKING:
    from tuner.data.decoding.image_settings import ImageSettings

# More would hold more whole photos in memory.
_MAX_THREADS = 8


class StreamedImages:
    """Images that are indexed as an array (n, height, width, channels) of uint8 is.

    They can be sent to other processes.

    Attributes:
        paths: The files.
        settings: What each image is turned into.
        shape: (n, height, width, channels).
        dtype: uint8.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, paths: Sequence[str], settings: ImageSettings) -> None:
        """Take the files; nothing is opened yet."""
        self.paths, self.settings = tuple(paths), settings
        self.shape = (len(self.paths), *settings.shape)
        self._pool: ThreadPoolExecutor | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # Threads cannot be sent.
        return StreamedImages, (self.paths, self.settings)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: Any) -> NDArray[np.uint8]:
        """Decode the images at an index of any kind that picks rows of an array.

        Raises:
            DataError: For the first file that cannot be decoded, by name.
        """
        with _pillow_quiet():
            return self.pick(np.arange(len(self))[index])

    def pick(self, rows: NDArray[Any]) -> NDArray[np.uint8]:
        """Do as indexing does, for row numbers; what Pillow warns of is shown."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(min(_MAX_THREADS, n_cores()))
        decoded = list(self._pool.map(self._decode, rows.reshape(-1).tolist()))
        return np.array(decoded, dtype=np.uint8).reshape(*rows.shape, *self.settings.shape)

    def _decode(self, row: int) -> NDArray[np.uint8]:
        from tuner.data.decoding.decode import UnreadableImageError, decode

        try:
            return decode(Path(self.paths[row]), self.settings)
        except UnreadableImageError as error:
            raise DataError(
                f"{self.paths[row]!a}: it can no longer be decoded: {error}",
                "put the file back or delete it, and start a new run.",
            ) from error


@contextmanager
def _pillow_quiet() -> Iterator[None]:
    """Pillow warns of odd metadata and of very large photos; both are decoded all the same."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


class Indexed(Protocol):
    """What gives inputs for row numbers, as an array does."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of the inputs, and the shape of one."""

    def __getitem__(self, rows: Any, /) -> Any:
        """The inputs of some rows."""


def batches(inputs: Indexed, order: NDArray[Any], batch_size: int) -> Iterator[NDArray[Any]]:
    """The inputs in the given order, a batch at a time.

    Streamed ones are decoded while the batch before is used.

    Args:
        inputs: (n, ...).
        order: Indices into them.
        batch_size: Inputs of a batch; the last one may be smaller.

    Raises:
        DataError: If a streamed image cannot be decoded.
    """
    chunks = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    if not isinstance(inputs, StreamedImages):
        yield from (inputs[chunk] for chunk in chunks)
        return
    # The filters belong to the process: a thread that set and reset them could undo what another
    # one has set.
    with _pillow_quiet(), ThreadPoolExecutor(1) as ahead:
        waiting = [ahead.submit(inputs.pick, chunk) for chunk in chunks[:1]]
        for following in chunks[1:]:
            batch = waiting.pop().result()
            waiting.append(ahead.submit(inputs.pick, following))
            yield batch
        yield from (last.result() for last in waiting)
