"""The last words of a run."""

from __future__ import annotations

from tuner.cli.output import plain
from tuner.records.results import Results
from tuner.report.verdict import compute
from tuner.store.run_folder import RunFolder


def summary_lines(results: Results, folder: RunFolder) -> list[str]:
    """Verdict, where the report is, and what to do next."""
    path = folder.path.as_posix()
    return [
        "",
        plain(compute(results).sentence),
        "",
        f"Report   {folder.report.as_posix()}",
        f"Train    python -m tuner train --from {path}",
        f"Predict  python -m tuner predict {path} IMAGE",
    ]
