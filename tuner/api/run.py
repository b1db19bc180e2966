"""`tuner.run`: a whole run from Python."""

from __future__ import annotations

import inspect
from typing import Any

from tuner.api.calling import call_run
from tuner.api.finished_run import FinishedRun
from tuner.api.keywords import option_lines, signature_with


def run(data: Any, **options: Any) -> FinishedRun:
    """Search, retrain, compare and report, as `python -m tuner run` does.

    Args:
        data: A data set's name, or the path of a folder, CSV or NPZ.
        **options: The options of the command line, by the same names.

    Returns:
        The finished run.

    Raises:
        ConfigurationError: For mistakes in options, space, model or data set's name.
        DataError: For data that are missing or unusable.
        SearchError: If no trial succeeded.
        RunInterrupted: If you interrupted the run, which then ended in order; a KeyboardInterrupt.
            The same call goes on with it.
    """
    return call_run(str(data), options)


run.__signature__ = signature_with(inspect.signature(run))  # type: ignore[attr-defined]
run.__doc__ = (run.__doc__ or "").replace(
    "by the same names.\n", f"by the same names.\n\n{option_lines()}\n"
)
