"""`tuner.load`: a finished run for a script or a notebook."""

from __future__ import annotations

from pathlib import Path

from tuner.api.finished_run import FinishedRun
from tuner.errors import ConfigurationError
from tuner.pipeline.outputs.named_run import named_run
from tuner.pipeline.run_options import REPORTS


def load(where: str | Path) -> FinishedRun:
    """Load a run.

    Args:
        where: What the command line takes for a RUN: the run's folder, `latest` for the newest
            finished run below `reports`, the name of a data set for that data set's newest, or
            `FOLDER/latest` for the newest below another folder. A file in a run's folder, such as
            its `best.yaml`, names that run.

    Returns:
        The run, whose files are read as they are asked for.

    Raises:
        ConfigurationError: If there is no such run, or its results cannot be read.

    Example:
        >>> import tuner
        >>> run = tuner.load("digits")
        >>> run.results.data.n_test
        359
    """
    found = named_run(Path(where), REPORTS)
    folder = found if found.is_dir() else found.parent
    if not (folder / "results.json").is_file() and found.is_file():
        raise ConfigurationError(
            f"{where} is a file that belongs to no run",
            'give the folder of a run, "latest", or the name of a data set.',
        )
    return FinishedRun(folder)
