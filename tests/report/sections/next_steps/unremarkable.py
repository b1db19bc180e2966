"""A run that asks for no next step, and what is read of the steps of others."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.report.fixtures import results
from tuner.cli.commands import cli
from tuner.cli.run_commands import check_testable
from tuner.records.importance import Importance, ParameterImportance
from tuner.records.results import Results
from tuner.records.scores import Estimate
from tuner.records.trial import Trial
from tuner.report.html_document import make_environment
from tuner.report.reported_run import ReportedRun
from tuner.report.sections.next_steps.next_step import NextStep
from tuner.report.sections.next_steps.rules import compute, context
from tuner.space.definition import SearchSpaceFile
from tuner.space.parsing.parse import load_space


def quiet(n_seeds: int = 3, n_test: int = 600) -> Results:
    """A run without any fact that calls for a step; of mirrored images no overfit gap is known."""
    run = results(n_seeds=n_seeds, n_test=n_test)
    winner = replace(run.models[0], values={"flip": True})
    search = replace(run.search, n_failed=0, parameters=())
    return replace(run, search=search, models=(winner, *run.models[1:]))


def steps(run: Results, some: tuple[Trial, ...] = ()) -> tuple[NextStep, ...]:
    return compute(ReportedRun(results=run, trials=some))


def the_step(run: Results, some: tuple[Trial, ...] = ()) -> NextStep:
    (step,) = steps(run, some)
    return step


def section(run: Results) -> str:
    """The section as the page has it."""
    return (
        make_environment("tuner.report")
        .get_template("sections/next_steps.html")
        .render(context(ReportedRun(results=run)))
    )


def options(code: str) -> dict[str, Any]:
    """What the command line makes of a command, without running it."""
    python, _, module, name, *words = shlex.split(code)
    assert (python, module) == ("python", "tuner")
    command = cli.commands[name]
    given = command.make_context(name, words).params
    if given.get("require_improvement"):
        checked = ("nested", "search_only", "preset", "overrides")
        check_testable(**{name: given[name] for name in checked})
    return given


def important(*names: str, chance: float = 0.01) -> Importance:
    estimate = Estimate(value=0.1, low=-0.05, high=0.2)
    ranked = tuple(
        ParameterImportance(name=name, importance=estimate, chance=chance) for name in names
    )
    return Importance(n_trials=50, n_settings=40, parameters=ranked, reason="")


def parsed(step: NextStep, path: Path) -> SearchSpaceFile:
    """The space that a step's command searches."""
    given = options(step.code)
    return load_space(path, given["overrides"], given["model"])
