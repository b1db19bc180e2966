"""Section "Next steps": at most three, each with the fact that calls for it and what to paste."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from tuner.records.results import Results
from tuner.report.command_lines import resume_command
from tuner.report.facts import recommended_of
from tuner.report.reported_run import ReportedRun
from tuner.report.sections.next_steps import comparison_steps, search_steps
from tuner.report.sections.next_steps.next_step import NextStep
from tuner.report.text import integer, plural, points

MAX_STEPS = 3

# What matters most comes first.
RULES: tuple[Callable[[ReportedRun], Iterator[NextStep]], ...] = (
    search_steps.no_better_than_a_guess,
    search_steps.failed_trials,
    comparison_steps.not_compared,
    comparison_steps.failed_trainings,
    comparison_steps.more_seeds,
    search_steps.limits,
    comparison_steps.backbone_ahead,
    comparison_steps.inconclusive,
    search_steps.winning_backbone,
    search_steps.wider_ranges,
    comparison_steps.more_epochs,
    search_steps.less_overfitting,
    comparison_steps.calibrate,
    search_steps.search_more,
)


def context(reported: ReportedRun) -> dict[str, Any]:
    """What the template is given."""
    return {"steps": compute(reported)}


def compute(reported: ReportedRun) -> tuple[NextStep, ...]:
    """The steps that the run's facts call for, what matters most first; each once."""
    results = reported.results
    if not results.run.is_complete:
        return (_resume(results),)
    steps: dict[str, NextStep] = {}
    for step in (found for rule in RULES for found in rule(reported)):
        steps.setdefault(step.code, step)
    return tuple(islice(steps.values(), MAX_STEPS)) or tuple(_train(results))


def _resume(results: Results) -> NextStep:
    search = results.search
    return NextStep(
        action="Wait, or resume the run",
        fact=(
            f"The run has not ended: {integer(search.n_trials)} of"
            f" {plural(search.n_planned, 'planned trial')} are done."
        ),
        code=resume_command(results.run.command),
    )


def _train(results: Results) -> Iterator[NextStep]:
    found, use = results.main_difference, recommended_of(results)
    if found and found.verdict == "better":
        is_other = use is not None and use.name != "tuned"
        yield NextStep(
            action="Train for production, including the validation images",
            fact=(
                f"The winner is better by {points(found.accuracy.value)} points of test accuracy,"
                " and nothing else in this run suggests a step."
                f"{' Train the recommended model:' if is_other else ''}"
            ),
            code=f"python -m tuner train --from {shlex.quote(results.run.folder)} --full-data",
            items=((use.title, ""),) if use is not None and is_other else (),
        )
