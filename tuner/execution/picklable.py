"""Errors on their way from a worker to the driver."""

from __future__ import annotations

import pickle

from tuner.errors import TunerError
from tuner.records.error_text import reason_of, traceback_of

_BUILTIN = "builtins"


def picklable(error: Exception) -> Exception:
    """The error as any process can take it, with its traceback in a note.

    A class of your own module may not exist in the driver, may hold what cannot be sent, or may be
    sent and not be put together again; the nearest class above it that the driver has takes its
    place.
    """
    sent = error if _can_be_sent(error) else _relative(error)
    sent.add_note(f"In a worker:\n{traceback_of(error)}")
    return sent


def _can_be_sent(error: Exception) -> bool:
    if type(error).__module__.partition(".")[0] not in (_BUILTIN, "tuner"):
        return False
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return False
    return True


def _relative(error: Exception) -> Exception:
    if isinstance(error, TunerError):
        known = next(
            kind for kind in type(error).__mro__ if kind.__module__ == TunerError.__module__
        )
        relative: Exception = known(reason_of(error), str(error.hint))
    elif isinstance(error, OSError) and isinstance(error.errno, int):
        relative = OSError(error.errno, reason_of(error))
    else:
        relative = RuntimeError(reason_of(error))
    return relative
