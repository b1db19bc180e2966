"""Errors reach the driver whatever they are made of."""

from __future__ import annotations

import pickle

import pytest

from tests.records.test_error_text import error_with, fails
from tuner.errors import ConfigurationError, DataError
from tuner.execution.picklable import picklable


class NeedsThreeError(OSError):
    """Is sent, and cannot be put together again."""

    def __init__(self, one: int, two: int, three: int) -> None:
        super().__init__(28, "No space left", "x.npz")


class OwnDataError(DataError):
    """Of a module that the driver may not have."""


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (DataError("gone", "look"), DataError, "gone\n  Fix: look"),
        (OwnDataError("gone", "look"), DataError, "gone\n  Fix: look"),
        (ConfigurationError("no"), ConfigurationError, "no"),
        (OSError(28, "No space left", "x.npz"), OSError, "[Errno 28] No space left: 'x.npz'"),
        (
            NeedsThreeError(1, 2, 3),
            OSError,
            "[Errno 28] NeedsThreeError: [Errno 28] No space left: 'x.npz'",
        ),
        (ValueError(lambda: 3), RuntimeError, "ValueError: <function <lambda>"),
        (
            error_with(fails(RuntimeError())),
            RuntimeError,
            "OddError: <its text is unavailable: RuntimeError>",
        ),
    ],
)
def test_any_error_reaches_the_driver_with_its_traceback(
    error: Exception, kind: type, text: str
) -> None:
    arrived = pickle.loads(pickle.dumps(picklable(error)))
    assert type(arrived) is kind
    assert str(arrived).startswith(text)
    assert isinstance(error, OSError) is (getattr(arrived, "errno", None) == 28)
    assert arrived.__notes__[0].startswith("In a worker:\n")
