"""Section "Search history": what each trial reached, and the best score so far."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tuner.records.results import Results
from tuner.records.trial import Trial, TrialStatus
from tuner.report.charts.figures import Chart, draw, label_scores
from tuner.report.charts.svg import BASELINE, EFFICIENTNET, TUNED
from tuner.report.facts import in_block_order, without_effect_in
from tuner.report.reported_run import ReportedRun

# Beyond these the page would grow past what a browser opens at once; it says what it leaves out.
MAX_POINTS = 500
MAX_ROWS = 300
MAX_CELLS = 3000
# Columns of hyperparameters that fit on a page of paper with whole numbers.
MAX_UPRIGHT = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One trial on the charts.

    Attributes:
        number: From 1, in the order of the ends.
        minutes: Training time of all trials that had ended by then, itself included; more than the
            time that passed where trials ran side by side.
        status: `completed`, `stopped`, `failed` or `running`.
        promoted: Whether it continues another trial.
        score: The objective; None where there is none that is finite.
        best: Best score so far, this trial included; None before the first.
    """

    number: int
    minutes: float
    status: TrialStatus
    promoted: bool
    score: float | None
    best: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The whole section.

    Attributes:
        points: One per trial.
        rows: The trials of the table: all of them, or the best ones, in the order of their ends.
        idle: By trial of `rows`, the names of its values that no training reads.
        parameters: Names of the hyperparameters of the table: searched ones, but for those of
            `same`.
        same: Name and value of the searched ones that have one value in all rows.
        best_number: Number of the best trial, from 1; None where none succeeded.
        n_completed: Trials that were trained to their end.
        n_stopped: Trials that the time budget ended before; they have a score too.
        n_failed: Trials that failed.
        n_unfinished: Trials that neither failed nor ended.
        has_starts: Whether the search had starting settings.
    """

    points: tuple[Point, ...]
    rows: tuple[Trial, ...]
    idle: Mapping[str, Collection[str]]
    parameters: tuple[str, ...]
    same: tuple[tuple[str, Any], ...]
    best_number: int | None
    n_completed: int
    n_stopped: int
    n_failed: int
    n_unfinished: int
    has_starts: bool

    @property
    def drawn(self) -> tuple[Point, ...]:
        """The points with a mark of their own: evenly spaced ones of more than `MAX_POINTS`."""
        return self.points[:: math.ceil(len(self.points) / MAX_POINTS) or 1]


def context(reported: ReportedRun) -> dict[str, Any]:
    """What the template is given."""
    history = compute(reported.results, reported.trials)
    return {
        "history": history,
        "max_upright": MAX_UPRIGHT,
        "figures": (
            draw_history(history, reported.results.search.objective) if history.points else ()
        ),
    }


def compute(results: Results, trials: Sequence[Trial]) -> History:
    """The search as it went.

    Args:
        results: For the objective, its direction and the searched names.
        trials: In the order of their ends.
    """
    maximise = results.search.direction == "max"
    points = best_so_far(trials, maximise=maximise)
    best = results.search.best_trial_id
    statuses = [trial.status for trial in trials]
    rows = _rows(trials, maximise, min(MAX_ROWS, MAX_CELLS // max(1, len(results.search.searched))))
    idle = {one.trial_id: frozenset(without_effect_in(one, results.search)) for one in rows}
    always_read = set(results.search.searched).difference(*idle.values())
    same = _same(rows, [name for name in results.search.searched if name in always_read])
    names = in_block_order(results.search.searched)
    return History(
        points=points,
        rows=rows,
        idle=idle,
        parameters=tuple(name for name in names if name not in same),
        same=tuple((name, same[name]) for name in names if name in same),
        best_number=next(
            (number for number, t in enumerate(trials, 1) if t.trial_id == best), None
        ),
        n_completed=statuses.count("completed"),
        n_stopped=statuses.count("stopped"),
        n_failed=statuses.count("failed"),
        n_unfinished=statuses.count("running"),
        has_starts=any(trial.origin for trial in trials),
    )


def _same(rows: Sequence[Trial], names: Sequence[str]) -> dict[str, Any]:
    """The hyperparameters that have one value in all of several trials."""
    if len(rows) < 2:
        return {}
    first = rows[0].values
    return {
        name: first[name]
        for name in names
        if name != "model"
        and name in first
        and all(row.values.get(name) == first[name] for row in rows)
    }


def best_so_far(trials: Sequence[Trial], *, maximise: bool) -> tuple[Point, ...]:
    """Every trial with the best score up to it.

    Failed trials and scores that are not finite change nothing.
    """
    points: list[Point] = []
    best: float | None = None
    for number, (trial, seconds) in enumerate(
        zip(trials, accumulate(t.duration_s for t in trials), strict=True), 1
    ):
        score = trial.score if trial.score is not None and math.isfinite(trial.score) else None
        if score is not None and (best is None or (score > best if maximise else score < best)):
            best = score
        points.append(
            Point(
                number=number,
                minutes=seconds / 60,
                status=trial.status,
                promoted=trial.parent_id is not None,
                score=score,
                best=best,
            )
        )
    return tuple(points)


def draw_history(history: History, objective: str) -> tuple[Chart, Chart]:
    """Best so far against trials and against training time."""

    def by_trial(axes: Axes) -> None:
        _paint(axes, history, lambda p: p.number)
        axes.set(xlabel="Trials, in the order in which they ended")
        label_scores(axes.yaxis, objective)
        # One trial alone would get an axis of fractions.
        margin = 0.5 + 0.02 * len(history.points)
        axes.set_xlim(1 - margin, len(history.points) + margin)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))

    def by_time(axes: Axes) -> None:
        _paint(axes, history, lambda p: p.minutes)
        axes.set(xlabel="Training time of all trials, min")
        label_scores(axes.yaxis, objective)

    stopped = " Squares: stopped by the time budget." if history.n_stopped else ""
    seen = (
        f"Circles: first trainings. Triangles: promotions.{stopped} Crosses: failed."
        " Line: best so far."
    )
    return (
        draw("fig-trials", f"Best {objective} so far against trials", seen, by_trial),
        draw("fig-time", f"Best {objective} so far against training time", seen, by_time),
    )


def _paint(axes: Axes, history: History, place: Callable[[Point], float]) -> None:
    for marker in ("o", "^", "s"):
        some = [
            (place(p), p.score)
            for p in history.drawn
            if p.score is not None and _marker(p) == marker
        ]
        axes.plot(
            [x for x, _ in some],
            [y for _, y in some],
            marker,
            color=BASELINE,
            markersize=5,
            fillstyle="none",
        )
    line = [(place(p), p.best) for p in history.points if p.best is not None]
    axes.plot(
        [x for x, _ in line],
        [y for _, y in line],
        color=TUNED,
        linewidth=1.8,
        drawstyle="steps-post",
    )
    failed = [place(p) for p in history.drawn if p.status == "failed"]
    # Failed trials have no score: they stand on the horizontal axis.
    on_axis = axes.get_xaxis_transform()
    axes.plot(
        failed, [0.03] * len(failed), "x", color=EFFICIENTNET, markersize=6, transform=on_axis
    )
    for x, y in (
        (place(p), p.score)
        for p in history.points
        if p.number == history.best_number and p.score is not None
    ):
        axes.plot([x], [y], "*", color=TUNED, markersize=11)


def _marker(point: Point) -> str:
    if point.status == "stopped":
        return "s"
    return "^" if point.promoted else "o"


def _rows(trials: Sequence[Trial], maximise: bool, n_rows: int) -> tuple[Trial, ...]:
    if len(trials) <= n_rows:
        return tuple(trials)

    def badness(trial: Trial) -> tuple[bool, float]:
        score = trial.score if trial.score is not None and math.isfinite(trial.score) else None
        return score is None, 0.0 if score is None else -score if maximise else score

    best = sorted(range(len(trials)), key=lambda i: badness(trials[i]))[:n_rows]
    return tuple(trials[i] for i in sorted(best))
