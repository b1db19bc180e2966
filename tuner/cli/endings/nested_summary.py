"""The last words of nested cross-validation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from textwrap import wrap
from typing import Any

from tuner.commands.nested import NestedOutcome
from tuner.metrics.score_text import percent
from tuner.records.nested_results import NestedResults, PooledModel, WinningValues
from tuner.report.command_lines import resume_command
from tuner.report.text import interval, plural, value_text

# Of more values than these that won, the range says more.
SHOWN_VALUES = 3
WIDTH = 100


def nested_lines(outcome: NestedOutcome, command: str) -> list[str]:
    """Each model's pooled accuracy, what won, and the reports of the outer folds."""
    if outcome.results is None or outcome.file is None:
        ended = f"{len(outcome.folders)} of {outcome.n_outer} outer folds have been tested"
        return [
            "",
            f"{ended}; the rest was {outcome.stopped}. You can resume it.",
            f"Resume   {resume_command(command)}",
        ]
    reports = [
        f"Report {number} {folder.report.as_posix()}"
        for number, folder in enumerate(outcome.folders, start=1)
    ]
    results = f"Results  {outcome.file.as_posix()}"
    return ["", *_scores(outcome.results), *_winners(outcome.results), "", *reports, results]


def nested_ended(outcome: NestedOutcome, command: str) -> dict[str, Any]:
    """The last JSON line: where the files are, and what nested-....json holds."""
    record: dict[str, Any] = {
        "event": "NestedEnded",
        "stopped": outcome.stopped,
        "n_outer": outcome.n_outer,
        "reports": [folder.report.as_posix() for folder in outcome.folders],
    }
    if outcome.results is None or outcome.file is None:
        return record | {"resume": resume_command(command)}
    return record | {"file": outcome.file.as_posix(), "results": asdict(outcome.results)}


def _scores(results: NestedResults) -> Iterator[str]:
    yield (
        f"Accuracy of {plural(len(results.folds), 'outer fold')}; {results.n_test:,} images, each"
        " tested once:"
    )
    width = max(len(model.title) for model in results.models)
    for model in results.models:
        yield f"  {model.title:{width}}  {_score(model)}"


def _score(model: PooledModel) -> str:
    found = [accuracy for accuracy in model.fold_accuracies if accuracy is not None]
    if not found:
        return "could not be trained"
    spread = f"{percent(min(found))} to {percent(max(found))} by outer fold"
    few = (
        ""
        if len(found) == len(model.fold_accuracies)
        else f"; only {plural(len(found), 'fold')}, {model.n:,} images"
    )
    return (
        f"{percent(model.accuracy)} {interval(model.accuracy_low, model.accuracy_high)},"
        f" {spread}{few}"
    )


def _winners(results: NestedResults) -> Iterator[str]:
    shown = [_won(winning) for winning in results.winners if winning.counts]
    if shown:
        yield "What won, and in how many outer folds:"
        yield from wrap(
            "; ".join(shown),
            WIDTH,
            initial_indent="  ",
            subsequent_indent="  ",
            break_long_words=False,
        )


def _won(winning: WinningValues) -> str:
    values = [value for value, _ in winning.counts]
    if len(values) > SHOWN_VALUES and all(isinstance(value, int | float) for value in values):
        return f"{winning.name} {value_text(min(values))} to {value_text(max(values))}"
    return f"{winning.name} " + ", ".join(
        f"{value_text(value)} ({n}×)" for value, n in winning.counts
    )
