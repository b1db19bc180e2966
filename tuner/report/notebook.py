"""A run as a notebook shows it: recommendation, verdict, models, and the search as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment

from tuner.metrics.score_text import score_text
from tuner.names import one_line
from tuner.records.results import Results
from tuner.records.trial import Trial
from tuner.report.html_document import make_environment
from tuner.report.model_summary import metric_words, state_words, summarise
from tuner.report.reported_run import ReportedRun
from tuner.report.sections import recommendation, verdict
from tuner.report.sections.verdict_sentence import plain_text
from tuner.report.text import plural, without_folders

# Of the chart, in pixels; the margins hold the numbers of the axes.
WIDTH, HEIGHT = 440, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 10, 10, 24
# Beyond these the output of a cell would grow to megabytes.
MAX_MARKS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One trial on the chart.

    Attributes:
        x: Pixels from the left.
        y: Pixels from the top.
        kind: `first`, `promoted`, `stopped` or `failed`.
        title: What it is, in a few words.
    """

    x: float
    y: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The search: a mark for each trial, and the best score so far.

    Attributes:
        marks: Evenly spaced ones of more than `MAX_MARKS`.
        line: Points of the best score so far, as SVG's `points`.
        low: The lowest score, as text.
        high: The highest one.
        n: Trials.
        description: What it shows, in a sentence.
    """

    marks: tuple[Mark, ...]
    line: str
    low: str
    high: str
    n: int
    description: str


def as_text(results: Results) -> str:
    """A run in a line: data, state, search, and the model to use where there is one."""
    search, use = results.search, recommendation.compute(results)
    if results.run.recipe:
        return one_line(f"{results.data.name}, trained from a recipe")
    state = state_words(results.run.state)
    told = plain_text(use.headline) if use else f"Best {_best(results)}"
    return one_line(f"{results.data.name}, {state}, {plural(search.n_trials, 'trial')}. {told}")


def as_html(reported: ReportedRun, missing: str = "") -> str:
    """A run as the output of a cell, which takes its colours from the notebook's theme.

    Args:
        reported: The run; pictures are left out.
        missing: Why its trials could not be read; empty where they could.

    Returns:
        An element without scripts; everything that others have named is escaped.
    """
    results = reported.results
    use = recommendation.compute(results)
    recommended = use.name if use else None
    context: dict[str, Any] = {
        "results": results,
        "use": use,
        "refused": recommendation.none_allowed(results),
        "verdict": verdict.compute(results),
        "differences": {one.opponent: one for one in results.differences},
        "scored": {summary.result.name: summary for summary in summarise(results.models)},
        "recommended": recommended,
        "objective": metric_words(results.search.objective),
        "best": _best(results),
        "missing": without_folders(missing),
        "chart": chart(reported.trials, results),
        "page": without_folders(f"{results.run.folder}/report.html"),
        "size": (WIDTH, HEIGHT),
        "frame": (_LEFT, _TOP, WIDTH - _RIGHT, HEIGHT - _BOTTOM),
    }
    return _environment().get_template("notebook.html").render(context)


@cache
def _environment() -> Environment:
    return make_environment("tuner.report")


def _best(results: Results) -> str:
    search = results.search
    score = score_text(search.best_score, search.objective)
    return f"{metric_words(search.objective)} {score} (trial {search.best_trial_id})"


def chart(trials: Sequence[Trial], results: Results) -> Chart | None:
    """The search as marks and a line; None where no trial has a score.

    Args:
        trials: In the order of their ends.
        results: For the objective and its direction.
    """
    # It draws with matplotlib, which takes half a second to import.
    from tuner.report.sections.search_history import MAX_POINTS, best_so_far

    points = best_so_far(trials, maximise=results.search.direction == "max")
    scores = [point.score for point in points if point.score is not None]
    if not scores:
        return None
    low, high = min(scores), max(scores)
    objective = results.search.objective

    def x(number: int) -> float:
        share = (number - 1) / (len(points) - 1) if len(points) > 1 else 0.5
        return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)

    def y(score: float) -> float:
        share = (score - low) / (high - low) if high > low else 0.5
        return round(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM), 1)

    every = max(1, -(-len(points) // min(MAX_MARKS, MAX_POINTS)))
    marks = [
        Mark(
            x=x(point.number),
            y=HEIGHT - _BOTTOM if point.score is None else y(point.score),
            kind=_kind(point.status, promoted=point.promoted),
            title=f"trial {trial.trial_id}: "
            + (point.status if point.score is None else score_text(point.score, objective, 2)),
        )
        for point, trial in list(zip(points, trials, strict=True))[::every]
    ]
    return Chart(
        marks=tuple(marks),
        line=_steps([(x(p.number), y(p.best)) for p in points if p.best is not None]),
        low=score_text(low, objective),
        high=score_text(high, objective),
        n=len(points),
        description=(
            f"{metric_words(objective)} of {plural(len(points), 'trial')} from"
            f" {score_text(low, objective)} to {score_text(high, objective)}; the line is the best"
            " so far."
        ),
    )


def _kind(status: str, *, promoted: bool) -> str:
    if status in ("failed", "stopped"):
        return status
    return "promoted" if promoted else "first"


def _steps(places: Sequence[tuple[float, float]]) -> str:
    """A line that keeps its height until the next place."""
    if not places:
        return ""
    corners = [places[0]]
    for place in places[1:]:
        if place[1] != corners[-1][1]:
            corners += [(place[0], corners[-1][1]), place]
    corners.append((places[-1][0], corners[-1][1]))
    return " ".join(f"{x},{y}" for x, y in corners)
