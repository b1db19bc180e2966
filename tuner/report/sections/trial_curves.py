"""Part of "Search history": the learning curves of the trials, the best one highlighted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tuner.records.results import Results
from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial
from tuner.report.charts.figures import Chart, draw, label_scores
from tuner.report.charts.scales import bound_outliers
from tuner.report.charts.svg import BASELINE, TUNED
from tuner.report.reported_run import ReportedRun
from tuner.space.definition import Direction, as_cost

# Beyond these the lines hide each other, and the page should stay light.
MAX_CURVES, MAX_POINTS = 40, 40
# The best ones are all drawn; of the others some, evenly over their ranks.
_BEST_DRAWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCurve:
    """One setting as it was trained, over all of its promotions.

    Attributes:
        trial_id: Its last trial.
        n_trials: Trials that it was trained in, one after the other.
        status: Of the last one.
        epochs: That have the objective, rising; counted over promotions.
        values: The objective after each.
        training: The same metric on the training images, where it was recorded, as pairs of epoch
            and value.
        best_epoch: That of the best value.
        is_best: Whether the search's best trial is among its trials.
    """

    trial_id: str
    n_trials: int
    status: str
    epochs: tuple[int, ...]
    values: tuple[float, ...]
    training: tuple[tuple[int, float], ...]
    best_epoch: int
    is_best: bool

    @property
    def best(self) -> float:
        """The best value."""
        return self.values[self.epochs.index(self.best_epoch)]

    @property
    def points(self) -> list[tuple[int, float]]:
        """Epochs and values that are drawn: evenly spaced ones, with the best and the last."""
        step = math.ceil(len(self.epochs) / MAX_POINTS)
        best, last = self.epochs.index(self.best_epoch), len(self.epochs) - 1
        kept = sorted({*range(0, len(self.epochs), step), best, last})
        return [(self.epochs[i], self.values[i]) for i in kept]

    @property
    def training_points(self) -> list[tuple[int, float]]:
        """The same on the training images, evenly spaced."""
        return list(self.training[:: math.ceil(len(self.training) / MAX_POINTS) or 1])


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCurves:
    """This part of the section.

    Attributes:
        drawn: The curves on the chart, the best first.
        n: Curves in all: settings with at least one epoch.
        objective: What they show.
        direction: `max` or `min`.
    """

    drawn: tuple[TrialCurve, ...]
    n: int
    objective: str
    direction: Direction

    @property
    def is_thinned(self) -> bool:
        """Whether a line leaves epochs out."""
        return any(len(curve.epochs) > MAX_POINTS for curve in self.drawn)


def context(reported: ReportedRun) -> dict[str, Any] | None:
    """What the template is given; None where no trial has an epoch with the objective."""
    found = compute(reported.results, reported.trials)
    return {"trial_curves": found, "figure": draw_trial_curves(found)} if found.drawn else None


def compute(results: Results, trials: Sequence[Trial]) -> TrialCurves:
    """The curves of all settings, and which of them are drawn.

    Args:
        results: For the objective, its direction and the best trial.
        trials: In the order of their ends.
    """
    search = results.search
    by_id = {trial.trial_id: trial for trial in trials}
    continued = {trial.parent_id for trial in trials}
    found = []
    for last in (trial for trial in trials if trial.trial_id not in continued):
        curve = _curve(_line(last, by_id), search.objective, search.direction, search.best_trial_id)
        found += [curve] if curve else []
    ranked = sorted(
        found, key=lambda curve: (not curve.is_best, as_cost(curve.best, search.direction))
    )
    return TrialCurves(
        drawn=_drawn(ranked),
        n=len(ranked),
        objective=search.objective,
        direction=search.direction,
    )


def draw_trial_curves(curves: TrialCurves) -> Chart:
    """All curves on one chart."""
    low, high = _limits(curves)

    def plot(axes: Axes, pairs: Sequence[tuple[float, float]], **style: Any) -> None:
        epochs = [epoch for epoch, _ in pairs]
        axes.plot(epochs, [min(max(value, low), high) for _, value in pairs], **style)

    def paint(axes: Axes) -> None:
        others = [curve.points for curve in curves.drawn if not curve.is_best]
        # One path with gaps weighs less than a path for each.
        gapped = [pair for points in others for pair in (*points, (math.nan, math.nan))]
        plot(axes, gapped, color=BASELINE, alpha=0.35, linewidth=0.9)
        # A single epoch has no line.
        single = [points[0] for points in others if len(points) == 1]
        plot(axes, single, marker=".", linestyle="none", color=BASELINE, alpha=0.35)
        for curve in (one for one in curves.drawn if one.is_best):
            plot(axes, curve.training_points, color=TUNED, linestyle="--", linewidth=1.3)
            plot(axes, curve.points, color=TUNED, linewidth=1.8)
            plot(axes, [(curve.best_epoch, curve.best)], color=TUNED, marker="*", markersize=10)
        margin = 0.04 * (high - low) or 0.01
        axes.set_ylim(low - margin, high + margin)
        axes.set_xlim(0.5, max(curve.epochs[-1] for curve in curves.drawn) + 0.5)
        axes.set_xlabel("Epoch")
        label_scores(axes.yaxis, curves.objective)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))

    return draw(
        "fig-trial-curves",
        f"{curves.objective} of the trials against epochs",
        "One thin line per setting, joined over its promotions. Thick: the best setting. Star: its"
        " best epoch. Dashed: the same metric on its training images. Values far worse than the"
        " rest"
        " are drawn at the edge.",
        paint,
        size=(4.4, 2.9),
    )


def _limits(curves: TrialCurves) -> tuple[float, float]:
    """Range of the vertical axis: of all that is drawn, without outliers on the worse side."""
    drawn = [value for curve in curves.drawn for value in curve.values]
    drawn += [value for curve in curves.drawn if curve.is_best for _, value in curve.training]
    bounded = bound_outliers(drawn, curves.direction)
    return float(bounded.min()), float(bounded.max())


def _line(last: Trial, by_id: Mapping[str, Trial]) -> list[Trial]:
    """A trial and those that it continues, the first one first."""
    line = [last]
    while (parent := by_id.get(line[0].parent_id or "")) is not None and parent not in line:
        line.insert(0, parent)
    return line


def _curve(
    line: Sequence[Trial], objective: str, direction: Direction, best_id: str
) -> TrialCurve | None:
    """The curve of a setting; None where no epoch has the objective."""
    epochs = [epoch for trial in line for epoch in trial.epochs]
    pairs = _series(epochs, objective)
    if not pairs:
        return None
    best_epoch, _ = min(pairs, key=lambda pair: as_cost(pair[1], direction))
    return TrialCurve(
        trial_id=line[-1].trial_id,
        n_trials=len(line),
        status=line[-1].status,
        epochs=tuple(epoch for epoch, _ in pairs),
        values=tuple(value for _, value in pairs),
        training=tuple(_series(epochs, objective.removeprefix("val_")))
        if objective.startswith("val_")
        else (),
        best_epoch=best_epoch,
        is_best=any(trial.trial_id == best_id for trial in line),
    )


def _series(epochs: Sequence[EpochMetrics], metric: str) -> list[tuple[int, float]]:
    """Epochs with a finite value of a metric; an epoch that was trained twice counts once."""
    found = {e.epoch: e.metrics[metric] for e in epochs if metric in e.metrics}
    return sorted((epoch, value) for epoch, value in found.items() if math.isfinite(value))


def _drawn(ranked: Sequence[TrialCurve]) -> tuple[TrialCurve, ...]:
    if len(ranked) <= MAX_CURVES:
        return tuple(ranked)
    others = ranked[_BEST_DRAWN:]
    n = MAX_CURVES - _BEST_DRAWN
    spread = [others[(2 * number + 1) * len(others) // (2 * n)] for number in range(n)]
    return (*ranked[:_BEST_DRAWN], *spread)
