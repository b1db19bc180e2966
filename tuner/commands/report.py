"""`report`: the page of a run, built again from its files; its figures; its summary as Markdown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tuner.errors import ConfigurationError
from tuner.pipeline.outputs.named_run import named_run
from tuner.pipeline.run_options import REPORTS
from tuner.report.markdown import as_markdown
from tuner.store.files.whole_files import named_refusals, write_atomically
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


def figures(run: Path, into: Path, tell: Callable[[str], None]) -> list[Path]:
    """Write every figure of a run's page as SVG and PNG, for slides; the page stays as it is.

    Args:
        run: The run's folder, or a name of it.
        into: The folder to write to; files of the same names are replaced.
        tell: Called with what is missing, in one line.

    Returns:
        The files.

    Raises:
        ConfigurationError: If there is no finished run, one of its files is damaged beyond repair,
            or the folder cannot be written.
    """
    from tuner.pipeline.outputs.run_page import read_run
    from tuner.report.figure_files import figure_files

    if into.exists() and not into.is_dir():
        raise ConfigurationError(f"{into}: is a file", "name a new or an existing folder.")
    folder = RunFolder(named_run(run, REPORTS))
    found = figure_files(read_run(folder, folder.read_results(), tell))
    for text in found.notes:
        tell(text)
    with named_refusals(into, "name another folder."):
        for name, content in found.files.items():
            with write_atomically(into / name) as file:
                file.write(content)
    if not found.files:
        tell("the run has no figures yet")
    return [into / name for name in found.files]
