"""The last words of a run."""

from __future__ import annotations

import shlex

from tuner.records.results import Results
from tuner.report.verdict import compute
from tuner.store.run_folder import RunFolder


def summary_lines(results: Results, folder: RunFolder) -> list[str]:
    """Verdict, where the report is, and what to do next."""
    path = shlex.quote(folder.path.as_posix())
    lines = [
        "",
        compute(results).sentence,
        "",
        f"Report   {folder.report.as_posix()}",
        f"Train    python -m tuner train --from {path}",
    ]
    # `--search-only` keeps no model.
    return [*lines, f"Predict  python -m tuner predict {path} IMAGE"] if results.models else lines
