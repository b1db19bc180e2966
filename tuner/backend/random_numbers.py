"""Random numbers of a process: a training within it seeds them."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import copy

# TensorFlow has no public function to read them (tensorflow/python/eager/context.py).
_OF_TENSORFLOW = ("_seed", "_rng")


@contextmanager
def random_numbers_kept() -> Iterator[None]:
    """Restore those of Python, NumPy, TensorFlow and PyTorch; what is not imported is left alone.

    Keras' own lie in its state, which `tuner.api.kept_process` restores; JAX has none.
    """
    with ExitStack() as after:
        after.callback(random.setstate, random.getstate())
        if (numpy := sys.modules.get("numpy")) is not None:
            after.callback(numpy.random.set_state, numpy.random.get_state())
        if (context := sys.modules.get("tensorflow.python.eager.context")) is not None:
            after.callback(_of_tensorflow(context.context()))
        if (torch := sys.modules.get("torch")) is not None:
            # Without a list, it takes memory on every GPU, also of a program that uses none.
            is_used = torch.cuda.is_initialized()
            devices = list(range(torch.cuda.device_count())) if is_used else []
            after.enter_context(torch.random.fork_rng(devices=devices))
        yield


def _of_tensorflow(context: object) -> Callable[[], None]:
    kept = {name: copy(one) for name, one in vars(context).items() if name in _OF_TENSORFLOW}
    return lambda: vars(context).update(kept)
