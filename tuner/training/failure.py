"""Which errors are failures of a setting, and which are not its fault."""

from __future__ import annotations

from tuner.errors import DataError, TunerError
from tuner.records.error_text import reason_of, traceback_of, words_of
from tuner.records.training import Failure, FailureKind
from tuner.store.files.whole_files import is_disk_full


class NonFiniteLossError(TunerError):
    """Training diverged."""


def is_from_outside(error: BaseException) -> bool:
    """Whether an error would fail every setting.

    Images cannot be read any more, or a disk is full.
    """
    return isinstance(error, DataError) or is_disk_full(error)


def failure_of(error: BaseException) -> Failure:
    """What the result of a training says of the error that ended it."""
    if isinstance(error, NonFiniteLossError):
        return Failure(reason=error.message, kind="diverged")
    kind: FailureKind = "memory" if _is_out_of_memory(error) else "error"
    return Failure(reason=reason_of(error), traceback=traceback_of(error), kind=kind)


def _is_out_of_memory(error: BaseException) -> bool:
    # TensorFlow's own name for it, as asking for its class would import it; JAX says it in the
    # message only.
    is_device = type(error).__name__ == "ResourceExhaustedError" or words_of(error).startswith(
        "RESOURCE_EXHAUSTED"
    )
    return is_device or isinstance(error, MemoryError)
