"""Slices: the score against each hyperparameter's value, one small chart each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes

from tuner.records.trial import Trial
from tuner.report.charts.figures import Chart, axis_name, draw, label_scores, label_text
from tuner.report.charts.scales import Scale, of_parameter, of_scores
from tuner.report.charts.svg import BASELINE, TUNED
from tuner.report.text import plural
from tuner.space.definition import Direction, Parameter

# Parallel coordinates show the others, and the page may weigh 150 kB.
MAX_SLICES = 4
# In each chart; more would make a page that opens slowly.
MAX_POINTS = 200
_MAX_LABELS = 6
# The longest trainings first; shorter ones than the last share its marker.
_MARKERS = (("o", "●", TUNED), ("^", "△", BASELINE), ("s", "□", BASELINE), ("x", "✕", BASELINE))
# Of the distance of two values, the part over which marks of one value are spread.
_SPREAD = 0.3
# Whole numbers of a wider range than this need no spreading.
_MOST_STEPS = 12
# Multiples of the golden ratio, less their whole part, are spread evenly however many there are.
_GOLDEN = 0.618034


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthMark:
    """How trials are drawn that were trained to a certain epoch.

    Attributes:
        depths: Last epochs, rising.
        marker: matplotlib's.
        symbol: The marker as a character, for legends in text.
        colour: Hexadecimal.
    """

    depths: tuple[int, ...]
    marker: str
    symbol: str
    colour: str

    @property
    def text(self) -> str:
        """For the legend."""
        return f"{'' if len(self.depths) == 1 else 'at most '}{plural(self.depths[-1], 'epoch')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """This part of the section.

    Attributes:
        scales: One per chart.
        left_out: Names of the hyperparameters that have no chart.
        drawn: Trials with a mark in every chart.
        score_scale: The vertical axis.
        marks: The shortest trainings first.
        n_beyond: Trials of `drawn` whose scores are so bad that they stand at the edge.
    """

    scales: tuple[Scale, ...]
    left_out: tuple[str, ...]
    drawn: tuple[Trial, ...]
    score_scale: Scale
    marks: tuple[DepthMark, ...]
    n_beyond: int

    @property
    def is_spread(self) -> bool:
        """Whether marks are spread sideways, so that they do not overlap."""
        return any(_distance(scale) or scale.has_off for scale in self.scales)


def compute(
    ranked: Sequence[Trial], parameters: Sequence[Parameter], objective: str, direction: Direction
) -> Slices:
    """What is drawn.

    Args:
        ranked: Trials with finite scores, the best first; at least one.
        parameters: The most interesting first.
        objective: Its name.
        direction: `max` or `min`.
    """
    scale = of_scores([_score(trial) for trial in ranked], objective, direction)
    ranks = np.linspace(0, len(ranked) - 1, min(len(ranked), MAX_POINTS)).round().astype(int)
    drawn = tuple(ranked[rank] for rank in ranks)
    return Slices(
        scales=tuple(of_parameter(parameter, ranked) for parameter in parameters[:MAX_SLICES]),
        left_out=tuple(parameter.name for parameter in parameters[MAX_SLICES:]),
        drawn=drawn,
        score_scale=scale,
        marks=depth_marks(drawn),
        n_beyond=sum(not scale.low <= _score(trial) <= scale.high for trial in drawn),
    )


def depth_marks(trials: Sequence[Trial]) -> tuple[DepthMark, ...]:
    """A marker for each number of epochs, the shortest trainings first."""
    depths = sorted({trial.last_epoch for trial in trials}, reverse=True)
    last = len(_MARKERS) - 1
    groups = [*((depth,) for depth in depths[:last]), tuple(sorted(depths[last:]))]
    marks = [
        DepthMark(depths=group, marker=marker, symbol=symbol, colour=colour)
        for group, (marker, symbol, colour) in zip(groups, _MARKERS, strict=False)
        if group
    ]
    return tuple(reversed(marks))


def draw_slices(slices: Slices) -> tuple[Chart, ...]:
    """One chart per hyperparameter."""
    legend = ", ".join(f"{mark.symbol} {mark.text}" for mark in slices.marks)
    return tuple(
        draw(
            f"slice{number}",
            f"{slices.score_scale.name} against {scale.name}",
            f"One mark per trial; its shape shows the last epoch: {legend}.",
            partial(_paint, slices=slices, scale=scale),
            size=(4.4, 2.4),
        )
        for number, scale in enumerate(slices.scales, 1)
    )


def _paint(axes: Axes, slices: Slices, scale: Scale) -> None:
    vertical = slices.score_scale
    for mark in slices.marks:
        some = [
            (i, trial) for i, trial in enumerate(slices.drawn) if trial.last_epoch in mark.depths
        ]
        axes.plot(
            [_across(scale, trial, i) for i, trial in some],
            [min(max(_score(trial), vertical.low), vertical.high) for _, trial in some],
            mark.marker,
            color=mark.colour,
            markersize=4,
            fillstyle="full" if mark.marker == "o" else "none",
        )
    ticks = scale.ticks[:: -(-len(scale.ticks) // _MAX_LABELS)]
    axes.set_xticks(
        [place for place, _ in ticks], [label_text(text, 12) for _, text in ticks], parse_math=False
    )
    axes.set_xlim(-_margin(scale), 1 + _margin(scale))
    axes.set_xlabel(axis_name(scale.name) + (" (log scale)" if scale.log else ""), parse_math=False)
    label_scores(axes.yaxis, vertical.name)


def _across(scale: Scale, trial: Trial, index: int) -> float:
    """Where a trial stands.

    Trials of one value stand side by side where the axis has few, so that none hides another.
    """
    place = scale.place(trial.values.get(scale.name))
    distance = _distance(scale)
    if scale.has_off and not scale.choices and place == 1:
        distance = 1 - scale.end
    return place + _SPREAD * distance * (index * _GOLDEN % 1 - 0.5)


def _distance(scale: Scale) -> float:
    """Distance of two values of an axis that has few; 0 of one with many."""
    if scale.choices:
        return scale.step or 1
    n_steps = scale.high - scale.low
    is_coarse = scale.is_whole and not scale.log and 0 < n_steps <= _MOST_STEPS
    return scale.end / n_steps if is_coarse else 0.0


def _margin(scale: Scale) -> float:
    """Room at either side of the axis."""
    return max(_distance(scale) / 2 if scale.choices else _SPREAD * _distance(scale), 0.06)


def _score(trial: Trial) -> float:
    assert trial.score is not None  # Ranked trials have one.
    return trial.score
