"""The one thread that the model computes in: images that wait for it go together."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tuner.serving.served_model import ServedModel

_Waiting = tuple[np.ndarray, "asyncio.Future[np.ndarray]"]


class ModelQueue:
    """Images of all requests on their way through the model.

    No image waits for others to come: what has arrived while the model computed goes into its next
    pass together. So an idle service answers as soon as it would one by one.
    """

    def __init__(
        self, model: ServedModel, most: int, tell: Callable[[int, float], None] | None = None
    ) -> None:
        """Begin with an empty queue.

        Args:
            model: What predicts.
            most: Images of one pass at most.
            tell: Called after each pass with its images and seconds.
        """
        self._model = model
        self._most = most
        self._tell = tell or (lambda n, seconds: None)
        self._waiting: deque[_Waiting] = deque()
        self._thread = ThreadPoolExecutor(1, "model")
        self._passes: asyncio.Task[None] | None = None

    async def probabilities(self, image: np.ndarray) -> np.ndarray:
        """Class probabilities (classes,) of an image (height, width, channels)."""
        future: asyncio.Future[np.ndarray] = asyncio.get_running_loop().create_future()
        self._waiting.append((image, future))
        if self._passes is None or self._passes.done():
            self._passes = asyncio.create_task(self._run())
        return await future

    async def saliency(self, image: np.ndarray, predicted: int) -> bytes | None:
        """As of the model."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._model.saliency, image, predicted)

    def close(self) -> None:
        """End the thread after what it computes."""
        self._thread.shutdown()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            n = min(self._most, len(self._waiting))
            together = [self._waiting.popleft() for _ in range(n)]
            pixels = np.stack([image for image, _ in together])
            began_s = time.perf_counter()
            try:
                found = await loop.run_in_executor(self._thread, self._model.probabilities, pixels)
            # Whatever it is, the requests of this pass must have an answer, and the next go on.
            except Exception as error:
                _fail([future for _, future in together], error)
                continue
            self._tell(n, time.perf_counter() - began_s)
            for (_, future), row in zip(together, found, strict=True):
                if not future.done():
                    future.set_result(row)


def _fail(futures: list[asyncio.Future[np.ndarray]], error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
