"""`report`: the page of a run, built again from its files, or its summary as Markdown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tuner.pipeline.outputs.named_run import named_run
from tuner.pipeline.run_options import REPORTS
from tuner.report.markdown import as_markdown
from tuner.store.run_folder import RunFolder


def report(run: Path, tell: Callable[[str], None]) -> Path:
    """Write the page of a run again, and return its path.

    Args:
        run: The run's folder, or a name of it.
        tell: Called with what had to be mended, in one line.

    Raises:
        ConfigurationError: If there is no finished run, or one of its files is damaged beyond
            repair.
    """
    # matplotlib takes half a second to import, which a summary does without.
    from tuner.pipeline.outputs.run_page import rebuild

    return rebuild(RunFolder(named_run(run, REPORTS)), tell)


def markdown(run: Path) -> str:
    """A summary of a run for a pull request; its page stays as it is.

    Raises:
        ConfigurationError: If there is no finished run, or its results are damaged.
    """
    return as_markdown(RunFolder(named_run(run, REPORTS)).read_results())
