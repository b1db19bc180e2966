"""The last words of a run."""

from __future__ import annotations

import os
import shlex
import textwrap
from typing import Any

from tuner.cli import output
from tuner.commands.run import RunOutcome
from tuner.report.reproduce import resume_command
from tuner.report.verdict import compute


def summary_lines(outcome: RunOutcome, command: str) -> list[str]:
    """Verdict, where the report is, and what to do next."""
    folder, results = outcome.folder, outcome.results
    path = shlex.quote(folder.path.as_posix())
    if outcome.stopped:
        where = [f"Report   {folder.report.as_posix()}"] if results else []
        return ["", f"The run was {outcome.stopped}, and can go on.", *where, f"Resume   {resume_command(command)}"]
    assert results is not None  # Only a stopped run has none.
    lines = [
        "",
        _wrapped(compute(results).sentence),
        "",
        f"Report   {folder.report.as_posix()}",
        f"Train    python -m tuner train --from {path}",
    ]
    # `--search-only` keeps no model.
    return [*lines, f"Predict  python -m tuner predict {path} IMAGE"] if results.models else lines


def run_ended(outcome: RunOutcome, command: str) -> dict[str, Any]:
    """The last JSON line of a run: where its files are, and each model's test accuracies, one per seed."""
    record: dict[str, Any] = {"event": "RunEnded", "folder": outcome.folder.path.as_posix(), "stopped": outcome.stopped}
    if outcome.stopped:
        record["resume"] = resume_command(command)
    results = outcome.results
    if results is None:
        return record
    return record | {
        "report": outcome.folder.report.as_posix(),
        "verdict": compute(results).sentence,
        "best_score": results.search.best_score,
        "test_accuracy": {model.name: [run.test.accuracy for run in model.runs] for model in results.models},
    }


def _wrapped(text: str) -> str:
    """A terminal would break the line within a word."""
    if not output.ERRORS.isatty():
        return text
    return textwrap.fill(text, os.get_terminal_size(output.ERRORS.fileno()).columns)
