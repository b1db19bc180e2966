"""The contents of the report: its sections, in the order of the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tuner.report.reported_run import ReportedRun
from tuner.report.sections import (
    curves,
    hyperparameters,
    mattered,
    model_comparison,
    recommendation,
    reproduce,
    search_history,
    trade_offs,
    trial_curves,
    verdict,
)
from tuner.report.sections.next_steps import rules
from tuner.report.sections.prediction_errors import confusion, gallery, labels, reliability
from tuner.report.sections.trust import all_checks

Context = Callable[[ReportedRun], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of the page.

    Attributes:
        name: Its anchor.
        heading: Its heading.
        parts: What fills each template in `templates/sections/`, one below the other, by the name
            of the template; None leaves a part out, the first one the section.
        needs_search: Whether it is about a search, or about what a search compares.
    """

    name: str
    heading: str
    parts: Mapping[str, Context]
    needs_search: bool


def _section(name: str, heading: str, **parts: Context) -> Section:
    return Section(name=name, heading=heading, parts=parts, needs_search=True)


def _of_any_training(name: str, heading: str, **parts: Context) -> Section:
    return Section(name=name, heading=heading, parts=parts, needs_search=False)


# The answer comes first. Each part computes its numbers, then draws them.
SECTIONS = (
    _section("recommendation", "Recommendation", recommendation=recommendation.context),
    _section("verdict", "Verdict", verdict=verdict.context),
    _section("trust", "Trust", trust=all_checks.context),
    _of_any_training("models", "Models side by side", model_comparison=model_comparison.context),
    _of_any_training(
        "errors",
        "Errors",
        confusion=confusion.context,
        reliability=reliability.context,
        gallery=gallery.context,
        labels=labels.context,
    ),
    _of_any_training("curves", "Learning curves", curves=curves.context),
    _section("trade_offs", "Trade-offs", trade_offs=trade_offs.context),
    _section(
        "history",
        "Search history",
        search_history=search_history.context,
        trial_curves=trial_curves.context,
    ),
    _section("mattered", "What mattered", mattered=mattered.context),
    _section("hyperparameters", "Best hyperparameters", hyperparameters=hyperparameters.context),
    _section("next_steps", "Next steps", next_steps=rules.context),
    _of_any_training("reproduce", "Reproduce", reproduce=reproduce.context),
)
