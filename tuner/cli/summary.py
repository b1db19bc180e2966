"""The last words of a run."""

from __future__ import annotations

import os
import shlex
import textwrap
from typing import Any

from tuner.cli import output
from tuner.records.results import Results
from tuner.report.verdict import compute
from tuner.store.run_folder import RunFolder


def summary_lines(results: Results, folder: RunFolder) -> list[str]:
    """Verdict, where the report is, and what to do next."""
    path = shlex.quote(folder.path.as_posix())
    lines = [
        "",
        _wrapped(compute(results).sentence),
        "",
        f"Report   {folder.report.as_posix()}",
        f"Train    python -m tuner train --from {path}",
    ]
    # `--search-only` keeps no model.
    return [*lines, f"Predict  python -m tuner predict {path} IMAGE"] if results.models else lines


def run_ended(results: Results, folder: RunFolder) -> dict[str, Any]:
    """The last JSON line of a run: where its files are, and each model's test accuracies, one per seed."""
    return {
        "event": "RunEnded",
        "folder": folder.path.as_posix(),
        "report": folder.report.as_posix(),
        "verdict": compute(results).sentence,
        "best_score": results.search.best_score,
        "test_accuracy": {model.name: [run.test.accuracy for run in model.runs] for model in results.models},
    }


def _wrapped(text: str) -> str:
    """A terminal would break the line within a word."""
    if not output.ERRORS.isatty():
        return text
    return textwrap.fill(text, os.get_terminal_size(output.ERRORS.fileno()).columns)
