"""`compare`: one page of all runs, or of a choice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tuner.errors import ConfigurationError
from tuner.pipeline.outputs.all_runs import PAGE, all_runs, looked_at, write_runs
from tuner.pipeline.outputs.named_run import MARKS, named_run
from tuner.report.runs_page import DataSet

# A choice of runs must not take the place of the page of all.
SOME = "compare.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The page of all runs.

    Attributes:
        page: Where it is.
        datasets: What it shows.
    """

    page: Path
    datasets: tuple[DataSet, ...]

    def records(self) -> Iterator[dict[str, Any]]:
        """One JSON record per run, then one that names the page."""
        for dataset in self.datasets:
            for row in dataset.rows:
                yield {"event": "RunListed", "dataset": dataset.name, **asdict(row)}
        yield {"event": "CompareEnded", "page": self.page.as_posix()}


def compare(out: Path, runs: Sequence[Path] = ()) -> Compared:
    """Write the page of all runs.

    Args:
        out: Root of the reports, where the page goes.
        runs: Folders or names of the runs that it shows; none stands for all below the root.

    Raises:
        ConfigurationError: If there is no run, one that is named is none, or the page cannot be
            written.
    """
    if runs:
        page, root = out / SOME, out.resolve()
        found = [looked_at(path, root) for path in _named(runs, out)]
    else:
        page, found = out / PAGE, all_runs(out)
    return Compared(page=page, datasets=write_runs(found, page))


def _named(runs: Sequence[Path], out: Path) -> list[Path]:
    folders = [named_run(run, out) for run in runs]
    for path in folders:
        if not any((path / mark).exists() for mark in MARKS):
            raise ConfigurationError(
                f"{path}: there is no run",
                "give a run's folder, such as reports/digits/20260131-101500-0a1b2c3d.",
            )
    return list(dict.fromkeys(path.resolve() for path in folders))
