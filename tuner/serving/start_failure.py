"""Why a worker could not load the model, on its way to the first process by a file."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from tuner.errors import TunerError

LOG = logging.getLogger("tuner")
_FILE = "failure.json"


class StartError(TunerError):
    """What kept a worker from its start, with the exit code of the error that it met."""

    def __init__(self, message: str, hint: str, exit_code: int = 1) -> None:
        super().__init__(message, hint)
        self.exit_code = exit_code


def write_failure(folder: Path, source: Path, error: Exception) -> None:
    """Keep why this process could not load the model; the log has the traceback of other errors.

    Args:
        folder: Of the service.
        source: Of the model.
        error: What was raised.
    """
    if isinstance(error, TunerError):
        found = error.message, error.hint, error.exit_code
    else:
        LOG.exception("%s: cannot be loaded", source)
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        found = (
            f"{source}: cannot be loaded: {reason}",
            "see the traceback above; `--workers 1` loads the model in this process.",
            1,
        )
    (folder / _FILE).write_text(json.dumps(found), "utf-8")


def take_failure(folder: Path) -> StartError | None:
    """What a worker kept, once; None where no worker did.

    Args:
        folder: Of the service.
    """
    path = folder / _FILE
    try:
        message, hint, exit_code = json.loads(path.read_text(encoding="utf-8"))
    # A worker may have been killed while it wrote.
    except (FileNotFoundError, ValueError):
        return None
    finally:
        path.unlink(missing_ok=True)
    return StartError(message, hint, exit_code)
