"""`report`: the page of a run, built again from its files, or its summary as Markdown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tuner.report.markdown import as_markdown
from tuner.store.run_folder import RunFolder


def report(run: Path, tell: Callable[[str], None]) -> Path:
    """Write the page of a run again, and return its path.

    Args:
        run: The run's folder.
        tell: Called with what had to be mended, in one line.

    Raises:
        ConfigurationError: If there is no finished run, or one of its files is damaged beyond
            repair.
    """
    # matplotlib takes half a second to import, which a summary does without.
    from tuner.pipeline.outputs.run_page import rebuild

    return rebuild(RunFolder(run), tell)


def markdown(run: Path) -> str:
    """A summary of a run for a pull request; its page stays as it is.

    Raises:
        ConfigurationError: If there is no finished run, or its results are damaged.
    """
    return as_markdown(RunFolder(run).read_results())
