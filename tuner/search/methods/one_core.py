"""Linear algebra of a proposal on one core."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


def on_one_core() -> AbstractContextManager[object]:
    """Keep BLAS and OpenMP to one thread in this context.

    The matrices of a search are small, and the other cores are the workers': threads that wait for
    one another on busy cores make a proposal take seconds in place of milliseconds.
    """
    return _libraries().limit(limits=1)


@cache
def _libraries() -> ThreadpoolController:
    # Looking for them takes longer than a proposal.
    return ThreadpoolController()
